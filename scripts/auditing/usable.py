"""An index of the releases that a project can use: its Rust is new enough, and they were there at an instant."""

from . import semver
from .loopback import Loopback
from .index import instant


class Usable(Loopback):
    """Hides what needs a newer Rust than `rust` and what was published after `until`; `locked` packages are always shown.
    `caps` names crates of which nothing above a version is shown."""

    def __init__(self, rust, locked, until=None, caps=None, index=None):
        super().__init__(self.is_usable, index)
        self.rust, self.until, self.caps = numbers(rust), until, caps or {}
        self.locked = {(name.lower(), version) for name, version in locked}

    def is_usable(self, name, line):
        version = line["vers"]
        if name in self.caps and semver.key(version) > semver.key(self.caps[name]):
            return False
        if (name, version) in self.locked:
            return True
        if line.get("rust_version") and numbers(line["rust_version"]) > self.rust:
            return False
        return not (self.until and line.get("pubtime") and instant(line["pubtime"]) > self.until)


def numbers(rust):
    """A Rust version as three numbers."""
    parts = [int(part) for part in rust.split("-")[0].split("+")[0].split(".")]
    return tuple(parts + [0] * (3 - len(parts)))
