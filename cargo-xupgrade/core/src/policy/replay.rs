//! What a plan met that no registry keeps a history of: asked for the same instant later, the registries may say something
//! else, and so may the plan. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::blocker::{age_blocker, reach_blocker, toolchain_blocker};
use super::ladder::{ladder, step};
use super::{Policy, newer_than, standing_reason};
use crate::candidate::{Dependency, DependencyRef, ProjectId, ReasonKind, Release, Version};
use crate::project::{Project, TransitiveRule};
use crate::rules::{Withdrawals, promise};

/// Something that a plan met and that no registry keeps a history of: looked at as of the same instant another day, it may
/// be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotReplayable {
    /// The project; in JSON `ecosystem` and `project`.
    #[serde(flatten, with = "crate::candidate::apart")]
    pub project: ProjectId,
    /// The crate's or module's name.
    pub name: String,
    /// The release that is in doubt; `None` for all of them.
    pub version: Option<Version>,
    /// What is in doubt.
    pub kind: Gap,
    /// What a person reads.
    pub text: String,
}

/// What registries keep no history of; the JSON Schema repeats the list and a test compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// It is yanked, and was not always.
    Withdrawn,
    /// It has no date.
    UnknownAge,
    /// The registry refused to answer for it.
    RegistryRefused,
    /// The registry could not be reached or answered junk.
    RegistryUnreachable,
    /// Nothing was known about it without the network.
    NotCached,
    /// It is in a git repository, and no lockfile in git says at which commit.
    FromGit,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Withdrawn => "yanked",
            Self::UnknownAge => "of unknown age",
            Self::RegistryRefused => "refused",
            Self::RegistryUnreachable => "not answered",
            Self::NotCached => "not cached",
            Self::FromGit => "from git",
        })
    }
}

/// What one dependency brings into the plan that cannot be looked at as of an instant.
#[must_use]
pub fn not_replayable(dependency: &Dependency, policy: &Policy) -> Vec<NotReplayable> {
    if standing_reason(dependency, policy).is_some_and(|reason| reason.kind == ReasonKind::NotSelected) {
        return Vec::new();
    }
    if let Some(refused) = refusal(dependency) {
        return vec![refused];
    }
    let Some(at) = dependency.at.as_ref().filter(|_| takes_part(dependency, policy)) else { return Vec::new() };
    let mut found = Vec::new();
    let is_dated = dependency.id.project.ecosystem.facts().withdrawals == Withdrawals::Dated;
    if dependency.urgent.is_some() && !is_dated {
        let text = format!("{at}, the version in use, is yanked; since when, no registry tells");
        found.push(gap(dependency, Some(at.clone()), Gap::Withdrawn, text));
    }
    found.extend(doubtful_rungs(dependency, at, policy));
    found
}

/// What the lockfile of a run took from git repositories, which do not tell where a branch stood at an instant.
pub fn floating(project: &Project) -> impl Iterator<Item = NotReplayable> {
    let packages = project.lock.iter().flat_map(|lock| &lock.floating);
    packages.map(|(name, version)| NotReplayable {
        project: project.id(),
        name: name.clone(),
        version: Some(version.clone()),
        kind: Gap::FromGit,
        text: format!(
            "{name} {version} is taken from where its git repository stands today; commit Cargo.lock to keep it"
        ),
    })
}

fn takes_part(dependency: &Dependency, policy: &Policy) -> bool {
    dependency.id.role.is_direct() || dependency.urgent.is_some() || policy.transitive == TransitiveRule::All
}

fn refusal(dependency: &Dependency) -> Option<NotReplayable> {
    let obstacle = dependency.obstacle.as_ref()?;
    let kind = match obstacle.kind {
        ReasonKind::RegistryRefused => Gap::RegistryRefused,
        ReasonKind::RegistryUnreachable => Gap::RegistryUnreachable,
        ReasonKind::NotCached => Gap::NotCached,
        _ => return None,
    };
    Some(gap(dependency, None, kind, obstacle.text.clone()))
}

/// Releases that would be rungs, or would be higher ones, were they not yanked or of unknown age.
fn doubtful_rungs(dependency: &Dependency, at: &Version, policy: &Policy) -> Vec<NotReplayable> {
    let promise = promise(&dependency.id);
    let allowed: Vec<&Release> = newer_than(dependency, at, policy)
        .filter(|release| release.unfit.is_none())
        .filter(|release| reach_blocker(promise, at, release, policy.reach).is_none())
        .filter(|release| toolchain_blocker(dependency, release).is_none())
        .filter(|release| release.published.is_none() || age_blocker(dependency, release, policy).is_none())
        .collect();
    let sure: Vec<&Release> =
        allowed.iter().copied().filter(|release| !release.withdrawn && release.published.is_some()).collect();
    let rungs = ladder(promise, at, &sure);
    let outranked = |release: &Release| {
        let here = step(promise, at, &release.version);
        rungs.iter().any(|rung| step(promise, at, &rung.version) == here && rung.version > release.version)
    };
    let doubtful = allowed.into_iter().filter(|release| !outranked(release));
    doubtful.filter_map(|release| doubt(dependency, release)).collect()
}

fn doubt(dependency: &Dependency, release: &Release) -> Option<NotReplayable> {
    let version = &release.version;
    let (kind, text) = match (release.withdrawn, release.published) {
        (true, _) if dependency.id.project.ecosystem.facts().withdrawals == Withdrawals::Dated => return None,
        (true, _) => (Gap::Withdrawn, format!("{version} is yanked; since when, no registry tells")),
        (false, None) => (Gap::UnknownAge, format!("when {version} was published, the registry does not tell")),
        (false, Some(_)) => return None,
    };
    Some(gap(dependency, Some(version.clone()), kind, text))
}

fn gap(dependency: &Dependency, version: Option<Version>, kind: Gap, text: String) -> NotReplayable {
    let DependencyRef { project, name, .. } = dependency.id.clone();
    NotReplayable { project, name, version, kind, text }
}
