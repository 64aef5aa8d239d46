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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_thing_is_paid_once_and_the_floor_is_as_much_as_all_things() {
        let atom = |builds: &[usize]| AtomSpec { rungs: vec![], kin: 0, builds: builds.to_vec() };
        assert_eq!(floor(&[atom(&[1, 2]), atom(&[2, 7]), atom(&[])]), 3);
        let mut bill = Bill::new(3);
        assert_eq!([bill.with(&[1, 2]), bill.with(&[2, 7]), bill.with(&[])], [5, 6, 6]);
        assert_eq!(Bill::new(0).with(&[]), 1, "nothing is known, and nothing is free");
    }
}
