//! All upgrades of a project at once: each at its highest compatible version that leaves room for the others. Such a
//! lockfile is where single upgrades go towards, and tells before anything is built how far each of them gets.
//! Leaves every file as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use semver::Version;

use super::super::Cargo;
use super::super::index::RegistryKey;
use super::super::lock::{self, Lock};
use super::super::registries::Registries;
use super::super::requirement::{compatible, same_version};
use super::super::view::Line;
use super::bounds::{Aims, Bounds, Direct, rust_of_workspace};
use super::subject::spec_of;
use super::update::ProjectResolver;
use super::{Originals, apply, edit, originals, registry_of};
use crate::candidate::{self, Candidate, DependencyRef, Reason};
use crate::ecosystem::{Change, Everything, Others, Resolution};
use crate::partner;
use crate::project::Resolved;

/// The most releases of one crate that are tried by themselves.
const PROBED_AT_MOST: usize = 12;

/// Resolves everything at once, keeps the lockfile as the target of single upgrades, and finds out about each candidate
/// how far it gets.
///
/// # Errors
/// When the state of the clone is unknown afterwards.
pub fn resolve_all(cargo: &Cargo<'_>, root: &Path, all: &Everything<'_>) -> Result<Vec<Resolved>> {
    let target = target(cargo, root, all)?;
    let registries = cargo.registries(root, all.project)?;
    let settled = Arc::new(settled(&registries, all).collect());
    let rising = Arc::new(rising(root, &registries, all)?);
    cargo.aim(all.project, Aims { target: target.clone(), settled, rising });
    all.candidates.iter().map(|candidate| of_one(cargo, root, all, candidate, target.as_deref())).collect()
}

/// The change that takes a candidate to one of its releases.
fn change<'a>(all: &Everything<'a>, candidate: &'a Candidate, to: &'a candidate::Version) -> Change<'a> {
    let DependencyRef { name, places, .. } = &candidate.id;
    Change { project: all.project, name, from: &candidate.at, to, places, with: &[], others: Others::MayMove }
}

/// The lockfile with everything at its highest; none where cargo finds no such one.
fn target(cargo: &Cargo<'_>, root: &Path, all: &Everything<'_>) -> Result<Option<Arc<Lock>>> {
    let originals = originals(root, all.project)?;
    let registries = cargo.registries(root, all.project)?;
    let resolver = ProjectResolver { cargo, registries: &registries, root, project: all.project };
    edit_all(cargo, root, all, &originals)?;
    let mut found = resolve(resolver, all)?;
    if found.is_none() {
        // The highest of a requirement that names one version may be what leaves no room.
        put_back(root, &originals)?;
        found = resolve(resolver, all)?;
    }
    put_back(root, &originals)?;
    Ok(found.map(Arc::new))
}

fn put_back(root: &Path, originals: &Originals) -> Result<()> {
    let write = |(path, bytes): (&String, &Vec<u8>)| {
        fs::write(root.join(path), bytes).with_context(|| format!("cannot put back {path}"))
    };
    originals.iter().try_for_each(write)
}

/// Splices the requirements that do not admit the highest compatible rung; those that cannot be raised stay as they are.
fn edit_all(cargo: &Cargo<'_>, root: &Path, all: &Everything<'_>, originals: &Originals) -> Result<()> {
    for candidate in all.candidates {
        let Some(top) = compatible_ones(candidate).next_back() else { continue };
        // What an edit before it wrote, it goes on from.
        let mut files = originals.clone();
        for (path, bytes) in &mut files {
            *bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        }
        // A refusal is told where the upgrade itself is written.
        let _ = edit(cargo, root, &change(all, candidate, top), &files)?;
    }
    Ok(())
}

fn compatible_ones(candidate: &Candidate) -> impl DoubleEndedIterator<Item = &candidate::Version> {
    candidate.rungs.iter().filter(|rung| !rung.breaking).map(|rung| &rung.version)
}

fn resolve(resolver: ProjectResolver<'_>, all: &Everything<'_>) -> Result<Option<Lock>> {
    let before = resolver.lock()?;
    let rust = rust_of_workspace(resolver.cargo, resolver.root, all.project)?;
    let bounds = Bounds { rust, lines: lines(resolver.registries, &before, all)?, ..Bounds::default() };
    // Only what comes from a registry: repositories in git are not asked for anything newer.
    let listed = before.packages.iter().filter(|one| resolver.registries.of_lock(one.source.as_deref()).is_some());
    let args: Vec<String> = listed.map(|one| spec_of(&before, one)).collect();
    match resolver.update(("everything", "at its highest"), &bounds, &args)? {
        None => Ok(Some(resolver.lock()?)),
        Some(_) => Ok(None),
    }
}

/// A candidate may go to its compatible rungs, or stay; every other dependency that a manifest names stays.
fn lines(registries: &Registries, before: &Lock, all: &Everything<'_>) -> Result<Vec<(RegistryKey, String, Line)>> {
    let mut lines = Vec::new();
    for candidate in all.candidates {
        let key = registry_of(registries, before, &change(all, candidate, &candidate.at))?;
        let shown = compatible_ones(candidate).chain([&candidate.at]).map(|one| one.semver().clone()).collect();
        lines.push((key, candidate.id.name.clone(), Line { with: candidate.at.semver().clone(), shown }));
    }
    let settled = settled(registries, all).map(|(key, name, at)| (key, name, Line::only(&at)));
    lines.extend(settled);
    Ok(lines)
}

/// The dependencies of which no upgrade is tried, where they stand.
fn settled<'a>(registries: &'a Registries, all: &'a Everything<'_>) -> impl Iterator<Item = Direct> + 'a {
    all.settled.iter().filter_map(|one| {
        let registry = one.id.places.first().and_then(|place| place.registry.as_deref());
        Some((registries.key(registry).ok()?, one.id.name.clone(), one.at.as_ref()?.semver().clone()))
    })
}

/// The candidates that manifests name, where they stand.
fn rising(root: &Path, registries: &Registries, all: &Everything<'_>) -> Result<Vec<Direct>> {
    let before = super::super::project_files::read_lock(root, all.project)?;
    let direct = all.candidates.iter().filter(|one| one.id.role.is_direct());
    let place = |candidate: &&Candidate| {
        let key = registry_of(registries, &before, &change(all, candidate, &candidate.at))?;
        Ok((key, candidate.id.name.clone(), candidate.at.semver().clone()))
    };
    direct.map(place).collect()
}

/// The heights of one candidate: together with the others, and where that is not its highest, by itself.
fn of_one(
    cargo: &Cargo<'_>,
    root: &Path,
    all: &Everything<'_>,
    candidate: &Candidate,
    target: Option<&Lock>,
) -> Result<Resolved> {
    let together = target.and_then(|target| in_target(candidate, target));
    let above = |version: &candidate::Version| together.as_ref().is_none_or(|together| version > together);
    let mut refused = BTreeMap::new();
    for breaking in [false, true] {
        let of_kind = candidate.rungs.iter().enumerate().filter(|(_, rung)| rung.breaking == breaking);
        for (position, rung) in of_kind.rev().filter(|(_, rung)| above(&rung.version)).take(PROBED_AT_MOST) {
            match probe(cargo, root, &change(all, candidate, &rung.version))? {
                Some(reason) if !names_another(all, candidate, &reason) => {
                    refused.insert(position, reason);
                }
                _ => break,
            }
        }
    }
    Ok(Resolved { together, refused })
}

/// The version of a candidate in the target: one of its releases. Where it is gone there, nothing tells how far it gets.
fn in_target(candidate: &Candidate, target: &Lock) -> Option<candidate::Version> {
    let locked = lock::package_versions(target, &candidate.id.name);
    let at = candidate.at.semver();
    let in_line: Vec<&Version> = locked.iter().filter(|one| same_version(at, one) || compatible(at, one)).collect();
    if in_line.is_empty() {
        return compatible_ones(candidate).next_back().cloned();
    }
    let is_there = |version: &&candidate::Version| in_line.iter().any(|one| same_version(one, version.semver()));
    compatible_ones(candidate).rev().find(is_there).cloned()
}

/// The refusal of one upgrade by itself, if it is refused.
fn probe(cargo: &Cargo<'_>, root: &Path, change: &Change<'_>) -> Result<Option<Reason>> {
    let before = originals(root, change.project)?;
    let end = apply(cargo, root, change)?;
    put_back(root, &before)?;
    Ok(match end {
        Resolution::Refused(reason) => Some(reason),
        Resolution::Applied(_) | Resolution::Noise(_) => None,
    })
}

/// Tells a refusal that another candidate may lift, as the two belong together.
fn names_another(all: &Everything<'_>, candidate: &Candidate, reason: &Reason) -> bool {
    let names = partner::named(std::slice::from_ref(&reason.text));
    let mut others = all.candidates.iter().filter(|other| other.id.name != candidate.id.name);
    others.any(|other| names.contains(&other.id.name))
}
