"""One world for each measurement, and what a cold build and a whole run cost in it: seconds, CPU, trials."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

# Sourced by bash, so that quoting is that of `env.sh` itself. Nothing of the user's is used or written but toolchains.
ENTER = '. "$0/env.sh"; export GOCACHE="$0/gocache" CARGO_TERM_COLOR=never; cd "$0/repo"; exec "$@"'
COLD = "cargo test --workspace --locked && cd svc && go test ./..."


@dataclass
class Run:
    name: str
    seconds: float
    cpu: float
    trials: list
    ended: dict

    def search(self):
        """The trials of the search: not those of the baseline, and not the last verification."""
        return [one for one in self.trials if not one["id"].startswith(("baseline", "full", "commit"))]

    def number(self, start):
        return sum(1 for one in self.trials if one["id"].startswith(start))


class Worlds:
    """Makes worlds that know nothing of each other, and removes each when it was measured."""

    def __init__(self, work, tool, archive):
        self.work, self.tool, self.archive = work, tool, archive
        companion = subprocess.run(
            [tool, "companion"], env={**os.environ, "XUPGRADE_CACHE_DIR": str(work / "companion")},
            check=True, stdout=subprocess.PIPE, text=True)
        self.companion = companion.stdout.strip()

    def measure(self, name, line):
        """Runs a command in a world of its own: seconds, CPU seconds of all that ran, and `xupgrade.out/report.json`."""
        world = self.work / name
        subprocess.run([self.tool, "demo", "--archive", self.archive, "--folder", world], check=True)
        log = self.work / f"{name}.log"
        print(f"{name}: {' '.join(map(str, line))}", file=sys.stderr)
        with open(log, "wb") as output:
            used, began = cpu_of_children(), time.monotonic()
            ended = subprocess.run(
                ["bash", "-c", ENTER, world, *line], stdout=output, stderr=subprocess.STDOUT,
                env={**os.environ, "XUPGRADE_GO_COMPANION": self.companion})
            seconds, cpu = time.monotonic() - began, cpu_of_children() - used
        if ended.returncode != 0:
            sys.exit(f"{name} ended with {ended.returncode}; see {log}")
        file = world / "repo/xupgrade.out/report.json"
        report = json.loads(file.read_text()) if file.exists() else None
        shutil.rmtree(world)
        print(f"{name}: {seconds:.1f} s", file=sys.stderr)
        return seconds, cpu, report

    def cold(self, number):
        seconds, cpu, _ = self.measure(f"cold-{number}", ["bash", "-c", COLD])
        return seconds, cpu

    def run(self, strategy, jobs):
        name = f"{strategy}, jobs {jobs}"
        line = [self.tool, "run", "--strategy", strategy, "--jobs", str(jobs), "--verify-commits", "no"]
        seconds, cpu, report = self.measure(f"{strategy}-{jobs}", line)
        return Run(name, seconds, cpu, report["trials"], {one["name"]: one["to"] for one in report["upgrades"]})


def cpu_of_children():
    """CPU of all ended children of this process and, as each waits for its own, of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
