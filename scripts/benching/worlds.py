"""The repositories that are planned: a Cargo workspace and a Go module made from lists, and a synthetic large one.

Each world lies in one folder with a CARGO_HOME, GOMODCACHE and cache of its own; nothing of the user's is written. The
registries' addresses are those of the user's own configuration.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEMBERS = 5
HOUR = 3600
# Reasons that say that a registry or a project could not be read at all.
MEANINGLESS = {"registry_unreachable", "broken_project", "unsupported_project", "not_cached", "baseline_red"}


def listed(name):
    return [line.split() for line in (HERE / name).read_text().splitlines() if line]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class World:
    def __init__(self, work, tool):
        self.work, self.tool = work, tool
        self.repo, self.cache = work / "repo", work / "cache"
        self.plan = [tool, "plan", "--format", "json"]

    def fresh(self):
        self.age(0)

    def warm(self):
        self.age(HOUR)

    def age(self, seconds):
        """Sets how long ago the copies of what the registries say were taken, ours and cargo's."""
        then = time.time() - seconds
        for folder in [self.cache / "index", self.cache / "modules", self.work / "cargo-home/registry/index"]:
            for file in folder.rglob("*"):
                if file.is_file():
                    os.utime(file, (then, then))

    def commit(self):
        if not (self.repo / ".git").exists():
            git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
            for words in [["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=Base"]]:
                subprocess.run([*git, *words], cwd=self.repo, check=True)

    def environment(self, proxy):
        own = {"XUPGRADE_CACHE_DIR": self.cache, "SSL_CERT_FILE": proxy.bundle, "BENCH_WORK": self.work}
        return {**os.environ, **{key: str(value) for key, value in own.items()}}

    def check(self, proxy):
        """A plan that found nothing out would be fast, and no measurement."""
        plan = subprocess.run(self.plan, cwd=self.repo, env=self.environment(proxy), check=True, stdout=subprocess.PIPE)
        held = [one for one in json.loads(plan.stdout)["held"] if one["reason"]["kind"] in MEANINGLESS]
        if held:
            raise SystemExit(f"the plan knows nothing: {held[0]['name']}: {held[0]['reason']['text']}")

    def call(self, line, proxy):
        subprocess.run(line, cwd=self.repo, env=self.environment(proxy), check=True, stdout=subprocess.DEVNULL)


class Cargo(World):
    def __init__(self, work, tool):
        super().__init__(work, tool)
        self.home = work / "cargo-home"
        self.upstream = upstream_index()

    def environment(self, proxy):
        return {**super().environment(proxy), "CARGO_HOME": str(self.home)}

    def configure(self, proxy):
        write(self.home / "config.toml", f"""[source.crates-io]
replace-with = "bench"
[source.bench]
registry = "sparse+{proxy.address}/index/"
[http]
cainfo = "{proxy.bundle}"
""")

    def build(self, proxy):
        self.configure(proxy)
        crates = listed("crates.txt")
        size = len(crates) // MEMBERS
        members = [crates[start:start + size] for start in range(0, len(crates), size)]
        self.manifests(members)
        if not (self.repo / "Cargo.lock").exists():
            self.call(["cargo", "generate-lockfile"], proxy)
        self.commit()
        # All that any of the commands will ask for is in the proxy's memory and in CARGO_HOME after this.
        self.call(["cargo", "fetch", "--locked", "--quiet"], proxy)
        self.check(proxy)

    def manifests(self, members):
        names = [f"member{number}" for number in range(len(members))]
        write(self.repo / "Cargo.toml", f"[workspace]\nresolver = \"2\"\nmembers = {json.dumps(names)}\n")
        for name, crates in zip(names, members):
            text = f"[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n"
            write(self.repo / name / "Cargo.toml", text + "".join(f'{one} = "{version}"\n' for one, version in crates))
            write(self.repo / name / "src/lib.rs", "")

    def cold(self):
        for folder in [self.cache / "index", self.home / "registry" / "index"]:
            shutil.rmtree(folder, ignore_errors=True)


class Synthetic(Cargo):
    """1,000 crates of 50 releases each, with lines as long as those of the real index."""

    COUNT, RELEASES = 1000, 50

    def __init__(self, work, tool):
        super().__init__(work, tool)
        self.index = work / "index"

    def build(self, proxy):
        self.configure(proxy)
        names = [f"crate-{number:04}" for number in range(self.COUNT)]
        for name in names:
            write(self.index / name[:2] / name[2:4] / name, "".join(self.line(name, n) for n in range(self.RELEASES)))
        size = self.COUNT // (2 * MEMBERS)
        members = [[(name, "1.0") for name in names[start:start + size]] for start in range(0, self.COUNT, size)]
        self.manifests(members)
        self.lock(members)
        self.commit()
        self.check(proxy)

    def line(self, name, number):
        """One line of about 1.2 kB, which is the mean of 5,705 real ones."""
        deps = [{"name": f"needed-{one}", "req": f"^1.{one}", "features": ["std"], "optional": one % 2 == 0,
                 "default_features": True, "target": None, "kind": "normal"} for one in range(6)]
        features = {f"feature-{one}": [f"needed-{one}/std"] for one in range(6)}
        return json.dumps({
            "name": name, "vers": f"1.{number}.0", "deps": deps, "cksum": self.checksum(name, number),
            "features": features, "yanked": False, "rust_version": "1.60", "pubtime": "2025-01-01T00:00:00Z",
        }, separators=(",", ":")) + "\n"

    def checksum(self, name, number):
        return hashlib.sha256(f"{name}{number}".encode()).hexdigest()

    def lock(self, members):
        text = ["version = 4\n"]
        source = "registry+https://github.com/rust-lang/crates.io-index"
        for name, _ in (crate for crates in members for crate in crates):
            text.append(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = "{source}"\n'
                        f'checksum = "{self.checksum(name, 0)}"\n')
        for number, crates in enumerate(members):
            needs = "".join(f' "{name}",\n' for name, _ in crates)
            text.append(f'[[package]]\nname = "member{number}"\nversion = "0.1.0"\ndependencies = [\n{needs}]\n')
        write(self.repo / "Cargo.lock", "\n".join(text))


class Go(World):
    def __init__(self, work, tool):
        super().__init__(work, tool)
        self.modules = work / "modules"
        self.upstream = go_env("GOPROXY").split(",")[0].split("|")[0]

    def environment(self, proxy):
        own = {
            "GOPROXY": f"{proxy.address}/modules", "GOSUMDB": "off", "GOPRIVATE": "", "GONOPROXY": "none",
            "GOMODCACHE": str(self.modules), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local", "GOCACHE": go_env("GOCACHE"),
        }
        return {**super().environment(proxy), **own}

    def build(self, proxy):
        line = ".".join(go_env("GOVERSION").removeprefix("go").split(".")[:2])
        if not (self.repo / "go.mod").exists():
            needs = "".join(f"\t{path} {version}\n" for path, version in listed("modules.txt"))
            write(self.repo / "go.mod", f"module bench.test/m\n\ngo {line}.0\n\nrequire (\n{needs})\n")
            write(self.repo / "m.go", "package m\n")
            self.call(["go", "list", "-m", "-mod=mod", "all"], proxy)
        self.commit()
        self.call(["go", "list", "-m", "-u", "-e", "-json", "all"], proxy)
        self.check(proxy)

    def cold(self):
        shutil.rmtree(self.modules, ignore_errors=True)
        shutil.rmtree(self.cache / "modules", ignore_errors=True)


def go_env(name):
    return subprocess.run(["go", "env", name], check=True, capture_output=True, text=True).stdout.strip()


def upstream_index():
    """The sparse index that the user's cargo asks: that of the crates registry, unless the configuration replaces it."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    for file in [home / "config", home / "config.toml"]:
        if file.is_file():
            sources = tomllib.loads(file.read_text()).get("source", {})
            name = sources.get("crates-io", {}).get("replace-with")
            if name:
                return sources[name]["registry"].removeprefix("sparse+")
    return "https://index.crates.io/"
