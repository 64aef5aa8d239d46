//! The chance that a step breaks something, guessed before anything is tried: from its level, the rules of its
//! ecosystem, where it is used, its age, and what became of it in earlier runs. Pure.

use std::collections::BTreeMap;

use xupgrade_search::Permille;

use crate::candidate::{Candidate, Level, ProjectId, Rung, Version};
use crate::clock::Instant;

/// What became of a version in the newest run that tried it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It was part of what passed.
    Passed,
    /// It failed.
    Failed,
}

/// One version of one dependency of one project.
pub type Identity = (ProjectId, String, String);

/// The identity of a rung.
#[must_use]
pub fn identity(candidate: &Candidate, version: &Version) -> Identity {
    (candidate.id.project.clone(), candidate.id.name.clone(), version.to_string())
}

/// What earlier runs know of the versions in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(pub BTreeMap<Identity, Before>);

impl Known {
    /// What is known of a rung.
    #[must_use]
    pub fn of(&self, candidate: &Candidate, rung: &Rung) -> Option<Before> {
        self.0.get(&identity(candidate, &rung.version)).copied()
    }

    /// Whether a rung failed in the newest run that tried it.
    #[must_use]
    pub fn has_failed(&self, candidate: &Candidate, rung: &Rung) -> bool {
        self.of(candidate, rung) == Some(Before::Failed)
    }
}

/// A release that is younger than this has had few users, in days.
const YOUNG: i64 = 7;

/// The chance that a rung fails, in 1/1000.
#[must_use]
pub fn risk(candidate: &Candidate, rung: &Rung, as_of: Instant, before: Option<Before>) -> Permille {
    match before {
        Some(Before::Failed) => return 900,
        Some(Before::Passed) => return 2,
        None => {}
    }
    let mut risk: u32 = of_the_step(candidate, rung);
    if rung.version.is_prerelease() || rung.version.is_commit() {
        risk = risk.max(150);
    }
    if is_for_development(candidate) {
        risk /= 2;
    }
    if rung.published.is_some_and(|published| as_of.days_since(published) < YOUNG) {
        risk += risk / 2;
    }
    Permille::try_from(risk.clamp(1, 999)).unwrap_or(999)
}

/// The priors of the measured worlds: patch 1 %, minor 4 %, breaking 30 %; a new major path of Go 40 %, as every import of
/// it changes.
fn of_the_step(candidate: &Candidate, rung: &Rung) -> u32 {
    let breaking = rung.breaking || rung.level == Level::Major;
    match (breaking, rung.level) {
        (true, level) => candidate.id.project.ecosystem.rules().risk_of_breaking(level, &rung.version),
        (false, Level::Patch) => 10,
        (false, _) => 40,
    }
}

/// Whether only tests, examples, benchmarks and build scripts use it.
fn is_for_development(candidate: &Candidate) -> bool {
    let table = |table: &str| table.ends_with("dev-dependencies") || table.ends_with("build-dependencies");
    !candidate.id.places.is_empty() && candidate.id.places.iter().all(|place| table(&place.table))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::candidate::Place;

    fn candidate(ecosystem: EcosystemKind, tables: &[&str]) -> Candidate {
        let place = |table: &&str| Place {
            manifest: "Cargo.toml".into(),
            table: (*table).to_owned(),
            key: "x".into(),
            registry: None,
        };
        let mut candidate = Candidate::of("x", &[]);
        candidate.id.project.ecosystem = ecosystem;
        candidate.id.places = tables.iter().map(place).collect();
        candidate
    }

    fn rung(version: &str, level: Level, breaking: bool, published: Option<&str>) -> Rung {
        let published = published.map(|text| Instant::parse(text).unwrap());
        Rung { level, breaking, published, ..Rung::of(version) }
    }

    #[test]
    fn each_rule_weighs_as_it_was_measured() {
        use EcosystemKind::{Cargo, Go};
        use Level::{Major, Minor, Patch};
        let (old, young) = (Some("2025-01-01T00:00:00Z"), Some("2026-01-01T00:00:00Z"));
        let (usual, dev) = (["dependencies"].as_slice(), ["dev-dependencies"].as_slice());
        let build = ["target.'cfg(unix)'.build-dependencies", "dev-dependencies"].as_slice();
        let both = ["dependencies", "dev-dependencies"].as_slice();
        let cases = [
            (Cargo, usual, rung("1.0.1", Patch, false, old), 10),
            (Cargo, usual, rung("1.1.0", Minor, false, old), 40),
            (Cargo, usual, rung("2.0.0", Major, true, old), 300),
            (Cargo, usual, rung("0.32.0", Minor, true, old), 300),
            (Cargo, usual, rung("0.0.4", Patch, true, old), 300),
            (Go, &["require"], rung("v1.1.0", Minor, false, old), 40),
            (Go, &["require"], rung("v2.0.0", Major, true, old), 400),
            (Go, &["require"], rung("v2.0.0+incompatible", Major, true, old), 300),
            (Go, &["require"], rung("v1.0.1-0.20250101000000-abcdefabcdef", Patch, false, old), 150),
            (Cargo, usual, rung("1.1.0-rc.1", Minor, false, old), 150),
            (Cargo, usual, rung("2.0.0-rc.1", Major, true, old), 300),
            (Cargo, dev, rung("1.1.0", Minor, false, old), 20),
            (Cargo, build, rung("1.1.0", Minor, false, old), 20),
            (Cargo, both, rung("1.1.0", Minor, false, old), 40),
            (Cargo, &[], rung("1.1.0", Minor, false, old), 40),
            (Cargo, usual, rung("1.1.0", Minor, false, young), 60),
            (Cargo, usual, rung("1.1.0", Minor, false, None), 40),
        ];
        let as_of = Instant::parse("2026-01-07T00:00:00Z").unwrap();
        for (ecosystem, tables, rung, expected) in cases {
            let found = risk(&candidate(ecosystem, tables), &rung, as_of, None);
            assert_eq!(found, expected, "{ecosystem} {tables:?} {rung:?}");
        }
    }

    #[test]
    fn what_became_of_a_version_before_outweighs_every_rule() {
        let (as_of, step) = (Instant::parse("2026-01-07T00:00:00Z").unwrap(), rung("2.0.0", Level::Major, true, None));
        let one = candidate(EcosystemKind::Cargo, &["dependencies"]);
        assert_eq!(risk(&one, &step, as_of, Some(Before::Passed)), 2);
        assert_eq!(risk(&one, &step, as_of, Some(Before::Failed)), 900);
        let known = Known([(identity(&one, &step.version), Before::Failed)].into());
        assert_eq!(known.of(&one, &step), Some(Before::Failed));
        assert_eq!(known.of(&one, &rung("2.0.1", Level::Major, true, None)), None);
    }
}
