//! The usual outlook, from which tests make theirs.

use super::*;

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
