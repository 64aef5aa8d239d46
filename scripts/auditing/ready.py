"""Makes a commit ready for checks: its tree, what `[setup]` asks for, and what has to be downloaded."""

import shlex

from . import matrix
from .shell import run


def at_commit(scene, ledger, commit):
    """A commit's tree, ready for checks that run offline."""
    scene.show(commit)
    set_up(scene, ledger)
    error = fetch(scene)
    if error:
        raise RuntimeError(error)


def set_up(scene, ledger):
    """What `[setup]` of xupgrade.toml asks for."""
    for name in scene.copied():
        target = scene.clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((scene.repo / name).read_bytes())
    for command in scene.config.get("setup", {}).get("commands", []):
        argv = command if isinstance(command, list) else shlex.split(command)
        ran = run(argv, scene.clone, scene.environment(), log=scene.logs / "setup.log")
        if not ran.ok:
            ledger.failed(f"set-up `{' '.join(argv)}`", ran.first_words())


def fetch(scene):
    """Downloads what the projects need, so that the checks can run offline as they do in a trial; the words of a failure. A
    project that fails on the base as well (a lockfile that does not fit its manifests) is no fault of the branch."""
    for project in scene.projects():
        if project.get("obstacle"):
            continue
        cargo = ["cargo", "fetch", "--locked", "--quiet"]
        argv = cargo if project["ecosystem"] == "cargo" else ["go", "list", "-e", "-deps", "-test", "./..."]
        env = scene.environment(matrix.own(project))
        ran = run(argv, scene.folder(project["path"]), env, log=scene.logs / "fetch.log")
        if not ran.ok and not fails_on_the_base(scene, project, argv, env):
            return f"{scene.label(project)} `{' '.join(argv)}`: {ran.first_words()}"
    return None


def fails_on_the_base(scene, project, argv, env):
    # A lockfile of the run's own is in no commit.
    return not project.get("lock") and not run(argv, untouched(scene) / project["path"], env, log=scene.logs / "fetch-base.log").ok


def untouched(scene):
    """A tree of the base beside the clone's."""
    tree = scene.work / "base"
    if not tree.exists():
        scene.git("worktree", "add", "--quiet", "--detach", str(tree), scene.base)
    return tree
