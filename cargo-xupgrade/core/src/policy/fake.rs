//! The usual policy, from which tests make theirs.

use super::*;

impl Policy {
    /// The usual one, at an instant.
    #[must_use]
    pub fn of(as_of: &str) -> Self {
        Self {
            reach: Reach::Compatible,
            as_of: Instant::parse(as_of).unwrap_or_else(|why| panic!("{why}")),
            min_age: 3,
            only: vec![],
            exclude: vec![],
            holds: vec![],
            pins: PinRule::Keep,
            transitive: TransitiveRule::Withdrawn,
        }
    }
}
