"""The peer of a Go repository: `go get -u ./...` and `go mod tidy` in each module with a tracked go.mod, then `go test ./...`.
Where that raises the module's go line, which a person would have to decide on, each direct requirement goes to its newest
release by itself instead, and what raises the line is undone."""

import json
import subprocess

from . import checkout
from .timed import must, timed

TEST = ["go", "test", "./..."]
LOCAL = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"}


class GoPeer:
    """One repository in a clone of the peer's own; logs go beside it."""

    command = "go get -u ./... && go mod tidy && go test ./... (the go line kept)"

    def __init__(self, tree, folder, _as_of):
        self.tree, self.folder = tree, folder

    def warm(self):
        """Downloads what the updated tree needs; the tree stays at the base."""
        for project in self.projects():
            self.update(project)
        checkout.git(["checkout", "--quiet", "--", "."], self.tree)

    def play(self):
        """Updates and tests each module; what came of it."""
        return [self.play_in(project) for project in self.projects()]

    def play_in(self, project):
        seconds, cpu = self.update(project)
        tests = timed(TEST, self.tree / project, self.log(project, "test"), LOCAL)
        return {"project": str(project), "go": manifest(self.tree / project).get("Go"), "passes": tests.ok,
                "why": "" if tests.ok else tests.why(), "exercised": sorted(set(self.compiled(project))),
                "seconds": {"update": seconds, "test": tests.seconds}, "cpu": {"update": cpu, "test": tests.cpu}}

    def base_is_red(self, project, base):
        """Why the untouched base fails the same tests; nothing where it passes."""
        ran = timed(TEST, base / project, self.log(project, "base-test"), LOCAL)
        return "" if ran.ok else ran.why()

    def projects(self):
        return [path.parent for path in checkout.tracked(self.tree, "go.mod") if "testdata" not in path.parts]

    def update(self, project):
        """All at once, or one by one where that raises the go line; seconds of the clock and of the processors."""
        line = manifest(self.tree / project).get("Go")
        ran = [self.go(project, "get", "-u", "./..."), self.go(project, "mod", "tidy")]
        if manifest(self.tree / project).get("Go") != line:
            checkout.git(["checkout", "--quiet", "--", project], self.tree)
            ran += self.one_by_one(project, line)
        return sum(one.seconds for one in ran), sum(one.cpu for one in ran)

    def one_by_one(self, project, line):
        """Each direct requirement to its newest release, where the go line stays."""
        folder = self.tree / project
        for path, _ in direct(manifest(folder)):
            before = {name: (folder / name).read_bytes() for name in ("go.mod", "go.sum") if (folder / name).is_file()}
            steps = [["get", f"{path}@upgrade"], ["mod", "tidy"]]
            ran = [timed(["go", *words], folder, self.log(project, "get"), LOCAL) for words in steps]
            if not all(one.ok for one in ran) or manifest(folder).get("Go") != line:
                for name, content in before.items():
                    (folder / name).write_bytes(content)
            yield from ran

    def go(self, project, *words):
        return must(["go", *words], self.tree / project, self.log(project, words[0]), LOCAL)

    def compiled(self, project):
        """Path and version of the modules that the tests compile."""
        words = ["go", "list", "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./..."]
        for line in subprocess.run(words, cwd=self.tree / project, capture_output=True, text=True, check=False).stdout.splitlines():
            path, _, version = line.partition(" ")
            if version:
                yield path, version

    def log(self, project, name):
        where = "-".join(project.parts)
        return self.folder / f"go-{name}{'-' + where if where else ''}.log"


def manifest(folder):
    words = ["go", "mod", "edit", "-json"]
    return json.loads(subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout)


def direct(mod):
    """Path and version of each requirement that no comment calls indirect."""
    return [(one["Path"], one["Version"]) for one in mod.get("Require") or [] if not one.get("Indirect")]


def levels(tree):
    """(module's folder, module, dependency) to its version in go.mod, for each direct one."""
    found = {}
    for path in checkout.tracked(tree, "go.mod"):
        if "testdata" not in path.parts:
            mod = manifest((tree / path).parent)
            for name, version in direct(mod):
                found[(str(path.parent), mod["Module"]["Path"], name)] = [version]
    return found
