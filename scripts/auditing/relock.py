"""Locks one crate at one version by cargo's own means, as high as cargo can: through an index of what the project can use."""

import re

from . import semver
from .cargo import Lock
from .index import instant
from .shell import output_of, run
from .usable import Usable, numbers

# How cargo names a locked package that keeps a release out.
IN_THE_WAY = re.compile(r"previously selected package `(\S+) v([^`\s]+)")


class Relock:
    """One crate, from one version to another, in the clone's tree, for one Rust. Each way gives the words of cargo's refusal,
    or nothing."""

    def __init__(self, scene, folder, workspace, name, at, version, rust):
        self.scene, self.folder, self.name, self.at, self.version = scene, folder, name, at, version
        self.locked, self.file, self.rust = workspace.lock.packages, folder / "Cargo.lock", rust

    def of_the_lock_alone(self):
        """First by naming the version; then with what cargo says stands in the way unlocked; then with all that the crate
        requires unlocked, and no newer release of it to be seen."""
        kept = self.file.read_bytes()
        error = self.update([f"{self.name}@{self.at}", "--precise", self.version])
        if not error:
            return None
        in_the_way = sorted({f"{name}@{version}" for name, version in IN_THE_WAY.findall(error) if (name, version) in self.locked})
        for more in filter(None, (in_the_way, ["--recursive"])):
            self.file.write_bytes(kept)
            if not self.update([f"{self.name}@{self.at}", *more], {self.name.lower(): self.version}) and self.stands():
                return None
        self.file.write_bytes(kept)
        return error

    def after_edits(self):
        """Of requirements that have been raised to the version."""
        error = self.update(["--workspace"])
        if error or self.stands():
            return error
        new = [version for version in self.versions() if (self.name, version) not in self.locked]
        return self.update([f"{self.name}@{(new or [self.at])[0]}", "--precise", self.version])

    def update(self, words, caps=None):
        until = instant(self.scene.report["as_of"]) - self.scene.cooldown()
        with Usable(self.rust, self.locked, until, caps, self.scene.index) as index:
            env = self.scene.environment(index.variables(self.scene.work / "home"))
            argv = ["cargo", "update", *index.arguments(), *words]
            ran = run(argv, self.folder, env, log=self.scene.logs / "retry.log")
        return None if ran.ok else " ".join(line.strip() for line in ran.text.splitlines() if "Updating" not in line)

    def stands(self):
        return any(semver.same(version, self.version) for version in self.versions())

    def versions(self):
        return Lock(self.file.read_text(encoding="utf-8")).versions(self.name)


def rusts(scene, folder, workspace, of_the_users):
    """The least Rust that a member of the workspace supports, and then the least of those that need the crate."""
    stated = [one for one in workspace.rust_versions.values() if one]
    current = output_of(["rustc", "--version"], folder, scene.environment()).split()[1]
    return list(dict.fromkeys(min(some, key=numbers) if some else current for some in (stated, of_the_users)))
