//! What failures of groups still tell when one culprit is found: somebody else in the group fails the tests that the culprit
//! does not explain. It only makes those riskier in the eyes of who draws groups; nothing is concluded from it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::{Permille, Ticket};

/// A failure that is not explained yet: somebody of these units is to blame.
#[derive(Debug, Clone)]
struct Clue {
    ticket: Ticket,
    units: BTreeSet<usize>,
    /// The tests that nobody explains; empty where none is known by name.
    tests: BTreeSet<u64>,
}

impl Clue {
    /// Some of the units are done with, and explain these tests. Gives whether anything is left to explain.
    fn is_left(&mut self, units: &BTreeSet<usize>, tests: &[u64]) -> bool {
        self.units.retain(|unit| !units.contains(unit));
        let known = !tests.is_empty() && !self.tests.is_empty();
        self.tests.retain(|test| !tests.contains(test));
        known && !self.tests.is_empty() && !self.units.is_empty()
    }
}

/// All of them, the oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clues(Vec<Clue>);

impl Clues {
    /// A trial of these units, on top of what passes, failed: each time one of some of them is to blame for these tests. What
    /// it was cut from is to blame for the others.
    pub(crate) fn heard(&mut self, ticket: Ticket, units: &[usize], blamed: &[(Vec<usize>, &[u64])]) {
        let units: BTreeSet<usize> = units.iter().copied().collect();
        let tests: Vec<u64> = blamed.iter().flat_map(|mark| mark.1.iter().copied()).collect();
        self.0.retain_mut(|clue| units.is_disjoint(&clue.units) || clue.is_left(&units, &tests));
        let clue = |(units, tests): &(Vec<usize>, &[u64])| Clue {
            ticket,
            units: units.iter().copied().collect(),
            tests: tests.iter().copied().collect(),
        };
        self.0.extend(blamed.iter().filter(|mark| mark.0.len() <= MOST).map(clue));
    }

    /// A unit was refused, as it fails these tests.
    pub(crate) fn refused(&mut self, unit: usize, tests: &[u64]) {
        let units = [unit].into();
        self.0.retain_mut(|clue| !clue.units.contains(&unit) || clue.is_left(&units, tests));
    }

    /// These units passed.
    pub(crate) fn passed(&mut self, units: &[usize]) {
        for clue in &mut self.0 {
            clue.units.retain(|unit| !units.contains(unit));
        }
        self.0.retain(|clue| !clue.units.is_empty());
    }

    /// A failure was taken back.
    pub(crate) fn taken_back(&mut self, ticket: Ticket) {
        self.0.retain(|clue| clue.ticket != ticket);
    }

    /// The chance that a unit fails, by the clue that weighs most against it: p / (1 - the chance that all of the clue pass),
    /// after Bayes. `None` where there is no clue.
    pub(crate) fn risk(&self, unit: usize, risk: impl Fn(usize) -> Permille) -> Option<Permille> {
        let weigh = |clue: &Clue| {
            let pass = clue.units.iter().fold(ONE, |pass, &other| pass * u64::from(1000 - risk(other)) / 1000);
            let posterior = u64::from(risk(unit)) * ONE / (ONE - pass).max(1);
            Permille::try_from(posterior.min(999)).unwrap_or(999)
        };
        self.0.iter().filter(|clue| clue.units.contains(&unit)).map(weigh).max()
    }
}

/// A failure of more units than this makes none of them much riskier.
const MOST: usize = 256;
/// The certain event, in the fixed point of this file.
const ONE: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn risks(clues: &Clues, units: core::ops::Range<usize>) -> Vec<Option<Permille>> {
        units.map(|unit| clues.risk(unit, |_| 100)).collect()
    }

    #[test]
    fn one_of_a_group_that_failed_is_to_blame() {
        let mut clues = Clues::default();
        clues.heard(Ticket(1), &[0, 1], &[(vec![0, 1], &[7])]);
        assert_eq!(risks(&clues, 0..3), [Some(526), Some(526), None], ".1 / (1 - .9 * .9)");
        clues.passed(&[0]);
        assert_eq!(risks(&clues, 0..2), [None, Some(999)], "nobody else is left");
        clues.refused(1, &[7]);
        assert_eq!(risks(&clues, 0..2), [None, None]);
    }

    #[test]
    fn what_a_culprit_does_not_explain_is_left_to_the_others() {
        let mut clues = Clues::default();
        clues.heard(Ticket(1), &[0, 1, 2, 3], &[(vec![0, 1, 2, 3], &[7, 8])]);
        clues.heard(Ticket(2), &[0, 1], &[(vec![0, 1], &[7])]);
        assert_eq!(risks(&clues, 0..4), [Some(526); 4], "the first two fail 7, so the others fail 8");
        clues.refused(1, &[7]);
        assert_eq!(risks(&clues, 0..4), [None, None, Some(526), Some(526)]);
    }

    #[test]
    fn where_no_test_is_known_a_part_that_fails_explains_the_whole() {
        let mut clues = Clues::default();
        clues.heard(Ticket(1), &[0, 1, 2, 3], &[(vec![0, 1, 2, 3], &[])]);
        clues.heard(Ticket(2), &[0, 1], &[(vec![0, 1], &[])]);
        assert_eq!(risks(&clues, 0..4), [Some(526), Some(526), None, None]);
        clues.refused(0, &[]);
        assert_eq!(risks(&clues, 0..4), [None; 4]);
    }

    #[test]
    fn a_failure_that_was_taken_back_is_none() {
        let mut clues = Clues::default();
        clues.heard(Ticket(1), &[0, 1], &[(vec![0, 1], &[7])]);
        clues.taken_back(Ticket(1));
        assert_eq!(risks(&clues, 0..2), [None; 2]);
    }
}
