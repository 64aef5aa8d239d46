"""Raises one module in the clone by the go command, and tells what that did to the module graph."""

from . import golang, semver
from .raise_cargo import Raised
from .shell import output_of, run


def write(scene, project, hold, version, at):
    folder = scene.folder(project["path"])
    before, mod = golang.modules(scene, folder), golang.go_mod(scene, folder)
    stands = before.get(hold["name"])
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
    if not cell.label.startswith("go "):
        return False
    patterns = [word for word in cell.argv[2:] if word.startswith((".", "/"))] or ["./..."]
    text = output_of(["go", "list", "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", *patterns],
                     scene.folder(cell.folder), golang.environment(scene))
    return f"{name} {version}" in text.splitlines()
