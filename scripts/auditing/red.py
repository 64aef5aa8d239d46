"""What does not compile on the base is no fault of a branch: it is looked up there, target by target, and judged nowhere."""

import re

from . import matrix
from .ready import at_commit
from .shell import run

# How cargo and go name a target or a package that did not compile.
TARGET = re.compile(r"^error: could not compile `([^`]+)` \(([^)]*)\)", re.MULTILINE)
SCRIPT = re.compile(r"failed to run custom build command for `(\S+)")
PACKAGE = re.compile(r"^# (\S+)", re.MULTILINE)


def failing(ran):
    """The targets or packages that did not compile, by name; the telling line where none is named."""
    targets = {f"{package} ({target})" for package, target in TARGET.findall(ran.text)}
    scripts = {f"{package} (build script)" for package in SCRIPT.findall(ran.text)}
    return targets | scripts | set(PACKAGE.findall(ran.text)) or {ran.first_words()}


def learn(scene, ledger):
    """Runs on the base, once, the gates that were red in each baseline of the report; the clone then shows the base."""
    if scene.red is not None:
        return
    scene.red = {}
    suspects = [cell for cell in matrix.cells(scene) if cell.is_gate and was_red(scene, cell.label, cell.check)]
    if suspects:
        at_commit(scene, ledger, scene.base)
    for cell in suspects:
        ran = run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), log=scene.logs / "base.log")
        scene.red[cell.key] = set() if ran.ok else failing(ran)


def was_red(scene, label, check):
    """Whether a check failed in every baseline."""
    exits = [cell["exit"] for trial in scene.report["trials"] if trial["id"].startswith("baseline")
             for cell in trial["cells"] if (cell["project"], cell["check"]) == (label, check)]
    return bool(exits) and 0 not in exits


def news(scene, cell, ran):
    """What a cell says that it did not say on the base; `learn` comes first."""
    if ran.ok:
        return []
    if cell.key not in scene.red:
        return [ran.first_words()]
    return sorted(failing(ran) - scene.red[cell.key])
