//! Writes one upgrade: splices the requirements that do not admit it, relocks with the least change through the views
//! of the registries, then reads the lockfile back and refuses what the policy does not allow. A refusal leaves every
//! byte as it was.

mod edit;
mod follow;
mod judge;
mod notes;
mod subject;
mod together;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use semver::Version;

use super::Cargo;
use super::index::RegistryKey;
use super::lock::{self, Lock};
use super::registries::Registries;
use super::requirement::{compatible, same_version};
use crate::candidate::{Reason, ReasonKind};
use crate::ecosystem::{Applied, Change, Project, Resolution};
use edit::edit;
pub use edit::mark_unwritable;
use judge::{arrivals, objection, too_new_for_members, unseen};
use notes::{moves, notes};
use subject::Subject;
use together::relock_together;
pub use update::through_view;
use update::{Extent, relock};

/// Reads the lockfile of a project.
pub fn read_lock(root: &Path, project: &Project) -> Result<Lock> {
    let path = project.lockfile.as_deref().ok_or_else(|| anyhow!("{} has no lockfile", project.label()))?;
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    lock::read(&text).with_context(|| format!("in {path}"))
}

/// Writes one upgrade, or nothing.
pub fn apply(cargo: &Cargo<'_>, root: &Path, change: &Change<'_>) -> Result<Resolution> {
    let originals = originals(root, change.project)?;
    let outcome = write(cargo, root, change, &originals);
    if !matches!(outcome, Ok(Resolution::Applied(_))) {
        for (path, bytes) in &originals {
            fs::write(root.join(path), bytes).with_context(|| format!("cannot put back {path}"))?;
        }
    }
    outcome
}

type Originals = BTreeMap<String, Vec<u8>>;

fn originals(root: &Path, project: &Project) -> Result<Originals> {
    let paths = project.manifests.iter().chain(&project.lockfile).cloned().chain(follow::lockfiles(project));
    paths
        .map(|path| Ok((path.clone(), fs::read(root.join(&path)).with_context(|| format!("cannot read {path}"))?)))
        .collect()
}

fn write(cargo: &Cargo<'_>, root: &Path, change: &Change<'_>, originals: &Originals) -> Result<Resolution> {
    let registries = cargo.registries(root, change.project)?;
    let all_before = read_lock(root, change.project)?;
    let key = registry_of(&registries, &all_before, change)?;
    let subject = Subject { registries: &registries, key, name: change.name };
    let before = subject.own(&all_before);
    let change = &match standing(&before, change) {
        Standing::At(version) => (change.clone(), version),
        Standing::Reached => {
            let notes = vec!["an upgrade before it brought it along".to_owned()];
            return Ok(Resolution::Applied(Applied { notes, ..Applied::default() }));
        }
        Standing::Beyond(version) => {
            let text = format!("an upgrade before it brought {} to {version} already", change.name);
            return Ok(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text)));
        }
        Standing::Gone => {
            let text = format!("nothing uses {} {} any more after the upgrades before it", change.name, change.from);
            return Ok(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text)));
        }
    };
    let (change, from) = (&change.0, &change.1);
    let edited = match edit(cargo, root, change, originals)? {
        Ok(edited) => edited,
        Err(reason) => return Ok(Resolution::Refused(reason)),
    };
    let end = match change.with {
        [] => relock(cargo, &subject, root, change, (&before, from), Extent::of(&edited))?,
        _ => relock_together(cargo, &registries, root, change)?,
    };
    if let Some(end) = end {
        return Ok(end);
    }
    keep_format(root, change.project, originals)?;
    let all_after = read_lock(root, change.project)?;
    let after = subject.own(&all_after);
    let diff = lock::diff(&all_before, &all_after);
    if let Some(reason) = objection(change, &after, &diff) {
        return Ok(Resolution::Refused(reason));
    }
    let brought = arrivals(&all_before, &all_after);
    if let Some(reason) =
        unseen(change, &registries, &brought).or(too_new_for_members(root, change, &registries, &all_after, &brought)?)
    {
        return Ok(Resolution::Refused(reason));
    }
    let (mut notes, mut also_moved) = (notes(change, &after, &diff), moves(&diff));
    let mut files = edited;
    if !files.is_empty() {
        match follow::follow(cargo, root, change, originals, &subject.key)? {
            follow::Followed::Locks(moved) => {
                notes.extend(moved.iter().map(|(lock, diff)| format!("{lock} follows: {}", follow::told(diff))));
                also_moved.extend(moved.values().flat_map(moves));
                files.extend(moved.into_keys());
            }
            follow::Followed::End(end) => return Ok(end),
        }
    }
    files.extend(change.project.lockfile.clone());
    files.sort();
    also_moved.sort();
    also_moved.dedup();
    let rewired: BTreeSet<String> = diff.flipped.iter().map(|flip| flip.user.0.clone()).collect();
    Ok(Resolution::Applied(Applied {
        files,
        also_moved,
        rewired: rewired.into_iter().collect(),
        notes,
        ..Applied::default()
    }))
}

/// Writes the lockfile in the format in which it was before the relock.
fn keep_format(root: &Path, project: &Project, originals: &Originals) -> Result<()> {
    let Some(path) = &project.lockfile else { return Ok(()) };
    let Some(before) = originals.get(path) else { return Ok(()) };
    let after = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let kept = lock::in_format_of(&String::from_utf8_lossy(before), &after).with_context(|| format!("in {path}"))?;
    if kept == after {
        Ok(())
    } else {
        fs::write(root.join(path), kept).with_context(|| format!("cannot write {path}"))
    }
}

/// The registry of the crate that is raised: as its requirement writes it, and where only other packages require it, as
/// the lockfile has it.
fn registry_of(registries: &Registries, locked: &Lock, change: &Change<'_>) -> Result<RegistryKey> {
    if let Some(place) = change.places.first() {
        return Ok(registries.key(place.registry.as_deref())?);
    }
    let of_name = locked.packages.iter().filter(|one| one.name == change.name);
    let mut found: Vec<(bool, RegistryKey)> = of_name
        .filter_map(|one| {
            let key = RegistryKey::of_lock(one.source.as_deref()?)?;
            Some((!same_version(&one.version, change.from.semver()), key))
        })
        .collect();
    // The one that stands where it stood at the base comes first; an upgrade before it may have moved it.
    found.sort();
    Ok(found.into_iter().next().map_or_else(RegistryKey::crates_io, |(_, key)| key))
}

/// Whether a version of a crate is locked.
fn is_there(lock: &Lock, name: &str, version: &Version) -> bool {
    lock.packages.iter().any(|one| one.name == name && same_version(&one.version, version))
}

/// Where a dependency stands in the lockfile, after the upgrades before it.
enum Standing {
    /// At this version: the one of the base commit, or one that an upgrade before it brought.
    At(Version),
    /// At the wanted version.
    Reached,
    /// Above it.
    Beyond(Version),
    /// Nothing uses it any more.
    Gone,
}

fn standing(before: &Lock, change: &Change<'_>) -> Standing {
    let (from, to) = (change.from.semver(), change.to.semver());
    if is_there(before, change.name, from) {
        return Standing::At(from.clone());
    }
    let brought = lock::package_versions(before, change.name)
        .into_iter()
        .filter(|version| version > from && compatible(from, version));
    match brought.max() {
        Some(version) if same_version(&version, to) => Standing::Reached,
        Some(version) if version > *to => Standing::Beyond(version),
        Some(version) => Standing::At(version),
        // What a manifest requires is somewhere in the lockfile; the others may go with whoever used them.
        None if change.places.is_empty() => Standing::Gone,
        None => Standing::At(from.clone()),
    }
}
