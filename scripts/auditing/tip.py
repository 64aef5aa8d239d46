"""Step 2: the tip builds and its tests pass, as many as the report says."""

import shlex

from . import matrix
from .shell import run


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
    """Downloads what the projects need, so that the checks can run offline as they do in a trial; the words of a failure."""
    for project in scene.projects():
        if project.get("obstacle"):
            continue
        cargo = ["cargo", "fetch", "--locked", "--quiet"]
        argv = cargo if project["ecosystem"] == "cargo" else ["go", "list", "-e", "-deps", "-test", "./..."]
        ran = run(argv, scene.folder(project["path"]), scene.environment(matrix.own(project)), log=scene.logs / "fetch.log")
        if not ran.ok:
            return f"{scene.label(project)} `{' '.join(argv)}`: {ran.first_words()}"
    return None


def check(scene, ledger):
    cells = matrix.cells(scene)
    if not cells:
        if scene.report["tip"] is None and not scene.report["upgrades"]:
            ledger.skipped("the tip's checks", "nothing is published, and no trial passed on the base")
        else:
            ledger.failed("the tip's checks", "the report names no passed trial with cells")
        return
    scene.show(scene.tip)
    set_up(scene, ledger)
    error = fetch(scene)
    ledger.judge("what the tip needs can be downloaded", [error] if error else [])
    for cell in cells:
        ran = run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), log=scene.logs / "tip.log")
        tests = matrix.count(cell, ran.text)
        scene.tip_counts[cell.key], scene.tip_seconds[cell.key] = tests, ran.seconds
        troubles = [] if ran.ok else [f"exit {ran.code}: {ran.first_words()}"]
        if tests is not None and tests < max(cell.tests, baseline_tests(scene, cell)):
            troubles.append(f"{tests} tests ran; the report says {cell.tests}, the baseline {baseline_tests(scene, cell)}")
        if tests is None and cell.tests:
            troubles.append(f"the report says that {cell.tests} tests ran; none can be counted")
        ledger.judge(str(cell), troubles, f"{ran.seconds:.1f} s" + (f", {tests} tests" if tests is not None else ""))


def baseline_tests(scene, cell):
    """How many tests of a check ran on the untouched base, in every baseline run."""
    counts = [one["tests"] for trial in scene.report["trials"] if trial["id"].startswith("baseline")
              for one in trial["cells"] if (one["project"], one["check"]) == (cell.label, cell.check)]
    return min(counts, default=0)
