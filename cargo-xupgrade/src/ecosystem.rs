//! What an ecosystem must be able to do, and the values that travel between it and the engine.
//! Discovery, survey, edits and evidence have effects and live in `ecosystem::cargo` and `ecosystem::go`; nothing
//! outside those two knows how a manifest looks.

pub mod cargo;
#[cfg(test)]
pub mod conformance;
#[cfg(test)]
mod fake;
pub mod go;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::candidate::{Candidate, Dependency, EcosystemKind, Named, Place, Reason, Target, Version};
use crate::clock::Instant;
use crate::project::{Applied, Exercised, Network, Project, Resolved, TransitiveRule};
use crate::trial::{CellReport, Check};

/// The files of a work tree that discovery looks at.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    /// The root of the clone.
    pub root: &'a Path,
    /// The tracked files that no rule excludes, and every tracked lockfile, from the root, sorted.
    pub files: &'a [String],
    /// Files that lie nowhere yet, that an upgrade might make (`go.work.sum`) and that git ignores, from the root.
    pub ignored: &'a BTreeSet<String>,
}

/// An upgrade to write into a clone.
#[derive(Debug, Clone)]
pub struct Change<'a> {
    /// The project.
    pub project: &'a Project,
    /// The crate or module.
    pub name: &'a str,
    /// The version in use at the base commit.
    pub from: &'a Version,
    /// The version to reach.
    pub to: &'a Version,
    /// Where it is required.
    pub places: &'a [Place],
    /// Upgrades of the same project that move in the same resolve.
    pub with: &'a [Change<'a>],
    /// The other dependencies of the project that have upgrades of their own.
    pub others: Others,
}

/// The part that dependencies with upgrades of their own have in the upgrade of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// None: each moves by its own upgrade.
    Stay,
    /// They move along where the upgrade needs it, as effects of it.
    MayMove,
}

/// The things that the default checks of a project have to cover.
#[derive(Debug, Default)]
pub struct Cover<'a> {
    /// The packages of the project that may move, by name.
    pub candidates: BTreeSet<&'a str>,
    /// The same as they stand at the base.
    pub moving: BTreeSet<Target>,
    /// Checks of the project that a user configured.
    pub own: &'a [Check],
}

/// What came of writing a change: failing is a verdict, not an error.
#[derive(Debug, Clone)]
pub enum Resolution {
    /// It stands in the files.
    Applied(Applied),
    /// It cannot stand there; the files are as they were.
    Refused(Reason),
    /// No answer, for reasons that lie outside (network, disk): no evidence.
    Noise(String),
}

/// The upgrades of a project, all of them, to find out how far they get before anything is built.
#[derive(Debug, Clone, Copy)]
pub struct Everything<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its candidates.
    pub candidates: &'a [&'a Candidate],
    /// Its other dependencies: they stay where they are.
    pub settled: &'a [Named],
    /// The state of the clone.
    pub ground: Ground,
}

/// The state of a clone before anything is built in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A clone with all that trials find in theirs.
    Whole,
    /// A clone in which the user's set-up commands have yet to run: what is missing may be there later.
    NotSetUp,
}

/// The dependencies of a project, or why it is held whole.
pub type Survey = Result<Vec<Dependency>, HeldWhole>;

/// A project that turns out to be held whole only when its dependencies are surveyed.
#[derive(Debug, Clone)]
pub struct HeldWhole {
    /// Why.
    pub reason: Reason,
    /// What its manifests name, so that nothing vanishes; releases need not be known. Empty where no manifest can be read.
    pub dependencies: Vec<Dependency>,
}

/// How the registries are to be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    /// The instant at which they are looked at.
    pub as_of: Instant,
    /// Releases younger than this instant are hidden from a resolve, unless they are locked.
    pub cutoff: Instant,
    /// Whether releases of unknown age are hidden, too.
    pub unknown_age: UnknownAge,
    /// Which packages that only others require are to be listed.
    pub transitive: TransitiveRule,
    /// Whether the network may be used.
    pub network: Network,
    /// Whether what a package manager's own configuration says about age counts.
    pub registry_age: RegistryAge,
}

/// Whether a cooldown in a package manager's own configuration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryAge {
    /// It does: nobody told us otherwise.
    Heeded,
    /// It does not: a flag or `xupgrade.toml` says how old a release must be.
    Overruled,
}

/// How a release without a date counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownAge {
    /// As too young.
    TooYoung,
    /// As old enough.
    Old,
}

/// The names of the default checks of an ecosystem; one that ends in `*` stands for all that begin so.
#[must_use]
pub fn check_names(kind: EcosystemKind) -> &'static [&'static str] {
    match kind {
        EcosystemKind::Cargo => cargo::CHECKS,
        EcosystemKind::Go => go::CHECKS,
    }
}

/// The package manager of an ecosystem, at work on a private clone.
pub trait Resolver: Send + Sync {
    /// Finds out how far all upgrades get at once, and which of them do not resolve even alone; in the order of the
    /// candidates. Runs none of the project's code, and leaves every file as it was.
    ///
    /// # Errors
    /// When the state of the clone is unknown afterwards.
    fn resolve_all(&self, root: &Path, all: &Everything<'_>) -> Result<Vec<Resolved>>;

    /// Writes one upgrade into the clone, with those that move in the same resolve, or leaves the clone as it was.
    ///
    /// # Errors
    /// When the state of the clone is unknown afterwards.
    fn apply(&self, root: &Path, change: &Change<'_>) -> Result<Resolution>;

    /// The packages that a refusal of an upgrade names, for which others may have to move in the same resolve. None where the package
    /// manager by itself raises whatever an upgrade requires.
    fn in_conflict(&self, _refusal: &Reason) -> Option<BTreeSet<String>> {
        None
    }

    /// Downloads what the checks need, with the user's credentials and without running the project's code.
    ///
    /// # Errors
    /// With the words of the package manager.
    fn fetch(&self, root: &Path, project: &Project, checks: &[&Check]) -> Result<()>;
}

/// A package ecosystem: how to read, edit and judge one kind of project.
///
/// Paths are below the root of a private clone; the user's checkout is never given to an implementation. Several
/// threads may work with an implementation, each in a clone of its own; upgrades are written one at a time.
pub trait Ecosystem: Resolver {
    /// Which one it is.
    fn kind(&self) -> EcosystemKind;

    /// Finds the projects of a tree.
    ///
    /// # Errors
    /// When the tree cannot be read at all; a broken project comes back with its obstacle.
    fn discover(&self, tree: Tree<'_>) -> Result<Vec<Project>>;

    /// Lists the direct and tool dependencies of a project with their releases.
    ///
    /// # Errors
    /// When the tool cannot find out; what concerns one dependency is its obstacle.
    fn survey(&self, root: &Path, project: &Project) -> Result<Survey>;

    /// The default checks of a project, in the order to run them.
    ///
    /// # Errors
    /// When it cannot be found out which files they would pass by.
    fn checks(&self, root: &Path, project: &Project, cover: &Cover<'_>) -> Result<Vec<Check>>;

    /// The default checks that wait for the whole matrix and that show only where the packages are there: downloads these,
    /// where need be.
    ///
    /// # Errors
    /// When the state of the clone is unknown afterwards.
    fn late_checks(&self, _root: &Path, _project: &Project, _cover: &Cover<'_>) -> Result<Vec<Check>> {
        Ok(Vec::new())
    }

    /// For each of these packages the members of a project that need it, where a plain build passes all of them by.
    fn spare(&self, _: &Path, _: &Project, _packages: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        BTreeMap::new()
    }

    /// A default check without members that are left out; none where nothing is left of it.
    fn without(&self, check: Check, _members: &BTreeSet<String>) -> Option<Check> {
        Some(check)
    }

    /// What the checks of a project compiled; `cells` are those of the project that ran in the trial.
    ///
    /// # Errors
    /// When it cannot be found out.
    fn exercised(&self, root: &Path, project: &Project, cells: &[&CellReport]) -> Result<Exercised>;
}
