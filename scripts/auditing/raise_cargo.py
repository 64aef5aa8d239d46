"""Raises one crate in the clone by Cargo's own means, and tells what that did to the lockfile."""

import copy
import json

from . import semver
from .cargo import Lock, Workspace, table_parts, toml
from .levels import lowered_edges, lowered_packages
from .relock import Relock, rusts
from .shell import printed_by, run
from .usable import numbers


class Raised:
    """What a raise did: `already` is the version at the tip when that is no lower than the one to try, `gone` is true where
    the tip locks none of it, `refused` are the words of a package manager that finds no solution, the others say what the
    raised tree has against it."""

    def __init__(self, refused=None, lowered=(), needs=None, already=None, gone=False):
        self.refused, self.lowered, self.needs, self.already = refused, list(lowered), needs, already
        self.gone = gone


def write(scene, project, hold, version, at):
    """Edits the requirements that do not admit the version, relocks, and looks at the result."""
    folder, tip = scene.folder(project["path"]), Workspace(scene, project, scene.tip)
    entries = [entry for entry in tip.find(hold["name"], at) if entry.registry]
    if not entries:
        places = {(one["manifest"], table_parts(one["table"]), one["key"]) for one in hold["places"]}
        stand = [version for entry in tip.own_entries() if entry.place in places for version in tip.locked(entry)]
        above = [one for one in stand if semver.key(one) > semver.key(at)]
        if above and len(above) == len(stand):
            at = max(above, key=semver.key)
            entries = tip.find(hold["name"], at, places)
            if semver.key(at) >= semver.key(version):
                return Raised(already=at)
    if not entries:
        there = ", ".join(tip.lock.versions(hold["name"])) or "none"
        if hold["role"] == "transitive" and at not in tip.lock.versions(hold["name"]):
            return Raised(gone=True)
        raise RuntimeError(f"no requirement of {hold['name']} stands at {at} at the tip (locked: {there})")
    outside = [entry for entry in entries if not semver.admits(entry.requirement, version)]
    for entry in outside:
        set_requirement(scene.clone / entry.manifest, entry, version)
    allowed = tip.rusts_of_those_who_need(hold["name"], at)
    for rust in rusts(scene, folder, tip, allowed):
        relock = Relock(scene, folder, tip, hold["name"], at, version, rust)
        error = relock.after_edits() if outside else relock.of_the_lock_alone()
        if not error:
            break
    if error:
        return Raised(refused=error)
    lock = current(scene, project)
    if not uses(lock, tip, entries, version):
        return Raised(refused=f"after the relock {hold['name']} is at {', '.join(lock.versions(hold['name']))}")
    lowered = lowered_packages(tip.lock, lock) + [text for text, known in lowered_edges(tip.lock, lock) if not known]
    return Raised(lowered=lowered, needs=newer_rust(scene, folder, tip, lock, allowed))


def current(scene, project):
    return Lock((scene.clone / project["lockfile"]).read_text(encoding="utf-8"))


def uses(lock, workspace, entries, version):
    """Whether every user of the entries has an edge to the version."""
    members = lock.members()
    users = {workspace.names[manifest] for entry in entries for manifest in workspace.users(entry)}
    return all(any(name == entries[0].package and semver.same(one, version) for name, one in lock.edges(members[user]))
               for user in users)


def set_requirement(path, entry, version):
    """Replaces one requirement: the one spelling of it in the text whose change changes just this entry."""
    data = path.read_bytes().decode("utf-8")
    wanted = changed(toml(data), entry, version)
    for quote in "\"'":
        old, new = f"{quote}{entry.requirement}{quote}", f"{quote}{version}{quote}"
        start = data.find(old)
        while start >= 0:
            text = data[:start] + new + data[start + len(old):]
            if parses_to(text, wanted):
                path.write_bytes(text.encode("utf-8"))
                return
            start = data.find(old, start + 1)
    raise RuntimeError(f"cannot find the requirement of {entry.key} in {path}")


def changed(document, entry, version):
    document = copy.deepcopy(document)
    table = document
    for part in entry.table:
        table = table[part]
    if isinstance(table[entry.key], str):
        table[entry.key] = version
    else:
        table[entry.key]["version"] = version
    return document


def parses_to(text, wanted):
    try:
        return toml(text) == wanted
    except ValueError:
        return False


def newer_rust(scene, folder, workspace, lock, allowed):
    """What a new package says that it needs, when that is more than the members that need the crate support."""
    if not allowed:
        return None
    least = min(allowed, key=numbers)
    answer = run(["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"], folder, scene.environment())
    if not answer.ok:
        return None
    text = next(line for line in answer.text.splitlines() if line.startswith("{"))
    for package in json.loads(text)["packages"]:
        slot = package["name"], package["version"]
        needs = package.get("rust_version")
        if slot in lock.packages and slot not in workspace.lock.packages and needs and numbers(needs) > numbers(least):
            return f"Rust {needs} ({slot[0]} {slot[1]}), {least} is supported"
    return None


def compiles(scene, cell, name, version):
    """Whether a gate compiles a package: cargo names it in its messages."""
    return is_among(units(scene, cell), name, version)


def units(scene, cell):
    """The ids of the packages that a cell compiles; none of a cell that is no gate of cargo."""
    argv = [word for word in cell.argv if not word.startswith("--message-format")]
    if argv[0].rsplit("/", 1)[-1] != "cargo" or not cell.is_gate:
        return set()
    # Before the words for the program, where there are any.
    at = argv.index("--") if "--" in argv else len(argv)
    argv.insert(at, "--message-format=json")
    code, text, words = printed_by(argv, scene.folder(cell.folder), scene.environment(cell.env))
    if code != 0 and cell.key not in scene.red:
        raise RuntimeError(f"{cell} failed: {words.strip()[:600]}")
    messages = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    return {message["package_id"] for message in messages if message.get("reason") == "compiler-artifact"}


def is_among(units, name, version):
    return any(unit.endswith((f"#{name}@{version}", f"/{name}#{version}")) for unit in units)
