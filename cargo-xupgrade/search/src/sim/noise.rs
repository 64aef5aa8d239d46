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
}

impl Cause {
    /// The number of the test, where it is one.
    pub(super) fn test(&self) -> Option<u64> {
        match self {
            Self::Broken(_) | Self::Partner(_) => None,
            Self::Test(pick) => Some(pick.atom as u64),
            Self::Flake(test) => Some(u64::MAX - *test as u64),
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
            Rung::Good | Rung::Bad => false,
        });
        let steps = steps.copied().map(Cause::Test);
        let all: Vec<Cause> = steps.chain((0..self.flaky.len()).map(Cause::Flake)).collect();
        all.into_iter().filter(|cause| self.fails_again(*cause, picks)).collect()
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

    /// Failures of tests that are known to be flaky count only where nothing else failed and they fail in seven more runs of
    /// them alone.
    pub(super) fn without_known(&mut self, causes: Vec<Cause>, picks: &[Pick]) -> Vec<Cause> {
        let is_known = |cause: &Cause| matches!(*cause, Cause::Flake(test) if self.flaky[test].known == Known::Yes);
        let (mut known, new): (Vec<Cause>, Vec<Cause>) = causes.into_iter().partition(is_known);
        if !new.is_empty() {
            return new;
        }
        for _ in 0..7 {
            known.retain(|cause| self.fails_again(*cause, picks));
        }
        known
    }
}
