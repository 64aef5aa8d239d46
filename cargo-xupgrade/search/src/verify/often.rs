//! The tests of what passed the whole matrix, run several times more: what fails in one of the runs is doubted as any failure of
//! tests, and where no pick is to blame, what passed stands.

use alloc::vec::Vec;

use super::{Full, State, Verify};
use crate::evidence::{Doubt, Finding};
use crate::{Outcome, Reach, Scope, Ticket, Why};

/// More runs of the tests, once the whole target passed the whole matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct More {
    pub(super) runs: u32,
    pub(super) state: Progress,
    /// Number of failures in them that did not come again.
    pub(super) voids: u32,
}

impl More {
    /// Further runs, due where there are any.
    pub(super) fn new(runs: u32) -> Self {
        Self { runs, state: if runs == 0 { Progress::Done } else { Progress::Due }, voids: 0 }
    }
}

/// Number of failures in the runs that may prove void; the caller asks about the second with all that ran beside the tests.
const VOIDS: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Due,
    /// Trial under way, or whose failure is doubted.
    Asked(Ticket),
    Done,
}

impl Verify {
    /// Leaves the further runs out, for want of time.
    pub(crate) fn hurry(&mut self) {
        if self.more.state == Progress::Due {
            self.more.state = Progress::Done;
            self.more.runs = 0;
            self.end_if_enough();
        }
    }

    /// The trial that makes the runs.
    pub(super) fn run_often(&mut self, ticket: Ticket) -> Full {
        self.more.state = Progress::Asked(ticket);
        Full { len: self.target.len(), scope: Scope::Often { runs: self.more.runs }, why: Why::Often }
    }

    /// Takes the answer to the runs: a failure in one of them is doubted as any failure of tests, beside the base: what passed the
    /// whole matrix on the way may owe it to chance.
    pub(super) fn ran_often(&mut self, ticket: Ticket, outcome: &Outcome) -> Vec<Ticket> {
        if let Outcome::Failed { .. } = outcome {
            (self.good, self.clean) = ((0, None), 0);
            self.doubt = Some((self.target.len(), Doubt::last(ticket)));
        } else {
            self.more.state = Progress::Done;
            self.end_if_enough();
        }
        Vec::new()
    }

    /// The end of the doubt about a failure in one of the runs; true where that is all there is to say. A test that the base
    /// fails, too, is no pick's fault; what did not come again is looked at once more; without an answer nothing is published.
    pub(super) fn stands_after(&mut self, doubt: &Doubt) -> bool {
        match doubt.finding() {
            Finding::Open => return false,
            Finding::Guilty => {
                self.more.state = Progress::Due;
                return false;
            }
            Finding::Void | Finding::Shared(_) if doubt.reach == Reach::Tests && doubt.has_void() => {
                self.more.voids += 1;
                if self.more.voids < VOIDS {
                    self.more.state = Progress::Due;
                } else {
                    self.doubt = Some((self.target.len(), Doubt::of_units(doubt.of, self.runs.of_units)));
                }
                return true;
            }
            Finding::Void | Finding::Shared(_) => self.more.state = Progress::Done,
            Finding::NoAnswer => {
                self.tallies.clear();
                self.state = State::Ended;
            }
        }
        self.end_if_enough();
        true
    }
}
