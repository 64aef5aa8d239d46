"""Steps 3 and 4: nothing ends lower than it was, and every upgrade is really there."""

import hashlib
import os

from . import golang, semver
from .cargo import Lock, Workspace, table_parts


def check(scene, ledger):
    for project in scene.projects("cargo"):
        if project.get("lockfile") and not project.get("obstacle"):
            check_cargo(scene, ledger, project)
    projects = [project for project in scene.projects("go") if not project.get("obstacle")]
    if projects:
        check_go(scene, ledger, projects)


def upgrades_of(scene, project):
    return [one for one in scene.report["upgrades"]
            if (one["ecosystem"], one["project"]) == (project["ecosystem"], project["path"])]


# Cargo

def check_cargo(scene, ledger, project):
    base, tip = Workspace(scene, project, scene.base), Workspace(scene, project, scene.tip)
    label = scene.label(project)
    lowered, flipped = lowered_packages(base.lock, tip.lock), []
    for text, known in lowered_edges(base.lock, tip.lock):
        (flipped if known else lowered).append(text)
    ledger.judge(f"{label}: no package is lower ({len(tip.lock.packages)} packages)", lowered)
    for text in flipped:
        ledger.note(f"{label}: an edge flipped between two versions that were locked before: {text}")
    ledger.judge(f"{label}: the lockfile's format is the same",
                 [f"{base.lock.format} -> {tip.lock.format}"] if base.lock.format != tip.lock.format else [])
    if project.get("lock"):
        check_own_lock(scene, ledger, project)
    for upgrade in upgrades_of(scene, project):
        ledger.judge(f"{label}: {upgrade['name']} is at {upgrade['to']}", absent_cargo(upgrade, base, tip))
    if project.get("lock"):
        return  # The lockfiles between base and tip are nowhere to be seen.
    for commit, group in by_commit(scene.report["upgrades"]).items():
        # A raise in one workspace also moves the lockfiles of those that use it by path.
        own = any(upgrade in upgrades_of(scene, project) for upgrade in group)
        before, after = around(scene, commit, project["lockfile"]) or (base.lock, base.lock if not own else tip.lock)
        if own or before.packages.keys() != after.packages.keys():
            names = ", ".join(upgrade["name"] for upgrade in group)
            ledger.judge(f"{label}: all that moved with {names} is told", silent_moves(group, before, after))


def by_commit(upgrades):
    """The upgrades of each commit: several where they belong together, or were verified as a group."""
    groups = {}
    for upgrade in upgrades:
        groups.setdefault(upgrade["commit"], []).append(upgrade)
    return groups


def around(scene, commit, lockfile):
    """The lockfile before and after a commit; none where there is no such commit."""
    if not scene.has(commit):
        return None
    return [Lock(scene.text_at(one, lockfile)) for one in (commit + "^", commit)]


def check_own_lock(scene, ledger, project):
    """A lockfile that git does not track: what is kept is what the report names, and no commit holds it."""
    label, lockfile = scene.label(project), project["lockfile"]
    digests = [(scene.base, project["lock"]["sha256"]), (scene.tip, project["tested_lock"]["sha256"])]
    if scene.base != scene.tip:
        ledger.judge(f"{label}: the kept lockfiles have the digests of the report",
                     [f"{commit[:12]}: not {stated}" for commit, stated in digests
                      if hashlib.sha256(scene.own_lock(project, commit).encode()).hexdigest() != stated])
    ledger.judge(f"{label}: no lockfile is published", [lockfile] if lockfile in scene.files_at(scene.tip) else [])


def silent_moves(group, before, after):
    """Packages that a commit moved, brought or took away and the report does not name with its upgrades."""
    told = {name for upgrade in group for name in (upgrade["name"], *(one["name"] for one in upgrade["also_moved"]))}
    for name in sorted({name for name, _ in before.packages.keys() ^ after.packages.keys()} - told):
        yield f"{name} {before.versions(name)} -> {after.versions(name)}"


def lowered_packages(base, tip):
    now = tip.highest()
    lowered = [f"{name} {version} -> {now[name, group]}" for (name, group), version in base.highest().items()
               if (name, group) in now and semver.key(now[name, group]) < semver.key(version)]
    for name in {name for name, _ in base.packages}:
        before, after = base.versions(name), tip.versions(name)
        if after and semver.key(after[-1]) < semver.key(before[-1]):
            lowered.append(f"{name}: highest {before[-1]} -> {after[-1]}")
    return lowered


def lowered_edges(base, tip):
    """(words, whether the lower version was locked before) of each member's edge that leads lower."""
    members = tip.members()
    for name, package in base.members().items():
        if name not in members:
            # Neither is what a `[patch]` brought from a folder a member; a release at least as high may take its place.
            if not any(semver.key(one) >= semver.key(package["version"]) for one in tip.versions(name)):
                yield f"member {name} is gone", False
            continue
        before, after = by_name(base, package), by_name(tip, members[name])
        for dependency, versions in before.items():
            now = after.get(dependency, [])
            if len(now) == len(versions):
                for old, new in zip(versions, now):
                    if semver.key(new) < semver.key(old):
                        yield f"{name}: {dependency} {old} -> {new}", (dependency, new) in base.packages
            elif not now:
                yield f"{name}: {dependency} is gone", False


def by_name(lock, package):
    found = {}
    for name, version in lock.edges(package):
        found.setdefault(name, []).append(version)
    return {name: sorted(versions, key=semver.key) for name, versions in found.items()}


def absent_cargo(upgrade, base, tip):
    """Why an upgrade is not in the files: every place that it names must have stood at `from` and stand at `to`."""
    if not any(semver.same(version, upgrade["to"]) for version in tip.lock.versions(upgrade["name"])):
        yield f"the lockfile has {', '.join(tip.lock.versions(upgrade['name'])) or 'none'}"
    if semver.key(upgrade["to"]) <= semver.key(upgrade["from"]):
        yield f"{upgrade['from']} -> {upgrade['to']} is no upgrade"
    for place in upgrade["places"]:
        where = (place["manifest"], table_parts(place["table"]), place["key"])
        yield from absent_at(upgrade, where, base, "base", "from")
        yield from absent_at(upgrade, where, tip, "tip", "to")
    if not upgrade["places"] and upgrade.get("role") != "transitive":
        yield "it names no place"


def absent_at(upgrade, where, workspace, when, field):
    entry = next((one for one in workspace.own_entries() if one.place == where), None)
    if entry is None or entry.package != upgrade["name"]:
        yield f"{when}: no requirement of {upgrade['name']} at {where}"
        return
    locked = workspace.locked(entry)
    if not any(semver.same(version, upgrade[field]) for version in locked):
        yield f"{when}: {where[0]} `{entry.requirement}` stands at {', '.join(locked) or 'nothing'}, not at {upgrade[field]}"


# Go

class Module:
    """What one module says and resolves to at a commit."""

    def __init__(self, scene, project):
        folder = scene.folder(project["path"])
        self.mod = golang.go_mod(scene, folder)
        self.modules = golang.modules(scene, folder)
        self.required = {one["Path"]: one["Version"] for one in self.mod.get("Require") or []}
        self.sums = (folder / "go.sum").read_text(encoding="utf-8") if (folder / "go.sum").exists() else ""


def check_go(scene, ledger, projects):
    read = {}
    for commit in (scene.base, scene.tip):
        scene.show(commit)
        read[commit] = {project["path"]: Module(scene, project) for project in projects}, golang.go_work_lines(scene, scene.files_at(commit))
    for project in projects:
        base, tip = (read[commit][0][project["path"]] for commit in (scene.base, scene.tip))
        check_module(scene, ledger, project, base, tip)
    before, after = read[scene.base][1], read[scene.tip][1]
    if before:
        ledger.judge("the go lines of go.work are as they were",
                     [f"{name}: {line} -> {after.get(name)}" for name, line in before.items() if after.get(name) != line])


def check_module(scene, ledger, project, base, tip):
    label = scene.label(project)
    lowered = [f"{path} {version} -> {tip.modules[path]}" for path, version in base.modules.items()
               if path in tip.modules and semver.key(tip.modules[path]) < semver.key(version)]
    lowered += [f"require {path} {version} -> {tip.required[path]}" for path, version in base.required.items()
                if path in tip.required and semver.key(tip.required[path]) < semver.key(version)]
    ledger.judge(f"{label}: no module is lower ({len(tip.modules)} modules)", lowered)
    higher = golang.line_key(tip.mod.get("Go")) > golang.line_key(base.mod.get("Go"))
    troubles = [f"go {base.mod.get('Go')} -> {tip.mod.get('Go')}"] if higher else []
    if base.mod.get("Toolchain") != tip.mod.get("Toolchain"):
        troubles.append(f"toolchain {base.mod.get('Toolchain')} -> {tip.mod.get('Toolchain')}")
    ledger.judge(f"{label}: the go line and the toolchain are as they were", troubles)
    for what in ("Replace", "Exclude", "Tool", "Retract"):
        if base.mod.get(what) != tip.mod.get(what):
            ledger.failed(f"{label}: {what.lower()} directives are as they were", "they differ")
    lost = [path for path in golang.direct(base.mod) if path not in golang.direct(tip.mod)]
    ledger.judge(f"{label}: every direct requirement is still one", lost)
    upgrades, told = upgrades_of(scene, project), set()
    for upgrade in upgrades:
        ledger.judge(f"{label}: {upgrade['name']} is at {upgrade['to']}", absent_go(upgrade, base, tip))
        told |= {upgrade["name"], *(one["name"] for one in upgrade["also_moved"])}
    # Read off go.mod, which lists all that the build needs; the whole graph also holds what nothing builds.
    moved = {path for path in base.required.keys() | tip.required.keys() if base.required.get(path) != tip.required.get(path)}
    ledger.judge(f"{label}: all that moved in go.mod is told",
                 [f"{path} {base.required.get(path)} -> {tip.required.get(path)}" for path in sorted(moved - told)])


def absent_go(upgrade, base, tip):
    name = upgrade["name"]
    for when, side, field in (("base", base, "from"), ("tip", tip, "to")):
        if side.required.get(name) != upgrade[field]:
            yield f"{when}: go.mod requires {side.required.get(name)}, not {upgrade[field]}"
        if side.modules.get(name) != upgrade[field]:
            yield f"{when}: the module graph selects {side.modules.get(name)}, not {upgrade[field]}"
    if semver.key(upgrade["to"]) <= semver.key(upgrade["from"]):
        yield f"{upgrade['from']} -> {upgrade['to']} is no upgrade"
    for kind in (f"{name} {upgrade['to']} h1:", f"{name} {upgrade['to']}/go.mod h1:"):
        if kind not in tip.sums:
            yield f"go.sum lacks `{kind}...`"


def is_below(path, folders):
    return any(part in folders for part in os.path.dirname(path).split("/"))
