"""Step 1: the branch is the chain of commits that the report names, and its last tree is a tree that passed."""

import os

from . import matrix
from .red import was_red
from .scene import UPGRADE_FILES
from .shell import output_of


def check(scene, ledger):
    report = scene.report
    if report["tip"] is None:
        check_nothing_published(scene, ledger)
        return
    check_trees(scene, ledger)
    chain = chain_of(scene)
    claimed = claimed_commits(report)
    ledger.judge(f"the tip reaches the base in {len(claimed)} commits", chain_troubles(scene, chain, len(claimed)))
    ledger.judge("each upgrade names its commit, in order",
                 [f"report {a}, branch {b}" for a, b in zip_longest(claimed, chain) if a != b])
    trees = [scene.git("rev-parse", f"{commit}^{{tree}}") for commit in [scene.base, *chain]]
    told = [(one["id"], one["tree"]) for one in report["commits"]]
    ledger.judge("the report lists the commits with their trees",
                 [f"report {a}, branch {b}" for a, b in zip_longest(told, list(zip(chain, trees[1:]))) if a != b])
    ledger.judge("no commit below the tip has a tree that failed in a trial, and none is empty",
                 [*failed_troubles(report, trees[1:-1]),
                  *(f"{commit} is empty" for commit, before, tree in zip(chain, trees, trees[1:]) if before == tree)])
    for upgrade in report["upgrades"]:
        commit = upgrade["commit"]
        if commit not in chain:
            ledger.judge(f"the commit of {upgrade['name']}", [f"{commit} is not on the branch"])
            continue
        name = f"commit {commit[:12]} ({upgrade['name']} {upgrade['to']})"
        ledger.judge(name, [*trailer_troubles(scene, upgrade, commit), *file_troubles(scene, upgrade, commit)])


def failed_troubles(report, trees):
    for trial in report["trials"]:
        if trial["verdict"] == "failed" and trial["tree"] in trees:
            yield f"{trial['id']} failed on {trial['tree']}"


def claimed_commits(report):
    """The commits that the report names, in order; upgrades that belong together name the same one."""
    commits = [upgrade["commit"] for upgrade in report["upgrades"]]
    return [one for place, one in enumerate(commits) if place == 0 or one != commits[place - 1]]


def zip_longest(a, b):
    length = max(len(a), len(b))
    return zip(a + [None] * (length - len(a)), b + [None] * (length - len(b)))


def check_nothing_published(scene, ledger):
    report = scene.report
    stated = [key for key in ("branch", "tip_tree") if report[key] is not None]
    ledger.judge("no tip, so no branch and no upgrades",
                 stated + [f"upgrade {one['name']}" for one in report["upgrades"]])


def check_trees(scene, ledger):
    report = scene.report
    tree = scene.git("rev-parse", f"{report['tip']}^{{tree}}")
    stated = {"the tip's tree": tree, "tip_tree": report["tip_tree"], "tested_tree": report["tested_tree"]}
    ledger.judge("tip_tree, tested_tree and the tip's tree are one",
                 [f"{name} is {one}" for name, one in stated.items() if one != tree], tree)
    branch = output_of(["git", "rev-parse", f"refs/heads/{report['branch']}"], scene.repo).strip()
    ledger.judge(f"branch {report['branch']} is at the tip", [f"it is at {branch}"] if branch != report["tip"] else [])
    proofs = [trial for trial in report["trials"] if trial["tree"] == tree and trial["verdict"] == "passed"]
    ledger.judge("a trial passed the whole matrix on this tree", matrix_troubles(scene, proofs),
                 ", ".join(trial["id"] for trial in proofs))


def matrix_troubles(scene, proofs):
    """Every check of every project must have ended with 0 in one of the trials."""
    lacking = {trial["id"]: list(missing_cells(scene, trial)) for trial in proofs}
    if not lacking:
        return ["no passed trial names this tree"]
    if any(not missing for missing in lacking.values()):
        return []
    return [f"{trial} lacks {one}" for trial, missing in lacking.items() for one in missing]


def missing_cells(scene, trial):
    # What was red before any upgrade is judged target by target where the tip is built.
    # Where tests failed for no upgrade's sake, the trial names them; the tip is tested apart, and what only compiles is no test.
    def is_green(cell):
        cleared = trial.get("cleared") and not matrix.GATE.search(cell["command"])
        return cell["exit"] == 0 or cleared or was_red(scene, cell["project"], cell["check"])

    green = {(cell["project"], cell["command"]) for cell in trial["cells"] if is_green(cell)}
    for project in scene.projects():
        for command in project["checks"]:
            words = command.split()
            has = any(label == scene.label(project) and ran.split()[:len(words)] == words for label, ran in green)
            if not has:
                yield f"`{command}` in {scene.label(project)}"


def chain_of(scene):
    """Commits from the base's child to the tip."""
    listed = scene.git("rev-list", "--reverse", "--first-parent", f"{scene.base}..{scene.tip}")
    return listed.split()


def chain_troubles(scene, chain, expected):
    if len(chain) != expected:
        yield f"{len(chain)} commits"
    parents = [scene.base, *chain]
    for parent, commit in zip(parents, chain):
        actual = scene.git("rev-list", "--parents", "-n", "1", commit).split()[1:]
        if actual != [parent]:
            yield f"{commit} has the parents {actual}"


def trailer_troubles(scene, upgrade, commit):
    body = scene.git("log", "-1", "--format=%(trailers:only,unfold)", commit)
    trailers = [line.split(": ", 1) for line in body.splitlines() if ": " in line]
    values = {}
    for key, value in trailers:
        values.setdefault(key, []).append(value)
    stated = f"{upgrade['ecosystem']}:{upgrade['name']} {upgrade['from']} -> {upgrade['to']}"
    if stated not in values.get("Xupgrade-Upgrade", []):
        yield f"trailer Xupgrade-Upgrade is `{values.get('Xupgrade-Upgrade')}`"
    if values.get("Xupgrade-Base") != [scene.base]:
        yield f"trailer Xupgrade-Base is `{values.get('Xupgrade-Base')}`"
    trials = [value.split(" ")[0] for value in values.get("Xupgrade-Trial", [])]
    passed = [one["id"] for one in scene.report["trials"] if one["verdict"] == "passed"]
    if upgrade["trial"] not in trials or upgrade["trial"] not in passed:
        yield f"trailer Xupgrade-Trial is `{values.get('Xupgrade-Trial')}`, and no such trial passed"


def file_troubles(scene, upgrade, commit):
    names = scene.git("diff-tree", "-r", "--name-only", "-z", "--no-commit-id", commit).split("\0")
    for name in filter(None, names):
        if os.path.basename(name) not in UPGRADE_FILES:
            yield f"touches {name}"
    manifests = {path for project in scene.projects() for path in project["manifests"]}
    manifests |= {os.path.join(os.path.dirname(path), lock) for path in manifests for lock in ("Cargo.lock", "go.sum", "go.work", "go.work.sum")}
    manifests |= {"go.work", "go.work.sum"}
    for name in filter(None, names):
        if name not in manifests:
            yield f"touches {name}, which belongs to no reported project"
