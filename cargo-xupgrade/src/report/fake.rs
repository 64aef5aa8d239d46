//! The usual upgrade, from which tests make theirs.

use super::*;

impl Upgrade {
    /// A compatible upgrade of a direct requirement of the cargo project at the root, from 1.0.0.
    pub(crate) fn of(name: &str, to: &str) -> Self {
        Self {
            ecosystem: EcosystemKind::Cargo,
            name: name.into(),
            role: Role::Direct,
            project: ".".into(),
            places: vec![],
            from: Version::parse("1.0.0").unwrap(),
            to: Version::parse(to).unwrap(),
            level: Level::Minor,
            breaking: false,
            commit: None,
            trial: "t1".into(),
            proof: Proof::Tests,
            also_moved: vec![],
            notes: vec![],
            failed_above: vec![],
            urgent: None,
        }
    }
}
