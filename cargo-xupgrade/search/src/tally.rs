//! Runs of the same tests on the same picks, taken together test by test. With many tests that fail at times a run in which all
//! of them pass may never come; that each of them passed, and that no pick is to blame where one failed, says as much.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::Ticket;

/// The runs so far. One that failed is among them only where the tests that failed in it are known, all else passed, and no pick
/// was to blame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    passed: Vec<Ticket>,
    cleared: Vec<Ticket>,
    /// For each test the number of runs in which it failed: all, and those in which that did not come again.
    red: BTreeMap<u64, (u32, u32)>,
    /// The number of runs in which a test failed that did not come again.
    voids: u32,
    company: Company,
}

/// The knowledge of what tests do beside others of their unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Company {
    #[default]
    Unknown,
    /// With the picks the units fail no more often than without them.
    Harmless,
}

impl Tally {
    /// No run.
    pub(crate) const fn new() -> Self {
        Self { passed: Vec::new(), cleared: Vec::new(), red: BTreeMap::new(), voids: 0, company: Company::Unknown }
    }

    /// Adds a run in which all tests passed.
    pub(crate) fn pass(&mut self, ticket: Ticket) {
        self.passed.push(ticket);
    }

    /// Adds a run in which just these tests failed, for no pick's sake; that of the `void` ones did not come again. Where there are
    /// some, runs in which all passed before count no more: the same would be tried until it passes.
    pub(crate) fn clear(&mut self, ticket: Ticket, tests: &BTreeSet<u64>, void: &BTreeSet<u64>) {
        if !void.is_empty() {
            self.passed.clear();
            self.voids += 1;
        }
        self.cleared.push(ticket);
        for test in tests {
            let red = self.red.entry(*test).or_default();
            *red = (red.0 + 1, red.1 + u32::from(void.contains(test)));
        }
    }

    /// The number of runs in which the test passed that passed in the fewest.
    pub(crate) fn passes(&self) -> usize {
        let reds = self.red.values().map(|red| red.0).max().unwrap_or(0);
        (self.passed.len() + self.cleared.len()).saturating_sub(reds as usize)
    }

    /// The number of failures that did not come again, of the test that had the most.
    pub(crate) fn voids(&self) -> u32 {
        self.red.values().map(|red| red.1).max().unwrap_or(0)
    }

    /// The newest run that failed, where several did in a way that did not come again and nobody asked yet: a pick may make tests
    /// clash, each time others.
    pub(crate) fn doubtful(&self) -> Option<Ticket> {
        self.cleared.last().copied().filter(|_| self.voids > 1 && self.company == Company::Unknown)
    }

    /// The units that failed do so no more often with the picks than without them.
    pub(crate) fn acquit(&mut self) {
        self.company = Company::Harmless;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs in which these tests failed; those up to 9 in a way that did not come again.
    fn of(runs: &[&[u64]]) -> Tally {
        let mut tally = Tally::default();
        for (ticket, red) in (1..).map(Ticket).zip(runs) {
            let tests: BTreeSet<u64> = red.iter().copied().collect();
            let void = tests.iter().copied().filter(|test| *test < 10).collect();
            if tests.is_empty() {
                tally.pass(ticket);
            } else {
                tally.clear(ticket, &tests, &void);
            }
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
        assert_eq!((of(&[&[], &[]]).passes(), of(&[&[], &[10]]).passes(), of(&[]).passes()), (2, 1, 0));
        assert_eq!(of(&[&[], &[10]]).tickets().collect::<Vec<_>>(), [Ticket(2), Ticket(1)]);
    }

    #[test]
    fn a_failure_that_did_not_come_again_takes_the_passes_before_it_away() {
        assert_eq!(of(&[&[], &[1], &[]]).passes(), 1);
        assert_eq!(of(&[&[], &[10], &[]]).passes(), 2);
    }

    #[test]
    fn the_second_failure_that_did_not_come_again_is_doubted_once() {
        assert_eq!(of(&[&[1], &[]]).doubtful(), None);
        assert_eq!(of(&[&[10], &[11]]).doubtful(), None);
        let mut tally = of(&[&[1, 10], &[2, 11], &[]]);
        assert_eq!(tally.doubtful(), Some(Ticket(2)), "a test of the base beside it hides nothing");
        tally.acquit();
        assert_eq!(tally.doubtful(), None);
    }
}
