"""The parts of scripts/audit. Nothing here knows the tool's code; everything is read from git, manifests and commands."""
