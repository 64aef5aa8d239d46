"""Reads Cargo.toml and Cargo.lock with tomllib."""

import tomllib

from . import semver

TABLES = ("dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies")


def toml(text):
    return tomllib.loads(text.removeprefix("\ufeff"))


class Lock:
    """A lockfile: packages, and the edges between them by (name, version)."""

    def __init__(self, text):
        document = toml(text)
        self.format = document.get("version", 1)
        self.packages = {}
        for package in document.get("package", []):
            self.packages.setdefault((package["name"], package["version"]), package)

    def versions(self, name):
        return sorted((version for one, version in self.packages if one == name), key=semver.key)

    def members(self):
        return {name: package for (name, _), package in self.packages.items() if "source" not in package}

    def edges(self, package):
        """(name, version) of each dependency; the lockfile leaves the version out where there is only one."""
        for text in package.get("dependencies", []):
            words = text.split(" ")
            yield words[0], words[1] if len(words) > 1 else self.versions(words[0])[0]

    def reaches(self, package, goal):
        """Whether a package needs the one of that name and version, itself or through others."""
        seen, open_ones = set(), [package]
        while open_ones:
            for edge in self.edges(open_ones.pop()):
                if edge not in seen and edge in self.packages:
                    seen.add(edge)
                    open_ones.append(self.packages[edge])
        return goal in seen

    def highest(self):
        """The highest version by name and compatibility class."""
        found = {}
        for name, version in self.packages:
            slot = (name, semver.compatibility(version))
            if slot not in found or semver.key(version) > semver.key(found[slot]):
                found[slot] = version
        return found


class Entry:
    """One requirement of one manifest."""

    def __init__(self, manifest, table, name, value):
        self.manifest, self.table, self.key = manifest, table, name
        value = {"version": value} if isinstance(value, str) else value
        self.inherited = value.get("workspace") is True
        self.package = value.get("package", name)
        self.requirement = value.get("version", "*")
        self.optional = value.get("optional") is True
        self.registry = not any(word in value for word in ("git", "path", "registry", "registry-index"))

    @property
    def place(self):
        return self.manifest, self.table, self.key

    @property
    def is_workspace(self):
        return self.table[0] == "workspace"


def entries(manifest, text):
    """Every requirement of a manifest; tables are tuples of their parts."""
    document = toml(text)
    for table, content in tables(document):
        for name, value in content.items():
            yield Entry(manifest, table, name, value)


def tables(document):
    for table in TABLES:
        if table in document:
            yield (table,), document[table]
    if "dependencies" in document.get("workspace", {}):
        yield ("workspace", "dependencies"), document["workspace"]["dependencies"]
    for target, content in document.get("target", {}).items():
        for table in TABLES:
            if table in content:
                yield ("target", target, table), content[table]


def table_parts(text):
    """The parts of a table's name as a report spells it."""
    table, parts = toml(f"[{text}]"), []
    while table:
        (part, table), = table.items()
        parts.append(part)
    return tuple(parts)


class Workspace:
    """The manifests and the lockfile of one reported project at a commit."""

    def __init__(self, scene, project, commit):
        self.project = project
        text = scene.lock_at(commit, project)
        self.lock = Lock(text) if text is not None else None
        self.names, self.entries, self.rust_versions = {}, [], {}
        inherited_rust = None
        for manifest in project["manifests"]:
            text = scene.text_at(commit, manifest)
            document = toml(text)
            self.entries.extend(entries(manifest, text))
            inherited_rust = inherited_rust or document.get("workspace", {}).get("package", {}).get("rust-version")
            if "package" in document:
                self.names[manifest] = document["package"]["name"]
                self.rust_versions[manifest] = document["package"].get("rust-version")
        for manifest, version in self.rust_versions.items():
            self.rust_versions[manifest] = inherited_rust if isinstance(version, dict) else version

    def own_entries(self):
        """Requirements that say something themselves."""
        return [entry for entry in self.entries if not entry.inherited]

    def users(self, entry):
        """Manifests of the members that an entry shapes."""
        if not entry.is_workspace:
            return [entry.manifest]
        return sorted({one.manifest for one in self.entries if one.inherited and one.key == entry.key})

    def rusts_of_those_who_need(self, name, version):
        """What the members state as their Rust that need a locked package, themselves or through others."""
        members = self.lock.members()
        needing = [manifest for manifest, own in self.names.items()
                   if own in members and self.lock.reaches(members[own], (name, version))]
        return [self.rust_versions[one] for one in needing if self.rust_versions.get(one)]

    def locked(self, entry):
        """The versions that an entry stands at: those its users' edges lead to and it admits."""
        members = self.lock.members() if self.lock else {}
        found = set()
        for manifest in self.users(entry):
            package = members.get(self.names.get(manifest), {})
            found.update(version for name, version in self.lock.edges(package) if name == entry.package
                         and (not entry.registry or semver.admits(entry.requirement, version)))
        return sorted(found, key=semver.key)

    def find(self, name, at, places=None):
        """The registry entries of a crate that stand at a version."""
        return [entry for entry in self.own_entries() if entry.package == name
                and (places is None or entry.place in places)
                and any(semver.same(version, at) for version in self.locked(entry))]
