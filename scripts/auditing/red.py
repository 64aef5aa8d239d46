"""What does not compile on the base, or which of its tests fail there, is no fault of a branch: it is looked up there, by name,
and judged nowhere."""

import re

from . import matrix
from .ready import at_commit
from .shell import run

# How cargo and go name a target or a package that did not compile.
TARGET = re.compile(r"^error: could not compile `([^`]+)` \(([^)]*)\)", re.MULTILINE)
SCRIPT = re.compile(r"failed to run custom build command for `(\S+)")
PACKAGE = re.compile(r"^# (\S+)", re.MULTILINE)
# How libtest, go test and its JSON name a test that failed.
TESTS = [re.compile(r"^test (.+?) \.\.\. FAILED", re.MULTILINE), re.compile(r"^\s*--- FAIL: (\S+)", re.MULTILINE),
         re.compile(r'"Action":"fail".*"Test":"([^"]+)"')]


def failing(ran):
    """The targets or packages that did not compile and the tests that failed, by name; the telling line where none is named."""
    targets = {f"{package} ({target})" for package, target in TARGET.findall(ran.text)}
    scripts = {f"{package} (build script)" for package in SCRIPT.findall(ran.text)}
    tests = {f"test {name}" for form in TESTS for name in form.findall(ran.text)}
    return targets | scripts | tests | set(PACKAGE.findall(ran.text)) or {ran.first_words()}


def learn(scene, ledger):
    """Runs on the base, once, the checks that were red in each baseline of the report; the clone then shows the base."""
    if scene.red is not None:
        return
    scene.red = {}
    suspects = [cell for cell in matrix.cells(scene) if was_red(scene, cell.label, cell.check)]
    if suspects:
        at_commit(scene, ledger, scene.base)
    for cell in suspects:
        ran = run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), log=scene.logs / "base.log")
        scene.red[cell.key] = set() if ran.ok else failing(ran)


def was_red(scene, label, check):
    """Whether a check failed in every baseline."""
    exits = [cell["exit"] for cell in baseline(scene, label, check)]
    return bool(exits) and 0 not in exits


def baseline(scene, label, check):
    """The runs of a check on the untouched base, without those of certain tests alone (`baseline-again-1`)."""
    whole = [trial for trial in scene.report["trials"] if re.fullmatch(r"baseline-\d+", trial["id"])]
    return [cell for trial in whole for cell in trial["cells"] if (cell["project"], cell["check"]) == (label, check)]


def news(scene, cell, ran):
    """What a cell says that it did not say on the base; `learn` comes first."""
    if ran.ok:
        return []
    if cell.key not in scene.red:
        return [ran.first_words()]
    return sorted(failing(ran) - scene.red[cell.key])
