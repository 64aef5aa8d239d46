"""What is published builds the way people build it: `cargo build`, all targets, members by themselves, with the features that
turn an upgraded dependency on, `go build`, tools.
What is red on the base as well is no fault of the branch; it is looked up target by target, where something is red."""

from . import golang, matrix
from .cargo import Workspace, entries, toml
from .ready import at_commit
from .red import failing
from .shell import output_of, run


class Build:
    """A command in a project, the same at base and tip."""

    def __init__(self, project, words):
        self.project, self.words = project, words

    def red(self, scene):
        """What does not compile, as a set of names; empty where all does."""
        ran = run(self.words, scene.folder(self.project["path"]), scene.offline(matrix.own(self.project)),
                  log=scene.logs / "builds.log")
        return set() if ran.ok else failing(ran)

    def name(self, scene):
        return f"{scene.label(self.project)} `{' '.join(self.words)}`"


def check(scene, ledger):
    """The whole of each project."""
    judge(scene, ledger, lambda project: cargo_builds(project) if project["ecosystem"] == "cargo" else go_builds(scene, project))


def check_alone(scene, ledger):
    """Each member by itself, which may have fewer features than with its neighbours, and with what is optional."""
    def of(project):
        return [*member_builds(scene, project), *feature_builds(scene, project)] if project["ecosystem"] == "cargo" else []
    judge(scene, ledger, of)


def judge(scene, ledger, builds_of):
    if scene.report["tip"] is None:
        ledger.skipped("builds", "nothing is published")
        return
    at_commit(scene, ledger, scene.tip)
    builds = [build for project in scene.projects() if not project.get("obstacle") for build in builds_of(project)]
    red = {build: found for build in builds if (found := build.red(scene))}
    before = {}
    if red:
        at_commit(scene, ledger, scene.base)
        before = {build: build.red(scene) for build in red}
    for build in builds:
        known = before.get(build, set()) & red.get(build, set())
        ledger.judge(build.name(scene), sorted(red.get(build, set()) - known),
                     f"red on the base, too: {', '.join(sorted(known))}" if known else "")


def cargo_builds(project):
    words = ["cargo", "build", "--workspace", "--locked", "--keep-going"]
    return [Build(project, words), Build(project, [*words, "--all-targets"])]


def member_builds(scene, project):
    """None for a workspace of one member: that is the build of the whole."""
    names = Workspace(scene, project, scene.tip).names
    if len(names) < 2:
        return []
    return [checked(scene, project, manifest, name) for manifest, name in sorted(names.items())]


def checked(scene, project, manifest, name, *words):
    spec = f"path+file://{(scene.clone / manifest).parent}#{name}"
    return Build(project, ["cargo", "check", "--locked", "--keep-going", "-p", spec, *words])


def feature_builds(scene, project):
    """Each feature that turns on an upgraded dependency, one at a time."""
    upgraded = {one["name"] for one in scene.report["upgrades"] if (one["ecosystem"], one["project"]) == ("cargo", project["path"])}
    builds = []
    for manifest in project["manifests"]:
        text = scene.text_at(scene.tip, manifest)
        keys = {entry.key for entry in entries(manifest, text) if entry.package in upgraded and entry.optional}
        features = toml(text).get("features", {})
        hidden = {value[4:] for values in features.values() for value in values if value.startswith("dep:")}
        own = {key: [f"dep:{key}"] for key in keys - hidden}
        on = [name for name in {**features, **own} if name != "default" and keys & turned_on({**features, **own}, name)]
        builds += [checked(scene, project, manifest, toml(text)["package"]["name"], "--features", name) for name in sorted(on)]
    return builds


def turned_on(features, name):
    """The keys of the dependencies that a feature turns on, itself or by way of others."""
    found, waiting, seen = set(), [name], set()
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        if value.startswith("dep:"):
            found.add(value[4:])
        elif "/" in value and "?" not in value:
            found.add(value.split("/")[0])
        waiting += features.get(value, [])
    return found


def go_builds(scene, project):
    tools = sorted(tool["Path"] for tool in golang.go_mod(scene, scene.folder(project["path"])).get("Tool") or [])
    tagged = tagged_tools(scene, project)
    return [Build(project, ["go", "build", "-o", "/dev/null", "./..."]),
            *(Build(project, ["go", "build", "-o", "/dev/null", tool]) for tool in tools),
            *(Build(project, ["go", "build", "-tags=tools", "-o", "/dev/null", tool]) for tool in tagged)]


def tagged_tools(scene, project):
    """What files with the tag `tools` import, and others do not."""
    def imports(*flags):
        words = ["go", "list", "-e", *flags, "-f", '{{join .Imports "\\n"}}', "./..."]
        env = scene.offline(matrix.own(project))
        return set(output_of(words, scene.folder(project["path"]), env).split())
    return sorted(imports("-tags=tools") - imports())
