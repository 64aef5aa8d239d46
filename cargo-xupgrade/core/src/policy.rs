//! The policy: which releases of a dependency are rungs, and why the others are not.
//! Pure: requirements and releases in, one decision for each dependency out.

mod blocker;
#[cfg(any(test, feature = "fake"))]
#[allow(clippy::wildcard_imports, clippy::unwrap_used, clippy::missing_panics_doc, reason = "values for tests")]
mod fake;
mod hold;
mod ladder;
mod replay;

use crate::candidate::{
    Beyond, Candidate, Dependency, DependencyRef, EcosystemKind, Held, Named, Pinned, Promise, Reason, ReasonKind,
    Release, Role, Version, compatible,
};
use crate::clock::Instant;
use crate::project::TransitiveRule;
use crate::rules::promise;
use blocker::blocker;
use hold::configured_hold;
pub use hold::idle_holds;
use ladder::ladder;
pub use replay::{Gap, NotReplayable, floating, not_replayable};

/// How far a run may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Fixes only.
    Patch,
    /// Everything that the ecosystem calls compatible.
    Compatible,
    /// Breaking releases, too.
    Breaking,
}

/// What to do with requirements that name one exact version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinRule {
    /// Leave them alone, unless a dependency is asked for by name.
    Keep,
    /// Treat them like any other.
    Move,
}

/// A `[[hold]]` of the configuration.
#[derive(Debug, Clone)]
pub struct HoldRule {
    /// The crate's or module's name, or a key that requires it.
    pub name: String,
    /// Only in this ecosystem.
    pub ecosystem: Option<EcosystemKind>,
    /// Only in this project.
    pub project: Option<String>,
    /// Why, in the user's words.
    pub reason: String,
    /// The day from which the hold no longer counts.
    pub until: Option<Instant>,
}

/// The options that the policy depends on.
#[derive(Debug, Clone)]
pub struct Policy {
    /// How far to go.
    pub reach: Reach,
    /// The instant at which the registries are looked at.
    pub as_of: Instant,
    /// The cooldown, in days; 0 switches it off.
    pub min_age: u32,
    /// When not empty: the only dependencies to move.
    pub only: Vec<String>,
    /// Dependencies to leave alone.
    pub exclude: Vec<String>,
    /// Holds of the configuration.
    pub holds: Vec<HoldRule>,
    /// What to do with `=` requirements.
    pub pins: PinRule,
    /// Which transitive packages take part.
    pub transitive: TransitiveRule,
}

/// Where a dependency goes: one of three lists, never two, or, for a transitive one, none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It can move.
    Candidate(Box<Candidate>),
    /// It stays, for a reason.
    Held(Box<Held>),
    /// Nothing newer exists.
    Newest(Named),
    /// A transitive package that stays where it is and that nobody asked for: nothing is said of it.
    Unlisted,
}

/// Decides on one dependency.
#[must_use]
pub fn decide(dependency: &Dependency, policy: &Policy) -> Decision {
    let decision = decide_on(dependency, policy);
    if is_listed(dependency, &decision, policy) { decision } else { Decision::Unlisted }
}

/// Direct dependencies are listed wherever they end. Of the others: what has to move, what a user holds, what takes part
/// with `--transitive` and can move or was asked for by name.
fn is_listed(dependency: &Dependency, decision: &Decision, policy: &Policy) -> bool {
    if dependency.id.role == Role::Direct || dependency.urgent.is_some() || names(&policy.exclude, &dependency.id) {
        return true;
    }
    let all = policy.transitive == TransitiveRule::All;
    match decision {
        Decision::Candidate(_) => all,
        Decision::Held(held) if held.reason.kind == ReasonKind::HeldByUser => true,
        _ => all && policy.only.contains(&dependency.id.name),
    }
}

fn decide_on(dependency: &Dependency, policy: &Policy) -> Decision {
    if let Some(reason) = standing_reason(dependency, policy) {
        return held(dependency, None, reason);
    }
    let Some(at) = &dependency.at else {
        let text = "no project uses it, so nothing is locked; remove it or use it";
        return held(dependency, None, Reason::new(ReasonKind::Unused, text));
    };
    let newer = newer_releases(dependency, at, policy);
    let Some(newest) = newer.last() else {
        return nothing_newer(dependency);
    };
    if dependency.pinned == Pinned::Yes && policy.pins == PinRule::Keep && !names(&policy.only, &dependency.id) {
        let text = "its requirement names one exact version; name it with `-p`, or pass `--pinned`, to move it";
        return held(dependency, Some(newest.version.clone()), Reason::new(ReasonKind::Pinned, text));
    }
    judge_releases(dependency, at, &newer, policy)
}

/// Reasons that need no look at the releases.
fn standing_reason(dependency: &Dependency, policy: &Policy) -> Option<Reason> {
    if !policy.only.is_empty() && !names(&policy.only, &dependency.id) {
        return Some(Reason::new(ReasonKind::NotSelected, "not among the packages asked for with `-p`"));
    }
    if names(&policy.exclude, &dependency.id) {
        return Some(Reason::new(ReasonKind::NotSelected, "left out with `--exclude`"));
    }
    // The user's word comes first: what is held by it, no other upgrade may move either, whatever else stands in the way.
    configured_hold(dependency, policy).or_else(|| dependency.obstacle.clone())
}

/// The match of words with a package: by its name, or by a key that requires it (`json = { package = "serde_json" }`).
#[must_use]
pub fn names(words: &[String], one: &DependencyRef) -> bool {
    words.iter().any(|word| *word == one.name || one.places.iter().any(|place| place.key == *word))
}

/// Releases above the one in use that may be targets, oldest version first: withdrawn ones never are.
fn newer_releases<'a>(dependency: &'a Dependency, at: &Version, policy: &Policy) -> Vec<&'a Release> {
    let mut newer: Vec<&Release> = newer_than(dependency, at, policy).filter(|release| !release.withdrawn).collect();
    newer.sort_by(|a, b| a.version.cmp(&b.version));
    newer
}

/// Releases above the one in use, as the registry looked at the as-of instant; pre-releases only while the one in use is a
/// pre-release of the same version, commits only from commit to commit (they are offered only of a module that has no
/// release at all).
fn newer_than<'a>(dependency: &'a Dependency, at: &Version, policy: &Policy) -> impl Iterator<Item = &'a Release> {
    dependency
        .releases
        .iter()
        .filter(move |release| release.version > *at)
        .filter(move |release| release.published.is_none_or(|published| published <= policy.as_of))
        .filter(move |release| !release.version.is_prerelease() || continues_line(at, &release.version))
}

/// The next pre-release of the very version whose pre-release is in use, or the next commit after a commit.
fn continues_line(at: &Version, next: &Version) -> bool {
    let (a, b) = (at.semver(), next.semver());
    match (at.is_commit(), next.is_commit()) {
        (true, true) => true,
        (false, false) => at.is_prerelease() && (a.major, a.minor, a.patch) == (b.major, b.minor, b.patch),
        _ => false,
    }
}

fn nothing_newer(dependency: &Dependency) -> Decision {
    if let Some(reason) = &dependency.newest_unknown {
        return held(dependency, None, reason.clone());
    }
    match &dependency.urgent {
        Some(why) => {
            let text = format!("{why}, and no newer release can replace it");
            held(dependency, None, Reason::new(ReasonKind::Withdrawn, text))
        }
        None => Decision::Newest(Named { id: dependency.id.clone(), at: dependency.at.clone() }),
    }
}

fn judge_releases(dependency: &Dependency, at: &Version, newer: &[&Release], policy: &Policy) -> Decision {
    let judged: Vec<(&Release, Option<Reason>)> =
        newer.iter().map(|release| (*release, blocker(dependency, at, release, policy))).collect();
    let allowed: Vec<&Release> = judged.iter().filter(|(_, why)| why.is_none()).map(|(release, _)| *release).collect();
    let rungs = ladder(promise(&dependency.id), at, &allowed);
    let Some(top) = rungs.last() else {
        let (release, reason) = telling_blocker(promise(&dependency.id), at, judged);
        return held(dependency, Some(release), reason);
    };
    let beyond = judged
        .iter()
        .rev()
        .take_while(|(release, _)| release.version > top.version)
        // That other packages do not admit the next breaking release of what they use is no news.
        .filter(|(release, _)| {
            dependency.id.role.is_direct() || compatible(promise(&dependency.id), at, &release.version)
        })
        .find_map(|(release, why)| why.clone().map(|reason| Beyond { version: release.version.clone(), reason }));
    Decision::Candidate(Box::new(Candidate {
        id: dependency.id.clone(),
        at: at.clone(),
        rungs,
        over: dependency.over.clone(),
        urgent: dependency.urgent.clone(),
        switch: dependency.switch.clone(),
        beyond,
        refused: Vec::new(),
        together: None,
    }))
}

/// The blocker that tells a reader most: that of the newest compatible release, else that of the newest one.
fn telling_blocker(promise: Promise, at: &Version, judged: Vec<(&Release, Option<Reason>)>) -> (Version, Reason) {
    let blocked: Vec<(Version, Reason)> =
        judged.into_iter().filter_map(|(release, why)| why.map(|why| (release.version.clone(), why))).collect();
    let compatible_one = blocked.iter().rposition(|(version, _)| compatible(promise, at, version));
    let index = compatible_one.unwrap_or(blocked.len() - 1);
    blocked[index].clone()
}

fn held(dependency: &Dependency, wanted: Option<Version>, reason: Reason) -> Decision {
    Decision::Held(Box::new(Held {
        id: dependency.id.clone(),
        at: dependency.at.clone(),
        wanted,
        reason,
        urgent: dependency.urgent.clone(),
    }))
}

#[cfg(test)]
mod tests;
