"""Nothing moved for nothing: each package that moved without being asked for is tried at its old version, alone. That must
fail, or pull a direct dependency lower; else the branch moves more than it needs."""

from . import semver
from .cargo import Lock, Workspace
from .levels import by_name
from .loopback import Loopback
from .shell import run

SOURCE = "registry+https://github.com/rust-lang/crates.io-index"
# How cargo says that an index or a git repository did not answer.
UNREACHED = ("failed to query replaced source", "download of", "spurious network error", "failed to fetch")


def check(scene, ledger):
    if scene.report["tip"] is None:
        ledger.skipped("moves", "nothing is published")
        return
    scene.show(scene.tip)
    for project in scene.projects("cargo"):
        if project.get("lockfile") and not project.get("obstacle"):
            check_project(scene, ledger, project)


def check_project(scene, ledger, project):
    base, tip = (Workspace(scene, project, commit).lock for commit in (scene.base, scene.tip))
    asked = {(one["name"], one["to"]) for one in scene.report["upgrades"] if one["ecosystem"] == "cargo"}
    moves = list(moved(base, tip, asked))
    shown = {(one.lower(), version) for lock in (base, tip) for one, version in lock.packages}
    with Loopback(lambda crate, line: (crate, line["vers"]) in shown, scene.index) as view:
        idle = [f"{name} {new} can go back to {old}" for name, old, new in moves
                if goes_back(scene, project, view, tip, name, old, new)]
    ledger.judge(f"{scene.label(project)}: none of {len(moves)} packages that moved along can go back alone", idle)


def moved(base, tip, asked):
    """(name, old, new) of the packages of the usual registry that stand elsewhere than before, were not asked for and are
    no direct dependency. Those that only came or went have no old version to go back to."""
    kept = base.packages.keys() | asked | {slot for package in tip.members().values() for slot in tip.edges(package)}
    for name, new in sorted(slot for slot in tip.packages.keys() - kept if usual(tip, *slot)):
        gone = [old for old in base.versions(name) if (name, old) not in tip.packages and usual(base, name, old)
                and semver.compatibility(old) == semver.compatibility(new)]
        if gone:
            yield name, gone[-1], new


def usual(lock, name, version):
    return lock.packages[name, version].get("source") == SOURCE


def goes_back(scene, project, view, tip, name, old, new):
    """Whether cargo locks the old version, with nothing but versions of base and tip at hand, and no direct one lower."""
    folder, file = scene.folder(project["path"]), scene.clone / project["lockfile"]
    kept = file.read_bytes()
    words = ["cargo", "update", *view.arguments(), f"{name}@{new}", "--precise", old]
    ran = run(words, folder, scene.environment(view.variables(scene.work / "home")), log=scene.logs / "thrift.log")
    after = Lock(file.read_text(encoding="utf-8"))
    file.write_bytes(kept)
    # A refusal for want of the index would say nothing about the move.
    if not ran.ok and any(one in ran.text for one in UNREACHED):
        raise RuntimeError(f"no answer for {name}: {ran.first_words()}")
    return ran.ok and (name, new) not in after.packages and not list(lower_direct(tip, after))


def lower_direct(tip, after):
    """The direct dependencies of members that stand lower, or are gone."""
    members = after.members()
    for member, package in tip.members().items():
        now = by_name(after, members[member])
        for name, versions in by_name(tip, package).items():
            if [semver.key(one) for one in now.get(name, [])] < [semver.key(one) for one in versions]:
                yield name
