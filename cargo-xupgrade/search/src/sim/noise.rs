//! What fails in one run, by name: atoms, pairs, and tests that fail at times whatever has moved.

use alloc::vec::Vec;

use super::{Rung, World};
use crate::{Permille, Pick, Scope};

/// A test that fails at times in the base, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlakyTest {
    /// How many of 1000 runs it fails.
    pub rate: Permille,
    /// Whether the baseline saw it flap, so that its failures are not believed.
    pub known: Known,
}

/// Whether a test is known to be flaky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The baseline saw it pass and fail.
    Yes,
    /// It has always passed so far.
    No,
}

/// A name that a failing run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The step of this atom to this rung does not compile.
    Broken(Pick),
    /// The atom does not compile among the others.
    Partner(usize),
    /// The test that this step breaks, always or at times.
    Test(Pick),
    /// A flaky test, by its place in the list.
    Flake(usize),
    /// One of many tests that others got in the way of.
    Victim(u64),
}

/// The number of tests that may get in each other's way.
const VICTIMS: u64 = 50;

impl Cause {
    /// The number of the test, where it is one.
    pub(super) fn test(&self) -> Option<u64> {
        match self {
            Self::Broken(_) | Self::Partner(_) => None,
            Self::Test(pick) => Some(pick.atom as u64),
            Self::Flake(test) => Some(u64::MAX - *test as u64),
            Self::Victim(test) => Some(1_000_000 + test),
        }
    }

    /// Whether it is the same every time.
    pub(super) fn is_certain(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Partner(_))
    }
}

impl World {
    /// What keeps a sequence from compiling.
    pub(super) fn certain(&self, picks: &[Pick]) -> Vec<Cause> {
        let cause = |place: usize| {
            let pick = picks[place];
            if self.rungs[pick.atom][pick.rung] == Rung::Bad {
                return Some(Cause::Broken(pick));
            }
            (!self.partners(picks, place).is_empty()).then_some(Cause::Partner(pick.atom))
        };
        (0..picks.len()).filter_map(cause).collect()
    }

    /// The tests that fail in one run of what compiles.
    pub(super) fn tests(&mut self, picks: &[Pick], scope: Scope) -> Vec<Cause> {
        let steps = picks.iter().filter(|pick| match self.rungs[pick.atom][pick.rung] {
            Rung::Deep => scope == Scope::Full,
            Rung::Red | Rung::Shaky(_) => true,
            Rung::Good | Rung::Bad | Rung::Clash(_) => false,
        });
        let steps = steps.copied().map(Cause::Test);
        let mut all: Vec<Cause> = steps.chain((0..self.flaky.len()).map(Cause::Flake)).collect();
        all.retain(|cause| self.fails_again(*cause, picks));
        for pick in picks {
            if let Rung::Clash(rate) = self.rungs[pick.atom][pick.rung]
                && self.dice.happens(rate)
            {
                all.push(Cause::Victim(self.dice.roll(VICTIMS)));
            }
        }
        all
    }

    /// Whether what failed in some trial fails in one more run on these picks.
    pub(super) fn fails_again(&mut self, cause: Cause, picks: &[Pick]) -> bool {
        match cause {
            Cause::Broken(pick) => picks.contains(&pick),
            Cause::Partner(atom) => {
                let place = picks.iter().position(|pick| pick.atom == atom);
                place.is_some_and(|place| !self.partners(picks, place).is_empty())
            }
            Cause::Test(pick) => match self.rungs[pick.atom][pick.rung] {
                Rung::Shaky(passes) => picks.contains(&pick) && !self.dice.happens(passes),
                _ => picks.contains(&pick),
            },
            Cause::Flake(test) => self.dice.happens(self.flaky[test].rate),
            Cause::Victim(_) => false,
        }
    }

    /// Marks tests that failed on the base as known to be flaky.
    pub(super) fn learn(&mut self, red: &[Cause]) {
        for cause in red {
            if let Cause::Flake(test) = *cause {
                self.flaky[test].known = Known::Yes;
            }
        }
    }

    /// Membership in what the base showed to be flaky.
    pub(super) fn is_known(&self, cause: &Cause) -> bool {
        matches!(*cause, Cause::Flake(test) if self.flaky[test].known == Known::Yes)
    }

    /// Failures of tests that are known to be flaky count only where they fail in seven more runs of them alone.
    pub(super) fn without_known(&mut self, mut causes: Vec<Cause>, picks: &[Pick]) -> Vec<Cause> {
        causes.retain(|cause| !self.is_known(cause) || (0..7).all(|_| self.fails_again(*cause, picks)));
        causes
    }
}
