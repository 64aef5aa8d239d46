//! When a failure of tests counts: what failed runs again, with the pick and without it, until one side is plain.
//! Pure counting. A group is never doubted, only a pick that is about to be rejected; and never until it passes.

use alloc::vec::Vec;

use crate::{Permille, Ticket};

/// What one more failure weighs against a pick, in 1/10 bit, where tests fail for no reason now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight(u32);

/// What a pass weighs for it.
const PASS: u32 = 12;
/// So much convicts: a hundred to one.
const CONVICTS: u32 = 66;

impl Weight {
    /// A bad pick fails six times in ten; one test of those that make a run fail with the chance `flake` fails half as
    /// often as the run, at most.
    pub(crate) fn of(flake: Permille) -> Self {
        Self(match flake {
            0..=50 => 46,
            51..=100 => 36,
            101..=150 => 30,
            151..=200 => 26,
            _ => 20,
        })
    }
}

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
    weight: Weight,
    /// So many passes acquit.
    patience: u32,
    /// Whether it was seen on other picks only.
    pub(crate) is_suspicion: bool,
    /// The first run with the pick that failed again.
    pub(crate) again: Option<Ticket>,
    /// The first run without the pick that failed.
    shared: Option<Ticket>,
    pub(crate) asked: Vec<(Ticket, Side)>,
}

/// So many passes after the first failure take it back, where more runs follow anyway.
const PASSES_TO_ACQUIT: u32 = 3;
/// So many do where nobody looks again.
const LAST_PASSES: u32 = 7;
/// So many passes without the pick are enough, however often it failed with it.
const MOST_BRACKETS: u32 = 4;
/// So many runs that gave no answer end the matter.
const SILENT_RUNS: u32 = 2;

impl Doubt {
    /// About the failure of this trial, which counts as the first run with the pick.
    pub(crate) fn about(of: Ticket, weight: Weight) -> Self {
        let with = Runs { failed: 1, ..Runs::default() };
        Self {
            of,
            with,
            without: Runs::default(),
            silent: 0,
            weight,
            patience: PASSES_TO_ACQUIT,
            is_suspicion: false,
            again: None,
            shared: None,
            asked: Vec::new(),
        }
    }

    /// The same about a failure of the whole matrix, after which nobody looks again.
    pub(crate) fn last(of: Ticket, weight: Weight) -> Self {
        Self { patience: LAST_PASSES, ..Self::about(of, weight) }
    }

    /// About a failure that was taken back on other picks: on these it has not been seen yet.
    pub(crate) fn suspicion(of: Ticket, weight: Weight) -> Self {
        Self { with: Runs::default(), is_suspicion: true, ..Self::last(of, weight) }
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
        if self.convicts() && self.without.passed >= fails.min(MOST_BRACKETS) {
            return Finding::Guilty;
        }
        if fails <= 1 && self.with.passed >= self.patience || self.with.passed >= 2 * self.patience {
            return Finding::Void;
        }
        Finding::Open
    }

    /// Whether the failures with the pick are so many that they are no accident.
    fn convicts(&self) -> bool {
        self.with.failed >= 2 && self.with.failed * self.weight.0 >= CONVICTS + self.with.passed * PASS
    }

    /// The next run worth asking for, if one is that is not under way.
    pub(crate) fn wanted(&self) -> Option<Side> {
        let pending = |side| self.asked.iter().any(|asked| asked.1 == side);
        if self.finding() != Finding::Open {
            return None;
        }
        let convicting = self.convicts();
        let first = if convicting { Side::Without } else { Side::With };
        let early = convicting || self.with.failed == 0 || self.without.asked >= self.with.asked;
        let second = if early { None } else { Some(Side::Without) };
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
        let mut doubt = Doubt::about(Ticket(1), Weight::of(0));
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
