//! A project and the values that travel with its upgrades: what a change moved, what the cells compiled. Pure.

#[cfg(any(test, feature = "fake"))]
#[allow(clippy::wildcard_imports, clippy::unwrap_used, clippy::missing_panics_doc, reason = "values for tests")]
mod fake;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::candidate::{Candidate, EcosystemKind, ProjectId, Reason, Target, Version};

/// The name of the configuration file at the root of a repository.
pub const CONFIG_FILE: &str = "xupgrade.toml";

/// One Cargo workspace or one Go module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its ecosystem.
    pub ecosystem: EcosystemKind,
    /// Its folder from the repository's root; `.` is the root.
    pub path: String,
    /// The manifests that belong to it, from the root, sorted.
    pub manifests: Vec<String>,
    /// The lockfile (Go: `go.sum`), from the root.
    pub lockfile: Option<String>,
    /// The lockfile of this run, where git tracks none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lock: Option<OwnLock>,
    /// Other projects that a change of this one concerns, because they use it by path; in the order to tidy them.
    pub dependents: Vec<String>,
    /// The reason for which it is held whole.
    pub obstacle: Option<Reason>,
    /// Manifests that no upgrade may write, each with what is wrong with it: only the lockfile moves what they require.
    #[serde(skip)]
    pub closed: BTreeMap<String, String>,
}

/// A lockfile that was resolved for a run and is never committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLock {
    /// True for a lockfile in git, whose content the ids of the trees tell.
    pub tracked: bool,
    /// The SHA-256 of its bytes before any upgrade.
    pub sha256: String,
    /// Packages that were taken from where a git repository stood at that moment; the plan lists them by themselves.
    #[serde(skip)]
    pub floating: Vec<(String, Version)>,
}

impl OwnLock {
    /// The note on an upgrade where the lockfile is not in git.
    pub const NOTE: &str =
        "its Cargo.lock is not in git: tested with one that was resolved for this run and is not committed";
}

impl Project {
    /// Its identity.
    #[must_use]
    pub fn id(&self) -> ProjectId {
        ProjectId::new(self.ecosystem, self.path.clone())
    }
}

/// The effects of a change, read back from the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Files written, from the root, sorted.
    pub files: Vec<String>,
    /// Other packages whose version moved with it.
    pub also_moved: Vec<Move>,
    /// Packages that stay as they are and use another version of something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewired: Vec<String>,
    /// Things that a reader should know (edges that flipped, lines that changed).
    pub notes: Vec<String>,
}

/// A package that moved, came or went with an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Move {
    /// Its ecosystem.
    pub ecosystem: EcosystemKind,
    /// Its name.
    pub name: String,
    /// The version before; `None` for a new one.
    pub from: Option<String>,
    /// The version after; `None` for one that is gone.
    pub to: Option<String>,
    /// The lockfile in which it moved, where that is one of a project that uses the upgrade's own by path.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lockfile: Option<String>,
}

/// The packages that the cells of a project compiled, and the tests that stand on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercised {
    /// Every dependency that was compiled.
    pub compiled: BTreeSet<Target>,
    /// The ones that only cells of the whole matrix compile: no trial of the search can be evidence for them.
    #[serde(default)]
    pub late: BTreeSet<Target>,
    /// For each unit of tests (crate, Go package): the names of the dependencies below it.
    pub below: BTreeMap<String, BTreeSet<String>>,
    /// Units of tests that can be run without the others and are compiled the same then.
    #[serde(default)]
    pub alone: BTreeSet<String>,
    /// Words for a test command that would select what a plain run passes by: nothing is narrowed with them.
    #[serde(default)]
    pub beyond: BTreeSet<Vec<String>>,
    /// Dependencies that no check here can compile, by name: a word on what would.
    #[serde(default)]
    pub missing: BTreeMap<String, String>,
    /// Direct dependencies that nothing uses on any platform, as far as the ecosystem can tell.
    #[serde(default)]
    pub unused: BTreeSet<String>,
    /// The reason for which no upgrade at all can be written into the tree as it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stuck: Option<Reason>,
}

impl Exercised {
    /// Adds the packages that cells of every trial compile.
    pub fn add_early(&mut self, more: Self) {
        self.late = self.late.difference(&more.compiled).cloned().collect();
        self.compiled.extend(more.compiled);
    }

    /// Adds the packages that cells of the whole matrix compile.
    pub fn add_late(&mut self, last: Self) {
        self.late.extend(last.compiled.difference(&self.compiled).cloned());
        self.compiled.extend(last.compiled);
    }
}

/// The use of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Allowed.
    Online,
    /// Forbidden: the plan is made from what is there.
    Offline,
}

/// The part that packages take which only other packages require.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitiveRule {
    /// Only where the version in use is yanked or retracted.
    Withdrawn,
    /// All of them.
    All,
}

/// The rule by which requirements are written into manifests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ManifestRule {
    /// Only where they do not admit the new version.
    #[default]
    Needed,
    /// Always.
    Always,
}

/// The commit that everything starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The commit's id.
    pub commit: String,
    /// Its tree's id.
    pub tree: String,
    /// The first line of its message.
    pub subject: String,
}

/// The heights that one candidate reaches, as the package manager resolves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The version that it has where all upgrades are resolved at once; `None` where it stays, or where that is not known.
    pub together: Option<Version>,
    /// Rungs that do not resolve even alone, by position, and why.
    pub refused: BTreeMap<usize, Reason>,
}

impl Resolved {
    /// The answer for a candidate of which no rung can be written, for one and the same reason.
    #[must_use]
    pub fn refused_whole(candidate: &Candidate, reason: &Reason) -> Self {
        let refused = (0..candidate.rungs.len()).map(|position| (position, reason.clone())).collect();
        Self { together: None, refused }
    }
}
