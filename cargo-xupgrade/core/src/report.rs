//! The public JSON: `xupgrade.out/report.json` and `plan --format json`. Field names are a promise; the JSON Schema in
//! `schema/` says the same, and a test compares the two.

#[cfg(any(test, feature = "fake"))]
#[allow(clippy::wildcard_imports, clippy::unwrap_used, clippy::missing_panics_doc, reason = "values for tests")]
mod fake;
mod past;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, DependencyRef, Held, Level, Named, ProjectId, UpgradeName, Version};
use crate::clock::Instant;
use crate::cooldown::Cooldown;
use crate::policy::NotReplayable;
use crate::project::{Move, Project};
use crate::trial::flap::Flap;
use crate::trial::{CellReport, Exit};
use crate::verdict::Proof;
use crate::why::Why;

pub use past::{Ended, Past};

/// The version of the format.
pub const SCHEMA: &str = "cargo-xupgrade/report/1";
/// The version of the plan's format.
pub const PLAN_SCHEMA: &str = "cargo-xupgrade/plan/1";

/// What a run found, tried and left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The format.
    pub schema: String,
    /// The commit that the run started from.
    pub base: String,
    /// The branch written, if any.
    pub branch: Option<String>,
    /// Its last commit.
    pub tip: Option<String>,
    /// The tree of that commit.
    pub tip_tree: Option<String>,
    /// The tree that passed the whole matrix; always the same as `tip_tree`.
    pub tested_tree: Option<String>,
    /// The instant at which the registries were looked at.
    pub as_of: Instant,
    /// The cooldown, in days.
    #[serde(default)]
    pub min_age: u32,
    /// The cooldowns that hold in the place of the usual one, and who says so.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cooldowns: Vec<Cooldown>,
    /// What moved, in commit order.
    pub upgrades: Vec<Upgrade>,
    /// The commits of the branch, and what is known of the tree of each.
    #[serde(default)]
    pub commits: Vec<Commit>,
    /// The cost of trying commits by themselves.
    #[serde(default)]
    pub commit_trials: CommitTrials,
    /// What did not, and why.
    pub held: Vec<Held>,
    /// What the run did not get to.
    pub untried: Vec<Named>,
    /// What is the newest already.
    pub newest: Vec<Named>,
    /// The trials, in the order in which they ran.
    pub trials: Vec<TrialSummary>,
    /// Tests that passed and failed with the very same packages.
    #[serde(default)]
    pub flapped: Vec<Flap>,
    /// Passes of the tests on the published tree, and the share of failing runs that they exclude.
    #[serde(default)]
    pub steady: Vec<Steady>,
    /// The projects.
    pub projects: Vec<ProjectSummary>,
    /// How many upgrades could be tried.
    pub candidates: usize,
    /// Seconds that the run took.
    pub seconds: f64,
    /// How the cells' processes were kept together.
    pub containment: Option<String>,
    /// Whether the run ended before its work did.
    pub interrupted: bool,
    /// What the budget ran out of, where something is untried for that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub budget: Option<String>,
    /// The output folder that log paths start from; for the table, and no part of the file that lies in it.
    #[serde(skip)]
    pub folder: std::path::PathBuf,
}

/// One upgrade, as committed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Upgrade {
    /// The dependency.
    #[serde(flatten)]
    pub id: DependencyRef,
    /// The version before.
    pub from: Version,
    /// The version after.
    pub to: Version,
    /// The position that changed.
    pub level: Level,
    /// Whether the ecosystem's rule calls it breaking.
    pub breaking: bool,
    /// Its commit.
    pub commit: Option<String>,
    /// The trial that proved it.
    pub trial: String,
    /// What stands behind it.
    pub proof: Proof,
    /// The upgrades that it moved with as one: in one step, and one commit.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub together: Vec<UpgradeName>,
    /// What else moved.
    pub also_moved: Vec<Move>,
    /// Things that a reader should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Higher versions that did not pass, highest first.
    #[serde(default)]
    pub failed_above: Vec<Held>,
    /// Why it had to move soon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub urgent: Option<String>,
}

/// A commit of the branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its tree.
    pub tree: String,
    /// Its upgrades: `ecosystem:name@version`.
    pub atoms: Vec<UpgradeName>,
    /// The proof of its tree.
    pub verified: Verified,
    /// The trial in which it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trial: Option<String>,
    /// The number of upgrades that were verified as a group, as time or noise left no answer to each by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<usize>,
}

/// The proof of the tree of a commit. The JSON Schema repeats the names and a test compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// The whole matrix.
    Matrix,
    /// A trial of the search, with the gates of what the commit concerns.
    Search,
    /// A trial of its own, with those gates.
    Gates,
    /// None was asked for: it resolves, and failed nowhere.
    No,
}

/// The trials of commits by themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CommitTrials {
    /// Their number.
    pub count: usize,
    /// Seconds that they took together.
    pub seconds: f64,
    /// The seconds that they may take, by what the baseline took; absent where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<f64>,
}

/// The verdict on a trial, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// Everything passed that did before.
    Passed,
    /// Something failed that did not before.
    Failed,
    /// The package manager refused an upgrade, so that nothing was built.
    Refused,
    /// No evidence.
    Inconclusive,
    /// No evidence, as its answer no longer mattered. In events only.
    Cancelled,
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Inconclusive => "inconclusive",
            Self::Cancelled => "cancelled",
        })
    }
}

impl Report {
    /// The number of trials that ran a check: what a package manager refuses at once is none.
    #[must_use]
    pub fn trials_run(&self) -> usize {
        self.trials.iter().filter(|trial| trial.verdict != VerdictKind::Refused).count()
    }
}

/// One trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrialSummary {
    /// Its name.
    pub id: String,
    /// Why it was chosen; absent for the baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<Why>,
    /// The trial whose failure led to it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// What it tried, in commit order: `ecosystem:name@version`.
    pub atoms: Vec<UpgradeName>,
    /// How many of the last of them were new.
    pub fresh: usize,
    /// The tree that was tested (the base's, where nothing could be written).
    pub tree: String,
    /// The verdict.
    pub verdict: VerdictKind,
    /// The cause, in words; empty for a pass, unless tests failed in it.
    pub text: String,
    /// Tests that failed in one that passed: as far as seen no upgrade is to blame, and each passed in as many other runs of the
    /// same as are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cleared: Vec<String>,
    /// Seconds that it took.
    pub seconds: f64,
    /// Its cells.
    pub cells: Vec<CellSummary>,
}

impl TrialSummary {
    /// What was new in it.
    #[must_use]
    pub fn fresh_atoms(&self) -> &[UpgradeName] {
        &self.atoms[self.atoms.len().saturating_sub(self.fresh)..]
    }
}

/// One cell of a trial.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CellSummary {
    /// The project.
    pub project: ProjectId,
    /// The check's name.
    pub check: String,
    /// The command, word for word.
    pub command: String,
    /// The command's words, one by one.
    #[serde(default)]
    pub argv: Vec<String>,
    /// The folder that it ran in, from the root.
    #[serde(default)]
    pub directory: String,
    /// Seconds that it took.
    pub seconds: f64,
    /// The exit code; `null` where it ended otherwise.
    pub exit: Option<i32>,
    /// How it ended, where there is no code (`timed out`, `signal 9`).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<String>,
    /// Its log, below the output folder.
    pub log: String,
    /// How many tests ran.
    pub tests: usize,
    /// Tracked files that it changed and untracked ones that it left; all undone.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dirtied: Vec<String>,
    /// Processes that it left behind; all killed.
    #[serde(default)]
    pub strays: usize,
    /// Runs of nothing but the tests that failed, where all of those are known to be flaky.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub again: Vec<Self>,
    /// The log of a failure beside another worker, after which it ran alone, as told here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beside: Option<String>,
}

impl From<&CellReport> for CellSummary {
    fn from(report: &CellReport) -> Self {
        let (exit, ended) = match &report.exit {
            Exit::Code(code) => (Some(*code), None),
            Exit::Signal(signal) => (None, Some(format!("signal {signal}"))),
            Exit::TimedOut => (None, Some("timed out".to_owned())),
            Exit::Interrupted => (None, Some("interrupted".to_owned())),
            Exit::NotStarted(why) => (None, Some(format!("not started: {why}"))),
        };
        Self {
            project: report.cell.project.clone(),
            check: report.cell.check.name.clone(),
            command: report.cell.check.typed(&report.words),
            argv: report.words.clone(),
            directory: report.cell.check.dir.clone(),
            seconds: round(report.seconds),
            exit,
            ended,
            log: report.log.clone(),
            tests: report.reading.ran(),
            dirtied: report.dirtied.clone(),
            strays: report.strays,
            again: report.again.iter().map(Self::from).collect(),
            beside: report.beside.as_ref().map(|beside| beside.log.clone()),
        }
    }
}

/// One project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProjectSummary {
    /// The project.
    #[serde(flatten)]
    pub project: Project,
    /// Its cells' commands, as a person would type them.
    pub checks: Vec<String>,
    /// Seconds of its checks on the untouched base.
    pub baseline_seconds: Option<f64>,
    /// The lockfile of the upgrades that were confirmed, where git tracks none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tested_lock: Option<TestedLock>,
    /// Checks and targets that fail before any upgrade and are left out, each as a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub left_out: Vec<String>,
    /// Tests that did not end the same way each time.
    #[serde(default)]
    pub flaky: Vec<String>,
}

/// A check, or units of its tests, that passed several times on the tree that is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Steady {
    /// The project.
    pub project: ProjectId,
    /// The check.
    pub check: String,
    /// The units of tests that this is about (test programs, Go packages), where others of the check ran more or less often.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub units: Vec<String>,
    /// The number of runs, all of which passed.
    pub runs: u32,
    /// The least share of failing runs (0 to 1) that so many passes exclude with 99 % certainty.
    pub excluded: f64,
}

/// A lockfile that git does not track, kept for whoever wants to test the same again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestedLock {
    /// The SHA-256 of its bytes.
    pub sha256: String,
    /// Where it lies, below the output folder.
    pub file: String,
    /// Where the one of the baseline lies, below the output folder.
    pub base_file: String,
}

/// What a plan says in JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanReport {
    /// The format.
    pub schema: String,
    /// The commit that it is for.
    pub base: String,
    /// The instant at which the registries were looked at.
    pub as_of: Instant,
    /// The cooldowns that hold in the place of the usual one, and who says so.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub cooldowns: Vec<Cooldown>,
    /// What can move.
    pub candidates: Vec<Candidate>,
    /// What cannot, and why.
    pub held: Vec<Held>,
    /// What is the newest already.
    pub newest: Vec<Named>,
    /// What was met that no registry keeps a history of: the same plan another day may differ there.
    #[serde(default)]
    pub not_replayable: Vec<NotReplayable>,
    /// The projects.
    pub projects: Vec<Project>,
    /// The checks that would run, as a person would type them.
    pub matrix: Vec<String>,
    /// Manifests among test data that no project owns: left alone.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub set_aside: Vec<String>,
}

/// Seconds for people and JSON: to a hundredth.
#[must_use]
pub fn round(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}
