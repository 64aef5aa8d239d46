"""Step 7: each commit resolves and compiles by itself."""

from . import matrix, red
from .history import chain_of
from .ready import set_up
from .shell import run


def check(scene, ledger):
    gates = [cell for cell in matrix.cells(scene) if cell.is_gate] or matrix.cells(scene)
    chain = chain_of(scene)
    red.learn(scene, ledger)
    scene.show(scene.base)
    projects = [project for project in scene.projects() if not resolve_trouble(scene, project)]
    for number, commit in enumerate(chain, 1):
        scene.show(commit)
        set_up(scene, ledger)
        name = f"commit {number} of {len(chain)} ({commit[:12]})"
        ledger.judge(f"{name} resolves", filter(None, (resolve_trouble(scene, project) for project in projects)))
        troubles = [f"{cell}: {words}" for cell in gates for words in red.news(scene, cell, build(scene, cell))]
        if number == len(chain) or not troubles or scene.options.each_commit == "build":
            ledger.judge(f"{name} builds", troubles)
        else:
            ledger.note(f"{name} does not build by itself: {troubles[0]}")


def build(scene, cell):
    return run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), log=scene.logs / "commits.log")


def resolve_trouble(scene, project):
    """Why the locks of a project do not fit its manifests without a change (asked of the base as well: what is so there
    is no trouble of a commit)."""
    if project.get("obstacle"):
        return "held whole"
    if project.get("lock"):
        return "its lockfile is in no commit"
    cargo = ["cargo", "metadata", "--locked", "--format-version", "1"]
    argv = cargo if project["ecosystem"] == "cargo" else ["go", "list", "-mod=readonly", "-deps", "-test", "./..."]
    ran = run(argv, scene.folder(project["path"]), scene.environment(matrix.own(project)), log=scene.logs / "resolve.log")
    return None if ran.ok else f"{scene.label(project)}: {ran.first_words()}"
