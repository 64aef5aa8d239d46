"""Builds the world of a fixture, runs one of the two tools in it, and gives the tree that it leaves."""

import json
import pathlib
import shutil
import subprocess

from .registry import Server

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"


class Stage:
    """One fixture in a folder of its own, with its registry served over HTTP."""

    def __init__(self, tool, fixture, folder):
        shutil.rmtree(folder, ignore_errors=True)
        archive = FIXTURES / f"{fixture}.txtar"
        subprocess.run([tool, "demo", "--archive", archive, "--folder", folder], check=True)
        self.folder, self.repo = folder, folder / "repo"
        self.server = Server(folder)

    def __enter__(self):
        self.server.__enter__()
        # Whoever upgrades a project has built it: what the base needs is downloaded.
        for lockfile in self.lockfiles():
            self.run(["cargo", "fetch", "--locked", "--quiet"], self.repo / lockfile.parent)
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        # A target directory is large; what is to be looked at is the tree.
        shutil.rmtree(self.folder / "cache", ignore_errors=True)

    def run(self, words, folder=None):
        """Runs a command in the world."""
        script = f'. "{self.folder}/env.sh"; exec "$@"'
        target = ["env", f"CARGO_TARGET_DIR={self.folder}/target"]
        command = ["sh", "-c", script, "sh", *target, *map(str, words)]
        return subprocess.run(command, cwd=folder or self.repo, capture_output=True, text=True, errors="replace")

    def lockfiles(self):
        """The tracked lockfiles, by path from the root."""
        listed = self.run(["git", "ls-files", "*Cargo.lock"]).stdout.split()
        return [pathlib.Path(path) for path in listed]


def by_cargo_upgrade(stage, program, line):
    """What the case says, in every workspace, as its user would type it; the tree is the checkout."""
    line = f'PATH="{program.parent}:$PATH"; {line}'
    ran = [stage.run(["sh", "-c", line], stage.repo / lockfile.parent) for lockfile in stage.lockfiles()]
    return stage.repo, "exit code " + ", ".join(str(one.returncode) for one in ran)


def by_us(stage, program, flags):
    """`cargo xupgrade`; the tree is a fresh clone of the branch, or of the base where there is none."""
    ran = stage.run([program, "run", *flags])
    report = json.loads((stage.repo / "xupgrade.out" / "report.json").read_text(encoding="utf-8"))
    tree = stage.folder / "clone"
    words = ["git", "clone", "--quiet", "--branch", report["branch"] or "main", str(stage.repo), str(tree)]
    subprocess.run(["sh", "-c", f'. "{stage.folder}/env.sh"; exec "$@"', "sh", *words], check=True)
    return tree, f"exit code {ran.returncode}"
