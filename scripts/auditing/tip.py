"""Step 2: the tip builds and its tests pass, as many as the report says."""

from . import matrix, red
from .ready import fetch, set_up
from .shell import run


def check(scene, ledger):
    cells = matrix.cells(scene)
    if not cells:
        if scene.report["tip"] is None and not scene.report["upgrades"]:
            ledger.skipped("the tip's checks", "nothing is published, and no trial passed on the base")
        else:
            ledger.failed("the tip's checks", "the report names no passed trial with cells")
        return
    red.learn(scene, ledger)
    scene.show(scene.tip)
    set_up(scene, ledger)
    error = fetch(scene)
    ledger.judge("what the tip needs can be downloaded", [error] if error else [])
    for cell in cells:
        ran = run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), log=scene.logs / "tip.log")
        tests = matrix.count(cell, ran.text)
        scene.tip_counts[cell.key], scene.tip_seconds[cell.key] = tests, ran.seconds
        troubles = [f"exit {ran.code}: {words}" for words in red.news(scene, cell, ran)]
        if tests is not None and tests < max(cell.tests, baseline_tests(scene, cell)):
            troubles.append(f"{tests} tests ran; the report says {cell.tests}, the baseline {baseline_tests(scene, cell)}")
        if tests is None and cell.tests:
            troubles.append(f"the report says that {cell.tests} tests ran; none can be counted")
        ledger.judge(str(cell), troubles, f"{ran.seconds:.1f} s" + (f", {tests} tests" if tests is not None else ""))


def baseline_tests(scene, cell):
    """How many tests of a check ran on the untouched base, in every baseline run."""
    return min((one["tests"] for one in red.baseline(scene, cell.label, cell.check)), default=0)
