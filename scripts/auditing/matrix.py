"""The project's own checks: which commands, where, in which environment, and how many tests their output tells of."""

import json
import re
import shlex

GATE = re.compile(r"--no-run\b|-run[= ]'?\^\$|\b(go|cargo) (vet|build|check|clippy)\b")
RAN = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed;", re.MULTILINE)


class Cell:
    def __init__(self, label, check, command, tests, argv, folder, env):
        self.label, self.check, self.command, self.tests = label, check, command, tests
        self.argv, self.folder, self.env = argv, folder, env

    @property
    def is_gate(self):
        return bool(GATE.search(self.command))

    @property
    def key(self):
        return self.label, self.check, self.command

    def __str__(self):
        return f"{self.label} `{self.command}`"


def cells(scene):
    """The cells of the trial that proved the tip (or of the baseline, when nothing was published), gates first."""
    trial = proof(scene)
    found = [cell_of(scene, cell) for cell in (trial["cells"] if trial else [])]
    return sorted(found, key=lambda cell: not cell.is_gate)


def whole(trial):
    """Whether a trial ran all checks: not so one that ran tests again and again, or those of the base that were red."""
    return trial.get("why") != "often" and not trial["id"].startswith("baseline-again")


def proof(scene):
    trials = [trial for trial in scene.report["trials"] if trial["verdict"] == "passed" and trial["cells"] and whole(trial)]
    full = [trial for trial in trials if trial["tree"] == scene.report["tested_tree"]]
    return (full or [trial for trial in trials if not trial["atoms"]] or [None])[-1]


def cell_of(scene, cell):
    ecosystem, _, path = cell["project"].partition(" ")
    rule = next((one for one in scene.config.get("check", []) if one["name"] == cell["check"]
                 and (one["ecosystem"], one.get("project", ".")) == (ecosystem, path)), {})
    env = {**variables(cell["command"]), **rule.get("env", {})}
    if "toolchain" in rule:
        env["RUSTUP_TOOLCHAIN" if ecosystem == "cargo" else "GOTOOLCHAIN"] = rule["toolchain"]
    folder = cell.get("directory") or rule.get("directory") or path
    return Cell(cell["project"], cell["check"], cell["command"], cell["tests"], words(rule, cell), folder, env)


def own(project):
    """Where a module's workspace leaves it out, its commands say GOWORK=off; so must ours."""
    said = variables(project["checks"][0]) if project.get("checks") else {}
    return {name: value for name, value in said.items() if name in ("GOWORK", "GOTOOLCHAIN")}


def variables(command):
    """The variables that a command sets before its first word, as a shell reads them."""
    assigned = {}
    for word in shlex.split(command):
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            break
        assigned[name] = value
    return assigned


def words(rule, cell):
    """The command's words: the report joins them by blanks, so a list in xupgrade.toml tells better where one ends."""
    command = rule.get("command")
    if "argv" in cell:
        return cell["argv"]
    if isinstance(command, list) and cell["command"].startswith(" ".join(command)):
        return command + shlex.split(cell["command"][len(" ".join(command)):])
    return shlex.split(cell["command"])[len(variables(cell["command"])):]


def count(cell, text):
    """How many tests ran (passed or failed); None where the output does not tell."""
    if "-json" in cell.argv and cell.label.startswith("go "):
        return count_events(text)
    found = RAN.findall(text)
    return sum(int(passed) + int(failed) for passed, failed in found) if found else None


def count_events(text):
    ran = set()
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("Test") and event.get("Action") in ("pass", "fail"):
            ran.add((event.get("Package"), event["Test"]))
    return len(ran)
