//! A run of units that is being settled: how much of it passed, how much of it is known to fail, what is being asked.
//! Everything in a lane is tried on one fixed base, so that what is inferred is literally what failed.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::chance::Track;
use crate::evidence::Doubt;
use crate::tally::Tally;
use crate::{Mark, Permille, Proof, Ticket, Why, chance};

/// What a lane is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Units that were not tried yet; what is cut off goes back to the pool.
    Fresh,
    /// Units that passed elsewhere; what is cut off stays kept.
    Union,
}

/// A failing trial that a conclusion rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) ticket: Ticket,
    pub(crate) proof: Proof,
    /// Atoms that deterministic evidence names.
    pub(crate) suspects: Vec<usize>,
    pub(crate) partners: Vec<usize>,
    /// What failed, each with those of whom one is likely to blame.
    pub(crate) marks: Vec<Mark>,
    /// All tests that failed, where nothing else did.
    pub(crate) only: Option<BTreeSet<u64>>,
}

impl Failure {
    /// A failure of which nothing is known but the trial.
    pub(crate) fn bare(ticket: Ticket, proof: Proof) -> Self {
        Self { ticket, proof, suspects: Vec::new(), partners: Vec::new(), marks: Vec::new(), only: None }
    }

    /// The tests that failed, as far as they have names.
    pub(crate) fn tests(&self) -> Vec<u64> {
        self.marks.iter().flat_map(|mark| mark.tests.iter().copied()).collect()
    }
}

/// A trial of the first `len` units that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) ticket: Ticket,
    pub(crate) len: usize,
    pub(crate) again: Again,
}

/// Whether a trial is a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The first of its kind.
    No,
    /// The one before gave no answer.
    Yes,
}

/// A part of a lane that failed while a longer one was under way. The longer one has the first word: if it passes, it
/// holds a partner of what failed, and one trial at a time would never have cut them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) len: usize,
    pub(crate) failure: Failure,
}

/// A run of units in canonical order. The first `passed` of them are known to pass on the lane's base.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) name: u64,
    pub(crate) kind: Kind,
    /// How many settled units are the base.
    pub(crate) based: usize,
    pub(crate) units: Vec<usize>,
    pub(crate) passed: usize,
    /// The trial of exactly all of `units` that failed.
    pub(crate) failure: Option<Failure>,
    pub(crate) probes: Vec<Probe>,
    /// A length to try once more, as it gave no answer.
    pub(crate) retry: Option<usize>,
    /// The longest length to try, after twice no answer.
    pub(crate) limit: Option<usize>,
    /// Why the whole of it is tried.
    pub(crate) why: Why,
    pub(crate) doubt: Option<Doubt>,
    /// The runs of all of it that failed for no unit's sake.
    pub(crate) tally: Tally,
    /// A part that failed, while a longer one is under way.
    pub(crate) waiting: Option<Waiting>,
}

impl Lane {
    pub(crate) fn new(name: u64, kind: Kind, based: usize, units: Vec<usize>, why: Why) -> Self {
        Self {
            name,
            kind,
            based,
            units,
            passed: 0,
            failure: None,
            probes: Vec::new(),
            retry: None,
            limit: None,
            why,
            doubt: None,
            tally: Tally::default(),
            waiting: None,
        }
    }

    /// The units of which nothing is known for certain.
    pub(crate) fn window(&self) -> &[usize] {
        &self.units[self.passed..]
    }

    /// The unit to blame, where only one is left of what failed.
    pub(crate) fn leaf(&self) -> Option<usize> {
        match self.window() {
            [leaf] if self.failure.is_some() => Some(*leaf),
            _ => None,
        }
    }

    /// The next trial of a part of it without one under way: its length and why. `cut` tells where to cut its window.
    pub(crate) fn next(&self, cut: impl FnOnce() -> usize) -> Option<(usize, Why, Again)> {
        if let Some(len) = self.retry {
            return Some((len, Why::Retry, Again::Yes));
        }
        if !self.probes.is_empty() || self.window().is_empty() {
            return None;
        }
        let longest = self.limit.unwrap_or(usize::MAX).clamp(self.passed + 1, self.units.len());
        let len = match self.failure {
            None => longest,
            Some(_) if self.window().len() < 2 => return None,
            Some(_) => (self.passed + cut()).min(longest),
        };
        let whole = len == self.units.len();
        Some((len, if whole { self.why } else { part(len - self.passed) }, Again::No))
    }

    /// A further cut beside what is under way: its length, and how likely it is to be the one that tells.
    pub(crate) fn nested(&self, priors: &[Permille], track: &Track) -> Option<(u64, usize)> {
        if self.retry.is_some() || self.limit.is_some() || self.waiting.is_some() {
            return None;
        }
        let mut cuts: Vec<usize> = self.probes.iter().map(|probe| probe.len - self.passed).collect();
        cuts.sort_unstable();
        chance::widest(priors, &cuts, self.known(), track).map(|(weight, cut)| (weight, self.passed + cut))
    }

    /// What is known of its window.
    pub(crate) fn known(&self) -> chance::Whole {
        if self.failure.is_some() { chance::Whole::Fails } else { chance::Whole::Open }
    }

    /// Takes the probe of a ticket out of what is under way.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<Probe> {
        let place = self.probes.iter().position(|probe| probe.ticket == ticket)?;
        Some(self.probes.remove(place))
    }

    /// The first `len` passed. Gives back the tickets that no longer matter.
    pub(crate) fn pass(&mut self, len: usize) -> Vec<Ticket> {
        self.passed = len;
        self.tally = Tally::default();
        self.waiting = self.waiting.take().filter(|waiting| waiting.len > len);
        self.limit = None;
        self.retry = self.retry.filter(|&retry| retry > len);
        self.drop_probes(|probe| probe.len <= len)
    }

    /// A part failed, but a longer one is under way; of several the shortest tells most.
    pub(crate) fn wait(&mut self, part: Waiting) {
        if self.waiting.as_ref().is_none_or(|waiting| waiting.len > part.len) {
            self.waiting = Some(part);
        }
    }

    /// The failure that waited, once no longer part is under way.
    pub(crate) fn waited(&mut self) -> Option<Waiting> {
        let probes = &self.probes;
        self.waiting.take_if(|waiting| probes.iter().all(|probe| probe.len <= waiting.len))
    }

    /// The first `len` failed: the rest is cut off. Gives back what is cut off and the tickets that no longer matter.
    pub(crate) fn fail(&mut self, len: usize, failure: Failure) -> (Vec<usize>, Vec<Ticket>) {
        self.failure = Some(failure);
        self.limit = None;
        let rest = self.units.split_off(len);
        self.retry = self.retry.filter(|&retry| retry < len);
        (rest, self.drop_probes(|probe| probe.len >= len))
    }

    /// Drops the first `count` units into the base.
    pub(crate) fn rebase(&mut self, count: usize) {
        self.based += count;
        self.units.drain(..count);
        self.passed -= count;
        self.retry = self.retry.map(|len| len - count);
        self.limit = self.limit.map(|len| len - count);
        for len in
            self.probes.iter_mut().map(|probe| &mut probe.len).chain(self.waiting.iter_mut().map(|one| &mut one.len))
        {
            *len -= count;
        }
    }

    /// Takes units out of the window, and with them all that was known of it. Gives back the tickets that no longer matter.
    pub(crate) fn leave_out(&mut self, out: &[usize]) -> Vec<Ticket> {
        let first = self.units.iter().position(|unit| out.contains(unit)).unwrap_or(self.units.len());
        self.units.retain(|unit| !out.contains(unit));
        self.failure = None;
        self.doubt = None;
        self.tally = Tally::default();
        self.waiting = self.waiting.take().filter(|waiting| waiting.len <= first);
        self.retry = self.retry.filter(|&retry| retry <= first);
        self.drop_probes(|probe| probe.len > first)
    }

    fn drop_probes(&mut self, moot: impl Fn(&Probe) -> bool) -> Vec<Ticket> {
        let dropped = self.probes.iter().filter(|probe| moot(probe)).map(|probe| probe.ticket).collect();
        self.probes.retain(|probe| !moot(probe));
        dropped
    }

    /// Leaves only what passed. Gives back the tickets that no longer matter.
    pub(crate) fn abandon(&mut self) -> Vec<Ticket> {
        let moot = self.tickets();
        self.units.truncate(self.passed);
        self.failure = None;
        self.probes.clear();
        self.doubt = None;
        self.waiting = None;
        self.retry = None;
        moot
    }

    /// All tickets under way.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        let doubts = self.doubt.iter().flat_map(Doubt::tickets);
        self.probes.iter().map(|probe| probe.ticket).chain(doubts).collect()
    }
}

/// Why a part of a lane is tried.
pub(crate) fn part(fresh: usize) -> Why {
    if fresh == 1 { Why::Leaf } else { Why::Half }
}
