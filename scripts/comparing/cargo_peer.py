"""The peer of a Cargo repository: `cargo update` through an index that hides what the project's Rust cannot use, then
`cargo test --locked` in a fresh target directory, in each workspace with a tracked lockfile."""

import json
import subprocess

from auditing.cargo import Lock
from auditing.index import instant
from auditing.usable import Usable, numbers

from . import checkout
from .timed import must, timed

TEST = ["cargo", "test", "--workspace", "--locked"]


class CargoPeer:
    """One repository in a clone of the peer's own; logs and cargo's cache of the loopback index go beside it."""

    command = "cargo update && cargo test --workspace --locked"

    def __init__(self, tree, folder, as_of):
        self.tree, self.folder, self.as_of = tree, folder, instant(as_of)
        self.stale = {}

    def warm(self):
        """Downloads what the base and the updated tree need; the tree stays at the base. A workspace that `--locked` refuses
        at the base takes no part."""
        for project in self.projects():
            try:
                self.fetch(project)
            except RuntimeError as error:
                self.stale[project] = str(error)
                continue
            with self.view(project) as view:
                self.update(project, view)
            self.fetch(project)
        checkout.git(["checkout", "--quiet", "--", "."], self.tree)

    def play(self):
        """Updates and tests each workspace; what came of it."""
        return [self.play_in(project) for project in self.projects()]

    def play_in(self, project):
        if project in self.stale:
            return {"project": str(project), "rust": self.rust(project), "passes": False, "why": self.stale[project],
                    "exercised": [], "seconds": {}, "cpu": {}}
        with self.view(project) as view:
            # The view has its pages at hand before the clock runs, as cargo has its index cache.
            self.update(project, view, "--dry-run")
            update = self.update(project, view)
        tests = timed(TEST, self.tree / project, self.log(project, "test"))
        return {"project": str(project), "rust": self.rust(project), "passes": tests.ok,
                "why": "" if tests.ok else tests.why(), "exercised": sorted(set(self.compiled(project))),
                "seconds": {"update": update.seconds, "test": tests.seconds},
                "cpu": {"update": update.cpu, "test": tests.cpu}}

    def base_is_red(self, project, base):
        """Why the untouched base fails the same tests; nothing where it passes."""
        ran = timed(TEST, base / project, self.log(project, "base-test"))
        return "" if ran.ok else ran.why()

    def projects(self):
        return [path.parent for path in checkout.tracked(self.tree, "Cargo.lock")]

    def view(self, project):
        locked = Lock((self.tree / project / "Cargo.lock").read_text(encoding="utf-8")).packages
        return Usable(self.rust(project), locked, self.as_of)

    def rust(self, project):
        """The least `rust-version` of the workspace's members, else the toolchain's version."""
        words = ["cargo", "metadata", "--no-deps", "--format-version=1"]
        packages = json.loads(output(words, self.tree / project))["packages"]
        stated = [package["rust_version"] for package in packages if package["rust_version"]]
        return min(stated, key=numbers) if stated else self.toolchain(project)

    def toolchain(self, project):
        return output(["rustc", "--version"], self.tree / project).split()[1]

    def update(self, project, view, *flags):
        variables = {**view.variables(self.folder / "home"), "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS": "fallback"}
        argv = ["cargo", "update", *flags, *view.arguments()]
        return must(argv, self.tree / project, self.log(project, "update"), variables)

    def fetch(self, project):
        must(["cargo", "fetch", "--locked"], self.tree / project, self.log(project, "fetch"))

    def compiled(self, project):
        """Name and version of the packages that the tests compile, read off a second look at what is built."""
        words = [*TEST, "--no-run", "--message-format=json", "--quiet"]
        ran = subprocess.run(words, cwd=self.tree / project, capture_output=True, text=True, check=False)
        for line in ran.stdout.splitlines():
            message = json.loads(line) if line.startswith("{") else {}
            if message.get("reason") == "compiler-artifact":
                yield name_and_version(message["package_id"])

    def log(self, project, name):
        where = "-".join(project.parts)
        return self.folder / f"{name}{'-' + where if where else ''}.log"


def name_and_version(package_id):
    """Of a package id: `registry+URL#name@1.2.3`, or `path+URL/name#1.2.3` where the folder has the name."""
    address, _, mark = package_id.rpartition("#")
    name, at, version = mark.rpartition("@")
    return (name, version) if at else (address.rstrip("/").rsplit("/", 1)[-1], mark)


def output(argv, folder):
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout


def levels(tree):
    """(project, member, dependency) to the versions that the lockfile has for them, in order; members are no dependencies."""
    found = {}
    for path in checkout.tracked(tree, "Cargo.lock"):
        lock = Lock((tree / path).read_text(encoding="utf-8"))
        members = lock.members()
        for member, package in members.items():
            for name, version in lock.edges(package):
                if name not in members:
                    found.setdefault((str(path.parent), member, name), []).append(version)
    return found
