//! What differs between two lockfiles, judged as graphs: per package and per edge, for an edge may fall back to an older
//! version although no package moved (`windows-sys` does), and a package may move across a break. Pure.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::super::requirement::{compatible, same_version};
use super::{Lock, LockedPackage, Named, named, without_commit};

/// What differs between two lockfiles; every list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockDiff {
    /// Packages that are at a higher version now.
    pub raised: Vec<Moved>,
    /// Packages that are at a lower version now, and edges that lead to a lower version that was not locked before.
    pub lowered: Vec<Moved>,
    /// Packages that are new beside what was there.
    pub added: Vec<Named>,
    /// Packages that are gone with nothing in their place.
    pub removed: Vec<Named>,
    /// Edges that lead now to another version that was locked before as well.
    pub flipped: Vec<EdgeFlip>,
    /// The formats before and after, when they differ.
    pub format_changed: Option<(u32, u32)>,
    /// Packages that come from elsewhere now (another registry, git, path, another commit).
    pub source_changed: Vec<SourceChange>,
    /// Packages whose content differs although version and source are the same. Cargo never does this.
    pub checksum_changed: Vec<ChecksumChange>,
    /// Patches that were used, or not there, and are not used now.
    pub patches_left_unused: Vec<Named>,
}

/// One package that went from one version to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Moved {
    /// The crate's name.
    pub name: String,
    /// The version before.
    pub from: Version,
    /// The version after.
    pub to: Version,
}

/// One edge that leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeFlip {
    /// The package whose edge it is, as it is locked after.
    pub user: Named,
    /// The crate at the far end.
    pub dependency: String,
    /// The version it led to.
    pub from: Version,
    /// The version it leads to.
    pub to: Version,
}

/// One package that comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceChange {
    /// The crate's name.
    pub name: String,
    /// The version after.
    pub version: Version,
    /// The source before; none for a path.
    pub from: Option<String>,
    /// The source after; none for a path.
    pub to: Option<String>,
}

/// One package with another content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChecksumChange {
    /// The crate's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The checksum before.
    pub from: Option<String>,
    /// The checksum after.
    pub to: Option<String>,
}

impl LockDiff {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every package that is in the new lockfile and was not in the old one, sorted: what policy must look at again.
    #[cfg(test)]
    pub(crate) fn arrivals(&self) -> Vec<Named> {
        let moved = self.raised.iter().chain(&self.lowered).map(|moved| (moved.name.clone(), moved.to.clone()));
        let all: BTreeSet<Named> = moved.chain(self.added.iter().cloned()).collect();
        all.into_iter().collect()
    }

    /// Sorts the lists, and takes what an edge has shown to be a fall out of those that are merely gone or new.
    fn settle(&mut self) {
        self.raised.sort();
        self.lowered.sort();
        self.lowered.dedup();
        self.flipped.sort();
        self.source_changed.sort();
        for fall in &self.lowered {
            self.removed.retain(|(name, version)| *name != fall.name || *version != fall.from);
            self.added.retain(|(name, version)| *name != fall.name || *version != fall.to);
        }
        self.removed.sort();
        self.added.sort();
    }
}

/// What differs between two lockfiles.
#[must_use]
pub fn diff(before: &Lock, after: &Lock) -> LockDiff {
    let mut found = LockDiff {
        format_changed: (before.version != after.version).then_some((before.version, after.version)),
        patches_left_unused: missing_from(&after.unused_patches, &before.unused_patches),
        ..LockDiff::default()
    };
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let mut pairs = Vec::new();
    for name in names {
        let none = Vec::new();
        let (old, new) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
        pairs.extend(compare_packages(old, new, &mut found));
    }
    for (old, new) in pairs {
        compare_edges(before, old, new, &mut found);
    }
    found.settle();
    found
}

fn by_name(lock: &Lock) -> BTreeMap<&str, Vec<&LockedPackage>> {
    let mut names: BTreeMap<&str, Vec<&LockedPackage>> = BTreeMap::new();
    for package in &lock.packages {
        names.entry(&package.name).or_default().push(package);
    }
    names
}

/// Compares the packages of one name, and returns which of them are the same package before and after.
fn compare_packages<'a>(
    old: &[&'a LockedPackage],
    new: &[&'a LockedPackage],
    found: &mut LockDiff,
) -> Vec<(&'a LockedPackage, &'a LockedPackage)> {
    // Across a break only a rise is read off the versions. Whether a lower one took a place is for the edges to say: it may
    // be there for a newcomer. A package that nobody uses, as a member, has no edges.
    let across =
        |a: &LockedPackage, b: &LockedPackage| a.version < b.version || (a.source.is_none() && b.source.is_none());
    let matched = matched(old, new, |package| &package.version, same_origin, across);
    found.removed.extend(matched.only_old.into_iter().map(named));
    found.added.extend(matched.only_new.into_iter().map(named));
    for &(old, new) in &matched.pairs {
        compare_pair(old, new, found);
    }
    matched.pairs
}

fn compare_pair(old: &LockedPackage, new: &LockedPackage, found: &mut LockDiff) {
    let (name, version) = named(new);
    let stays = old.version == new.version;
    if !stays {
        let falls = new.version < old.version && !same_version(&new.version, &old.version);
        let list = if falls { &mut found.lowered } else { &mut found.raised };
        list.push(Moved { name: name.clone(), from: old.version.clone(), to: version.clone() });
    }
    if !same_origin(old, new) || (stays && old.source != new.source) {
        found.source_changed.push(SourceChange { name, version, from: old.source.clone(), to: new.source.clone() });
    } else if stays && old.checksum != new.checksum {
        let (from, to) = (old.checksum.clone(), new.checksum.clone());
        found.checksum_changed.push(ChecksumChange { name, version, from, to });
    }
}

fn same_origin(a: &LockedPackage, b: &LockedPackage) -> bool {
    a.source.as_deref().map(without_commit) == b.source.as_deref().map(without_commit)
}

/// Compares where the edges of one package lead: to a version that was locked before (flipped), or down to one that was not.
fn compare_edges(before: &Lock, old: &LockedPackage, new: &LockedPackage, found: &mut LockDiff) {
    let names: BTreeSet<&str> = old.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
    for name in names {
        let ends = |package: &LockedPackage| -> Vec<Version> {
            package.dependencies.iter().filter(|d| d.name == name).map(|d| d.version.clone()).collect()
        };
        let (old_ends, new_ends) = (ends(old), ends(new));
        let old_ends: Vec<&Version> = old_ends.iter().collect();
        let new_ends: Vec<&Version> = new_ends.iter().collect();
        for (&from, &to) in &matched_versions(&old_ends, &new_ends) {
            compare_ends(before, new, Moved { name: name.to_owned(), from: from.clone(), to: to.clone() }, found);
        }
    }
}

fn compare_ends(before: &Lock, user: &LockedPackage, edge: Moved, found: &mut LockDiff) {
    if same_version(&edge.from, &edge.to) {
        return;
    }
    if before.packages.iter().any(|package| package.name == edge.name && package.version == edge.to) {
        found.flipped.push(EdgeFlip { user: named(user), dependency: edge.name, from: edge.from, to: edge.to });
    } else if edge.to < edge.from {
        found.lowered.push(edge);
    }
}

fn matched_versions<'a>(old: &[&'a Version], new: &[&'a Version]) -> BTreeMap<&'a Version, &'a Version> {
    matched(old, new, |version| version, |_, _| true, |_, _| true).pairs.into_iter().collect()
}

/// Which of the old ones each new one is.
struct Matched<'a, T> {
    pairs: Vec<(&'a T, &'a T)>,
    only_old: Vec<&'a T>,
    only_new: Vec<&'a T>,
}

/// Matches the versions of one crate before and after: the same version first, then the compatible one, then, as far as
/// `across` lets it, what is left from the highest down. At each step those of the same origin go before the others, so
/// that a crate that is locked from two places is not confused with itself.
fn matched<'a, T>(
    old: &[&'a T],
    new: &[&'a T],
    version: impl Fn(&T) -> &Version,
    same_origin: impl Fn(&T, &T) -> bool,
    across: impl Fn(&T, &T) -> bool,
) -> Matched<'a, T> {
    let mut matched = Matched { pairs: Vec::new(), only_old: old.to_vec(), only_new: new.to_vec() };
    matched.only_old.sort_by(|a, b| version(b).cmp(version(a)));
    matched.only_new.sort_by(|a, b| version(b).cmp(version(a)));
    let same = |a: &T, b: &T| version(a) == version(b);
    let related = |a: &T, b: &T| compatible(version(a), version(b));
    matched.pair_up(|a, b| same(a, b) && same_origin(a, b));
    matched.pair_up(same);
    matched.pair_up(|a, b| related(a, b) && same_origin(a, b));
    matched.pair_up(related);
    matched.pair_up(|a, b| across(a, b) && same_origin(a, b));
    matched.pair_up(across);
    matched
}

impl<T> Matched<'_, T> {
    fn pair_up(&mut self, fits: impl Fn(&T, &T) -> bool) {
        for old in std::mem::take(&mut self.only_old) {
            match self.only_new.iter().position(|new| fits(old, new)) {
                Some(at) => self.pairs.push((old, self.only_new.remove(at))),
                None => self.only_old.push(old),
            }
        }
    }
}

fn missing_from(list: &[Named], all: &[Named]) -> Vec<Named> {
    list.iter().filter(|named| !all.contains(named)).cloned().collect()
}
