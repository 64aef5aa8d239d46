//! Runs of the same tests on the same picks, taken together test by test. With many tests that fail at times a run in which all
//! of them pass may never come; that each of them passed, and that no pick is to blame where one failed, says as much.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{Mark, Proof, Ticket};

/// The runs so far. One that failed is among them only where the tests that failed in it are known, all else passed, and no pick
/// was to blame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    passed: Vec<Ticket>,
    cleared: Vec<Ticket>,
    /// The number of runs in which a test failed.
    red: BTreeMap<u64, u32>,
}

impl Tally {
    /// No run.
    pub(crate) const fn new() -> Self {
        Self { passed: Vec::new(), cleared: Vec::new(), red: BTreeMap::new() }
    }

    /// Adds a run in which all tests passed.
    pub(crate) fn pass(&mut self, ticket: Ticket) {
        self.passed.push(ticket);
    }

    /// Adds a run in which just these tests failed, for no pick's sake.
    pub(crate) fn clear(&mut self, ticket: Ticket, tests: &BTreeSet<u64>) {
        self.cleared.push(ticket);
        for test in tests {
            *self.red.entry(*test).or_default() += 1;
        }
    }

    /// The number of runs in which the test passed that passed in the fewest.
    pub(crate) fn passes(&self) -> usize {
        (self.passed.len() + self.cleared.len()).saturating_sub(self.reds() as usize)
    }

    /// The number of runs in which the test failed that failed in the most.
    pub(crate) fn reds(&self) -> u32 {
        self.red.values().copied().max().unwrap_or(0)
    }

    /// The runs, those in which all tests passed last.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.cleared.iter().chain(&self.passed).copied()
    }

    /// The runs in which tests failed.
    pub(crate) fn cleared(&self) -> &[Ticket] {
        &self.cleared
    }
}

/// The tests that failed in a trial, where they are all that did.
pub(crate) fn only_tests(proof: Proof, marks: &[Mark]) -> Option<BTreeSet<u64>> {
    (proof == Proof::OnlyTests).then(|| marks.iter().flat_map(|mark| mark.tests.iter().copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[&[u64]]) -> Tally {
        let mut tally = Tally::default();
        for (ticket, red) in (1..).map(Ticket).zip(runs) {
            if red.is_empty() { tally.pass(ticket) } else { tally.clear(ticket, &red.iter().copied().collect()) }
        }
        tally
    }

    #[test]
    fn two_runs_in_which_other_tests_failed_make_one_pass() {
        assert_eq!(of(&[&[1, 2]]).passes(), 0);
        assert_eq!(of(&[&[1, 2], &[3]]).passes(), 1);
        assert_eq!(of(&[&[1, 2], &[2, 3]]).passes(), 0, "2 never passed");
        assert_eq!(of(&[&[1, 2], &[2, 3], &[4]]).passes(), 1);
    }

    #[test]
    fn a_run_in_which_all_passed_counts_beside_them_and_is_the_newest_of_the_proofs() {
        assert_eq!((of(&[&[], &[]]).passes(), of(&[&[], &[1]]).passes(), of(&[]).passes()), (2, 1, 0));
        assert_eq!(of(&[&[], &[1]]).tickets().collect::<Vec<_>>(), [Ticket(2), Ticket(1)]);
    }
}
