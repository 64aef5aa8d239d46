"""The repository that whole runs are measured on: a Cargo workspace of four members with 14 crates, a Go module with 6.

What is upgraded, and what comes of it, stands in two short lists; the sources, which only have to cost what real ones
cost to compile, come from a fixed rule. The result is one text archive, as those in fixtures/.
"""

from dataclasses import dataclass, field


@dataclass
class Crate:
    """A crate: how many structs it is made of, its releases (the first is in use), the crates that it uses."""

    name: str
    size: int
    releases: list
    uses: list = field(default_factory=list)


CRATES = [
    Crate("alder", 120, ["1.0.0", "1.0.1", "1.1.0"]),
    Crate("birch", 80, ["1.2.0", "1.2.1"], ["alder"]),
    Crate("cedar", 60, ["1.0.0", "1.3.0"]),
    Crate("clock", 40, ["1.0.0", "1.0.1", "1.2.0"]),
    Crate("elm", 160, ["1.4.0", "1.4.2", "1.5.0"]),
    Crate("fir", 50, ["1.0.0", "1.1.0"], ["elm"]),
    Crate("gum", 100, ["1.0.3", "1.0.4"]),
    Crate("hazel", 70, ["1.0.0", "1.6.0"], ["gum"]),
    Crate("iris", 40, ["1.1.0", "1.1.5", "1.2.0"], ["cedar"]),
    Crate("jasmine", 30, ["1.0.0", "1.0.9"]),
    Crate("left", 40, ["1.0.0", "1.0.1"]),
    Crate("money", 40, ["1.0.0", "1.0.1"]),
    Crate("parser", 60, ["1.0.0", "1.1.0"]),
    Crate("right", 40, ["1.0.0", "1.0.1"]),
]

MODULES = {
    "acorn": ["v1.0.0", "v1.0.1", "v1.1.0"],
    "beech": ["v1.0.0", "v1.2.0"],
    "cork": ["v1.3.0", "v1.3.1"],
    "dill": ["v1.0.0", "v1.1.0"],
    "ember": ["v1.0.0", "v1.0.2"],
    "ratio": ["v1.0.0", "v1.1.0"],
}

# Where the number that a test looks at changes: one crate too many, a pair too heavy, a clock that goes wrong.
VALUES = {("money", "1.0.1"): 2, ("left", "1.0.1"): 2, ("right", "1.0.1"): 2, ("clock", "1.2.0"): 2, ("ratio", "v1.1.0"): 2}
# Where a function that the repository calls is gone.
GONE = {("parser", "1.1.0")}

# Its members: size, crates of the registry, members, and what its own test holds true.
MEMBERS = {
    "core": (30, ["alder", "birch", "money", "parser"], [], "money::value() == 1"),
    "store": (40, ["cedar", "elm", "left", "right"], ["core"], "left::value() + right::value() <= 3"),
    "web": (30, ["clock", "fir", "gum", "hazel"], ["core"], "clock::value() == 1"),
    "tool": (20, ["iris", "jasmine"], ["store", "web"], "iris::value() == 1"),
}
PACKAGES = {"nut": ["acorn", "beech"], "bark": ["cork", "dill"], "fire": ["ember", "ratio"]}

# The versions that a search has to end with. `right` is not there: `left` comes before it in plan order.
EXPECTED = {
    **{crate.name: crate.releases[-1] for crate in CRATES if crate.name not in {"money", "parser", "right"}},
    **{f"bench.test/{name}": releases[-1] for name, releases in MODULES.items() if name != "ratio"},
    "clock": "1.0.1",
}


def archive(percent):
    """The archive; `percent` of the structs, so that it can be tried in less time than it takes to measure it."""
    files = {"repo/Cargo.toml": workspace(), "repo/Cargo.lock": lock(), "repo/.gitignore": "/target\n"}
    for name, member in MEMBERS.items():
        files |= member_files(name, percent, *member)
    for crate in CRATES:
        for version in crate.releases:
            files |= crate_files(crate, version, percent)
    files |= go_files()
    for name, releases in MODULES.items():
        for version in releases:
            files[f"modules/bench.test/{name}/{version}/{name}.go"] = go_source(name, version, 3 * percent)
    parts = [f"-- {path} --\n{text}" for path, text in sorted(files.items())]
    return "Made by scripts/bench-run.\n" + "".join(parts)


def workspace():
    return f'[workspace]\nresolver = "2"\nmembers = [{", ".join(quoted(MEMBERS))}]\n'


def quoted(names):
    return [f'"{name}"' for name in sorted(names)]


def member_files(name, percent, size, crates, members, holds):
    using = "".join(f'{one} = "1"\n' for one in crates)
    using += "".join(f'bench-{one} = {{ path = "../{one}" }}\n' for one in members)
    calls = " + ".join([f"{one}::value()" for one in crates] + [f"bench_{one}::total()" for one in members])
    tests = "".join(f"    #[test]\n    fn part_{n}_is_whole() {{\n        assert_eq!(Part{n}::default().mix(0), 0);\n    }}\n"
                    for n in range(5))
    text = (f"{rust_bulk(size * percent // 100)}\npub fn total() -> u64 {{\n    {calls}\n}}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n"
            f"    #[test]\n    fn the_rule_of_{name}_holds() {{\n        assert!({holds});\n        assert!(total() > 0);\n    }}\n{tests}}}\n")
    head = f'[package]\nname = "bench-{name}"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n'
    return {f"repo/{name}/Cargo.toml": head + using, f"repo/{name}/src/lib.rs": text}


def crate_files(crate, version, percent):
    value = VALUES.get((crate.name, version), 1)
    called = "total" if (crate.name, version) in GONE else "value"
    sums = "".join(f" + {one}::value() - 1" for one in crate.uses)
    text = f'pub const VERSION: &str = "{version}";\npub fn {called}() -> u64 {{\n    {value}{sums}\n}}\n{rust_bulk(crate.size * percent // 100)}'
    below = f"crates/{crate.name}/{version}"
    manifest = f'[package]\nname = "{crate.name}"\nversion = "{version}"\nedition = "2021"\n\n[dependencies]\n'
    return {f"{below}/Cargo.toml": manifest + "".join(f'{one} = "1"\n' for one in crate.uses), f"{below}/src/lib.rs": text}


def rust_bulk(size):
    """Structs with the usual derives, each with collections of its own type: what generic code costs."""
    parts = ["use std::collections::{BTreeMap, HashMap};\n"]
    for n in range(size):
        parts.append(
            "#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]\n"
            f"pub struct Part{n} {{ pub id: u64, pub list: Vec<u32>, pub name: Option<String>, pub map: BTreeMap<String, Vec<u8>> }}\n"
            f"impl Part{n} {{\n"
            f"    pub fn mix(&self, by: u64) -> u64 {{\n"
            f"        let mut known: HashMap<Part{n}, u64> = HashMap::new();\n"
            f"        known.insert(self.clone(), by);\n"
            f"        let mut all: Vec<Part{n}> = known.keys().cloned().collect();\n"
            f"        all.sort();\n"
            f"        all.iter().map(|one| one.id.wrapping_mul({n + 3})).sum::<u64>() + by\n"
            f"    }}\n"
            f'    pub fn text(&self) -> String {{ format!("{{self:?}}") }}\n'
            "}\n")
    return "".join(parts)


def lock():
    registry = 'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "@"\n'
    packages = {crate.name: (crate.releases[0], registry, crate.uses) for crate in CRATES}
    for name, (_, crates, members, _) in MEMBERS.items():
        packages[f"bench-{name}"] = ("0.1.0", "", crates + [f"bench-{one}" for one in members])
    text = "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\nversion = 4\n"
    for name, (version, source, uses) in sorted(packages.items()):
        text += f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n{source}'
        if uses:
            text += "dependencies = [\n" + "".join(f" {one},\n" for one in quoted(uses)) + "]\n"
    return text


def go_files():
    requires = "".join(f"\tbench.test/{name} {releases[0]}\n" for name, releases in sorted(MODULES.items()))
    sums = "".join(f"bench.test/{name} {releases[0]} h1:@\nbench.test/{name} {releases[0]}/go.mod h1:@\n"
                   for name, releases in sorted(MODULES.items()))
    files = {"repo/svc/go.mod": f"module bench.test/svc\n\ngo 1.21\n\nrequire (\n{requires})\n", "repo/svc/go.sum": sums}
    for package, uses in PACKAGES.items():
        imports = "".join(f'\t"bench.test/{one}"\n' for one in uses)
        calls = " + ".join(f"{one}.Value()" for one in uses)
        files[f"repo/svc/{package}/{package}.go"] = (
            f"package {package}\n\nimport (\n{imports})\n\nfunc total() int {{ return {calls} }}\n")
        title = package.capitalize()
        files[f"repo/svc/{package}/{package}_test.go"] = (
            f'package {package}\n\nimport "testing"\n\nfunc TestTotalOf{title}(t *testing.T) {{\n'
            f"\tif total() != {len(uses)} {{\n\t\tt.Fatal(total())\n\t}}\n}}\n")
    return files


def go_source(name, version, size):
    value = VALUES.get((name, version), 1)
    parts = [f'package {name}\n\nimport (\n\t"fmt"\n\t"sort"\n)\n\nconst Version = "{version}"\n\nfunc Value() int {{ return {value} }}\n']
    for n in range(size):
        parts.append(
            f"\ntype Part{n} struct {{\n\tID int\n\tName string\n\tList []uint32\n}}\n\n"
            f"func (p Part{n}) Mix(by int) int {{\n\tknown := map[string]Part{n}{{p.Name: p}}\n\tkeys := []string{{}}\n"
            f"\tfor key := range known {{\n\t\tkeys = append(keys, key)\n\t}}\n\tsort.Strings(keys)\n\tsum := by\n"
            f"\tfor _, key := range keys {{\n\t\tsum += known[key].ID * {n + 3}\n\t}}\n\treturn sum\n}}\n\n"
            f'func (p Part{n}) Text() string {{ return fmt.Sprintf("%v", p.List) }}\n')
    return "".join(parts)
