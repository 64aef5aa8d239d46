//! The values of a trial: checks, cells, readings and reports. Facts only; `verdict` judges them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::candidate::{ProjectId, Target};
use crate::shell::typed;

#[cfg(any(test, feature = "fake"))]
#[allow(clippy::wildcard_imports, clippy::unwrap_used, clippy::missing_panics_doc, reason = "values for tests")]
mod fake;
pub mod flap;
pub mod narrow;
mod order;
pub mod reading;
mod report;

pub use order::{Atom, Member, Order, Until, members};
pub use report::{Noise, TrialEnd, TrialKind, TrialReport, Written};

/// Cargo's messages in JSON, with diagnostics as people read them between.
pub const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// Which part of the matrix a check belongs to. Phases run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It compiles what the tests need.
    Gate,
    /// It runs the tests.
    Test,
}

/// How a check's output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reader {
    /// Cargo's JSON messages between rendered diagnostics.
    CargoMessages,
    /// The text of libtest, below `cargo test`.
    Libtest,
    /// The events of `go test -json`.
    GoTest,
    /// Nothing but the exit code.
    Plain,
}

/// A command that proves something about a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name in reports (`gate`, `test`, or the configuration's).
    pub name: String,
    /// Its phase.
    pub phase: Phase,
    /// The command, word for word.
    pub argv: Vec<String>,
    /// Words added to the command where a cached result would hide something (`-count=1`).
    pub afresh: Vec<String>,
    /// The folder that it runs in, from the root.
    pub dir: String,
    /// Variables added to the environment.
    pub env: BTreeMap<String, String>,
    /// How its output is read.
    pub reader: Reader,
    /// A limit in seconds; without one it comes from the baseline.
    pub limit: Option<u64>,
    /// Whether it may run while another cell runs.
    #[serde(default)]
    pub company: Company,
    /// In which trials it runs.
    #[serde(default)]
    pub turn: Turn,
    /// How much of it a failure stands against.
    #[serde(default)]
    pub grain: Grain,
}

/// In which trials a check runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// In every one that it concerns.
    #[default]
    Always,
    /// In the baseline and when the whole matrix verifies what the search accepted: too dear for each trial. Where it fails on
    /// the untouched base, it alone is left out, not its project.
    Final,
}

/// How much of a check a failure stands against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grain {
    /// All of it.
    #[default]
    Whole,
    /// Each target by itself: those that do not compile on the untouched base are left out, and nothing else is.
    Target,
}

/// Whether a check may run while another worker runs one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Company {
    /// Side by side with any other.
    #[default]
    Any,
    /// Alone: two at once would meet at a port, a database, a device.
    Alone,
}

impl Check {
    /// A command of it as a person would type it, with the variables that it sets and without the word that has cargo
    /// answer in JSON.
    #[must_use]
    pub fn typed(&self, words: &[String]) -> String {
        let words: Vec<String> = words.iter().filter(|word| *word != MESSAGES).cloned().collect();
        self.exact(&words)
    }

    /// A command of it as it runs, with the variables that it sets.
    #[must_use]
    pub fn exact(&self, words: &[String]) -> String {
        let variable = |(key, value): (&String, &String)| format!("{key}={} ", typed(std::slice::from_ref(value)));
        self.env.iter().map(variable).collect::<String>() + &typed(words)
    }
}

/// One field of the matrix: a check of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The project whose cell it is.
    pub project: ProjectId,
    /// The check.
    pub check: Check,
    /// The projects whose changes concern this cell.
    pub concerns: BTreeSet<ProjectId>,
    /// How much of the check it runs.
    #[serde(default)]
    pub extent: Extent,
}

/// How much of a check a cell runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "what", content = "of")]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// The test programs only: no documentation tests, each of which is compiled anew.
    Programs,
    /// The tests of these packages (crates, Go packages) only.
    Packages(BTreeSet<String>),
    /// These units of tests: test programs, Go packages. What the same command runs beside them is no part of it.
    Units(BTreeSet<String>),
    /// These tests only; others that the same command runs count for nothing.
    Tests(BTreeSet<TestName>),
    /// These tests amid all others of their units, which count for nothing.
    Amid(BTreeSet<TestName>),
}

impl Cell {
    /// The cell's key: project and check. A narrowed cell has that of the whole one, by which its baseline is found.
    #[must_use]
    pub fn key(&self) -> CellKey {
        CellKey { project: self.project.clone(), check: self.check.name.clone() }
    }
}

/// A cell of the matrix, however much of it runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CellKey {
    /// The project.
    pub project: ProjectId,
    /// The name of the check.
    pub check: String,
}

/// Whether results that a package manager cached may stand for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Cached results count: the search.
    Cached,
    /// Everything runs again: baseline and confirmation.
    Afresh,
}

/// The command line of a check, word for word.
#[must_use]
pub fn words(check: &Check, freshness: Freshness) -> Vec<String> {
    let mut words = check.argv.clone();
    if freshness == Freshness::Afresh {
        words.extend(check.afresh.iter().cloned());
    }
    words
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "what")]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// At its time limit.
    TimedOut,
    /// Because the run was interrupted.
    Interrupted,
    /// It never started.
    NotStarted(String),
}

impl Exit {
    /// Whether it says success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Code(0)
    }
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestEnd {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was skipped or ignored.
    Skipped,
}

/// A test's name: the unit it belongs to (crate and source file, Go package) and its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestName {
    /// The unit.
    pub unit: String,
    /// The name within it.
    pub name: String,
}

impl std::fmt::Display for TestName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.unit, self.name)
    }
}

/// What a cell's output said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Tests and how they ended.
    #[serde(with = "pairs")]
    pub tests: BTreeMap<TestName, TestEnd>,
    /// The compiled dependencies, fresh ones included.
    pub compiled: BTreeSet<Target>,
    /// The targets of packages in folders that compiled, fresh ones included, as cargo names them: `app (bin "app")`.
    #[serde(default)]
    pub built: BTreeSet<String>,
    /// The targets of any package that did not compile.
    #[serde(default)]
    pub unbuilt: BTreeSet<String>,
    /// Test executables (file stem), and what each is.
    pub executables: BTreeMap<String, Executable>,
    /// Units of which is known what else than all of it selects them: the words for the command.
    pub units: BTreeMap<String, Vec<String>>,
    /// Units of tests that failed although no test of theirs did, or that were killed: nothing names what is wrong. With the words
    /// that are told to run each again.
    #[serde(default)]
    pub bare: BTreeMap<String, String>,
    /// The milliseconds that each unit of tests took.
    #[serde(default)]
    pub millis: BTreeMap<String, u64>,
    /// The lines that tell most about a failure, in order.
    pub telling: Vec<String>,
    /// Signs of noise (no space, no memory, no network).
    pub noise: Option<String>,
    /// Tests of something that did not compile.
    pub build_failed: Build,
}

/// A map whose keys are no text, as a list of pairs: an object of JSON cannot hold it.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{TestEnd, TestName};

    pub fn serialize<S: Serializer>(tests: &BTreeMap<TestName, TestEnd>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(tests)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<TestName, TestEnd>, D::Error> {
        Vec::deserialize(from).map(|pairs: Vec<_>| pairs.into_iter().collect())
    }
}

/// A test executable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    /// The package that it belongs to.
    pub package: String,
    /// The words that make cargo run it and no other kind of target (`--lib`, `--test x`).
    pub select: Vec<String>,
}

/// Whether the output says that something did not compile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Build {
    /// No such word.
    #[default]
    Fine,
    /// The compiler or linker refused.
    Failed,
}

impl Reading {
    /// How many tests ran (skipped ones did not).
    #[must_use]
    pub fn ran(&self) -> usize {
        self.tests.values().filter(|end| **end != TestEnd::Skipped).count()
    }
}

/// What happened in one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// Which cell.
    pub cell: Cell,
    /// The command as it ran.
    pub words: Vec<String>,
    /// Seconds that it took.
    pub seconds: f64,
    /// How it ended.
    pub exit: Exit,
    /// Its log, below the output folder.
    pub log: String,
    /// What its output said.
    pub reading: Reading,
    /// Tracked files that it changed and untracked ones that it left, all undone.
    pub dirtied: Vec<String>,
    /// The tracked files among them.
    #[serde(default)]
    pub changed: Vec<String>,
    /// Processes that it left behind, all killed.
    pub strays: usize,
    /// The same cell again with nothing but the tests that failed, where all of those are known to be flaky.
    pub again: Vec<Self>,
    /// A failure beside another worker, after which it ran alone: that second run is the one told here.
    pub beside: Option<Beside>,
}

/// What was undone in a tree, from its root, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Files that the index has, and that were not as it has them.
    pub changed: Vec<String>,
    /// Files and folders that it does not have and no rule ignores.
    pub left: Vec<String>,
    /// Files and folders that it does not have and a rule ignores.
    pub ignored: Vec<String>,
}

impl Undone {
    /// All of it but what is ignored, sorted.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.changed.iter().chain(&self.left).collect();
        all.into_iter().cloned().collect()
    }
}

/// How a cell failed while another worker ran one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// How it ended.
    pub exit: Exit,
    /// The tests that failed.
    pub failing: Vec<TestName>,
    /// Its log, below the output folder.
    pub log: String,
}

impl CellReport {
    /// Adds what it did to the tree, and was undone.
    pub fn undo(&mut self, undone: &Undone) {
        self.dirtied.extend(undone.all());
        self.changed.extend(undone.changed.iter().cloned());
    }

    /// The tests that failed.
    pub fn failing(&self) -> impl Iterator<Item = &TestName> {
        self.reading.tests.iter().filter(|(_, end)| **end == TestEnd::Failed).map(|(name, _)| name)
    }

    /// The presence of tests that failed, by name.
    #[must_use]
    pub fn names_red(&self) -> bool {
        self.failing().next().is_some()
    }

    /// Whether something fails in it beside another worker that does not fail alone.
    #[must_use]
    pub fn clashed(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| {
            let alone: BTreeSet<&TestName> = self.failing().collect();
            self.exit.is_success() || beside.failing.iter().any(|name| !alone.contains(name))
        })
    }
}

impl CellReport {
    /// Whether it came to an end of its own that would count: what was stopped, never started, was killed from outside or
    /// failed with a sign of noise has to run again.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.exit {
            Exit::Interrupted | Exit::NotStarted(_) | Exit::Signal(9) => false,
            exit => exit.is_success() || self.reading.noise.is_none(),
        }
    }
}
