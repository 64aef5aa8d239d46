//! The usual project and outlook, from which tests make theirs.

use super::*;

impl Project {
    /// A project of these manifests and nothing else.
    pub(crate) fn of(ecosystem: EcosystemKind, path: &str, manifests: &[&str]) -> Self {
        Self {
            ecosystem,
            path: path.into(),
            manifests: manifests.iter().map(|&file| file.to_owned()).collect(),
            lockfile: None,
            lock: None,
            dependents: vec![],
            obstacle: None,
            closed: BTreeMap::new(),
        }
    }
}

impl Outlook {
    /// Online, at an instant, with the usual cooldown.
    pub(crate) fn of(as_of: &str) -> Self {
        let as_of = Instant::parse(as_of).unwrap();
        Self {
            as_of,
            cutoff: as_of.minus_days(3),
            unknown_age: UnknownAge::TooYoung,
            transitive: TransitiveRule::Withdrawn,
            network: Network::Online,
            registry_age: RegistryAge::Heeded,
        }
    }
}
