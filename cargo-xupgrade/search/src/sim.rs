//! Simulated worlds: what would pass if it were tried. For tests and benchmarks only, never for a run.
//! A world knows the truth, answers trials from it, and may answer with noise from its own seeded dice.

mod dice;
pub mod draw;
mod drive;
mod noise;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::{Count, Mark, Outcome, Permille, Pick, Proof, Proposal, Reach, Scope, Ticket, Until};

pub use dice::Dice;
pub use drive::{Run, drive, drive_rounds, drive_shuffled};
pub use noise::{Cause, FlakyTest, Known};

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
    /// For each atom the units of tests that stand on it; what is wrong with it shows in the first. Empty: a failure does
    /// not tell where it is.
    pub stands: Vec<Vec<usize>>,
    /// How many of 1000 trials give no answer.
    pub noise: u16,
    /// Tests that fail at times, whatever has moved.
    pub flaky: Vec<FlakyTest>,
    /// The state of the dice.
    pub dice: Dice,
    /// What failed in each trial that failed, for [`Scope::Again`].
    failed: BTreeMap<Ticket, Vec<Cause>>,
}

/// How a rung behaves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// It passes.
    Good,
    /// It does not compile, whatever else has moved: the gates see it.
    Bad,
    /// One test fails every time.
    Red,
    /// One test fails at times; this is the chance that it passes.
    Shaky(Permille),
    /// One test fails every time, but only the whole matrix runs it.
    Deep,
    /// In so many of 1000 runs of all tests one of them fails, each time another, and never by name: they get in each other's way.
    Clash(Permille),
}

/// What a failure tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// Only that it failed.
    Nothing,
    /// The first atom of the sequence that does not fit on those before it, as a resolver does.
    FirstCulprit,
    /// The partners that the first atom at fault lacks or clashes with, as a compiler does.
    Partners,
}

impl World {
    /// A world of independent breakers, without noise, in which a failure names nothing.
    #[must_use]
    pub fn independent(rungs: Vec<Vec<Rung>>) -> Self {
        Self {
            rungs,
            conflicts: Vec::new(),
            requires: Vec::new(),
            reveal: Reveal::Nothing,
            stands: Vec::new(),
            noise: 0,
            flaky: Vec::new(),
            dice: Dice(1),
            failed: BTreeMap::new(),
        }
    }

    /// The first atom at fault in a sequence: not good by itself, in conflict with one before it, or lacking a
    /// partner anywhere in the sequence. `None` when the sequence truly passes.
    #[must_use]
    pub fn culprit(&self, picks: &[Pick]) -> Option<usize> {
        (0..picks.len()).find(|&place| self.is_at_fault(picks, place)).map(|place| picks[place].atom)
    }

    fn is_at_fault(&self, picks: &[Pick], place: usize) -> bool {
        let Pick { atom, rung } = picks[place];
        self.rungs[atom][rung] != Rung::Good || !self.partners(picks, place).is_empty()
    }

    /// The atoms that the one at `place` clashes with among those before it, or lacks in the whole sequence.
    fn partners(&self, picks: &[Pick], place: usize) -> Vec<usize> {
        let atom = picks[place].atom;
        let moved = |atom: usize, among: &[Pick]| among.iter().any(|pick| pick.atom == atom);
        let other = |&(one, two): &(usize, usize)| match atom {
            _ if one == atom => Some(two),
            _ if two == atom => Some(one),
            _ => None,
        };
        let clashes = self.conflicts.iter().filter_map(other).filter(|&other| moved(other, &picks[..place]));
        let needs = self.requires.iter().filter(|pair| pair.0 == atom).map(|pair| pair.1);
        clashes.chain(needs.filter(|&partner| !moved(partner, picks))).collect()
    }

    /// The answer to a trial.
    pub fn answer(&mut self, proposal: &Proposal) -> Outcome {
        if self.dice.roll(1000) < u64::from(self.noise) {
            return Outcome::Inconclusive;
        }
        if let Scope::Again { of, reach, runs, until } = proposal.scope {
            return match reach {
                Reach::Tests => self.count(proposal, of, runs, until),
                Reach::Units => self.count_units(proposal, runs, until),
            };
        }
        let causes = self.run(&proposal.picks(), proposal.scope);
        let causes = self.without_known(causes, &proposal.picks());
        if causes.is_empty() {
            return Outcome::Passed;
        }
        let tests: Vec<u64> = causes.iter().filter_map(Cause::test).collect();
        let only = causes.iter().all(|cause| !cause.is_certain()).then(|| tests.iter().copied().collect());
        self.failed.insert(proposal.ticket, causes);
        self.tell(&proposal.picks(), tests, only)
    }

    /// A failure, as far as its words tell.
    fn tell(&self, picks: &[Pick], tests: Vec<u64>, only: Option<BTreeSet<u64>>) -> Outcome {
        let proof = if only.is_some() { Proof::Tests } else { Proof::Certain };
        let first = (0..picks.len()).find(|&place| self.is_at_fault(picks, place));
        let (mut suspects, mut partners) = (Vec::new(), Vec::new());
        match (self.reveal, first) {
            (Reveal::FirstCulprit, Some(place)) if proof == Proof::Certain => suspects.push(picks[place].atom),
            (Reveal::Partners, Some(place)) => partners = self.partners(picks, place),
            _ => {}
        }
        Outcome::Failed { suspects, partners, marks: self.marks(picks, tests, proof), proof, only }
    }

    /// What failed, as far as it shows: for each at fault the unit of tests in which it does, or, where none stands on it,
    /// its tests. A compiler stops at the first.
    fn marks(&self, picks: &[Pick], tests: Vec<u64>, proof: Proof) -> Vec<Mark> {
        let stands = |atom: usize| self.stands.get(atom).map_or(&[][..], |units| units);
        let mut unplaced = Mark { tests, within: Vec::new() };
        let mut marks = Vec::new();
        let some = if proof == Proof::Certain { 1 } else { picks.len() };
        for place in (0..picks.len()).filter(|&place| self.is_at_fault(picks, place)).take(some) {
            let atom = picks[place].atom;
            let Some(unit) = stands(atom).first() else { continue };
            let within = picks.iter().map(|pick| pick.atom).filter(|&other| stands(other).contains(unit)).collect();
            let own = unplaced.tests.iter().position(|&test| test == atom as u64);
            marks.push(Mark { tests: own.map(|own| unplaced.tests.remove(own)).into_iter().collect(), within });
        }
        marks.extend((!unplaced.tests.is_empty()).then_some(unplaced));
        marks
    }

    /// What fails in one run of a scope.
    fn run(&mut self, picks: &[Pick], scope: Scope) -> Vec<Cause> {
        let certain = self.certain(picks);
        match scope {
            _ if !certain.is_empty() => certain,
            Scope::Gate => Vec::new(),
            Scope::Often { runs } => {
                let mut all: Vec<Cause> = (0..runs).flat_map(|_| self.tests(picks, Scope::Full)).collect();
                all.sort_by_key(Cause::test);
                all.dedup();
                all
            }
            Scope::Concerned | Scope::Full | Scope::Again { .. } => self.tests(picks, scope),
        }
    }

    /// Runs of the tests that failed in a trial, each by name.
    fn count(&mut self, proposal: &Proposal, of: Ticket, runs: u32, until: Until) -> Outcome {
        let mut causes = self.failed.get(&of).cloned().unwrap_or_default();
        causes.retain(|cause| cause.test().is_some());
        let mut counts = counts(causes.iter().filter_map(Cause::test));
        for _ in 0..runs {
            for (cause, count) in causes.iter().zip(&mut counts) {
                count.add(self.fails_again(*cause, &proposal.picks()));
            }
            if until == Until::Red && counts.iter().any(|count| count.red > 0) {
                break;
            }
        }
        let red = causes.into_iter().zip(&counts).filter(|(_, count)| count.red > 0).map(|(cause, _)| cause);
        let red: Vec<Cause> = red.collect();
        if proposal.joints.is_empty() {
            self.learn(&red);
        }
        self.failed.insert(proposal.ticket, red);
        Outcome::Counted { tests: counts }
    }

    /// Runs of all tests, counted as one.
    fn count_units(&mut self, proposal: &Proposal, runs: u32, until: Until) -> Outcome {
        let mut counts = counts([0].into_iter());
        for _ in 0..runs {
            let red = self.tests(&proposal.picks(), Scope::Full);
            let is_new = |cause: &Cause| !self.is_known(cause);
            counts[0].add(red.iter().any(is_new));
            if until == Until::Red && counts[0].red > 0 {
                break;
            }
            if proposal.joints.is_empty() {
                self.learn(&red);
            }
        }
        Outcome::Counted { tests: counts }
    }
}

/// The answer to a proposal to run tests again, of a world with one such test, which asks for each run of it.
pub fn counted(proposal: &Proposal, mut fails: impl FnMut() -> bool) -> Outcome {
    let Scope::Again { runs, until, .. } = proposal.scope else { return Outcome::Inconclusive };
    let mut counts = counts([0].into_iter());
    for _ in 0..runs {
        let red = fails();
        counts[0].add(red);
        if red && until == Until::Red {
            break;
        }
    }
    Outcome::Counted { tests: counts }
}

fn counts(tests: impl Iterator<Item = u64>) -> Vec<Count> {
    tests.map(|test| Count { test: Some(test), red: 0, green: 0 }).collect()
}

impl Count {
    fn add(&mut self, red: bool) {
        if red { self.red += 1 } else { self.green += 1 }
    }
}
