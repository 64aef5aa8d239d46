//! The crate that is raised, told apart from crates of the same name that come from other registries: in a lockfile,
//! and in the words of `cargo update`. Pure.

use semver::Version;

use super::super::index::RegistryKey;
use super::super::lock::{self, Lock, LockedPackage};
use super::super::registries::Registries;
use super::super::requirement::same_version;
use crate::candidate;

/// The crate that is raised, in one project.
pub(super) struct Subject<'a> {
    /// The registries of the project.
    pub(super) registries: &'a Registries,
    /// The registry that it comes from.
    pub(super) key: RegistryKey,
    pub(super) name: &'a str,
}

impl Subject<'_> {
    /// A lockfile without crates of the same name from other registries.
    pub(super) fn own(&self, lock: &Lock) -> Lock {
        let is_other = |source: &str| RegistryKey::of_lock(source).is_some_and(|key| key != self.key);
        lock::without_namesakes(lock, self.name, is_other)
    }

    /// The package as `cargo update -p` takes it: by name and version, and by its source, too, where another registry has
    /// the same version of a crate of this name (older cargos do not know the long form).
    fn spec(&self, lock: &Lock, version: &Version) -> String {
        let is_it = |one: &&LockedPackage| one.name == self.name && same_version(&one.version, version);
        let found: Vec<&LockedPackage> = lock.packages.iter().filter(is_it).collect();
        let own = found.iter().find_map(|one| {
            let source = one.source.as_deref()?;
            (RegistryKey::of_lock(source).as_ref() == Some(&self.key)).then_some(source)
        });
        match own {
            Some(source) if found.len() > 1 => format!("{source}#{}@{version}", self.name),
            _ => format!("{}@{version}", self.name),
        }
    }

    /// The words that move one locked version to the wanted one: the name alone is ambiguous where two versions are
    /// locked, and `--precise` takes a version without its build metadata.
    pub(super) fn precise(&self, lock: &Lock, version: &Version, to: &candidate::Version) -> [String; 4] {
        ["-p".to_owned(), self.spec(lock, version), "--precise".to_owned(), to.plain().to_owned()]
    }
}
