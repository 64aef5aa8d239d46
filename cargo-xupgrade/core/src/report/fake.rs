//! The usual upgrade and the report of a run that found nothing, from which tests make theirs.

use super::*;

impl Upgrade {
    /// A compatible upgrade of a direct requirement of the cargo project at the root, from 1.0.0.
    #[must_use]
    pub fn of(name: &str, to: &str) -> Self {
        Self {
            id: DependencyRef::of(name),
            from: Version::parse("1.0.0").unwrap(),
            to: Version::parse(to).unwrap(),
            level: Level::Minor,
            breaking: false,
            commit: None,
            trial: "t1".into(),
            proof: Proof::Tests,
            together: vec![],
            also_moved: vec![],
            notes: vec![],
            failed_above: vec![],
            urgent: None,
        }
    }
}

impl Report {
    /// Nothing was there to upgrade.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            schema: SCHEMA.into(),
            base: "base".into(),
            branch: None,
            tip: None,
            tip_tree: None,
            tested_tree: None,
            as_of: Instant::parse("2026-01-01T00:00:00Z").unwrap(),
            min_age: 0,
            cooldowns: vec![],
            upgrades: vec![],
            commits: vec![],
            commit_trials: CommitTrials::default(),
            held: vec![],
            untried: vec![],
            newest: vec![],
            steady: vec![],
            flapped: vec![],
            trials: vec![],
            projects: vec![],
            candidates: 0,
            seconds: 0.0,
            containment: None,
            interrupted: false,
            budget: None,
            folder: std::path::PathBuf::new(),
        }
    }
}
