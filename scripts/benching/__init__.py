"""The parts of `scripts/bench-plan`: the worlds that are planned, the proxy before the registries, the measuring."""
