//! Simulated worlds: what would pass if it were tried. For tests and benchmarks only, never for a run.
//! A world knows the truth, answers trials from it, and may answer with noise from its own seeded dice.

use alloc::vec::Vec;

use crate::{Outcome, Pick, Proof, Proposal, Search, Solution, Step};

/// The truth about a set of atoms.
#[derive(Debug, Clone)]
pub struct World {
    /// For each atom, for each rung, how it behaves with no other atom moved.
    pub rungs: Vec<Vec<Rung>>,
    /// Pairs of atoms that fail when both have moved, to whatever rung.
    pub conflicts: Vec<(usize, usize)>,
    /// Pairs of which the first fails unless the second has moved too.
    pub requires: Vec<(usize, usize)>,
    /// What a failure tells.
    pub reveal: Reveal,
    /// How many of 1000 trials give no answer.
    pub noise: u16,
    /// The state of the dice.
    pub dice: Dice,
}

/// How a rung behaves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// It passes.
    Good,
    /// It fails whatever else has moved.
    Bad,
}

/// What a failure tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// Only that it failed.
    Nothing,
    /// The first atom of the sequence that does not fit on those before it, as a resolver does.
    FirstCulprit,
}

/// A linear congruential generator: Knuth's MMIX constants, the high bits used.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number below `sides`, which is not zero.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

impl World {
    /// A world of independent breakers, without noise, in which a failure names nothing.
    #[must_use]
    pub fn independent(rungs: Vec<Vec<Rung>>) -> Self {
        Self { rungs, conflicts: Vec::new(), requires: Vec::new(), reveal: Reveal::Nothing, noise: 0, dice: Dice(1) }
    }

    /// The first atom at fault in a sequence: bad, in conflict with one before it, or lacking a partner
    /// anywhere in the sequence. `None` when the sequence passes.
    #[must_use]
    pub fn culprit(&self, picks: &[Pick]) -> Option<usize> {
        let moved = |atom: usize, among: &[Pick]| among.iter().any(|pick| pick.atom == atom);
        let at_fault = |&place: &usize| {
            let Pick { atom, rung } = picks[place];
            let before = &picks[..place];
            let clashes = self
                .conflicts
                .iter()
                .any(|&(one, other)| (one == atom && moved(other, before)) || (other == atom && moved(one, before)));
            let lacks = self.requires.iter().any(|&(one, partner)| one == atom && !moved(partner, picks));
            self.rungs[atom][rung] == Rung::Bad || clashes || lacks
        };
        (0..picks.len()).find(at_fault).map(|place| picks[place].atom)
    }

    /// The answer to a trial.
    pub fn answer(&mut self, proposal: &Proposal) -> Outcome {
        if self.dice.roll(1000) < u64::from(self.noise) {
            return Outcome::Inconclusive;
        }
        match (self.culprit(&proposal.picks), self.reveal) {
            (None, _) => Outcome::Passed,
            (Some(_), Reveal::Nothing) => failed(Vec::new()),
            (Some(atom), Reveal::FirstCulprit) => failed([atom].into()),
        }
    }
}

fn failed(suspects: Vec<usize>) -> Outcome {
    Outcome::Failed { suspects, partners: Vec::new(), proof: Proof::Certain }
}

/// A search driven to its end.
#[derive(Debug, Clone)]
pub struct Run {
    /// Every trial with its answer, in the order of the proposals.
    pub trials: Vec<(Proposal, Outcome)>,
    /// What came of it; `None` if the search had not ended after the trials allowed.
    pub solution: Option<Solution>,
}

/// Drives `search` with one trial at a time, for at most `limit` trials.
pub fn drive(search: &mut Search, limit: usize, mut answer: impl FnMut(&Proposal) -> Outcome) -> Run {
    let mut trials = Vec::new();
    while trials.len() <= limit {
        match search.next(1) {
            Step::Try(proposals) => {
                for proposal in proposals {
                    let outcome = answer(&proposal);
                    search.record(proposal.ticket, outcome.clone());
                    trials.push((proposal, outcome));
                }
            }
            Step::Done(solution) => {
                return Run { trials, solution: Some(solution) };
            }
            Step::Wait => break,
        }
    }
    Run { trials, solution: None }
}
