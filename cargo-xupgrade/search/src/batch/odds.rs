//! How likely the units of a generation fail: by their priors, by how these did so far, and by what failed with them.

use alloc::collections::BTreeSet;
use alloc::{vec, vec::Vec};

use super::Batch;
use crate::chance::{Odds, Stake};
use crate::lane::{Failure, Lane};
use crate::{Mark, Permille};

/// The risk of what a failure does not stand on, as far as is known.
const HARDLY: Permille = 1;
/// So many marks of a failure are looked at.
const VIEWS: usize = 16;

impl Batch {
    /// What is at stake in the window of a lane that failed, as each mark of the failure sees it: who is not within it is
    /// hardly to blame for it.
    pub(crate) fn stakes(&self, lane: &Lane) -> Vec<Vec<Stake<'_>>> {
        let window = lane.window();
        let seen = |units: &BTreeSet<usize>| -> Vec<Stake<'_>> {
            let stake = |unit: &usize| match self.units[*unit].stake() {
                stake if units.contains(unit) => stake,
                stake => Stake { odds: Odds::Prior(HARDLY), ..stake },
            };
            window.iter().map(stake).collect()
        };
        let blamed = lane.failure.iter().flat_map(|failure| self.blamed(failure, window));
        let views: BTreeSet<BTreeSet<usize>> = blamed.map(|units| units.into_iter().collect()).collect();
        views.iter().take(VIEWS).map(seen).collect()
    }

    /// For each mark of a failure those of the units who may be to blame; all of them where it tells nothing.
    fn blamed(&self, failure: &Failure, units: &[usize]) -> Vec<Vec<usize>> {
        let within = |mark: &Mark| -> Vec<usize> {
            let is_in =
                |unit: &&usize| self.units[**unit].joint.picks().iter().any(|pick| mark.within.contains(&pick.atom));
            units.iter().filter(is_in).copied().collect()
        };
        let all = failure.marks.iter().map(within).map(|some| if some.is_empty() { units.to_vec() } else { some });
        let all: Vec<Vec<usize>> = all.collect();
        if all.is_empty() { vec![units.to_vec()] } else { all }
    }

    /// The risks of units, as guessed before anything was tried.
    pub(crate) fn priors(&self, units: &[usize]) -> Vec<Permille> {
        units.iter().map(|&unit| self.units[unit].risk).collect()
    }

    /// The chance that a unit fails: its prior, corrected by how the priors did so far and by what failed with it.
    pub(crate) fn risk(&self, unit: usize) -> Permille {
        self.clue(unit).unwrap_or_else(|| self.corrected(unit))
    }

    fn corrected(&self, unit: usize) -> Permille {
        self.track.corrected(self.units[unit].risk)
    }

    fn clue(&self, unit: usize) -> Option<Permille> {
        self.clues.risk(unit, |other| self.corrected(other))
    }

    /// What is at stake in a unit of the pool.
    pub(crate) fn stake(&self, unit: usize) -> Stake<'_> {
        let stake = self.units[unit].stake();
        self.clue(unit).map_or(stake, |risk| Stake { odds: Odds::Known(risk), ..stake })
    }

    /// What the failure of the first `len` of a lane tells of them.
    pub(super) fn hear(&mut self, place: usize, len: usize, failure: &Failure) {
        let lane = &self.lanes[place];
        let fresh = &lane.units[lane.passed..len];
        let tests = failure.marks.iter().map(|mark| &mark.tests[..]).chain([&[][..]]);
        let blamed: Vec<_> = self.blamed(failure, fresh).into_iter().zip(tests).collect();
        self.clues.heard(failure.ticket, fresh, &blamed);
    }
}
