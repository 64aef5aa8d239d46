//! Less of a check: only what depends on a change, or only certain tests. Commands of a known shape are rewritten, all
//! others stay whole. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Cell, CellKey, Check, Extent, Phase, Reader, TestName};
use crate::candidate::ProjectId;
use crate::phrases::libtest;
use crate::project::{Applied, Exercised};

/// The part of each check that a trial runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Breadth {
    /// All of it.
    #[default]
    Whole,
    /// Of the tests those that depend on what the last atoms change.
    Targeted {
        /// How many of the last ones.
        fresh: usize,
    },
}

/// What a change moves in one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Packages, by name.
    pub names: BTreeSet<String>,
    /// Those of them that were there before it: of each the project must know who uses it.
    pub own: BTreeSet<String>,
}

impl Moved {
    /// Adds an upgrade and what moved with it, where it was written.
    pub fn add(&mut self, name: &str, applied: Option<&Applied>) {
        if let Some(applied) = applied {
            let others = applied.also_moved.iter().filter(|one| one.from.is_some()).map(|one| &one.name);
            self.own.extend(others.chain(&applied.rewired).cloned());
            self.names.extend(applied.also_moved.iter().map(|one| one.name.clone()));
        }
        self.own.insert(name.to_owned());
        self.names.extend(self.own.iter().cloned());
    }
}

/// The cells of a trial, the tests narrowed to what a change moves. Where it is not known who depends on it, or where
/// nobody does, a cell stays whole: nothing that runs is no proof. Gates stay whole: what did not change is compiled
/// already, and packages built by themselves may get other features than those that all of them get together.
#[must_use]
pub fn target(
    cells: &[Cell],
    exercised: &BTreeMap<ProjectId, Exercised>,
    moved: &BTreeMap<ProjectId, Moved>,
    ran: &BTreeMap<CellKey, Vec<TestName>>,
) -> Vec<Cell> {
    let narrowed = |cell: &Cell| {
        let known = exercised.get(&cell.project)?;
        let ours = cell.check.phase == Phase::Test && cell.extent == Extent::Whole && cell.concerns.len() == 1;
        let packages = if ours { affected(known, &cell.project, moved) } else { None }?;
        let proves = |name: &TestName| belongs(&name.unit, &packages);
        ran.get(&cell.key()).filter(|names| names.iter().any(proves) && !names.iter().all(proves))?;
        narrow(cell, &Extent::Packages(packages), &BTreeMap::new())
    };
    cells.iter().flat_map(|cell| narrowed(cell).unwrap_or_else(|| vec![cell.clone()])).collect()
}

/// The packages of a project whose tests stand on what moves; `None` where that is not known or nobody's do.
fn affected(known: &Exercised, project: &ProjectId, moved: &BTreeMap<ProjectId, Moved>) -> Option<BTreeSet<String>> {
    let is_below = |name: &String| known.below.values().any(|below| below.contains(name));
    if moved.get(project).is_some_and(|moved| !moved.own.iter().all(is_below)) {
        return None;
    }
    let stands = |below: &BTreeSet<String>| moved.values().any(|one| one.names.iter().any(|name| below.contains(name)));
    let units: Vec<&String> = known.below.iter().filter(|(_, below)| stands(below)).map(|(unit, _)| unit).collect();
    let packages: BTreeSet<String> = known.alone.iter().filter(|package| units.contains(package)).cloned().collect();
    let covered = units.iter().all(|unit| belongs(unit, &packages));
    (covered && !packages.is_empty()).then_some(packages)
}

/// The package that a unit of tests names first: of `app src/lib.rs` it is `app`.
#[must_use]
pub fn package(unit: &str) -> &str {
    unit.split(' ').next().unwrap_or_default()
}

/// The mark of a crate's documentation tests among units.
#[must_use]
pub fn is_doc(unit: &str) -> bool {
    unit.ends_with(" doc")
}

/// Whether a unit of tests belongs to one of these packages; documentation tests are named by the crate.
#[must_use]
pub fn belongs(unit: &str, packages: &BTreeSet<String>) -> bool {
    let head = package(unit);
    packages.contains(head) || packages.iter().any(|package| package.replace('-', "_") == head)
}

/// The cells that run less of a cell. Several where one command cannot say it, none where no command is known that does;
/// `units` are the words that select each unit of tests, as a reading notes them.
#[must_use]
pub fn narrow(cell: &Cell, extent: &Extent, units: &BTreeMap<String, Vec<String>>) -> Option<Vec<Cell>> {
    match (cell.check.reader, extent) {
        (Reader::Libtest, Extent::Programs) => cargo_programs(&cell.check),
        (Reader::Libtest, Extent::Units(wanted)) => cargo_units(cell, wanted, units),
        (Reader::Libtest, Extent::Packages(packages)) => cargo_packages(&cell.check, packages),
        (_, Extent::Amid(tests)) => {
            let amid = Extent::Units(tests.iter().map(|test| test.unit.clone()).collect());
            return Some(
                narrow(cell, &amid, units)?.into_iter().map(|cell| Cell { extent: extent.clone(), ..cell }).collect(),
            );
        }
        (Reader::Libtest, Extent::Tests(tests)) => return cargo_tests(cell, tests, units),
        (Reader::GoTest, Extent::Packages(packages)) => go_packages(cell, packages),
        (Reader::GoTest, Extent::Units(packages)) => go_units(cell, packages),
        (Reader::GoTest, Extent::Tests(tests)) => return go_tests(cell, tests),
        _ => None,
    }
    .map(|argv| vec![with(cell, argv, extent.clone())])
}

fn with(cell: &Cell, argv: Vec<String>, extent: Extent) -> Cell {
    Cell { check: Check { argv, ..cell.check.clone() }, extent, ..cell.clone() }
}

/// Flags of `cargo test` that say nothing about which packages and targets run; those of the second list have a value.
const CARGO_PLAIN: &[&str] = &[
    "--all",
    "--all-features",
    "--frozen",
    "--locked",
    "--no-default-features",
    "--no-fail-fast",
    "--offline",
    "--release",
    "--workspace",
    "--verbose",
    "-r",
    "-v",
];
const CARGO_VALUED: &[&str] =
    &["--exclude", "--features", "--manifest-path", "--package", "--profile", "--target", "--target-dir", "-F", "-p"];

/// Flags of `cargo test` that select targets, as a narrowing appends them.
const TARGETS: &[&str] = &["--tests", "--lib", "--bin", "--test", "--example", "--bench", "--doc"];

/// Whether a command is a `cargo test` of all targets, in words that are understood.
fn is_plain_cargo_test(argv: &[String]) -> bool {
    let toolchains = argv.iter().skip(1).take_while(|word| word.starts_with('+')).count();
    let [program, rest @ ..] = argv else { return false };
    let mut rest = rest.iter().skip(toolchains).map(String::as_str);
    if !is_program(program, "cargo") || rest.next() != Some("test") {
        return false;
    }
    while let Some(word) = rest.next() {
        let known = CARGO_PLAIN.contains(&word)
            || (CARGO_VALUED.contains(&word) && rest.next().is_some())
            || word.split_once('=').is_some_and(|(flag, _)| CARGO_VALUED.contains(&flag));
        if !known {
            return false;
        }
    }
    true
}

fn is_program(word: &str, name: &str) -> bool {
    word.rsplit('/').next() == Some(name)
}

/// `cargo test --workspace …` becomes `cargo test -p a -p b …`; with features for all members it would mean another build.
fn cargo_packages(check: &Check, packages: &BTreeSet<String>) -> Option<Vec<String>> {
    let is_all = |word: &String| ["--workspace", "--all"].contains(&word.as_str());
    let says_more = |word: &String| {
        let flag = word.split('=').next().unwrap_or_default();
        ["--features", "-F", "-p", "--package", "--exclude"].contains(&flag)
    };
    if !is_plain_cargo_test(&check.argv) || check.argv.iter().any(says_more) {
        return None;
    }
    let at = check.argv.iter().position(is_all)?;
    let mut argv = check.argv.clone();
    argv.splice(at..=at, packages.iter().flat_map(|package| ["-p".to_owned(), package.clone()]));
    Some(argv)
}

/// The command without documentation tests: `cargo test …` becomes `cargo test … --tests`.
fn cargo_programs(check: &Check) -> Option<Vec<String>> {
    is_plain_cargo_test(&check.argv).then(|| check.argv.iter().cloned().chain(["--tests".to_owned()]).collect())
}

/// The command with the targets of these units only. It runs targets of the same name in other packages, too: with fewer packages
/// cargo may choose other features and build anew.
fn cargo_units(cell: &Cell, wanted: &BTreeSet<String>, units: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    let argv = unselected(cell);
    let targets: BTreeSet<&Vec<String>> = wanted.iter().map(|unit| units.get(unit)).collect::<Option<_>>()?;
    let known = is_plain_cargo_test(argv) && !targets.is_empty();
    known.then(|| argv.iter().chain(targets.into_iter().flatten()).cloned().collect())
}

/// The command of a cell without the targets that an earlier narrowing selected.
fn unselected(cell: &Cell) -> &[String] {
    let argv = &cell.check.argv;
    let is_ours = matches!(cell.extent, Extent::Programs | Extent::Units(_) | Extent::Amid(_));
    let is_target = |word: &String| TARGETS.contains(&word.as_str());
    let end = argv.iter().position(is_target).filter(|_| is_ours).unwrap_or(argv.len());
    &argv[..end]
}

/// The targets of the tests, then the tests by name. The packages stay as they are: with fewer of them cargo may choose
/// other features and build anew. Documentation tests cannot be named (rustdoc splits a filter at its spaces, and every
/// name has some), so of those all run.
fn cargo_tests(cell: &Cell, tests: &BTreeSet<TestName>, units: &BTreeMap<String, Vec<String>>) -> Option<Vec<Cell>> {
    let whole = unselected(cell);
    if !is_plain_cargo_test(whole) || tests.is_empty() {
        return None;
    }
    let selected: Vec<(&TestName, &Vec<String>)> =
        tests.iter().map(|test| units.get(&test.unit).map(|words| (test, words))).collect::<Option<_>>()?;
    let is_doc = |(_, words): &&(&TestName, &Vec<String>)| words.iter().any(|word| word == "--doc");
    let mut cells = Vec::new();
    let (doc, unit): (Vec<_>, Vec<_>) = selected.iter().partition(is_doc);
    if !unit.is_empty() {
        let targets: BTreeSet<&Vec<String>> = unit.iter().map(|(_, words)| *words).collect();
        let names: BTreeSet<&str> = unit.iter().map(|(test, _)| libtest::bare_name(&test.name)).collect();
        let mut argv = whole.to_vec();
        argv.extend(targets.into_iter().flatten().cloned());
        argv.extend(["--", "--exact"].into_iter().chain(names).map(str::to_owned));
        cells.push(with(cell, argv, Extent::Tests(unit.iter().map(|(test, _)| (*test).clone()).collect())));
    }
    if !doc.is_empty() {
        let argv = whole.iter().cloned().chain(["--doc".to_owned()]).collect();
        cells.push(with(cell, argv, Extent::Tests(doc.iter().map(|(test, _)| (*test).clone()).collect())));
    }
    Some(cells)
}

/// Flags of `go test` that have no value and say nothing about what runs.
const GO_PLAIN: &[&str] = &["-json", "-race", "-v", "-short", "-cover", "-trimpath", "-msan", "-asan"];
/// Flags that do say what runs.
const GO_CHOICE: &[&str] = &["run", "skip", "bench", "fuzz", "list", "args", "exec", "c", "C", "o"];

/// The flags of a `go test` in words that are understood, without its packages.
fn go_flags(cell: &Cell) -> Option<Vec<String>> {
    let argv = &cell.check.argv;
    let [program, verb, rest @ ..] = &argv[..] else { return None };
    if !is_program(program, "go") || verb != "test" {
        return None;
    }
    let (flags, patterns): (Vec<&String>, Vec<&String>) = rest.iter().partition(|word| word.starts_with('-'));
    let is_known = |flag: &&String| {
        let name = flag.split('=').next().unwrap_or_default().trim_start_matches('-');
        let name = name.strip_prefix("test.").unwrap_or(name);
        GO_PLAIN.contains(&flag.as_str()) || (flag.contains('=') && !GO_CHOICE.contains(&name))
    };
    // A value in a word of its own would look like a package.
    let ours = |pattern: &String| match &cell.extent {
        Extent::Packages(packages) | Extent::Units(packages) => packages.contains(pattern),
        Extent::Amid(tests) => tests.iter().any(|test| test.unit == *pattern),
        Extent::Whole | Extent::Programs | Extent::Tests(_) => false,
    };
    // Files make a package of their own, which has no path.
    let is_file = |pattern: &str| pattern.rsplit_once('.').is_some_and(|(_, extension)| extension == "go");
    let is_package = |pattern: &&String| (pattern.starts_with('.') && !is_file(pattern)) || ours(pattern);
    let known = flags.iter().all(is_known) && patterns.iter().all(is_package);
    known.then(|| argv[..2].iter().chain(flags).cloned().collect())
}

fn go_packages(cell: &Cell, packages: &BTreeSet<String>) -> Option<Vec<String>> {
    // With fewer packages than `./...` names, some of these might not be among them.
    if !cell.check.argv.iter().any(|word| word == "./...") {
        return None;
    }
    Some(go_flags(cell)?.into_iter().chain(packages.iter().cloned()).collect())
}

/// The packages in place of the patterns: each of them ran below these.
fn go_units(cell: &Cell, packages: &BTreeSet<String>) -> Option<Vec<String>> {
    Some(go_flags(cell)?.into_iter().chain(packages.iter().cloned()).collect())
}

/// One command for each package: the same name may stand in several. A subtest is run by the test that it is part of.
fn go_tests(cell: &Cell, tests: &BTreeSet<TestName>) -> Option<Vec<Cell>> {
    let flags = go_flags(cell)?;
    let mut packages: BTreeMap<&String, BTreeSet<TestName>> = BTreeMap::new();
    for test in tests {
        let top = test.name.split('/').next().unwrap_or_default().to_owned();
        packages.entry(&test.unit).or_default().insert(TestName { unit: test.unit.clone(), name: top });
    }
    let cells = packages.into_iter().map(|(package, tests)| {
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        let mut argv = flags.clone();
        argv.extend([format!("-run=^({})$", names.join("|")), package.clone()]);
        with(cell, argv, Extent::Tests(tests))
    });
    let cells: Vec<Cell> = cells.collect();
    (!cells.is_empty()).then_some(cells)
}

#[cfg(test)]
mod tests;
