//! When a failure of tests counts: what failed runs again, with the pick and without it, until one side is plain.
//! Pure counting. A group is never doubted, only a pick that is about to be rejected; and never until it passes.

use alloc::vec::Vec;

use crate::Ticket;

/// One of the two sequences that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The sequence that failed.
    With,
    /// The same without the pick that is suspected.
    Without,
}

/// What the runs so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// More runs are needed.
    Open,
    /// The pick is to blame.
    Guilty,
    /// It did not come again often enough to count.
    Void,
    /// It comes without the pick, too, as in this run.
    Shared(Ticket),
    /// There is no finding out.
    NoAnswer,
}

/// How often a side failed and passed.
#[derive(Debug, Clone, Copy, Default)]
struct Runs {
    failed: u32,
    passed: u32,
    asked: u32,
}

/// The runs about one failure.
#[derive(Debug, Clone)]
pub(crate) struct Doubt {
    /// The trial that failed.
    pub(crate) of: Ticket,
    with: Runs,
    without: Runs,
    silent: u32,
    /// The first run with the pick that failed again.
    pub(crate) again: Option<Ticket>,
    /// The first run without the pick that failed.
    shared: Option<Ticket>,
    pub(crate) asked: Vec<(Ticket, Side)>,
}

/// So many failures convict a pick that passed in between, if the tests never failed without it.
const TIMES_TO_CONVICT: u32 = 3;
/// So many passes after the first failure take it back.
const PASSES_TO_ACQUIT: u32 = 3;
/// So many runs that gave no answer end the matter.
const SILENT_RUNS: u32 = 2;

impl Doubt {
    /// About the failure of this trial, which counts as the first run with the pick.
    pub(crate) fn about(of: Ticket) -> Self {
        let with = Runs { failed: 1, ..Runs::default() };
        Self { of, with, without: Runs::default(), silent: 0, again: None, shared: None, asked: Vec::new() }
    }

    /// What the runs say. A test that fails without the pick, too, says nothing about it; one that failed
    /// with it now and then but never without it, in as many runs, does.
    pub(crate) fn finding(&self) -> Finding {
        if let Some(ticket) = self.shared {
            return Finding::Shared(ticket);
        }
        if self.silent >= SILENT_RUNS {
            return Finding::NoAnswer;
        }
        let fails = self.with.failed;
        let needed = if self.with.passed == 0 { 2 } else { TIMES_TO_CONVICT };
        if fails >= needed && self.without.passed >= needed {
            return Finding::Guilty;
        }
        if fails == 1 && self.with.passed >= PASSES_TO_ACQUIT || self.with.passed >= 2 * PASSES_TO_ACQUIT {
            return Finding::Void;
        }
        Finding::Open
    }

    /// The next run worth asking for, if one is that is not under way.
    pub(crate) fn wanted(&self) -> Option<Side> {
        let pending = |side| self.asked.iter().any(|asked| asked.1 == side);
        if self.finding() != Finding::Open {
            return None;
        }
        let convicting = self.with.failed >= if self.with.passed == 0 { 2 } else { TIMES_TO_CONVICT };
        let first = if convicting { Side::Without } else { Side::With };
        let second = if convicting || self.without.asked >= self.with.asked { None } else { Some(Side::Without) };
        core::iter::once(first).chain(second).find(|&side| !pending(side))
    }

    /// A run was asked for.
    pub(crate) fn ask(&mut self, side: Side, ticket: Ticket) {
        self.runs(side).asked += 1;
        self.asked.push((ticket, side));
    }

    /// The answer to a run; `None` where it gave none.
    pub(crate) fn answer(&mut self, ticket: Ticket, passed: Option<Pass>) {
        let Some(place) = self.asked.iter().position(|asked| asked.0 == ticket) else {
            return;
        };
        let (_, side) = self.asked.swap_remove(place);
        match passed {
            Some(Pass::Yes) => self.runs(side).passed += 1,
            Some(Pass::No) => {
                self.runs(side).failed += 1;
                match side {
                    Side::With => self.again = self.again.or(Some(ticket)),
                    Side::Without => self.shared = self.shared.or(Some(ticket)),
                }
            }
            None => self.silent += 1,
        }
    }

    /// The runs under way.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = Ticket> + '_ {
        self.asked.iter().map(|asked| asked.0)
    }

    fn runs(&mut self, side: Side) -> &mut Runs {
        match side {
            Side::With => &mut self.with,
            Side::Without => &mut self.without,
        }
    }
}

/// Whether a run passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// It did.
    Yes,
    /// It failed.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers run by run, each side from its own list; what is found, and after how many runs.
    fn found(with: &[Pass], without: &[Pass]) -> (Finding, usize) {
        let mut doubt = Doubt::about(Ticket(1));
        let (mut with, mut without) = (with.iter(), without.iter());
        for run in 2.. {
            let Some(side) = doubt.wanted() else {
                return (doubt.finding(), run - 2);
            };
            let ticket = Ticket(run as u64);
            doubt.ask(side, ticket);
            let answer = if side == Side::With { with.next() } else { without.next() };
            doubt.answer(ticket, Some(*answer.expect("no more runs than answers")));
        }
        unreachable!()
    }

    use Pass::{No, Yes};

    #[test]
    fn a_failure_that_comes_again_and_not_without_the_pick_counts() {
        assert_eq!(found(&[No], &[Yes, Yes]), (Finding::Guilty, 3));
    }

    #[test]
    fn a_test_that_fails_without_the_pick_says_nothing() {
        assert_eq!(found(&[No], &[No]), (Finding::Shared(Ticket(3)), 2));
        assert_eq!(found(&[No], &[Yes, No]), (Finding::Shared(Ticket(4)), 3));
    }

    #[test]
    fn one_failure_that_never_comes_again_is_taken_back() {
        assert_eq!(found(&[Yes, Yes, Yes], &[Yes; 4]).0, Finding::Void);
    }

    #[test]
    fn a_pick_that_makes_a_test_flaky_is_no_good() {
        assert_eq!(found(&[Yes, No, No], &[Yes; 4]).0, Finding::Guilty);
    }
}
