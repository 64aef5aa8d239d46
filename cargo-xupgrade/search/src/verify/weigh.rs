//! The end of a doubt about a failure of the whole matrix, or of what is hunted: a pick is convicted, or the failure is taken back.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::often::Progress;
use super::{Aim, Hunted, RESTARTS, State, Verify};
use crate::evidence::Finding;
use crate::{Reach, Ticket};

/// Number of failures of one length that may prove void before it counts as failed.
const VOIDS: u32 = 3;
/// Limit of failures that turn out to be the base's own.
const SHARED: u32 = 60;

/// A failure for which no pick is to blame.
struct Acquittal {
    /// The trial that failed.
    of: Ticket,
    /// Failure that did not come again; otherwise one that comes without the picks, too.
    is_void: bool,
    /// The tests that failed, where they are all that did.
    red: Option<BTreeSet<u64>>,
    /// Tests among them whose failure did not come again.
    void: BTreeSet<u64>,
}

impl Verify {
    /// A failure of tests was run again.
    pub(super) fn weigh(&mut self) -> Vec<Ticket> {
        let finding = self.doubt.as_ref().map_or(Finding::Open, |(_, doubt)| doubt.finding());
        let Some((len, doubt)) = self.doubt.take_if(|_| finding != Finding::Open) else { return Vec::new() };
        let of = doubt.of;
        // What is hunted failed in a trial of something else, or of more tests, than what stands below it passed.
        let hunting = self.hunted.is_some() || self.aim == Aim::Culprit || doubt.is_suspicion;
        let proof = if hunting { doubt.again.unwrap_or(of) } else { of };
        let acquitted = doubt.is_suspicion && finding != Finding::Guilty;
        let hunted = Hunted { of, reach: doubt.reach, tests: doubt.to_hunt() };
        let of_units = doubt.reach == Reach::Units;
        let mut moot: Vec<Ticket> = doubt.tickets().collect();
        let red = self.red.take();
        if acquitted {
            return moot;
        }
        if self.more.state == Progress::Asked(of) && self.stands_after(&doubt) {
            return moot;
        }
        match finding {
            Finding::Open => {}
            Finding::Guilty => self.convict(len, hunted, proof),
            Finding::Void | Finding::Shared(_) if of_units && !hunting => {
                self.tallies.entry(len).or_default().acquit();
                moot.extend(self.reached(len, of));
            }
            Finding::Shared(ticket) if self.low() > 0 && self.restarts < RESTARTS => {
                self.restarts += 1;
                self.bad = Some((self.low(), ticket)); // what seemed good is not
                self.hunted = Some(hunted);
                (self.good, self.clean) = ((0, None), 0);
                self.corner();
            }
            Finding::Void | Finding::Shared(_) => {
                let acquittal = Acquittal { of, is_void: finding == Finding::Void, red, void: doubt.void() };
                moot.extend(self.take_back(len, acquittal));
            }
            Finding::NoAnswer => self.state = State::Ended,
        }
        moot
    }

    /// Tests fail again and again with the first `len` picks, as in the trial `proof`, and not with those that are clean.
    fn convict(&mut self, len: usize, hunted: Hunted, proof: Ticket) {
        self.tallies.clear();
        self.bad = Some((len, proof));
        if len == self.low() + 1 {
            (self.hunted, self.clean) = (None, self.low());
            return self.blame();
        }
        self.hunted = Some(hunted);
    }

    /// Takes back a failure of the first `len` picks, or of the hunt.
    fn take_back(&mut self, len: usize, acquittal: Acquittal) -> Vec<Ticket> {
        if self.hunted.take().is_some() || self.aim == Aim::Culprit {
            self.lose();
            return Vec::new();
        }
        let Acquittal { of, is_void, red: Some(tests), void } = acquittal else {
            return self.try_anew(len, &acquittal);
        };
        let tally = self.tallies.entry(len).or_default();
        tally.clear(of, &tests, if is_void { &tests } else { &void });
        let often = tally.voids() > VOIDS;
        if is_void && (often || self.voids.get(&len).is_some_and(|voids| *voids > VOIDS)) {
            return self.failed(len, of); // it fails only among all the others, but it does
        }
        self.shared += u32::from(!is_void);
        if often || self.shared > SHARED {
            self.state = State::Ended;
            return Vec::new();
        }
        self.reached(len, of)
    }

    /// Has another run decide, as more than tests with names failed in this one; too many such runs count as failed.
    fn try_anew(&mut self, len: usize, acquittal: &Acquittal) -> Vec<Ticket> {
        if acquittal.is_void || !acquittal.void.is_empty() {
            self.tallies.clear(); // or it would be tried until it passes
        }
        if acquittal.is_void {
            let voids = self.voids.entry(len).or_default();
            *voids += 1;
            return if *voids > VOIDS { self.failed(len, acquittal.of) } else { Vec::new() };
        }
        // The caller knows the test now, and forgives it from then on.
        self.shared += 1;
        if self.shared > SHARED {
            self.state = State::Ended;
        }
        Vec::new()
    }

    /// A hunt found no culprit.
    fn lose(&mut self) {
        self.lost += 1;
        (self.bad, self.clean) = (None, 0);
        self.tallies.clear();
        if self.aim == Aim::Culprit || self.lost > VOIDS {
            self.state = State::Ended;
        }
    }
}
