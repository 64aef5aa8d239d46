//! The ladder: of the releases that nothing stands against, the few that are worth a trial. Pure.

use std::collections::BTreeMap;

use crate::candidate::{EcosystemKind, Level, Release, Rung, Version, compatible, level};

/// The rungs among the allowed releases, lowest first: the newest patch, the newest compatible one, then the newest of
/// each next breaking line.
pub(super) fn ladder(ecosystem: EcosystemKind, at: &Version, allowed: &[&Release]) -> Vec<Rung> {
    let mut newest: BTreeMap<Step, &Release> = BTreeMap::new();
    for release in allowed {
        newest.insert(step(ecosystem, at, &release.version), release);
    }
    newest
        .into_values()
        .map(|release| Rung {
            version: release.version.clone(),
            level: level(ecosystem, at, &release.version),
            breaking: !compatible(ecosystem, at, &release.version),
            published: release.published,
        })
        .collect()
}

/// Which rung a release competes for: only the newest of each is kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Patch,
    Compatible,
    Breaking(u64, u64, u64),
}

/// The rung that a release competes for.
pub(super) fn step(ecosystem: EcosystemKind, at: &Version, to: &Version) -> Step {
    match level(ecosystem, at, to) {
        Level::Patch => Step::Patch,
        Level::Minor => Step::Compatible,
        Level::Major => {
            let version = to.semver();
            match (version.major, version.minor, version.patch) {
                (0, 0, patch) => Step::Breaking(0, 0, patch),
                (0, minor, _) => Step::Breaking(0, minor, 0),
                (major, _, _) => Step::Breaking(major, 0, 0),
            }
        }
    }
}
