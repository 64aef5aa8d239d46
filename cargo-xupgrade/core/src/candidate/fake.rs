//! The usual rung, candidate and held one, from which tests make theirs.

use super::*;

impl From<&str> for ProjectId {
    fn from(text: &str) -> Self {
        text.parse().unwrap()
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        text.parse().unwrap()
    }
}

impl From<&str> for UpgradeName {
    fn from(text: &str) -> Self {
        text.parse().unwrap()
    }
}

impl DependencyRef {
    /// A direct requirement of the cargo project at the root.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self { project: "cargo .".into(), name: name.into(), role: Role::Direct, places: vec![] }
    }
}

impl Rung {
    /// A compatible rung of no known age.
    #[must_use]
    pub fn of(version: &str) -> Self {
        let version = Version::parse(version).unwrap();
        Self { version, level: Level::Minor, breaking: false, published: None, depth: Depth::Rung }
    }
}

impl Candidate {
    /// A direct requirement of the cargo project at the root, at 1.0.0, with a rung for each of these versions.
    #[must_use]
    pub fn of(name: &str, versions: &[&str]) -> Self {
        Self {
            id: DependencyRef::of(name),
            at: Version::parse("1.0.0").unwrap(),
            rungs: versions.iter().map(|text| Rung::of(text)).collect(),
            over: BTreeSet::new(),
            urgent: None,
            switch: None,
            beyond: None,
            refused: vec![],
            together: None,
        }
    }
}

impl Held {
    /// A direct requirement of the cargo project at the root that stays at 1.0.0.
    #[must_use]
    pub fn of(name: &str, reason: Reason) -> Self {
        Self {
            id: DependencyRef::of(name),
            at: Some(Version::parse("1.0.0").unwrap()),
            wanted: None,
            reason,
            urgent: None,
        }
    }
}
