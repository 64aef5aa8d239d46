"""Step 5: every direct dependency is in exactly one of the four lists, by a reading of the manifests of our own."""

import fnmatch
import os

from . import golang, semver
from .cargo import Workspace, table_parts
from .levels import is_below

LISTS = ("upgrades", "held", "untried", "newest")


def check(scene, ledger):
    listed = [(name, item) for name in LISTS for item in scene.report[name]]
    check_disjoint(ledger, listed)
    check_projects(scene, ledger)
    scene.show(scene.base)
    for project in scene.projects():
        mine = [(name, item) for name, item in listed
                if (item["ecosystem"], item["project"]) == (project["ecosystem"], project["path"])]
        if project.get("obstacle"):
            check_held_whole(scene, ledger, project, mine)
        elif project["ecosystem"] == "cargo":
            check_cargo(scene, ledger, project, mine)
        else:
            check_go(scene, ledger, project, mine)


def at_of(name, item):
    return item["from"] if name == "upgrades" else item["at"]


def check_disjoint(ledger, listed):
    seen, doubled = {}, []
    for name, item in listed:
        slot = (item["ecosystem"], item["project"], item["name"], at_of(name, item))
        if slot in seen:
            doubled.append(f"{slot} in {seen[slot]} and {name}")
        seen[slot] = name
    ledger.judge(f"the four lists have nothing in common ({len(listed)} entries)", doubled)


def check_projects(scene, ledger):
    """Every tracked manifest outside of testdata, vendor and the excluded belongs to a reported project."""
    globs = [glob.rstrip("/") for glob in scene.config.get("exclude", [])]
    reported = {path for project in scene.projects() for path in project["manifests"]}
    lost = [path for path in scene.files_at(scene.base) if os.path.basename(path) in ("Cargo.toml", "go.mod")
            and path not in reported and not is_below(path, ("testdata", "vendor")) and not is_excluded(path, globs)]
    ledger.judge(f"every manifest belongs to a reported project ({len(reported)} manifests)", lost)


def is_excluded(path, globs):
    while path:
        if any(fnmatch.fnmatchcase(path, glob) for glob in globs):
            return True
        path = os.path.dirname(path)
    return False


def check_held_whole(scene, ledger, project, mine):
    others = [f"{item['name']} in {name}" for name, item in mine if name != "held"]
    ledger.judge(f"{scene.label(project)}: held whole ({project['obstacle']['kind']})", others)


def check_cargo(scene, ledger, project, mine):
    workspace = Workspace(scene, project, scene.base)
    where = {}
    for name, item in mine:
        for place in item["places"]:
            slot = (place["manifest"], table_parts(place["table"]), place["key"])
            where.setdefault(slot, []).append((name, item))
    found = workspace.own_entries()
    troubles = [trouble for entry in found for trouble in entry_troubles(workspace, entry, where.get(entry.place, []))]
    known = {entry.place for entry in found}
    troubles += [f"{slot} is listed and not in the manifest" for slot in where if slot not in known]
    ledger.judge(f"{scene.label(project)}: each of {len(found)} requirements is in exactly one list", troubles)


def entry_troubles(workspace, entry, listed):
    what = f"{entry.manifest} {'.'.join(entry.table)} {entry.key}"
    if len(listed) != 1:
        yield f"{what} is in {len(listed)} lists" + "".join(f" {name}" for name, _ in listed)
        return
    name, item = listed[0]
    if item["name"] != entry.package:
        yield f"{what} is listed as {item['name']}"
    locked, at = workspace.locked(entry), at_of(name, item)
    if entry.registry and locked and not any(at and semver.same(at, version) for version in locked):
        yield f"{what} is listed at {at}, and locked at {', '.join(locked)}"
    if entry.registry and not locked and at is not None:
        yield f"{what} is listed at {at}, and locked nowhere"


def check_go(scene, ledger, project, mine):
    required = golang.direct(golang.go_mod(scene, scene.folder(project["path"])))
    names = {}
    for name, item in mine:
        names.setdefault(item["name"], []).append((name, item))
    troubles = []
    for path, version in required.items():
        listed = names.get(path, [])
        if len(listed) != 1:
            troubles.append(f"{path} is in {len(listed)} lists")
        elif at_of(*listed[0]) != version:
            troubles.append(f"{path} is listed at {at_of(*listed[0])}, and required at {version}")
    troubles += [f"{path} is listed and no direct requirement" for path in names if path not in required]
    ledger.judge(f"{scene.label(project)}: each of {len(required)} direct requirements is in exactly one list", troubles)
