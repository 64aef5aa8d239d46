"""Raises one module in the clone by the go command, and tells what that did to the module graph."""

from . import golang, semver
from .raise_cargo import Raised
from .shell import output_of, run

# Flags whose value may be the next word.
WITH_VALUE = ("-o", "-run", "-skip", "-tags", "-timeout", "-count", "-p")


def write(scene, project, hold, version, at):
    folder = scene.folder(project["path"])
    before, mod = golang.modules(scene, folder), golang.go_mod(scene, folder)
    # In a workspace the graph is that of all members: a hold is about what the module itself asks for.
    required = {one["Path"]: one["Version"] for one in mod.get("Require") or []}
    stands = required.get(hold["name"], before.get(hold["name"]))
    if stands is None or semver.key(stands) < semver.key(at):
        raise RuntimeError(f"{hold['name']} stands at {stands} at the tip, not at {at}")
    if semver.key(stands) >= semver.key(version):
        return Raised(already=stands)
    for argv in (["go", "get", f"{hold['name']}@{version}"], ["go", "mod", "tidy"]):
        ran = run(argv, folder, scene.environment(), log=scene.logs / "retry.log")
        if not ran.ok:
            return Raised(refused=" ".join(line for line in ran.text.split("\n") if "downloading" not in line))
    after, now = golang.modules(scene, folder), golang.go_mod(scene, folder)
    needs = None
    if golang.line_key(now.get("Go")) > golang.line_key(mod.get("Go")):
        needs = f"go {now['Go']}, the module says {mod.get('Go')}"
    if after.get(hold["name"]) != version:
        return Raised(refused=f"after go mod tidy {hold['name']} is at {after.get(hold['name'])}", needs=needs)
    lowered = [f"{path} {old} -> {after[path]}" for path, old in before.items()
               if path in after and semver.key(after[path]) < semver.key(old)]
    return Raised(lowered=lowered, needs=needs)


def compiles(scene, cell, name, version):
    """Whether packages or tests of the cell's folder stand on the module."""
    return is_among(units(scene, cell), name, version)


def units(scene, cell):
    """`path version` of the modules that packages or tests of the cell stand on, in the cell's own build: system, tags."""
    if not cell.label.startswith("go "):
        return set()
    tags = [word if "=" in word else f"-tags={after}" for word, after in zip(cell.argv, [*cell.argv[1:], ""]) if word.startswith("-tags")]
    words = ["go", "list", *tags, "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", *patterns(cell.argv)]
    return set(output_of(words, scene.folder(cell.folder), {**golang.environment(scene), **cell.env}).splitlines())


def patterns(argv):
    """The packages that a go command names: its words that are neither flags nor the values of flags."""
    named = [word for before, word in zip(argv[1:], argv[2:]) if not word.startswith("-") and before not in WITH_VALUE]
    return named or ["./..."]


def is_among(units, name, version):
    return f"{name} {version}" in units
