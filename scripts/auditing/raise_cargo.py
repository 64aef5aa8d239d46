"""Raises one crate in the clone by Cargo's own means, and tells what that did to the lockfile."""

import copy
import json

from . import semver
from .cargo import Lock, Workspace, table_parts, toml
from .index import Index, instant
from .levels import lowered_edges, lowered_packages
from .shell import output_of, run


class Raised:
    """What a raise did: `already` is the version at the tip when that is no lower than the one to try, `refused` are the
    words of a package manager that finds no solution, the others say what the raised tree has against it."""

    def __init__(self, refused=None, lowered=(), needs=None, too_young=None, already=None):
        self.refused, self.lowered, self.needs, self.too_young = refused, list(lowered), needs, too_young
        self.already = already


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
        raise RuntimeError(f"no requirement of {hold['name']} stands at {at} at the tip (locked: {there})")
    outside = [entry for entry in entries if not semver.admits(entry.requirement, version)]
    for entry in outside:
        set_requirement(scene.clone / entry.manifest, entry, version)
    error = relock(scene, folder, hold["name"], at, version, tip.lock, bool(outside))
    if error:
        return Raised(refused=error)
    lock = current(scene, project)
    if not uses(lock, tip, entries, version):
        return Raised(refused=f"after the relock {hold['name']} is at {', '.join(lock.versions(hold['name']))}")
    young = settle(scene, folder, project, tip.lock, hold["name"])
    lock = current(scene, project)
    if not uses(lock, tip, entries, version):
        return Raised(too_young=hold["name"])
    lowered = lowered_packages(tip.lock, lock) + [text for text, known in lowered_edges(tip.lock, lock) if not known]
    return Raised(lowered=lowered, too_young=", ".join(young), needs=newer_rust(scene, folder, tip, lock, entries))


def current(scene, project):
    return Lock((scene.clone / project["lockfile"]).read_text(encoding="utf-8"))


def uses(lock, workspace, entries, version):
    """Whether every user of the entries has an edge to the version."""
    members = lock.members()
    users = {workspace.names[manifest] for entry in entries for manifest in workspace.users(entry)}
    return all(any(name == entries[0].package and semver.same(one, version) for name, one in lock.edges(members[user]))
               for user in users)


def relock(scene, folder, name, at, version, before, edited):
    """The words of cargo's refusal; None when it locked something."""
    def update(*args):
        ran = run(["cargo", "update", *args], folder, scene.environment(), log=scene.logs / "retry.log")
        return None if ran.ok else " ".join(line.strip() for line in ran.text.splitlines() if "Updating" not in line)
    if not edited:
        return update("-p", f"{name}@{at}", "--precise", version)
    error = update("--workspace")
    after = Lock((folder / "Cargo.lock").read_text(encoding="utf-8"))
    if error or any(semver.same(one, version) for one in after.versions(name)):
        return error
    new = [one for one in after.versions(name) if one not in before.versions(name)]
    return update("-p", f"{name}@{(new or [at])[0]}", "--precise", version)


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


def settle(scene, folder, project, before, name):
    """Brings arrivals that are younger than the run's rule allows down to the newest that is old enough.

    The run resolved against the registry as it was at `as_of`; the caller's cargo knows what came later.
    Gives the crates for which that cannot be done."""
    cutoff = instant(scene.report["as_of"]) - scene.cooldown()
    index, stuck = Index(), set()
    for _ in range(40):
        lock = current(scene, project)
        young = [(one, version) for one, version in sorted(lock.packages) if (one, version) not in before.packages
                 and one != name and one not in stuck and index.published(one).get(version, cutoff) > cutoff]
        if not young:
            break
        one, version = young[0]
        old = [other for other, when in index.published(one).items() if when <= cutoff
               and semver.compatibility(other) == semver.compatibility(version) and "-" not in other]
        if not any(run(["cargo", "update", "-p", f"{one}@{version}", "--precise", other], folder, scene.environment()).ok
                   for other in sorted(old, key=semver.key, reverse=True)[:5]):
            stuck.add(one)
    return sorted(stuck)


def newer_rust(scene, folder, workspace, lock, entries):
    """What a new package says that it needs, when that is more than the members that use the entries support."""
    users = {manifest for entry in entries for manifest in workspace.users(entry)}
    allowed = [workspace.rust_versions[one] for one in users if workspace.rust_versions.get(one)]
    if not allowed:
        return None
    least = min(allowed, key=rust_key)
    answer = run(["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"], folder, scene.environment())
    if not answer.ok:
        return None
    text = next(line for line in answer.text.splitlines() if line.startswith("{"))
    for package in json.loads(text)["packages"]:
        slot = package["name"], package["version"]
        needs = package.get("rust_version")
        if slot in lock.packages and slot not in workspace.lock.packages and needs and rust_key(needs) > rust_key(least):
            return f"Rust {needs} ({slot[0]} {slot[1]}), {least} is supported"
    return None


def rust_key(text):
    return [int(part) for part in (text.split("-")[0] + ".0.0").split(".")[:3]]


def compiles(scene, cell, name, version):
    """Whether a gate compiles a package: cargo names it in its messages."""
    argv = [word for word in cell.argv if not word.startswith("--message-format")]
    if argv[0].rsplit("/", 1)[-1] != "cargo":
        return False
    text = output_of([*argv, "--message-format=json"], scene.folder(cell.folder), scene.environment(cell.env))
    messages = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
    units = {message["package_id"] for message in messages if message.get("reason") == "compiler-artifact"}
    return any(unit.endswith((f"#{name}@{version}", f"/{name}#{version}")) for unit in units)
