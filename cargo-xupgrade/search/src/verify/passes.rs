//! The runs of the whole matrix that speak for a set: those that passed, and those that did test by test.

use alloc::vec::Vec;

use super::often::Progress;
use super::{State, Verify};
use crate::Ticket;
use crate::evidence::Doubt;
use crate::tally::Tally;

impl Verify {
    /// The state of the verification: true once the whole target passed the whole matrix as often as was asked for.
    pub(super) fn has_passed(&self) -> bool {
        self.missing() == 0 && self.tally().doubtful().is_none()
    }

    fn full_runs(&self) -> usize {
        self.runs.full.max(1) as usize
    }

    /// The number of passes of the whole target that are still to come.
    pub(super) fn missing(&self) -> usize {
        self.full_runs().saturating_sub(self.tally().passes())
    }

    /// The runs of the whole target.
    pub(super) fn tally(&self) -> &Tally {
        const NONE: &Tally = &Tally::new();
        self.tallies.get(&self.target.len()).unwrap_or(NONE)
    }

    pub(super) fn end_if_enough(&mut self) {
        if self.target.is_empty() || self.has_passed() && self.more.state == Progress::Done {
            self.state = State::Ended;
        }
    }

    pub(super) fn passed(&mut self, len: usize, ticket: Ticket) -> Vec<Ticket> {
        self.silent = 0;
        self.tallies.entry(len).or_default().pass(ticket);
        self.reached(len, ticket)
    }

    /// Draws the conclusion from the runs of the first `len` picks, of which this is the newest.
    pub(super) fn reached(&mut self, len: usize, ticket: Ticket) -> Vec<Ticket> {
        let needed = if len == self.target.len() { self.full_runs() } else { 1 };
        let Some(tally) = self.tallies.get(&len).filter(|tally| tally.passes() >= needed) else { return Vec::new() };
        if let Some(newest) = tally.doubtful() {
            // Beside the base: what passed on the way may owe it to chance.
            (self.good, self.clean) = ((0, None), 0);
            self.doubt = Some((len, Doubt::of_units(newest, self.runs.of_units)));
            return self.drop_asked(|_| true);
        }
        self.cleared.extend(tally.cleared());
        if len == self.target.len() {
            self.end_if_enough();
            return Vec::new();
        }
        if len > self.good.0 {
            self.good = (len, Some(ticket));
        }
        let moot = self.drop_asked(|asked| asked <= len);
        self.blame();
        moot
    }
}
