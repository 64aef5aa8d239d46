//! One generation of the search: units in canonical order, of which as many as possible are kept on top of a base.
//! Lanes settle runs of units side by side; what they keep is settled in canonical order by trials of exactly that,
//! so the same units are kept however many trials run at once and in whatever order they end.

mod odds;
mod settle;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::chance::Track;
use crate::clue::Clues;
use crate::evidence::{self, Doubt, Finding};
use crate::lane::{Again, Failure, Kind, Lane, Waiting};
use crate::order::Unit;
use crate::{Joint, Outcome, Pick, Proof, Reach, Scope, Strategy, Ticket, Why};

/// How a batch is worked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) strategy: Strategy,
    /// What any trial costs.
    pub(crate) floor: u32,
    pub(crate) scope: Scope,
    pub(crate) belief: Belief,
    /// Why everything is tried as a whole before anything else, if it is.
    pub(crate) whole_first: Option<Why>,
    /// Limit of the runs of whole units about one failure.
    pub(crate) runs_of_units: u32,
}

/// What a failure of tests is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belief {
    /// It must come again before it counts.
    Doubted,
    /// It is taken as it is: nothing is rejected that was not before.
    Taken,
}

/// A sequence of units: so many of the settled ones, then these, in canonical order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shot {
    pub(crate) based: usize,
    pub(crate) units: Vec<usize>,
}

/// A unit that failed on top of what was kept then.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) unit: usize,
    pub(crate) failure: Failure,
    /// The sequence that failed; the unit is its last.
    shot: Shot,
    /// The newest sequence that it was looked at again on, and failed.
    again: Option<Shot>,
}

/// A unit that is kept, with the trial in which it first passed and how many fresh picks that proved together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proven {
    pub(crate) ticket: Ticket,
    pub(crate) group: usize,
}

/// What a trial under way is about.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// Something of the lane of that name.
    Lane(u64),
    /// A sequence that is everything, if all goes well; a failure of it says nothing.
    Bet(Shot),
}

/// The state of a generation.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) units: Vec<Unit>,
    pub(crate) rule: Rule,
    pub(crate) pool: BTreeSet<usize>,
    pub(crate) lanes: Vec<Lane>,
    /// Kept for good: exactly these passed on top of the base, in this order. It only grows, at its end.
    pub(crate) settled: Vec<usize>,
    pub(crate) proven_by: Option<Ticket>,
    /// Passed somewhere, to be settled.
    pub(crate) kept: BTreeSet<usize>,
    proofs: BTreeMap<usize, Proven>,
    /// Sequences that passed and may become the settled one.
    pub(crate) passes: Vec<(Shot, Ticket)>,
    /// Bets that did not win: not made again.
    pub(crate) lost: Vec<Shot>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) unanswered: Vec<(usize, Ticket)>,
    /// Units that evidence named: tried alone.
    pub(crate) suspects: BTreeSet<usize>,
    /// Refused before all that comes before them was kept: looked at again, at the end, on all of it.
    early: BTreeMap<usize, Refused>,
    /// Those for which that was done.
    looked: BTreeSet<usize>,
    /// How often a unit was given back: bounded, whatever the answers.
    returns: BTreeMap<usize, u32>,
    pub(crate) asked: BTreeMap<Ticket, Asked>,
    pub(crate) moot: BTreeSet<Ticket>,
    /// How long a group may be, after a long one twice gave no answer.
    pub(crate) timid: Option<usize>,
    /// A sequence that passed, on which a test that failed in this trial failed again: something in it is bad at times.
    pub(crate) trouble: Option<(Vec<Joint>, Ticket)>,
    /// Failures that were taken back.
    pub(crate) taken_back: Vec<Ticket>,
    /// Trials that failed and count as passed all the same, as each test passed in one of the runs.
    pub(crate) cleared: Vec<Ticket>,
    pub(crate) lane_names: u64,
    pub(crate) track: Track,
    clues: Clues,
}

/// How often a unit may come back after its rejection or its failure proved to be void.
const RETURNS: u32 = 2;

impl Batch {
    pub(crate) fn new(units: Vec<Unit>, rule: Rule, track: Track) -> Self {
        Self {
            pool: (0..units.len()).collect(),
            units,
            rule,
            lanes: Vec::new(),
            settled: Vec::new(),
            proven_by: None,
            kept: BTreeSet::new(),
            proofs: BTreeMap::new(),
            passes: Vec::new(),
            lost: Vec::new(),
            refused: Vec::new(),
            unanswered: Vec::new(),
            suspects: BTreeSet::new(),
            early: BTreeMap::new(),
            looked: BTreeSet::new(),
            returns: BTreeMap::new(),
            asked: BTreeMap::new(),
            moot: BTreeSet::new(),
            timid: None,
            trouble: None,
            taken_back: Vec::new(),
            cleared: Vec::new(),
            lane_names: 0,
            track,
            clues: Clues::default(),
        }
    }

    /// Some of its units are tried alone.
    pub(crate) fn suspecting(self, suspects: BTreeSet<usize>) -> Self {
        Self { suspects, ..self }
    }

    /// Whether everything is settled.
    pub(crate) fn is_over(&self) -> bool {
        self.pool.is_empty() && self.lanes.is_empty() && self.kept.is_empty()
    }

    /// A sequence on top of what was accepted before this generation: what it settled, then the units of a shot.
    pub(crate) fn joints(&self, shot: &Shot) -> Vec<Joint> {
        let units = self.settled[..shot.based].iter().chain(&shot.units);
        units.map(|&unit| self.units[unit].joint.clone()).collect()
    }

    /// The settled units with the trials in which they first passed.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&Unit, Proven)> {
        self.settled.iter().filter_map(|unit| Some((&self.units[*unit], *self.proofs.get(unit)?)))
    }

    /// The units that it has not settled yet, one way or the other.
    pub(crate) fn undecided(&self) -> impl Iterator<Item = &Unit> {
        let is_open = |unit: &usize| self.unanswered.iter().all(|open| open.0 != *unit);
        let decided: BTreeSet<usize> =
            self.settled.iter().chain(self.refused.iter().map(|one| &one.unit)).copied().collect();
        (0..self.units.len()).filter(is_open).filter(move |unit| !decided.contains(unit)).map(|unit| &self.units[unit])
    }

    /// The single picks that failed, and on top of how many picks of this generation.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (Pick, &Failure, usize)> {
        let count = |units: &[usize]| units.iter().map(|&unit| self.units[unit].joint.picks().len()).sum::<usize>();
        self.refused.iter().chain(self.early.values()).filter_map(move |refused| {
            let pick = self.units[refused.unit].single()?;
            let shot = refused.again.as_ref().unwrap_or(&refused.shot);
            let below = count(&self.settled[..shot.based]) + count(&shot.units) - 1;
            Some((pick, &refused.failure, below))
        })
    }

    /// About how many trials the failing lanes still take.
    pub(crate) fn open_windows(&self) -> usize {
        let cuts = |lane: &Lane| lane.window().len().max(1).ilog2() as usize;
        self.lanes.iter().filter(|lane| lane.failure.is_some()).map(cuts).sum()
    }

    /// Tells how a trial went. Unknown tickets change nothing.
    pub(crate) fn record(&mut self, ticket: Ticket, outcome: Outcome) {
        self.moot.remove(&ticket);
        match self.asked.remove(&ticket) {
            None => return,
            Some(Asked::Bet(shot)) => {
                if outcome == Outcome::Passed {
                    self.passes.push((shot, ticket));
                } else {
                    self.lost.push(shot);
                }
            }
            Some(Asked::Lane(name)) => {
                if let Some(place) = self.lanes.iter().position(|lane| lane.name == name) {
                    self.answered(place, ticket, outcome);
                }
            }
        }
        self.conclude();
    }

    fn answered(&mut self, place: usize, ticket: Ticket, outcome: Outcome) {
        let lane = &mut self.lanes[place];
        let Some(probe) = lane.take(ticket) else {
            if let Some(doubt) = &mut lane.doubt {
                doubt.answer(ticket, &evidence::counts(&outcome));
            }
            return;
        };
        match outcome {
            Outcome::Passed => self.passed(place, probe.len, ticket),
            Outcome::Failed { suspects, partners, marks, proof, only } => {
                let failure = Failure { ticket, proof, suspects, partners, marks, only };
                if lane.probes.iter().any(|longer| longer.len > probe.len) {
                    lane.wait(Waiting { len: probe.len, failure });
                } else {
                    self.failed(place, probe.len, failure);
                }
            }
            Outcome::Unproved { .. } | Outcome::Counted { .. } | Outcome::Inconclusive => {
                self.gave_no_answer(place, probe.len, probe.again, ticket);
            }
        }
        if let Some(Waiting { len, failure }) = self.lanes.get_mut(place).and_then(Lane::waited) {
            self.failed(place, len, failure);
        }
    }

    fn passed(&mut self, place: usize, len: usize, ticket: Ticket) {
        self.timid = None;
        let lane = &mut self.lanes[place];
        let new = lane.units[lane.passed..len].to_vec();
        let shot = Shot { based: lane.based, units: lane.units[..len].to_vec() };
        let moot = lane.pass(len);
        let kind = lane.kind;
        self.forget(&moot);
        self.clues.passed(&shot.units);
        let group = shot.units.iter().map(|&unit| self.units[unit].joint.picks().len()).sum();
        self.passes.push((shot, ticket));
        if kind == Kind::Fresh {
            for unit in new {
                self.track.passed(self.units[unit].risk);
                self.kept.insert(unit);
                self.early.remove(&unit);
                self.proofs.insert(unit, Proven { ticket, group });
            }
        }
    }

    fn failed(&mut self, place: usize, len: usize, failure: Failure) {
        if self.rule.strategy == Strategy::All {
            return self.give_up();
        }
        self.hear(place, len, &failure);
        let (rest, moot) = self.lanes[place].fail(len, failure);
        self.forget(&moot);
        let lane = &self.lanes[place];
        if lane.kind == Kind::Fresh {
            self.pool.extend(rest);
            if lane.window().len() > 1 {
                self.set_aside(place);
            }
        }
    }

    /// Takes units that evidence names out of a failing lane: they are tried alone, the others without them.
    fn set_aside(&mut self, place: usize) {
        let lane = &self.lanes[place];
        let is_new = |unit: &usize| self.is_named(lane, *unit) && !self.suspects.contains(unit);
        let out: Vec<usize> = lane.window().iter().copied().filter(is_new).collect();
        if out.is_empty() {
            return;
        }
        let moot = self.lanes[place].leave_out(&out);
        self.forget(&moot);
        self.pool.extend(&out);
        self.suspects.extend(&out);
    }

    /// Membership of a unit in the evidence of a lane's failure.
    pub(crate) fn is_named(&self, lane: &Lane, unit: usize) -> bool {
        let named = |pick: &Pick| lane.failure.as_ref().is_some_and(|failure| failure.suspects.contains(&pick.atom));
        self.units[unit].joint.picks().iter().any(named)
    }

    /// Once: the same again. Twice: a shorter one, and what cannot be shortened stays open.
    fn gave_no_answer(&mut self, place: usize, len: usize, again: Again, ticket: Ticket) {
        let lane = &mut self.lanes[place];
        if again == Again::No {
            lane.retry = Some(len);
            return;
        }
        let tried = len - lane.passed;
        if tried == 1 {
            return self.leave_open(place, ticket);
        }
        lane.limit = Some(lane.passed + tried / 2);
        self.timid = Some(tried / 2);
    }

    /// The first unknown unit of a lane gave no answer twice: it is left, and the lane goes on without it.
    fn leave_open(&mut self, place: usize, ticket: Ticket) {
        let lane = &mut self.lanes[place];
        let unit = lane.units[lane.passed];
        let kind = lane.kind;
        let moot = lane.leave_out(&[unit]);
        self.forget(&moot);
        match self.early.remove(&unit) {
            Some(refused) => self.refused.push(refused),
            None => self.unanswered.push((unit, ticket)),
        }
        if kind == Kind::Union {
            self.cast_out(unit);
        }
    }

    /// Nothing more is tried.
    pub(crate) fn give_up(&mut self) {
        self.pool.clear();
        self.kept.clear();
        self.lanes.clear();
        let asked: Vec<Ticket> = self.asked.keys().copied().collect();
        self.forget(&asked);
    }

    /// The answers of these no longer matter.
    fn forget(&mut self, tickets: &[Ticket]) {
        for ticket in tickets {
            if self.asked.remove(ticket).is_some() {
                self.moot.insert(*ticket);
            }
        }
    }

    /// Draws all conclusions from what is known now.
    pub(crate) fn conclude(&mut self) {
        let mut place = 0;
        while place < self.lanes.len() {
            if self.conclude_lane(place) {
                let lane = self.lanes.remove(place);
                self.forget(&lane.tickets());
                place = 0; // a rejection may have changed other lanes
            } else {
                place += 1;
            }
        }
        self.settle();
        if self.is_over() && self.rule.strategy != Strategy::All {
            self.look_at_the_early();
        }
    }

    /// Whether the lane is done with.
    fn conclude_lane(&mut self, place: usize) -> bool {
        let lane = &mut self.lanes[place];
        let Some(unit) = lane.leaf() else {
            return lane.window().is_empty();
        };
        let Some(failure) = lane.failure.clone() else {
            return false;
        };
        let doubt = lane.doubt.get_or_insert_with(|| Doubt::about(failure.ticket));
        let known = self.rule.belief == Belief::Taken || self.early.contains_key(&unit);
        let taken = failure.proof == Proof::Certain || known;
        let finding = if taken { Finding::Guilty } else { doubt.finding() };
        match finding {
            Finding::Open => return false,
            Finding::Guilty => self.refuse(place, unit, failure),
            Finding::Void | Finding::Shared(_) if doubt.reach == Reach::Units => {
                return self.count(place, failure.ticket);
            }
            Finding::Void | Finding::Shared(_) => return self.acquit(place, unit, &failure, finding),
            Finding::NoAnswer => self.leave_open(place, failure.ticket),
        }
        true
    }

    /// A unit is not to blame for a failure. Once each test passed in a run of the same, that counts as a pass; until then the same
    /// is tried again, a few times. Whether the lane is done with.
    fn acquit(&mut self, place: usize, unit: usize, failure: &Failure, finding: Finding) -> bool {
        let lane = &mut self.lanes[place];
        let void = lane.doubt.as_ref().map(Doubt::void).unwrap_or_default();
        if finding == Finding::Void || !void.is_empty() {
            self.clues.taken_back(failure.ticket);
            self.taken_back.push(failure.ticket);
        }
        if let Some(tests) = &failure.only {
            lane.tally.clear(failure.ticket, tests, if finding == Finding::Void { tests } else { &void });
        }
        let has_passed = lane.tally.passes() > 0;
        if !has_passed && !self.comes_back(unit) {
            self.leave_open(place, failure.ticket);
            return true;
        }
        let lane = &self.lanes[place];
        if let Finding::Shared(_) = finding {
            let base = Shot { based: lane.based, units: lane.units[..lane.passed].to_vec() };
            self.trouble = Some((self.joints(&base), failure.ticket));
        }
        let lane = &mut self.lanes[place];
        if let Some(newest) = lane.tally.doubtful().filter(|_| has_passed) {
            lane.doubt = Some(Doubt::of_units(newest, self.rule.runs_of_units));
            return false;
        }
        if has_passed {
            return self.count(place, failure.ticket);
        }
        (lane.failure, lane.doubt, lane.retry) = (None, None, Some(lane.units.len()));
        false
    }

    /// The runs of a lane count as a pass, of which this is the newest: the lane is done with.
    fn count(&mut self, place: usize, ticket: Ticket) -> bool {
        let lane = &mut self.lanes[place];
        (lane.failure, lane.doubt) = (None, None);
        self.cleared.extend(lane.tally.cleared());
        let len = lane.units.len();
        self.passed(place, len, ticket);
        true
    }

    /// A unit failed on top of what its lane passed.
    fn refuse(&mut self, place: usize, unit: usize, failure: Failure) {
        let lane = &self.lanes[place];
        let shot = Shot { based: lane.based, units: lane.units.clone() };
        let kind = lane.kind;
        if let Some(before) = self.early.remove(&unit) {
            self.refused.push(Refused { again: Some(shot), ..before });
        } else {
            self.track.failed(self.units[unit].risk);
            self.clues.refused(unit, &failure.tests());
            self.refused.push(Refused { unit, failure, shot, again: None });
        }
        if kind == Kind::Union {
            self.cast_out(unit);
        }
    }

    /// Counts that a unit is tried anew; false when it was often enough.
    fn comes_back(&mut self, unit: usize) -> bool {
        let count = self.returns.entry(unit).or_default();
        *count += 1;
        *count <= RETURNS
    }

    /// A unit that was kept is not, after all: what rests on it does not hold any more.
    fn cast_out(&mut self, unit: usize) {
        self.kept.remove(&unit);
        self.proofs.remove(&unit);
        self.passes.retain(|(shot, _)| !shot.units.contains(&unit));
        let rests = |refused: &Refused| refused.unit != unit && refused.shot.units.contains(&unit);
        let void: Vec<usize> =
            self.refused.iter().filter(|&refused| rests(refused)).map(|refused| refused.unit).collect();
        self.early.retain(|_, refused| !rests(refused));
        for loser in void {
            if self.comes_back(loser) {
                self.refused.retain(|refused| refused.unit != loser);
                self.pool.insert(loser);
            }
        }
        for place in (0..self.lanes.len()).rev() {
            if self.lanes[place].kind == Kind::Fresh && self.lanes[place].units.contains(&unit) {
                self.pool.extend(self.lanes[place].window().to_vec());
                let moot = self.lanes[place].abandon();
                self.forget(&moot);
            }
        }
    }
}
