"""The report, the configuration, and a fresh clone in which base, tip and scratch trees are looked at."""

import datetime
import json
import os
import tomllib
from pathlib import Path

from .index import Kept
from .shell import output_of

# Manifests and locks: all that an upgrade's commit may touch.
UPGRADE_FILES = {"Cargo.toml", "Cargo.lock", "go.mod", "go.sum", "go.work", "go.work.sum"}


class Scene:
    def __init__(self, options, work, report, repo):
        self.options, self.work, self.report, self.repo = options, work, report, repo
        self.output = options.report.resolve().parent
        self.clone = work / "clone"
        self.logs = work / "logs"
        self.target = options.target or work / "target"
        self.base, self.tip = report["base"], report["tip"] or report["base"]
        self.config = {}
        self.tip_counts = {}
        self.tip_seconds = {}
        self.index = Kept()
        # What does not compile on the base, by cell; see `red`.
        self.red = None

    @classmethod
    def open(cls, options, work, ledger):
        path = options.report.resolve()
        report = json.loads(path.read_text(encoding="utf-8"))
        repo = (options.repo or path.parent.parent).resolve()
        scene = cls(options, work.resolve(), report, repo)
        print(f"report {path}\nrepository {repo}\nbase {scene.base}\nbranch {report['branch']} at {report['tip']}")
        scene.logs.mkdir(parents=True, exist_ok=True)
        if scene.clone.exists():
            raise RuntimeError(f"{scene.clone} is there already; name an empty folder with --work")
        # --no-local copies objects through the protocol: what is broken or missing in the repository shows.
        output_of(["git", "clone", "--quiet", "--no-local", "--no-checkout", repo, scene.clone], work)
        if not scene.has(scene.base) or not scene.has(scene.tip):
            ledger.failed("clone", f"a fresh clone holds no {scene.base} or no {scene.tip}")
            return None
        scene.show(scene.base)
        file = options.config or repo / "xupgrade.toml"
        file = file if file.exists() else scene.clone / "xupgrade.toml"
        scene.config = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return scene

    # git

    def git(self, *args):
        return output_of(["git", *args], self.clone).strip()

    def has(self, commit):
        try:
            return self.git("cat-file", "-t", commit) == "commit"
        except RuntimeError:
            return False

    def show(self, commit):
        """Puts a commit into the clone's tree and removes everything else, ignored files too."""
        self.git("checkout", "--quiet", "--force", "--detach", commit)
        self.git("clean", "-ffdxq", *[word for name in self.copied() for word in ("-e", "/" + name)])
        for project in self.projects():
            if project.get("lock"):
                (self.clone / project["lockfile"]).write_text(self.own_lock(project, commit), encoding="utf-8")

    def text_at(self, commit, path):
        """A file's text at a commit; None where there is none."""
        try:
            return output_of(["git", "show", f"{commit}:{path}"], self.clone)
        except RuntimeError:
            return None

    def own_lock(self, project, commit):
        """The lockfile that a run resolved itself, as git tracks none: that of the base, or that of the tested tip."""
        kept = project["tested_lock"]
        return (self.output / kept["base_file" if commit == self.base else "file"]).read_text(encoding="utf-8")

    def lock_at(self, commit, project):
        if project.get("lock"):
            return self.own_lock(project, commit)
        return self.text_at(commit, project["lockfile"]) if project.get("lockfile") else None

    def files_at(self, commit):
        return [name for name in output_of(["git", "ls-tree", "-rz", "--name-only", commit], self.clone).split("\0") if name]

    # report

    def copied(self):
        return self.config.get("setup", {}).get("copy", [])

    def projects(self, ecosystem=None):
        return [one for one in self.report["projects"] if ecosystem in (None, one["ecosystem"])]

    def label(self, project):
        return f"{project['ecosystem']} {project['path']}"

    def min_age(self):
        stated = [self.options.min_age, self.report.get("min_age"), self.config.get("min-age")]
        return next((age for age in stated if age is not None), 3)

    def cooldown(self):
        """How old a crate of crates.io had to be, in the run."""
        if self.options.min_age is None:
            stated = {one.get("registry"): one["seconds"] for one in self.report.get("cooldowns", [])}
            for registry in ("crates-io", None):
                if registry in stated:
                    return datetime.timedelta(seconds=stated[registry])
        return datetime.timedelta(days=self.min_age())

    # environment

    def environment(self, own=None):
        """The caller's environment, made hermetic where that does not depend on the machine."""
        env = dict(os.environ)
        env.update(CI="true", NO_COLOR="1", CARGO_TERM_COLOR="never", CARGO_INCREMENTAL="0", RUSTUP_AUTO_INSTALL="0",
                   INSTA_UPDATE="no", CARGO_TARGET_DIR=str(self.target), GIT_TERMINAL_PROMPT="0", TERM="dumb")
        env.setdefault("GOTOOLCHAIN", "local")
        # Cached test results are no independent judgement.
        env["GOFLAGS"] = (env.get("GOFLAGS", "") + " -count=1").strip()
        if self.options.fresh_go_cache:
            env["GOCACHE"] = str(self.work / "go-cache")
        if self.options.jobs:
            env["CARGO_BUILD_JOBS"] = str(self.options.jobs)
            env["GOFLAGS"] += f" -p={self.options.jobs}"
        env.update(own or {})
        return env

    def offline(self, own=None):
        """The environment of checks: package managers offline, as in a trial."""
        return self.environment({"CARGO_NET_OFFLINE": "true", "GOPROXY": "off", **(own or {})})

    def folder(self, path):
        return self.clone if path in (".", "") else self.clone / Path(path)
