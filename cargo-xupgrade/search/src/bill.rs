//! What a trial costs: a floor, and each thing that one of its fresh picks makes be built anew, once. Pure arithmetic.

use alloc::collections::BTreeSet;

use crate::AtomSpec;

/// What any trial costs, however little it builds: as much as all that is known to be built. Simulated (`scripts/bench-search
/// --table builds`): from .8 to 3 times that the whole costs the same within 2 %; less than half is up to 6 % dearer where
/// all tests run each time.
pub(crate) fn floor(atoms: &[AtomSpec]) -> u32 {
    let things: BTreeSet<usize> = atoms.iter().flat_map(|atom| &atom.builds).copied().collect();
    u32::try_from(things.len()).unwrap_or(u32::MAX)
}

/// The cost of a trial while picks are put into it.
#[derive(Debug, Clone)]
pub(crate) struct Bill {
    floor: u64,
    things: BTreeSet<usize>,
}

impl Bill {
    /// That of a trial of nothing.
    pub(crate) fn new(floor: u32) -> Self {
        Self { floor: u64::from(floor), things: BTreeSet::new() }
    }

    /// The cost of the trial, at least 1, when what builds these things is part of it, too.
    pub(crate) fn with(&mut self, things: &[usize]) -> u64 {
        self.things.extend(things);
        (self.floor + self.things.len() as u64).max(1)
    }
}
