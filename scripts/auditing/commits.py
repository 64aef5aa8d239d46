"""Step 7: each commit resolves, and which of them also build by themselves. Only the tip is promised to build."""

from . import matrix
from .history import chain_of
from .shell import run
from .tip import set_up


def check(scene, ledger):
    gates = [cell for cell in matrix.cells(scene) if cell.is_gate] or matrix.cells(scene)
    chain = chain_of(scene)
    alone = 0
    scene.show(scene.base)
    projects = [project for project in scene.projects() if not resolve_trouble(scene, project)]
    for number, commit in enumerate(chain, 1):
        scene.show(commit)
        set_up(scene, ledger)
        name = f"commit {number} of {len(chain)} ({commit[:12]})"
        ledger.judge(f"{name} resolves", filter(None, (resolve_trouble(scene, project) for project in projects)))
        red = [f"{cell}: {ran.first_words()}" for cell in gates if not (ran := build(scene, cell)).ok]
        alone += not red
        if number == len(chain) or not red:
            ledger.judge(f"{name} builds", red)
        else:
            ledger.note(f"{name} does not build by itself: {red[0]}")
    print(f"note     {alone} of {len(chain)} commits build by themselves")


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
