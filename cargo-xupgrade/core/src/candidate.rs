//! The words of a plan: versions, places, releases, dependencies, rungs, candidates and held ones.
//! Values only; the rules that turn one into the other are in `policy`.

#[cfg(any(test, feature = "fake"))]
#[allow(clippy::wildcard_imports, clippy::unwrap_used, clippy::missing_panics_doc, reason = "values for tests")]
mod fake;
mod identity;
mod ladder;
mod version;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use xupgrade_search::Depth;

use crate::clock::Instant;
use crate::cooldown::Cooldown;
pub use identity::{DependencyRef, ProjectId, Target, UpgradeName, apart};
pub use version::{Level, Promise, Version, cargo_compatible, compatible, level, toolchain_exceeds};

/// Which package ecosystem a project or dependency belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EcosystemKind {
    /// Cargo workspaces and the registries of crates.
    Cargo,
    /// Go modules.
    Go,
}

impl std::str::FromStr for EcosystemKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Cargo, Self::Go]
            .into_iter()
            .find(|kind| kind.to_string() == text)
            .ok_or_else(|| format!("`{text}` is no ecosystem"))
    }
}

impl fmt::Display for EcosystemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cargo => "cargo",
            Self::Go => "go",
        })
    }
}

/// Where a requirement stands: manifest, table and key. Aliases of one crate stay apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The manifest's path from the repository's root.
    pub manifest: String,
    /// The table, as the file spells it (`dependencies`, `require`).
    pub table: String,
    /// The key in the table (for Go: the module path).
    pub key: String,
    /// The registry, as the requirement writes it, where it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registry: Option<String>,
}

/// How a project comes to use a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One of its manifests requires it (for Go: a `require` line without `// indirect`, or a tool).
    #[default]
    Direct,
    /// Only other packages require it: no requirement is edited, and what those packages admit is all that it may climb to.
    Transitive,
}

impl Role {
    /// Whether a manifest of the project requires it; in JSON this goes without saying.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        *self == Self::Direct
    }
}

/// A published version, as far as a plan needs to know it.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its version.
    pub version: Version,
    /// When it was published; unknown for some registries.
    pub published: Option<Instant>,
    /// Yanked (Cargo) or retracted (Go): never a target.
    pub withdrawn: bool,
    /// The least toolchain that it declares (`rust-version`, the `go` line).
    pub needs: Option<String>,
    /// What makes it no rung at all, whatever the options are.
    pub unfit: Option<Reason>,
}

/// One dependency of a project, with everything that the policy decides on.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// The dependency.
    pub id: DependencyRef,
    /// The version in use now; `None` when nothing is locked.
    pub at: Option<Version>,
    /// The packages that the version in use requires, as the lockfile has them; none where no lockfile tells.
    pub over: BTreeSet<String>,
    /// Its releases, in any order.
    pub releases: Vec<Release>,
    /// The highest toolchain that a release may need (least `rust-version` of the members that use it; the `go` line).
    pub toolchain: Option<String>,
    /// The version in use is yanked or retracted: a reason to leave it soon.
    pub urgent: Option<String>,
    /// A requirement that names one exact version (`=1.2.3`).
    pub pinned: Pinned,
    /// How old its releases must be, where its registry has a rule of its own.
    pub cooldown: Option<Cooldown>,
    /// The reason for which nobody can tell whether anything newer had been published at the as-of instant, where nothing is listed.
    pub newest_unknown: Option<Reason>,
    /// Why nothing can be done here (a git source, a refused registry, a user's mark).
    pub obstacle: Option<Reason>,
    /// What has to be turned on for it to be built (``feature `x` ``), where it is optional everywhere.
    pub switch: Option<String>,
}

/// Whether the author fixed the version on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// Some place says `=`.
    Yes,
    /// No place does.
    No,
}

/// One step that a dependency may climb to: a rung, or a release between two of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// The version reached.
    pub version: Version,
    /// The position that changes from the version in use.
    pub level: Level,
    /// Whether the ecosystem's rule calls it breaking.
    pub breaking: bool,
    /// When it was published.
    pub published: Option<Instant>,
    /// Whether it is a rung, or a release below one: tried only when the rungs have failed.
    #[serde(skip)]
    pub depth: Depth,
}

/// A dependency that can move, with the rungs that it may climb, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The dependency.
    #[serde(flatten)]
    pub id: DependencyRef,
    /// The version in use now.
    pub at: Version,
    /// The ladder, lowest version first, with the releases between the rungs; never empty, and the last one is a rung.
    /// In JSON the rungs are `rungs`, and of the releases between them `between` has the versions.
    #[serde(flatten, with = "ladder")]
    pub rungs: Vec<Rung>,
    /// The packages that the version in use requires, as the lockfile has them; none where no lockfile tells.
    #[serde(skip)]
    pub over: BTreeSet<String>,
    /// Why it should move soon (yanked, retracted).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub urgent: Option<String>,
    /// What has to be turned on for it to be built (``feature `x` ``), where it is optional everywhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub switch: Option<String>,
    /// Newer releases that the policy left out, and why: what is said when no rung passes, and beside an upgrade.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond: Option<Beyond>,
    /// Rungs that the package manager refuses, even with no other upgrade: they left the ladder. Highest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<Beyond>,
    /// The version that it has where all upgrades are resolved at once; `None` where it stays, or where that is not known.
    #[serde(skip)]
    pub together: Option<Version>,
}

impl Candidate {
    /// The rungs alone, lowest first.
    #[must_use]
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Rung> {
        self.rungs.iter().filter(|rung| rung.depth == Depth::Rung)
    }

    /// The versions of the rungs below one that are of its kind (compatible or breaking), highest first.
    #[must_use]
    pub fn lower(&self, rung: usize) -> Vec<Version> {
        let kind = self.rungs[rung].breaking;
        let below = self.rungs[..rung].iter().rev().filter(|one| one.breaking == kind && one.depth == Depth::Rung);
        below.map(|one| one.version.clone()).collect()
    }
}

/// A release that is no rung, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// That release.
    pub version: Version,
    /// Why it is not tried.
    pub reason: Reason,
}

/// A dependency left alone, with a reason that a person can act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The dependency.
    #[serde(flatten)]
    pub id: DependencyRef,
    /// The version in use now, if one is known.
    pub at: Option<Version>,
    /// The version that was wanted, if one is known.
    pub wanted: Option<Version>,
    /// Why.
    pub reason: Reason,
    /// Why it should move soon (yanked, retracted).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub urgent: Option<String>,
}

impl Held {
    /// What a person reads: why it stays, and before that why it should not.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.urgent {
            Some(urgent) if !self.reason.text.starts_with(urgent.as_str()) => format!("{urgent}; {}", self.reason.text),
            _ => self.reason.text.clone(),
        }
    }
}

/// A dependency named in a list with nothing more to say (newest, untried).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The dependency.
    #[serde(flatten)]
    pub id: DependencyRef,
    /// The version in use now.
    pub at: Option<Version>,
}

/// Why a dependency is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which of the closed list of kinds.
    pub kind: ReasonKind,
    /// What a person reads: a fragment that says what stands in the way and what to do.
    pub text: String,
    /// What proves it: the trial, the tests that failed, the path of the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<Box<Evidence>>,
}

impl Reason {
    /// A reason without a trial behind it.
    pub fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), evidence: None }
    }
}

/// What a failed trial leaves behind for the reader.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The trial that proved it.
    pub trial: String,
    /// The command that failed, if it came to running one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<String>,
    /// Tests that failed and passed before.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tests: Vec<String>,
    /// The first useful lines of the failure.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lines: Vec<String>,
    /// The log's path, below the output folder.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log: Option<String>,
    /// The versions tried, highest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tried: Vec<Version>,
    /// The upgrades that stood in the same trial already, in commit order: where it passes alone, it clashes with them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub beside: Vec<UpgradeName>,
}

/// The closed list of reasons; the JSON Schema repeats it and a test compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// A git dependency: no registry to take a release from.
    GitSource,
    /// A path dependency or one replaced by a local folder.
    PathSource,
    /// Its registry cannot be listed: it is vendored, or no configuration knows it.
    OtherRegistry,
    /// The registry refused to answer for it.
    RegistryRefused,
    /// The registry could not be reached or answered junk.
    RegistryUnreachable,
    /// Nothing is known about it without the network.
    NotCached,
    /// Newer releases are younger than the cooldown.
    TooYoung,
    /// Newer releases need a newer Rust than the project supports.
    Msrv,
    /// Newer releases need a newer Go than the module's `go` line.
    GoLine,
    /// Only breaking releases are newer, and none was asked for.
    BreakingNotAsked,
    /// Only releases above the asked level are newer.
    LevelNotAsked,
    /// Its registry does not tell which releases there were at the as-of instant.
    NewestUnknown,
    /// Only pre-releases are newer.
    PrereleaseOnly,
    /// Every newer release is yanked or retracted.
    Withdrawn,
    /// The requirement names one exact version.
    Pinned,
    /// A user's mark holds it: a comment, or a `[[hold]]`.
    HeldByUser,
    /// Not among the packages asked for.
    NotSelected,
    /// The next release lacks a feature that the project enables.
    FeatureGone,
    /// A `replace` directive, `[patch]` or `[replace]` decides where it comes from.
    Replaced,
    /// Another key of the same manifest names a newer line of the same crate, on purpose.
    Aliased,
    /// No project uses it.
    Unused,
    /// The project has no lockfile in git.
    NoLockfile,
    /// The project is of a shape that is not handled yet.
    UnsupportedProject,
    /// A manifest, lockfile or configuration cannot be read.
    BrokenProject,
    /// The toolchain that the project needs is not installed.
    ToolchainMissing,
    /// The project's checks fail before any upgrade.
    BaselineRed,
    /// The package manager finds no solution.
    ResolveRefused,
    /// A requirement is written in a way in which no other one can be written in its place.
    EditRefused,
    /// Something else would end on a lower version.
    WouldLower,
    /// It drags along a package that the policy does not allow.
    DragsForbidden,
    /// Compilation fails.
    BuildFailed,
    /// Tests fail that passed before.
    TestFailed,
    /// Fewer tests run than before.
    FewerTests,
    /// A check changes a file that git tracks and that it left alone before.
    ChangesFiles,
    /// A check took longer than its limit.
    TimedOut,
    /// No cell compiles it, so no check proves it.
    NotExercised,
    /// The checks gave no clear answer (noise).
    Inconclusive,
}

impl ReasonKind {
    /// The name used in JSON.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Whether a reader can do something about it; the others are only counted in a table.
    #[must_use]
    pub fn is_actionable(self) -> bool {
        !matches!(self, Self::GitSource | Self::PathSource | Self::PrereleaseOnly | Self::NotSelected)
    }
}
