//! The crate that is raised, told apart from crates of the same name that come from other registries: in a lockfile,
//! and in the words of `cargo update`. Pure.

use semver::Version;

use super::super::index::RegistryKey;
use super::super::lock::{self, Lock, LockedPackage};
use super::super::requirement::{compatible, same_version};
use super::is_there;
use crate::candidate;

/// The crate that is raised, in one project.
pub(super) struct Subject<'a> {
    /// The registry that it comes from.
    pub(super) key: RegistryKey,
    pub(super) name: &'a str,
}

impl Subject<'_> {
    /// A lockfile without other crates of the same name: those from other registries, and, where the crate itself is there,
    /// those from git and from folders; else one of these stands for it (`[patch]`).
    pub(super) fn own(&self, lock: &Lock) -> Lock {
        let key = |source: Option<&str>| source.and_then(RegistryKey::of_lock);
        let is_it =
            |one: &LockedPackage| one.name == self.name && key(one.source.as_deref()).as_ref() == Some(&self.key);
        let is_there = lock.packages.iter().any(is_it);
        let is_other = |source: Option<&str>| key(source).map_or(is_there, |key| key != self.key);
        lock::without_namesakes(lock, self.name, is_other)
    }

    /// The package as `cargo update` takes it.
    pub(super) fn spec(&self, lock: &Lock, version: &Version) -> String {
        let is_it = |one: &&LockedPackage| one.name == self.name && same_version(&one.version, version);
        let is_own =
            |one: &&LockedPackage| one.source.as_deref().and_then(RegistryKey::of_lock).as_ref() == Some(&self.key);
        let found = lock.packages.iter().filter(is_it).find(is_own);
        found.map_or_else(|| format!("{}@{version}", self.name), |package| spec_of(lock, package))
    }

    /// The locked versions that stand where the wanted one of a step should be, as `cargo update` takes them: those that are
    /// compatible with it, else the one that it is to replace.
    pub(super) fn instead_of(&self, lock: &Lock, step: &Step<'_>) -> Vec<String> {
        let locked = lock::package_versions(&self.own(lock), self.name);
        let specs = |is_it: &dyn Fn(&Version) -> bool| -> Vec<String> {
            locked.iter().filter(|one| is_it(one)).map(|one| self.spec(lock, one)).collect()
        };
        let in_line = specs(&|one| compatible(one, step.to.semver()));
        if in_line.is_empty() { specs(&|one| same_version(one, &step.from)) } else { in_line }
    }
}

/// One crate that is raised, and how far.
pub(super) struct Step<'a> {
    /// The crate.
    pub(super) subject: Subject<'a>,
    /// The version to reach.
    pub(super) to: &'a candidate::Version,
    /// The version at which it stands.
    pub(super) from: Version,
}

impl Step<'_> {
    pub(super) fn is_done(&self, lock: &Lock) -> bool {
        is_there(&self.subject.own(lock), self.subject.name, self.to.semver())
    }
}

/// A locked package as `cargo update` takes it: by name and version, since the name alone is ambiguous where two versions
/// are locked, and by its source, too, where another registry has the same version of a crate of this name (older cargos
/// do not know the long form).
pub(super) fn spec_of(lock: &Lock, package: &LockedPackage) -> String {
    let is_namesake = |one: &&LockedPackage| one.name == package.name && same_version(&one.version, &package.version);
    match &package.source {
        Some(source) if lock.packages.iter().filter(is_namesake).count() > 1 => {
            format!("{source}#{}@{}", package.name, package.version)
        }
        _ => format!("{}@{}", package.name, package.version),
    }
}
