//! Lockfiles of other workspaces that use a project by path (`fuzz/`, `examples/`): where a raise edits a manifest of the
//! project, they are stale, and `--locked` refuses them. They are relocked in the same upgrade, under the same rules.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::super::Cargo;
use super::super::lock::{self, LockDiff};
use super::super::project_files::read_lock;
use super::super::workspace::join;
use super::bounds::{Bounds, rust_of_workspace};
use super::judge::{arrivals, downward, too_new_for_members, unseen};
use super::put_back::put_back;
use super::subject::{Step, Subject};
use super::unlock::{Extent, relock};
use super::update::ProjectResolver;
use super::{Originals, keep_format};
use crate::ecosystem::{Change, Resolution};
use crate::project::Project;

/// What came of the other lockfiles.
pub enum Followed {
    /// Those that changed, each with what differs in it.
    Locks(BTreeMap<String, LockDiff>),
    /// One of them stands against the raise.
    End(Resolution),
}

/// The lockfiles of the workspaces that use a project by path.
pub fn lockfiles(project: &Project) -> Vec<String> {
    project.dependents.iter().map(|path| join(path, "Cargo.lock")).collect()
}

/// Relocks the workspaces that use the project of a change by path; `steps` are the crates that it raises.
pub fn follow(
    cargo: &Cargo<'_>,
    root: &Path,
    change: &Change<'_>,
    originals: &Originals,
    steps: &[Step<'_>],
    bounds: &Bounds,
) -> Result<Followed> {
    let mut moved = BTreeMap::new();
    for path in &change.project.dependents {
        let Some(project) = cargo.known(path) else { continue };
        let there = Change { project: &project, ..change.clone() };
        match relocked(cargo, root, &there, originals, steps, bounds)? {
            Ok(diff) if diff.is_empty() => {}
            Ok(diff) => {
                moved.insert(join(path, "Cargo.lock"), diff);
            }
            Err(end) => return Ok(Followed::End(end)),
        }
    }
    Ok(Followed::Locks(moved))
}

fn relocked(
    cargo: &Cargo<'_>,
    root: &Path,
    change: &Change<'_>,
    originals: &Originals,
    steps: &[Step<'_>],
    bounds: &Bounds,
) -> Result<Result<LockDiff, Resolution>> {
    let before = read_lock(root, change.project)?;
    let registries = cargo.registries(root, change.project)?;
    let resolver = ProjectResolver { cargo, registries: &registries, root, project: change.project };
    // The lockfile that all upgrades of the project lead to says nothing of another workspace's.
    let rust = rust_of_workspace(cargo, root, change.project)?.or_else(|| bounds.rust.clone());
    let bounds = Bounds { rust, ..Bounds::default() };
    let all = std::iter::once(change).chain(change.with);
    let mut there = Vec::new();
    for (step, change) in steps.iter().zip(all) {
        let subject = Subject { key: step.subject.key.clone(), name: change.name };
        // There it stands where it stood at the base.
        there.push(Step { subject, to: change.to, from: change.from.semver().clone() });
    }
    if let Some(end) = relock(resolver, &there, Extent::Requirements, &bounds)? {
        return Ok(Err(end));
    }
    let keep: Vec<&str> = there.iter().map(|one| one.subject.name).collect();
    put_back(resolver, &before, &keep)?;
    keep_format(root, change.project, originals)?;
    let after = read_lock(root, change.project)?;
    let diff = lock::diff(&before, &after);
    let brought = arrivals(&before, &after);
    let reason = match downward(change.name, change.to, &diff).or(unseen(change, &registries, &brought)) {
        Some(reason) => Some(reason),
        None => too_new_for_members(root, change, &registries, &after, &brought)?,
    };
    Ok(match reason {
        Some(mut reason) => {
            reason.text = format!("{} (in {}, which uses this project by path)", reason.text, change.project.id());
            Err(Resolution::Refused(reason))
        }
        None => Ok(diff),
    })
}

/// What moved in another lockfile, in words.
pub fn told(diff: &LockDiff) -> String {
    let raised = diff.raised.iter().map(|one| format!("{} {} -> {}", one.name, one.from, one.to));
    let added = diff.added.iter().map(|(name, version)| format!("{name} {version} added"));
    let removed = diff.removed.iter().map(|(name, version)| format!("{name} {version} gone"));
    let parts: Vec<String> = raised.chain(added).chain(removed).collect();
    if parts.is_empty() { "its edges".to_owned() } else { parts.join(", ") }
}
