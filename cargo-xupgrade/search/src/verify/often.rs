//! The tests of what passed the whole matrix, run several times more: what fails in one of the runs is doubted as any failure of
//! tests, and where no pick is to blame, what passed stands.

use alloc::vec::Vec;

use super::{Full, Verify};
use crate::evidence::{Doubt, Finding};
use crate::{Outcome, Scope, Ticket, Why};

/// More runs of the tests, once the whole target passed the whole matrix.
#[derive(Debug, Clone, Copy)]
pub(super) struct More {
    pub(super) runs: u32,
    pub(super) state: Progress,
}

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

    /// Takes the answer to the runs: a failure in one of them is doubted as any failure of tests.
    pub(super) fn ran_often(&mut self, ticket: Ticket, outcome: &Outcome) -> Vec<Ticket> {
        if let Outcome::Failed { .. } = outcome {
            self.doubt = Some((self.target.len(), Doubt::last(ticket)));
        } else {
            self.more.state = Progress::Done;
            self.end_if_enough();
        }
        Vec::new()
    }

    /// The end of the doubt about a failure in one of the runs: true where no pick is to blame, so that what passed the whole
    /// matrix stands, as the test fails at times whatever moves.
    pub(super) fn stands_after(&mut self, finding: Finding) -> bool {
        let stands = finding != Finding::Guilty;
        self.more.state = if stands { Progress::Done } else { Progress::Due };
        if stands {
            self.end_if_enough();
        }
        stands
    }
}
