"""A run of this tool in a clone: its seconds, its report, and the tree of its branch."""

import collections
import json

from . import checkout
from .timed import timed

# Trials beside the search: the baseline (no reason given), the last verification and the commits by themselves.
BESIDE = {None, "verify", "commit"}


def play(tool, tree, folder, flags):
    """Runs `cargo-xupgrade run` with a cache of its own; the clone is left at the branch, or at the base."""
    cache = {"XUPGRADE_CACHE_DIR": str(folder / "cache")}
    ran = timed([tool, "run", "--repo", tree, *flags], tree, folder / "run.log", cache)
    file = tree / "xupgrade.out" / "report.json"
    if not file.is_file():
        raise RuntimeError(f"no report, exit code {ran.code}: {ran.why()}")
    report = json.loads(file.read_text(encoding="utf-8"))
    if report["branch"]:
        checkout.git(["checkout", "--quiet", "--detach", report["branch"]], tree)
    return ran, report


def figures(ran, report):
    """What is told of the run."""
    trials = report["trials"]
    seconds = collections.Counter()
    for trial in trials:
        seconds[trial.get("why") or "baseline"] += trial.get("seconds", 0)
    searched = [trial for trial in trials if trial.get("why") not in BESIDE]
    return {"exit": ran.code, "seconds": ran.seconds, "cpu": ran.cpu, "trials": len(trials), "searched": len(searched),
            "built": sum(bool(trial.get("cells")) for trial in searched), "upgrades": len(report["upgrades"]),
            "held": len(report["held"]), "untried": len(report["untried"]), "by_reason": dict(sorted(seconds.items()))}
