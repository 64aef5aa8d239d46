//! Why a release is no rung: the project cannot use it, it is further than asked for, it needs a newer toolchain than the
//! project supports, or it is too young. Pure.

use super::{Policy, Reach};
use crate::candidate::{Dependency, Level, Promise, Reason, ReasonKind, Release, Version, level};
use crate::cooldown::Cooldown;
use crate::rules::promise;

/// The first rule that keeps a release from being a rung.
pub(super) fn blocker(dependency: &Dependency, at: &Version, release: &Release, policy: &Policy) -> Option<Reason> {
    // That no lockfile would record a release is told last: committing one helps only where nothing else is in the way.
    let (unrecorded, unfit): (Option<Reason>, Option<Reason>) = match release.unfit.clone() {
        Some(reason) if reason.kind == ReasonKind::NoLockfile => (Some(reason), None),
        other => (None, other),
    };
    unfit
        .or_else(|| reach_blocker(promise(&dependency.id), at, release, policy.reach))
        .or_else(|| toolchain_blocker(dependency, release))
        .or_else(|| age_blocker(dependency, release, policy))
        .or(unrecorded)
}

/// A release that is further away than asked for.
pub(super) fn reach_blocker(promise: Promise, at: &Version, release: &Release, reach: Reach) -> Option<Reason> {
    let step = level(promise, at, &release.version);
    match (step, reach) {
        (Level::Major, Reach::Patch | Reach::Compatible) => Some(Reason::new(
            ReasonKind::BreakingNotAsked,
            format!("{} is a breaking release; try it with `--level breaking`", release.version),
        )),
        (Level::Minor, Reach::Patch) => Some(Reason::new(
            ReasonKind::LevelNotAsked,
            format!("{} is more than a patch; try it with `--level compatible`", release.version),
        )),
        _ => None,
    }
}

/// A release that needs a newer toolchain than the project supports.
pub(super) fn toolchain_blocker(dependency: &Dependency, release: &Release) -> Option<Reason> {
    let (needs, has) = (release.needs.as_deref()?, dependency.toolchain.as_deref()?);
    dependency.id.project.ecosystem.rules().floor(&release.version, needs, has)
}

/// A release that is too young, or of no known age.
pub(super) fn age_blocker(dependency: &Dependency, release: &Release, policy: &Policy) -> Option<Reason> {
    let usual = Cooldown::of_days(policy.min_age, "");
    let cooldown = dependency.cooldown.as_ref().unwrap_or(&usual);
    let cutoff = cooldown.cutoff(policy.as_of)?;
    let text = match release.published {
        None => {
            format!("{} tells no age, which counts as too young ({} allows it)", release.version, ageless(dependency))
        }
        Some(published) if published > cutoff => {
            let whence = if cooldown.whence.is_empty() { String::new() } else { format!(" ({})", cooldown.whence) };
            format!("{} came out on {}, less than {} before{whence}", release.version, published.date(), cooldown.span)
        }
        Some(_) => return None,
    };
    Some(Reason::new(ReasonKind::TooYoung, text))
}

/// What lets releases without a date through: for a registry of its own, a key that concerns no other one.
fn ageless(dependency: &Dependency) -> String {
    match dependency.id.places.first().and_then(|place| place.registry.as_ref()) {
        Some(name) if !name.contains(':') => {
            format!("`min-publish-age = \"0\"` for `{name}` in cargo's configuration, or `--min-age 0`,")
        }
        _ => "`--min-age 0`".to_owned(),
    }
}
