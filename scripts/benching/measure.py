"""Runs commands and takes their time, CPU, peak memory and requests; prints medians side by side."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

from .table import align


@dataclass
class Command:
    name: str
    line: list
    folder: object
    env: dict


@dataclass
class Row:
    what: str
    state: str
    name: str
    seconds: list
    cpu: list
    requests: list
    memory: list

    def as_json(self):
        return asdict(self)


def find(name):
    found = shutil.which(name)
    if not found:
        print(f"{name} is not on the PATH: no comparison with it (cargo install cargo-edit)", file=sys.stderr)
    return found


def once(command):
    """Seconds, CPU seconds of it and all its children, and the peak memory in MB of the largest process."""
    with open(os.devnull, "wb") as nothing, open(os.path.join(command.env["BENCH_WORK"], "stderr"), "wb") as errors:
        began = time.monotonic()
        child = subprocess.Popen(command.line, cwd=command.folder, env=command.env, stdout=nothing, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command.name} ended with {child.returncode}; see {errors.name}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def run(proxy, commands, states, runs, what):
    """All commands in all states, taking turns, so that a noisy moment hits them alike."""
    rows = []
    for state, prepare in states:
        mine = [Row(what, state, command.name, [], [], [], []) for command in commands]
        for number in range(runs):
            for command, row in zip(commands, mine):
                prepare()
                proxy.reset()
                seconds, cpu, memory = once(command)
                row.seconds.append(seconds)
                row.cpu.append(cpu)
                row.memory.append(memory)
                row.requests.append(proxy.stats()["requests"])
                print(f"{what}, {state}, {number + 1}/{runs}: {command.name}: {seconds:.2f} s", file=sys.stderr)
        rows += mine
    return rows


def table(rows):
    """One line for each command and state; the ratio is that of the seconds to those of the first command."""
    head = ["what", "state", "command", "seconds", "range", "CPU s", "requests", "peak MB", "x"]
    lines = [head]
    first = {}
    for row in rows:
        seconds = statistics.median(row.seconds)
        base = first.setdefault((row.what, row.state), seconds)
        lines.append([
            row.what, row.state, row.name, f"{seconds:.2f}", f"{min(row.seconds):.2f}-{max(row.seconds):.2f}",
            f"{statistics.median(row.cpu):.2f}", f"{statistics.median(row.requests):.0f}",
            f"{max(row.memory):.0f}", f"{seconds / base:.1f}",
        ])
    return align(lines)
