//! What the cells of a module compiled: from their commands to questions for the companion, and from its answers to
//! evidence. Pure; a command that is not understood counts as one on all packages.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use super::folder;
use super::protocol::{Compiled, CompiledParams};
use crate::candidate::{Target, Version};
use crate::project::Exercised;
use crate::trial::{CellReport, Phase};

/// Whether a command compiles tests, or only what they test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// `go build`, `go install`, `go run`.
    Packages,
    /// `go test`, `go vet`, and whatever is unknown.
    WithTests,
}

/// Flags of `go build`, `go test` and `go vet` whose value may stand in the next word (`go help build`, `go help
/// testflag`); every other flag stands for itself.
const WITH_VALUE: &[&str] = &[
    "C",
    "asmflags",
    "bench",
    "benchtime",
    "blockprofile",
    "blockprofilerate",
    "buildmode",
    "compiler",
    "count",
    "covermode",
    "coverpkg",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "exec",
    "fuzz",
    "fuzzminimizetime",
    "fuzztime",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "list",
    "memprofile",
    "memprofilerate",
    "mod",
    "modfile",
    "mutexprofile",
    "mutexprofilefraction",
    "o",
    "outputdir",
    "overlay",
    "p",
    "parallel",
    "pgo",
    "pkgdir",
    "run",
    "shuffle",
    "skip",
    "tags",
    "timeout",
    "toolexec",
    "trace",
    "vet",
    "vettool",
];

/// What to ask about the cells, each question once.
pub fn questions(root: &Path, cells: &[&CellReport]) -> Result<BTreeSet<(Build, CompiledParams)>> {
    // A gate that failed may have compiled nothing of it.
    let counts = |cell: &&&CellReport| cell.exit.is_success() || cell.cell.check.phase == Phase::Test;
    let question = |cell: &&CellReport| {
        let check = &cell.cell.check;
        let command = read(&cell.words);
        let params = CompiledParams {
            dir: folder(root, &check.dir)?,
            tags: command.tags,
            patterns: command.patterns,
            env: check.env.clone(),
        };
        Ok((command.build, params))
    };
    let all: BTreeSet<(Build, CompiledParams)> = cells.iter().filter(counts).map(question).collect::<Result<_>>()?;
    // What tests compile with it, a build of the same packages compiles, too.
    let is_part =
        |one: &(Build, CompiledParams)| one.0 == Build::Packages && all.contains(&(Build::WithTests, one.1.clone()));
    Ok(all.iter().filter(|one| !is_part(one)).cloned().collect())
}

/// What matters of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// How much of them it compiles.
    pub build: Build,
    /// The tags.
    pub tags: Vec<String>,
    /// The patterns of packages.
    pub patterns: Vec<String>,
}

/// True for a go command that compiles packages.
pub fn is_build(words: &[String]) -> bool {
    let is_go = words.first().is_some_and(|program| program.rsplit('/').next() == Some("go"));
    is_go && words.get(1).is_some_and(|verb| ["build", "install", "run", "test", "vet"].contains(&verb.as_str()))
}

/// Reads a command. Without packages a go command means the folder that it runs in, anything else may mean all of them.
pub fn read(words: &[String]) -> Words {
    let verb = words.get(1).map_or("", String::as_str);
    if !is_build(words) {
        return Words { build: Build::WithTests, tags: Vec::new(), patterns: vec!["./...".into()] };
    }
    let build = if ["test", "vet"].contains(&verb) { Build::WithTests } else { Build::Packages };
    let (mut tags, mut patterns) = (Vec::new(), Vec::new());
    let mut rest = words[2..].iter();
    while let Some(word) = rest.next() {
        let Some(flag) = word.strip_prefix('-') else {
            patterns.push(word.clone());
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        let flag = flag.strip_prefix("test.").unwrap_or(flag);
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if WITH_VALUE.contains(&flag) => (flag, rest.next().map(String::as_str)),
            None => (flag, None),
        };
        match name {
            "args" => break,
            "tags" => {
                tags = value
                    .unwrap_or_default()
                    .split([',', ' '])
                    .filter(|tag| !tag.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            _ => {}
        }
    }
    if patterns.is_empty() {
        patterns.push(".".into());
    }
    Words { build, tags, patterns }
}

/// Adds an answer to the evidence.
pub fn add(exercised: &mut Exercised, answer: &Compiled, build: Build) {
    let versioned = |module: &String| {
        let version = Version::parse(answer.modules.get(module)?).ok()?;
        Some(Target::new(module.as_str(), version))
    };
    for package in &answer.packages {
        exercised.compiled.extend(package.depends_on.iter().filter_map(versioned));
        if build == Build::Packages {
            continue;
        }
        exercised.compiled.extend(package.tests_depend_on.iter().filter_map(versioned));
        if package.test_files {
            exercised.alone.insert(package.import_path.clone());
            let below = exercised.below.entry(package.import_path.clone()).or_default();
            below.extend(package.tests_depend_on.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(command: &str) -> Words {
        read(&command.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn patterns(command: &str) -> Vec<String> {
        reading(command).patterns
    }

    #[test]
    fn packages_are_told_from_flags_and_from_the_values_of_flags() {
        assert_eq!(patterns("go test -json ./... -count=1"), ["./..."]);
        assert_eq!(patterns("go test -run Foo -p 4 -race ./pkg/... ./cmd/..."), ["./pkg/...", "./cmd/..."]);
        assert_eq!(patterns("/usr/local/go/bin/go test -timeout=5m ./a -args ./b"), ["./a"]);
        assert_eq!(patterns("go vet"), ["."]);
    }

    #[test]
    fn tags_are_passed_on_in_every_spelling() {
        for command in ["go test -tags=a,b ./...", "go test -tags a,b ./...", "go test --tags=a,b ./..."] {
            assert_eq!(reading(command).tags, ["a", "b"], "{command}");
            assert_eq!(reading(command).patterns, ["./..."], "{command}");
        }
    }

    #[test]
    fn a_command_that_is_not_gos_counts_as_one_on_all_packages() {
        let all = Words { build: Build::WithTests, tags: vec![], patterns: vec!["./...".into()] };
        assert_eq!(reading("make test"), all);
        assert_eq!(reading("go generate ./x"), all);
    }

    /// As the companion answers for a package whose tests alone use `ex.com/assert`.
    fn answer() -> Compiled {
        let json = r#"{
            "packages": [
                {"import_path": "ex.com/app", "module": "ex.com/app", "test_files": true,
                 "depends_on": ["ex.com/a"], "tests_depend_on": ["ex.com/a", "ex.com/assert"]},
                {"import_path": "ex.com/app/cmd", "module": "ex.com/app", "test_files": false,
                 "depends_on": ["ex.com/a", "ex.com/b"], "tests_depend_on": []}],
            "modules": {"ex.com/a": "v1.1.0", "ex.com/assert": "v1.0.0", "ex.com/b": "v2.0.0"}}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn tests_prove_what_their_own_package_compiles() {
        let mut exercised = Exercised::default();
        add(&mut exercised, &answer(), Build::WithTests);
        assert_eq!(
            exercised.compiled.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["ex.com/a@v1.1.0", "ex.com/assert@v1.0.0", "ex.com/b@v2.0.0"]
        );
        assert_eq!(exercised.below.keys().collect::<Vec<_>>(), ["ex.com/app"]);
        assert!(exercised.below["ex.com/app"].contains("ex.com/assert"));
        assert!(!exercised.below["ex.com/app"].contains("ex.com/b"));
    }

    #[test]
    fn a_build_proves_nothing_about_what_only_tests_use() {
        let mut exercised = Exercised::default();
        add(&mut exercised, &answer(), Build::Packages);
        assert!(!exercised.compiled.contains(&"ex.com/assert@v1.0.0".into()));
        assert!(exercised.below.is_empty());
    }
}
