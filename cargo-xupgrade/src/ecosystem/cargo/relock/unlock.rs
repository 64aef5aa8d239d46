//! Relocks one upgrade with the least change: the crate is unlocked, and then, as long as cargo finds no solution, what
//! cargo names as standing in the way. Writes the lockfile only.

use std::collections::BTreeSet;

use anyhow::Result;

use super::super::lock::{Lock, LockedPackage};
use super::super::requirement::same_version;
use super::bounds::Bounds;
use super::is_there;
use super::subject::{Step, spec_of};
use super::update::ProjectResolver;
use crate::ecosystem::Resolution;
use crate::phrases::cargo::resolver::{
    Named, linked_before, locked, previously_selected, required_by, unmatched, unsolved,
};

/// The files that a relock starts from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// No requirement changed.
    LockOnly,
    /// Some requirement did.
    Requirements,
}

impl Extent {
    pub(super) fn of(edited: &[String]) -> Self {
        if edited.is_empty() { Self::LockOnly } else { Self::Requirements }
    }
}

/// The most packages that are unlocked for one upgrade: far more than was ever needed (3), and an end.
const UNLOCKED_AT_MOST: usize = 40;

/// Makes cargo unlock what the unlocked packages need, too.
const RECURSIVE: &str = "--recursive";

/// Relocks so that each crate stands at its wanted version. `Some` is an end that is no success.
///
/// # Errors
/// When cargo cannot be run, or the lockfile cannot be read.
pub(super) fn relock(
    resolver: ProjectResolver<'_>,
    steps: &[Step<'_>],
    extent: Extent,
    bounds: &Bounds,
) -> Result<Option<Resolution>> {
    let bounds = steps.iter().fold(bounds.clone(), |bounds, one| bounds.raising(&one.subject, one.to.semver()));
    let aim = (steps[0].subject.name, steps[0].to.plain());
    let mut unlocked = at_first(&resolver.lock()?, steps, extent);
    loop {
        let args = if unlocked.is_empty() { vec!["--workspace".to_owned()] } else { unlocked.clone() };
        let end = resolver.update(aim, &bounds, &args)?;
        let lock = resolver.lock()?;
        let more: Vec<String> = match &end {
            None if steps.iter().all(|one| one.is_done(&lock)) => return Ok(None),
            // Another version of the line is locked, or the old one, and the edited requirement admits it.
            None => steps
                .iter()
                .filter(|one| !one.is_done(&lock))
                .flat_map(|one| one.subject.instead_of(&lock, one))
                .collect(),
            Some(Resolution::Refused(reason)) => match in_the_way(&lock, &reason.text, &unlocked) {
                // Of several that move at once one may hold another one.
                none if none.is_empty() && steps.len() > 1 => own(&lock, steps),
                more => more,
            },
            Some(_) => return Ok(end),
        };
        let new = more.into_iter().filter(|spec| !unlocked.contains(spec)).collect::<Vec<_>>();
        if !new.is_empty() && unlocked.len() < UNLOCKED_AT_MOST {
            unlocked.extend(new);
        } else if end.is_some() && !unlocked.is_empty() && !unlocked.iter().any(|one| one == RECURSIVE) {
            unlocked.push(RECURSIVE.to_owned());
        } else {
            return Ok(end);
        }
    }
}

/// The packages that are unlocked before cargo says anything. To unlock a crate whose requirement changed would drag every
/// other user of it along; a workspace update moves only the edges whose requirement changed.
fn at_first(lock: &Lock, steps: &[Step<'_>], extent: Extent) -> Vec<String> {
    match extent {
        Extent::Requirements => Vec::new(),
        Extent::LockOnly => own(lock, steps),
    }
}

/// The crates of the steps where they stand.
fn own(lock: &Lock, steps: &[Step<'_>]) -> Vec<String> {
    let is_here = |one: &&Step<'_>| is_there(&one.subject.own(lock), one.subject.name, &one.from);
    let here = steps.iter().filter(|one| steps.len() == 1 || is_here(one));
    here.map(|one| one.subject.spec(lock, &one.from)).collect()
}

/// The packages that are in conflict by the words of cargo's resolver, without those that merely lead to them.
pub fn in_conflict(words: &str) -> BTreeSet<String> {
    let selected = previously_selected(words).into_iter().map(|one| one.name);
    let others = [required_by(words), linked_before(words)].into_iter().flatten().map(|one| one.name);
    let wanted = [unsolved(words), unmatched(words).map(|(name, _)| name)];
    selected.chain(others).chain(wanted.into_iter().flatten().map(str::to_owned)).collect()
}

/// The locked packages that a refusal names as standing in the way and that are not unlocked yet, as `cargo update` takes
/// them: those that were selected before, else the one whose requirement cannot be met, else what the lockfile fixes.
fn in_the_way(lock: &Lock, words: &str, unlocked: &[String]) -> Vec<String> {
    let spec = |found: Named| {
        let is_it = |one: &&LockedPackage| one.name == found.name && same_version(&one.version, &found.version);
        let package = lock.packages.iter().find(|one| is_it(one) && one.source.is_some())?;
        Some(spec_of(lock, package)).filter(|spec| !unlocked.contains(spec))
    };
    let selected: Vec<Named> = previously_selected(words).into_iter().chain(linked_before(words)).collect();
    let tiers = [selected, required_by(words).into_iter().collect(), locked(words)];
    let found = tiers.into_iter().map(|tier| tier.into_iter().filter_map(spec).collect::<Vec<_>>());
    found.into_iter().find(|specs| !specs.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_conflict_are_the_ends_of_what_cargo_tells_and_not_the_way_to_them() {
        let text = "failed to select a version for `helper`.; ... required by package `two v1.0.0`; ... which satisfies \
            dependency `two = \"^1\"` of package `app v0.1.0`; previously selected package `helper v1.1.0`; ... which \
            satisfies dependency `helper = \"=1.1.0\"` of package `one v1.1.0`";
        let names: Vec<String> = in_conflict(text).into_iter().collect();
        assert_eq!(names, ["helper", "two"]);
        assert!(in_conflict("one 1.1.0 would lower two from 1.0.0 to 0.9.0").is_empty());
    }
}
