//! What an upgrade did beside what it was asked for, as a run tells it: packages that moved along, edges that lead
//! elsewhere, versions that stay beside the new one. Pure.

use semver::Version;

use super::super::lock::{self, Lock, LockDiff};
use super::is_there;
use crate::candidate::EcosystemKind;
use crate::ecosystem::Change;
use crate::project::{Move, OwnLock};

/// What moved, as values.
pub(super) fn moves(diff: &LockDiff) -> Vec<Move> {
    let make = |name: &str, from: Option<&Version>, to: Option<&Version>| Move {
        ecosystem: EcosystemKind::Cargo,
        name: name.to_owned(),
        from: from.map(ToString::to_string),
        to: to.map(ToString::to_string),
        lockfile: None,
    };
    let raised = diff.raised.iter().map(|one| make(&one.name, Some(&one.from), Some(&one.to)));
    let added = diff.added.iter().map(|(name, version)| make(name, None, Some(version)));
    let removed = diff.removed.iter().map(|(name, version)| make(name, Some(version), None));
    let mut moves: Vec<Move> = raised.chain(added).chain(removed).collect();
    moves.sort();
    moves
}

/// What else is worth a line.
pub(super) fn notes(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Vec<String> {
    let members: Vec<_> = lock::members(after).into_iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    // That the members use the version which was asked for is no news.
    let asked = |flip: &lock::EdgeFlip| flip.dependency == change.name && members.contains(&flip.user);
    let mut notes: Vec<String> = diff
        .flipped
        .iter()
        .filter(|flip| !asked(flip))
        .map(|flip| {
            format!("{} {} now uses {} {} (before: {})", flip.user.0, flip.user.1, flip.dependency, flip.to, flip.from)
        })
        .collect();
    if change.project.lock.is_some() {
        notes.push(OwnLock::NOTE.to_owned());
    }
    let from = change.from.semver();
    if is_there(after, change.name, from) {
        let users: Vec<String> =
            lock::users_of(after, change.name, from).iter().map(|(name, _)| name.clone()).collect();
        notes.push(format!("{} {from} stays beside it for {}", change.name, users.join(", ")));
    }
    notes.extend(second_copies(change, after, diff));
    let asleep = diff.patches_left_unused.iter();
    notes.extend(asleep.map(|(name, version)| format!("nothing uses the patch of {name} ({version}) any more")));
    notes
}

/// Direct dependencies of which there are two versions now: where their types meet, the two belong together.
fn second_copies(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Vec<String> {
    let members = lock::members(after);
    let direct = |name: &str| members.iter().any(|member| member.dependencies.iter().any(|one| one.name == name));
    let new = diff.added.iter().filter(|(name, _)| name != change.name && direct(name));
    new.filter_map(|(name, version)| {
        let older = lock::package_versions(after, name).into_iter().find(|other| other < version)?;
        let users = |version: &Version| {
            let names = lock::users_of(after, name, version).into_iter().map(|(name, _)| name);
            names.collect::<Vec<_>>().join(", ")
        };
        let (old_users, new_users) = (users(&older), users(version));
        Some(format!("there are two copies of {name} now: {older} for {old_users}, {version} for {new_users}"))
    })
    .collect()
}
