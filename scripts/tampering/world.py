"""A copy of a finished run, to be spoiled, and the list of all tampers."""

import json
import os
import shutil
import subprocess
from pathlib import Path

TAMPERS = []
# The demo's module whose upgrade drags another one along.
GO_MODULE = "demo.test/router"
DEMO = "demo"


def tamper(step, wanted, run=DEMO):
    """Registers a tamper: the audit's step that must go red, words of the line that must say so, and whose run it spoils."""
    def register(function):
        TAMPERS.append((function.__name__, step, wanted, run, function))
        return function
    return register


class World:
    """A copy of a run's repository and report, to be spoiled."""

    def __init__(self, demo, folder):
        self.repo = folder / "repo"
        shutil.copytree(demo / "repo", self.repo, symlinks=True)
        self.path = self.repo / "xupgrade.out/report.json"
        self.report = json.loads(self.path.read_text())
        self.git("checkout", "--quiet", self.report["branch"])

    def git(self, *args):
        ran = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *args], cwd=self.repo,
                             check=True, stdout=subprocess.PIPE)
        return ran.stdout.decode().strip()

    def save(self):
        self.path.write_text(json.dumps(self.report))

    def edit(self, path, old, new):
        file = self.repo / path
        text = file.read_text()
        assert old in text, f"{path} holds no {old!r}"
        file.write_text(text.replace(old, new, 1))

    def amend(self):
        """Folds the tree's changes into the last commit; the report follows, as a forger would have it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--amend", "--no-edit", "--allow-empty")
        self.follow()

    def commit(self, words):
        """One more commit with the tree's changes."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", words)
        self.follow()

    def write(self, path, text):
        file = self.repo / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def follow(self):
        report = self.report
        old, tree = report["tip_tree"], self.git("rev-parse", "HEAD^{tree}")
        report["tip"], report["tip_tree"], report["tested_tree"] = self.git("rev-parse", "HEAD"), tree, tree
        if report["upgrades"]:
            report["upgrades"][-1]["commit"] = report["tip"]
            report["commits"][-1].update(id=report["tip"], tree=tree)
        for trial in report["trials"]:
            if trial["tree"] == old:
                trial["tree"] = tree

    def upgrade(self, name):
        return next(one for one in self.report["upgrades"] if one["name"] == name)

    def held(self, name):
        return next(one for one in self.report["held"] if one["name"] == name)

    def take_back(self, name):
        """Takes an upgrade, and all that came after it, off branch and report; gives it."""
        while True:
            last = self.report["upgrades"].pop()
            self.report["commits"].pop()
            self.git("reset", "--quiet", "--hard", "HEAD^")
            if last["name"] == name:
                break
        self.follow()
        return last


def lock(world, name, old, new):
    """Locks a crate at another release, with that one's real checksum."""
    world.edit("Cargo.lock", f'name = "{name}"\nversion = "{old}"', f'name = "{name}"\nversion = "{new}"')
    checksum_of(world, name, new)


def checksum_of(world, name, version):
    """Puts a crate's real checksum into the lockfile."""
    index = Path(os.environ["CARGO_HOME"]).parent / "registry/index" / name[:2] / name[2:4] / name
    lines = [json.loads(line) for line in index.read_text().splitlines()]
    checksum = next(line["cksum"] for line in lines if line["vers"] == version)
    path = world.repo / "Cargo.lock"
    lines = path.read_text().splitlines()
    start = lines.index(f'name = "{name}"')
    at = next(number for number in range(start, len(lines)) if lines[number].startswith("checksum = "))
    lines[at] = f'checksum = "{checksum}"'
    path.write_text("\n".join(lines) + "\n")
