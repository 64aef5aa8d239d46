//! Puts back what a relock moved and need not have: each package that moved along is taken to its old version again, and
//! stays there where nothing else has to move for it. Writes the lockfile only.

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result};
use semver::Version;

use super::super::index::release_of;
use super::super::lock::{self, Lock, LockedPackage, Moved};
use super::super::requirement::{admits, same_version};
use super::bounds::Bounds;
use super::subject::spec_of;
use super::update::ProjectResolver;

/// Puts back what moved since `before` and need not have, but for the crates named in `keep`.
///
/// # Errors
/// When cargo cannot be run, or the lockfile cannot be read or written.
pub(super) fn put_back(resolver: ProjectResolver<'_>, before: &Lock, keep: &[&str]) -> Result<()> {
    let bounds = Bounds::towards(&Arc::new(before.clone()));
    let mut asked: Vec<Moved> = Vec::new();
    loop {
        let lock = resolver.lock()?;
        let moved = lock::diff(before, &lock).raised.into_iter();
        let mut open = moved.filter(|one| !keep.contains(&one.name.as_str()) && !asked.contains(one));
        let Some(moved) = open.find(|one| may_go_back(resolver, &lock, one)) else { return Ok(()) };
        if try_back(resolver, &bounds, before, &lock, &moved, keep)? {
            // What stood on it may go back now, too.
            asked.clear();
        } else {
            asked.push(moved);
        }
    }
}

/// Tells without cargo where every user of a package that comes from a registry admits its old version.
fn may_go_back(resolver: ProjectResolver<'_>, lock: &Lock, moved: &Moved) -> bool {
    let uses = |one: &&LockedPackage| {
        one.dependencies.iter().any(|edge| edge.name == moved.name && same_version(&edge.version, &moved.to))
    };
    lock.packages.iter().filter(uses).all(|user| admits_old(resolver, user, moved))
}

/// Of a package that no registry knows (a member, a git source) cargo says by itself.
fn admits_old(resolver: ProjectResolver<'_>, user: &LockedPackage, moved: &Moved) -> bool {
    let Some(registry) = resolver.registries.of_lock(user.source.as_deref()) else { return true };
    let Some(release) = registry.index.raw(&user.name).ok().and_then(|body| release_of(&body, &user.version)) else {
        return true;
    };
    let mut edges = release.dependencies.iter().filter(|edge| edge.name == moved.name);
    edges.all(|edge| admits(&edge.requirement, &moved.from) || !admits(&edge.requirement, &moved.to))
}

/// Takes one package back; where that moves anything else but what moved since `before` as well, nothing is done.
fn try_back(
    resolver: ProjectResolver<'_>,
    bounds: &Bounds,
    before: &Lock,
    now: &Lock,
    moved: &Moved,
    keep: &[&str],
) -> Result<bool> {
    let is_it = |one: &&LockedPackage| one.name == moved.name && same_version(&one.version, &moved.to);
    let Some(package) = now.packages.iter().find(is_it) else { return Ok(false) };
    let path = resolver.root.join(resolver.project.lockfile.as_deref().unwrap_or_default());
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let args = [spec_of(now, package), "--precise".to_owned(), plain(&moved.from)];
    let end = resolver.update((&moved.name, &args[2]), bounds, &args)?;
    if end.is_none() && is_nearer(before, now, &resolver.lock()?, keep) {
        return Ok(true);
    }
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(false)
}

/// Tells a lockfile that lies between `before` and `now`: less moved, nothing that did not move there, and those to keep
/// are where they were.
fn is_nearer(before: &Lock, now: &Lock, after: &Lock, keep: &[&str]) -> bool {
    let (old, new) = (lock::diff(before, now), lock::diff(before, after));
    let known = |one: &Moved| old.raised.iter().any(|other| (&other.name, &other.from) == (&one.name, &one.from));
    let kept = |one: &&Moved| keep.contains(&one.name.as_str());
    new.lowered.is_empty()
        && old.raised.iter().filter(kept).all(|one| new.raised.contains(one))
        && new.raised.len() < old.raised.len()
        && new.raised.iter().all(known)
        && new.added.iter().all(|one| old.added.contains(one))
        && new.removed.iter().all(|one| old.removed.contains(one))
}

/// A version without its build metadata, as `--precise` takes it.
fn plain(version: &Version) -> String {
    Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }.to_string()
}
