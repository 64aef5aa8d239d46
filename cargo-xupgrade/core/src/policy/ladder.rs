//! The ladder: of the releases that nothing stands against, the few that are worth a trial, and those between them. Pure.

use std::collections::BTreeMap;

use xupgrade_search::Depth;

use crate::candidate::{Level, Promise, Release, Rung, Version, compatible, level};

/// The ladder of the allowed releases, lowest version first: the rungs are the newest patch, the newest compatible one,
/// then the newest of each next breaking line; every other release lies between them, below the rung of its own kind.
pub(super) fn ladder(promise: Promise, at: &Version, allowed: &[&Release]) -> Vec<Rung> {
    let mut kinds: BTreeMap<Step, Vec<&Release>> = BTreeMap::new();
    for release in allowed {
        kinds.entry(step(promise, at, &release.version)).or_default().push(release);
    }
    kinds.into_values().flat_map(|releases| with_depths(promise, at, &releases)).collect()
}

/// Releases of one kind, oldest version first: the newest is the rung. Two of one precedence (build metadata, the same
/// version listed twice) are one, the later one.
fn with_depths(promise: Promise, at: &Version, releases: &[&Release]) -> Vec<Rung> {
    let mut rungs: Vec<Rung> = Vec::new();
    for release in releases {
        rungs.pop_if(|last| last.version == release.version);
        rungs.push(Rung {
            version: release.version.clone(),
            level: level(promise, at, &release.version),
            breaking: !compatible(promise, at, &release.version),
            published: release.published,
            depth: Depth::Between,
        });
    }
    if let Some(newest) = rungs.last_mut() {
        newest.depth = Depth::Rung;
    }
    rungs
}

/// Which rung a release competes for: only the newest of each is kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Patch,
    Compatible,
    Breaking(u64, u64, u64),
}

/// The rung that a release competes for.
pub(super) fn step(promise: Promise, at: &Version, to: &Version) -> Step {
    match level(promise, at, to) {
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
