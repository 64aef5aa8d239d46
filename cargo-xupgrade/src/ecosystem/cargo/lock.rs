//! Reads `Cargo.lock`, formats 1 to 4, as a graph of packages and edges, and answers who reaches whom; the one module that
//! names `cargo_lock`. What differs between two of them is in `diff`, in which format one is written in `format`. Pure.

use std::collections::BTreeSet;

use cargo_lock::{Lockfile, Package, SourceId};
use semver::Version;

use super::requirement::same_version;

mod diff;
mod format;
#[cfg(test)]
mod tests;

pub use diff::{ChecksumChange, EdgeFlip, LockDiff, Moved, SourceChange, diff};
pub use format::in_format_of;

/// A package's name and version.
pub type Named = (String, Version);

/// A lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The format: 1 to 4. Formats 1 and 2 are not written in the file but known by their checksums.
    pub version: u32,
    /// Every package, sorted by name, version and source.
    pub packages: Vec<LockedPackage>,
    /// Patches that nothing in the graph uses, sorted. Cargo warns about these.
    pub unused_patches: Vec<Named>,
}

/// One package of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// The crate's name.
    pub name: String,
    /// The version, with build metadata when the release has some.
    pub version: Version,
    /// The source as an address with its kind (`registry+https://...`, `git+https://...#<commit>`); none for a path.
    pub source: Option<String>,
    /// The SHA-256 of the package, in hexadecimal digits.
    pub checksum: Option<String>,
    /// What it depends on, sorted; the sources are those of the packages meant.
    pub dependencies: Vec<LockedDependency>,
}

/// The far end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockedDependency {
    /// The crate's name (lockfiles know no aliases).
    pub name: String,
    /// The version.
    pub version: Version,
    /// The source, as in [`LockedPackage::source`].
    pub source: Option<String>,
}

/// Why a lockfile could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// A merge was left unfinished.
    #[error("line {line} of Cargo.lock is a conflict marker; finish the merge, then let cargo mend the lockfile")]
    Conflict {
        /// The line of the first marker, from 1.
        line: usize,
    },
    /// The format is newer than this tool.
    #[error("Cargo.lock is in format {version}, and formats 1 to 4 are known; use a newer cargo-xupgrade")]
    UnknownFormat {
        /// The format that the file names.
        version: u32,
    },
    /// It is no lockfile.
    #[error("Cargo.lock cannot be read ({message}); restore it from version control")]
    Unreadable {
        /// What the parser said, with its line.
        message: String,
    },
}

/// Reads a lockfile.
///
/// # Errors
/// When a merge was left unfinished, when the format is not known, or when the text is no lockfile.
pub fn read(text: &str) -> Result<Lock, LockError> {
    if let Some(line) = conflict_line(text) {
        return Err(LockError::Conflict { line });
    }
    if let Some(version) = unknown_format(text) {
        return Err(LockError::UnknownFormat { version });
    }
    let text = text.trim_start_matches('\u{feff}');
    let file: Lockfile =
        text.parse().map_err(|error: cargo_lock::Error| LockError::Unreadable { message: error.to_string() })?;
    // Very old lockfiles keep the root package in a table of its own.
    let mut packages: Vec<_> = file.packages.iter().chain(&file.root).map(locked).collect();
    packages.sort_by(|a, b| (&a.name, &a.version, &a.source).cmp(&(&b.name, &b.version, &b.source)));
    let sources: Vec<_> = packages.iter().map(|p| (p.name.clone(), p.version.clone(), p.source.clone())).collect();
    for dependency in packages.iter_mut().flat_map(|package| &mut package.dependencies) {
        complete_source(dependency, &sources);
    }
    let unused = file.patch.unused.iter().map(|patch| (patch.name.as_str().to_owned(), patch.version.clone()));
    let unused: BTreeSet<Named> = unused.collect();
    Ok(Lock { version: file.version.into(), packages, unused_patches: unused.into_iter().collect() })
}

/// The packages without a source: the workspace's members, and every other package that is taken from a path.
#[must_use]
pub fn members(lock: &Lock) -> Vec<&LockedPackage> {
    lock.packages.iter().filter(|package| package.source.is_none()).collect()
}

/// The lockfile without the packages of this name that come from elsewhere, and without the edges to them: crates of one
/// name from two sources have nothing to do with each other.
#[must_use]
pub fn without_namesakes(lock: &Lock, name: &str, is_other: impl Fn(Option<&str>) -> bool) -> Lock {
    let is_namesake = |one: &str, source: Option<&str>| one == name && is_other(source);
    let mut rest = lock.clone();
    rest.packages.retain(|package| !is_namesake(&package.name, package.source.as_deref()));
    for package in &mut rest.packages {
        package.dependencies.retain(|edge| !is_namesake(&edge.name, edge.source.as_deref()));
    }
    rest
}

/// The versions of a crate that are locked, lowest first.
#[must_use]
pub fn package_versions(lock: &Lock, name: &str) -> Vec<Version> {
    let versions: BTreeSet<_> = lock.packages.iter().filter(|p| p.name == name).map(|p| p.version.clone()).collect();
    versions.into_iter().collect()
}

/// The names of the crates that a locked package requires.
#[must_use]
pub fn required_by(lock: &Lock, name: &str, version: &Version) -> BTreeSet<String> {
    let its = lock.packages.iter().filter(|package| package.name == name && same_version(&package.version, version));
    its.flat_map(|package| &package.dependencies).map(|edge| edge.name.clone()).collect()
}

/// The packages with an edge to this one, sorted. Build metadata do not count.
#[must_use]
pub fn users_of(lock: &Lock, name: &str, version: &Version) -> Vec<Named> {
    let needs = |p: &&LockedPackage| p.dependencies.iter().any(|d| d.name == name && same_version(&d.version, version));
    let users: BTreeSet<Named> = lock.packages.iter().filter(needs).map(named).collect();
    users.into_iter().collect()
}

/// Every package that one of these needs, directly or through others. The lockfile knows no features and targets, so this is
/// the widest that can be.
#[must_use]
pub fn reachable_from(lock: &Lock, roots: &[Named]) -> BTreeSet<Named> {
    let (mut seen, mut waiting) = (BTreeSet::new(), roots.to_vec());
    while let Some((name, version)) = waiting.pop() {
        let here = lock.packages.iter().filter(|p| p.name == name && same_version(&p.version, &version));
        let needed = here.flat_map(|p| &p.dependencies).map(|d| (d.name.clone(), d.version.clone()));
        waiting.extend(needed.filter(|found| seen.insert(found.clone())));
    }
    seen
}

/// Whether a member of this name (a package without a source) needs the package, directly or through others, or is it.
#[must_use]
pub fn reaches(lock: &Lock, member: &str, name: &str, version: &Version) -> bool {
    let roots: Vec<Named> = members(lock).into_iter().filter(|p| p.name == member).map(named).collect();
    let reached = reachable_from(lock, &roots);
    roots.iter().chain(&reached).any(|(found, at)| found == name && same_version(at, version))
}

fn named(package: &LockedPackage) -> Named {
    (package.name.clone(), package.version.clone())
}

fn locked(package: &Package) -> LockedPackage {
    let dependencies = package.dependencies.iter().map(|dependency| LockedDependency {
        name: dependency.name.as_str().to_owned(),
        version: dependency.version.clone(),
        source: dependency.source.as_ref().map(SourceId::to_string),
    });
    let dependencies: BTreeSet<_> = dependencies.collect();
    LockedPackage {
        name: package.name.as_str().to_owned(),
        version: package.version.clone(),
        source: package.source.as_ref().map(SourceId::to_string),
        checksum: package.checksum.as_ref().map(ToString::to_string),
        dependencies: dependencies.into_iter().collect(),
    }
}

/// Edges name a git source without its commit (cargo's `encodable_package_id`); this adds what the package itself says.
fn complete_source(dependency: &mut LockedDependency, packages: &[(String, Version, Option<String>)]) {
    let from = packages.partition_point(|(name, version, _)| (name, version) < (&dependency.name, &dependency.version));
    let same = packages[from..]
        .iter()
        .take_while(|(name, version, _)| (name, version) == (&dependency.name, &dependency.version));
    let wanted = dependency.source.as_deref().map(without_commit);
    let found = same.map(|(_, _, source)| source).find(|source| source.as_deref().map(without_commit) == wanted);
    if let Some(source) = found {
        dependency.source.clone_from(source);
    }
}

/// A source's address without the commit that is locked.
fn without_commit(source: &str) -> &str {
    source.split('#').next().unwrap_or(source)
}

/// The line of git's first conflict marker. Nothing cargo writes begins a line so.
fn conflict_line(text: &str) -> Option<usize> {
    let marks = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];
    text.lines().position(|line| marks.iter().any(|mark| line.starts_with(mark))).map(|at| at + 1)
}

/// The format that the file names at its head, when it is not one of the known ones.
fn unknown_format(text: &str) -> Option<u32> {
    let head = text.lines().take_while(|line| !line.starts_with('['));
    let mut versions = head.filter_map(|line| line.strip_prefix("version")?.trim_start().strip_prefix('='));
    versions.find_map(|value| value.trim().parse().ok()).filter(|version| !(1..=4).contains(version))
}
