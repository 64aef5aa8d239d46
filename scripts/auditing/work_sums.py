"""go.work.sum is a lockfile: a command that leaves it alone on the base leaves it alone on each commit, and no commit takes a
line away."""

import os

from . import matrix
from .history import chain_of
from .ready import set_up
from .shell import run

IN_MEMBERS = [["go", "build", "./..."], ["go", "vet", "./..."], ["go", "test", "-run=^$", "./..."]]
IN_WORKSPACE = [["go", "list", "-m", "all"], ["go", "mod", "graph"]]


def check(scene, ledger):
    works = [name for name in scene.files_at(scene.base) if os.path.basename(name) == "go.work"]
    if not works or scene.report["tip"] is None:
        ledger.skipped("go.work.sum", "no tracked go.work" if not works else "nothing is published")
        return
    for work in works:
        check_work(scene, ledger, os.path.dirname(work))


def check_work(scene, ledger, folder):
    at_commit(scene, ledger, scene.base)
    calm = [command for command in commands(scene, folder) if not changes(scene, folder, command)]
    before, parent = sums(scene, folder), scene.base
    for number, commit in enumerate(chain_of(scene), 1):
        name = f"go.work.sum of {folder or '.'} in commit {number} ({commit[:12]})"
        at_commit(scene, ledger, commit)
        lost = sorted(set(before.splitlines()) - set(sums(scene, folder).splitlines()))
        ledger.judge(f"{name} keeps every line", [line.decode() for line in lost])
        if touches_go(scene, parent, commit):
            ledger.judge(f"{name} is left alone by {len(calm)} commands",
                         [f"`{' '.join(words)}` in {where} changes it" for where, words in calm
                          if changes(scene, folder, (where, words))])
        before, parent = sums(scene, folder), commit


def at_commit(scene, ledger, commit):
    scene.show(commit)
    set_up(scene, ledger)


def commands(scene, folder):
    """(folder, words): some in each member of the workspace, some once."""
    members = [project["path"] for project in scene.projects("go") if not project.get("obstacle")
               and matrix.own(project).get("GOWORK") != "off" and is_in(project["path"], folder)]
    return [(member, words) for member in members for words in IN_MEMBERS] + [(folder or ".", words) for words in IN_WORKSPACE]


def is_in(path, folder):
    return not folder or path == folder or path.startswith(folder + "/")


def touches_go(scene, parent, commit):
    names = scene.git("diff", "--name-only", parent, commit).split()
    return any(os.path.basename(name) in ("go.mod", "go.sum", "go.work", "go.work.sum") for name in names)


def changes(scene, folder, command):
    """Whether a command changes go.work.sum; it is put back."""
    where, words = command
    before = sums(scene, folder)
    run(words, scene.folder(where), scene.environment(), log=scene.logs / "work-sums.log")
    after, file = sums(scene, folder), scene.folder(folder) / "go.work.sum"
    if after != before:
        file.write_bytes(before) if before else file.unlink()
    return after != before


def sums(scene, folder):
    """The bytes of go.work.sum; none where there is no such file."""
    file = scene.folder(folder) / "go.work.sum"
    return file.read_bytes() if file.exists() else b""
