"""Step 6: everything that is held because a trial failed is tried again, alone, on top of the tip. It must fail again."""

import collections

from . import matrix, raise_cargo, raise_go, red
from .ready import fetch, set_up
from .shell import run
from .tip import baseline_tests

# Held because something was tried or looked up in the release, and did not work: to be tried again.
TRIED = {"build_failed", "test_failed", "fewer_tests", "timed_out", "resolve_refused", "would_lower", "not_exercised",
         "feature_gone", "msrv", "go_line"}
# Signs that a command failed for reasons that lie outside: no evidence.
NOISE = ("could not resolve host", "network failure", "connection re", "timed out", "no space left", "dial tcp",
         "spurious network error", "failed to download from", "i/o timeout", "temporary failure")


class Outcome:
    """What came of a raise: held rightly (`fails`), wrongly (`passes`), or nobody knows (`unknown`)."""

    def __init__(self, how, words):
        self.how, self.words = how, words


def fails(words):
    return Outcome("fails", words)


def check(scene, ledger):
    skipped = collections.Counter()
    red.learn(scene, ledger)
    for hold, version, at in wanted_again(scene, skipped):
        what = f"{hold['ecosystem']} {hold['project']}: {hold['name']} {at} -> {version} ({hold['reason']['kind']})"
        with ledger.guarded(what):
            outcome = try_again(scene, ledger, hold, version, at)
            if outcome.how == "fails":
                ledger.passed(f"{what} fails again", outcome.words)
            elif outcome.how == "passes":
                ledger.failed(f"{what} is wrongly held", outcome.words)
            else:
                ledger.skipped(what, outcome.words)
    for kind, number in sorted(skipped.items()):
        ledger.skipped(f"{number} held as {kind}", "a decision, not a failed trial", number)


def wanted_again(scene, skipped):
    """(hold, version, version at the tip) of each failed rung: of what is held, and of what landed lower."""
    for hold in scene.report["held"]:
        yield from rungs(hold, hold["at"], skipped)
    for upgrade in scene.report["upgrades"]:
        for above in upgrade.get("failed_above", []):
            yield from rungs(above, upgrade["to"], skipped)


def rungs(hold, at, skipped):
    reason = hold["reason"]
    tried = list((reason.get("evidence") or {}).get("tried") or [])
    if hold["wanted"] and hold["wanted"] not in tried:
        tried.insert(0, hold["wanted"])
    if reason["kind"] not in TRIED or not tried or at is None:
        skipped[reason["kind"]] += 1
        return
    for version in tried:
        yield hold, version, at


def try_again(scene, ledger, hold, version, at):
    scene.show(scene.tip)
    set_up(scene, ledger)
    project = next(one for one in scene.projects(hold["ecosystem"]) if one["path"] == hold["project"])
    way = raise_cargo if hold["ecosystem"] == "cargo" else raise_go
    raised = way.write(scene, project, hold, version, at)
    kind = hold["reason"]["kind"]
    if raised.gone:
        told = "takes it out" in hold["reason"]["text"]
        return Outcome("unknown" if told else "passes", f"the tip locks none of it, {'as' if told else 'which no'} the report says")
    if raised.already:
        words = f"it stands at {raised.already} at the tip, brought along by another upgrade"
        # What no check compiles may come along, and steps 3 and 4 see that the report tells; what fails may not.
        return Outcome("unknown" if kind == "not_exercised" else "passes", words)
    if raised.refused is not None:
        return fails_or_breaks(f"does not resolve: {raised.refused}")
    if raised.lowered:
        return fails(f"would lower {', '.join(raised.lowered[:3])}")
    if raised.needs:
        return fails(f"needs {raised.needs}")
    if kind == "not_exercised":
        return exercise(scene, project, way, hold["name"], version)
    error = fetch(scene)
    if error:
        return fails_or_breaks(error)
    return run_cells(scene, project)


def fails_or_breaks(words):
    """A refusal is evidence, unless it has its cause outside."""
    if any(word in words.lower() for word in NOISE):
        raise RuntimeError(f"no answer: {words[:300]}")
    return fails(words[:300])


def exercise(scene, project, way, name, version):
    """Whether any gate compiles the raised version."""
    for cell in ordered(scene, project):
        if cell.is_gate and way.compiles(scene, cell, name, version):
            return Outcome("passes", f"{cell} compiles it")
    return fails("no gate compiles it")


def ordered(scene, project):
    """All cells, gates first, the project's own before others."""
    mine = scene.label(project)
    return sorted(matrix.cells(scene), key=lambda cell: (not cell.is_gate, cell.label != mine))


def run_cells(scene, project):
    for cell in ordered(scene, project):
        trouble = trouble_in(scene, cell)
        # What fails once by chance must not count as evidence.
        if trouble and (cell.is_gate or trouble_in(scene, cell)):
            return fails(trouble)
    return Outcome("passes", "every check passes on top of the tip")


def trouble_in(scene, cell):
    seconds = scene.tip_seconds.get(cell.key)
    limit = max(60 if not cell.is_gate else 3600, 5 * seconds) if seconds else None
    ran = run(cell.argv, scene.folder(cell.folder), scene.offline(cell.env), limit, scene.logs / "retry.log")
    if ran.timed_out:
        return f"{cell} took longer than {limit:.0f} s"
    if not ran.ok:
        if any(word in ran.text.lower() for word in ("no space left on device", "signal: 9, sigkill")):
            raise RuntimeError(f"{cell} failed for want of space or memory")
    for words in red.news(scene, cell, ran):
        return f"{cell}: {words}"
    tests, before = matrix.count(cell, ran.text), scene.tip_counts.get(cell.key) or baseline_tests(scene, cell)
    return f"{cell} ran {tests} tests, {before} before" if tests is not None and tests < before else None
