//! The whole matrix on what was accepted, as often as asked for; where it fails, the pick to blame is cut out.
//! What passed the whole matrix is bisected in commit order with runs of the whole matrix.

mod often;
mod passes;
mod weigh;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::evidence::{self, Doubt, Side};
use crate::tally::Tally;
use crate::{Checkpoint, Joint, Outcome, Pick, Proof, Reach, Scope, Ticket, Until, Why, joint};
use often::{More, Progress};

/// So many runs of one length may give no answer.
const SILENT: u32 = 2;
/// Passes of a hunted test after which a sequence counts as free of it: a test that fails in one run of five is missed once
/// in a hundred times.
const CLEAN: u32 = 20;
/// So many of the failures that the search took back are looked at again.
const SUSPICIONS: usize = 6;
/// So often the hunt for one culprit may begin anew.
const RESTARTS: u32 = 6;

/// The state of a verification.
#[derive(Debug, Clone)]
pub(crate) struct Verify {
    pub(crate) target: Vec<Joint>,
    /// The joint that an atom falls back to when its pick is cut out.
    fallback: BTreeMap<usize, Joint>,
    runs: Runs,
    more: More,
    aim: Aim,
    /// The first so many joints passed the whole matrix at least once (0: nothing is known to).
    good: (usize, Option<Ticket>),
    /// In the first so many joints the test that is hunted never failed.
    clean: usize,
    /// The first so many joints failed.
    bad: Option<(usize, Ticket)>,
    hunted: Option<Hunted>,
    /// The runs of the whole matrix on the first so many joints that speak for them.
    tallies: BTreeMap<usize, Tally>,
    /// Trials that failed and count as passed all the same, as each test passed in as many runs as are needed.
    pub(crate) cleared: Vec<Ticket>,
    asked: Vec<(Ticket, usize)>,
    doubt: Option<(usize, Doubt)>,
    /// The tests of the failure of the whole matrix that is doubted, where they are all that failed.
    red: Option<BTreeSet<u64>>,
    /// Failures that the search took back: their tests run again on the whole target first.
    suspicions: Vec<Ticket>,
    /// Number of failures of the whole matrix that were taken back, by length.
    voids: BTreeMap<usize, u32>,
    /// Number of failures that were the base's own.
    shared: u32,
    /// Number of hunts that found no culprit.
    lost: u32,
    silent: u32,
    restarts: u32,
    pub(crate) refused: Vec<(Pick, Ticket)>,
    /// Atoms among the refused for which the whole matrix was no evidence: nothing failed for their sake.
    pub(crate) idle: BTreeSet<usize>,
    /// Picks that were taken out with one that is refused, each with the trial: nothing else is known against them.
    pub(crate) released: Vec<(Pick, Ticket)>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
}

/// Numbers of runs of a verification.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runs {
    /// Of the whole matrix; at least 1 is made.
    pub(crate) full: u32,
    /// Of the tests after these.
    pub(crate) more: u32,
    /// Of whole units about one failure, at most.
    pub(crate) of_units: u32,
}

/// The tests that are hunted.
#[derive(Debug, Clone)]
struct Hunted {
    /// The trial in which they failed.
    of: Ticket,
    reach: Reach,
    tests: BTreeSet<Option<u64>>,
}

/// What it is done for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// A checkpoint.
    Checkpoint,
    /// The pick that makes a test fail at times.
    Culprit,
}

/// A run to propose: how many joints of the target, how, why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full {
    pub(crate) len: usize,
    pub(crate) scope: Scope,
    pub(crate) why: Why,
}

impl Verify {
    /// The runs of the whole matrix on the target, then those of its tests.
    pub(crate) fn new(target: Vec<Joint>, fallback: BTreeMap<usize, Joint>, runs: Runs) -> Self {
        let state = if target.is_empty() { State::Ended } else { State::Running };
        Self {
            target,
            fallback,
            runs,
            more: More::new(runs.more),
            aim: Aim::Checkpoint,
            good: (0, None),
            clean: 0,
            bad: None,
            hunted: None,
            tallies: BTreeMap::new(),
            cleared: Vec::new(),
            asked: Vec::new(),
            doubt: None,
            red: None,
            suspicions: Vec::new(),
            voids: BTreeMap::new(),
            shared: 0,
            lost: 0,
            silent: 0,
            restarts: 0,
            refused: Vec::new(),
            idle: BTreeSet::new(),
            released: Vec::new(),
            state,
        }
    }

    /// The hunt for the pick in `target` that makes the tests fail which failed in the trial `of`.
    pub(crate) fn hunt(target: Vec<Joint>, of: Ticket, of_units: u32) -> Self {
        let doubt = (target.len(), Doubt::about(of));
        let runs = Runs { full: 1, more: 0, of_units };
        Self { aim: Aim::Culprit, doubt: Some(doubt), ..Self::new(target, BTreeMap::new(), runs) }
    }

    /// The same, after the search took back the failures of these trials, the newest last.
    pub(crate) fn suspecting(mut self, taken_back: &[Ticket]) -> Self {
        self.suspicions = taken_back.iter().rev().take(SUSPICIONS).copied().collect();
        self
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    /// The target with the runs that it passed, when these were enough.
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        // A failure in the last runs that is still doubted may yet take a pick out.
        let is_open = self.doubt.is_some() && matches!(self.more.state, Progress::Asked(_));
        let done = self.aim == Aim::Checkpoint && !self.target.is_empty() && self.has_passed() && !is_open;
        done.then(|| Checkpoint { joints: self.target.clone(), proven_by: self.tally().tickets().collect() })
    }

    /// What is left of the target with a trial that proves it, once something was cut out.
    pub(crate) fn accepted(&self) -> Option<(&[Joint], Option<Ticket>)> {
        if self.refused.is_empty() {
            return None;
        }
        let tally = self.tally();
        match tally.tickets().last().filter(|_| tally.passes() > 0) {
            Some(ticket) => Some((&self.target, Some(ticket))),
            None => Some((&self.target[..self.good.0], self.good.1)),
        }
    }

    /// The next run, if one is worth a place.
    pub(crate) fn propose(&mut self, ticket: Ticket) -> Option<Full> {
        if self.is_over() {
            return None;
        }
        let low = self.low();
        if self.doubt.is_none() && self.bad.is_none() && self.asked.is_empty() {
            let suspicion = self.suspicions.pop();
            self.doubt = suspicion.map(|of| (self.target.len(), Doubt::suspicion(of)));
        }
        if let Some((len, doubt)) = &mut self.doubt {
            let (side, runs, until) = doubt.wanted()?;
            doubt.ask(side, ticket);
            let scope = Scope::Again { of: doubt.of, reach: doubt.reach, runs, until };
            return Some(match side {
                Side::With => Full { len: *len, scope, why: Why::Confirm },
                Side::Without => Full { len: low, scope, why: Why::Bracket },
            });
        }
        let (len, scope, why) = match (self.bad, &self.hunted) {
            (None, _) if self.asked.len() < self.missing() => (self.target.len(), Scope::Full, Why::Verify),
            (None, _) if self.more.state == Progress::Due && self.has_passed() => return Some(self.run_often(ticket)),
            (None, _) => return None,
            (Some((bad, _)), None) => (self.cut(bad)?, Scope::Full, Why::Verify),
            (Some((bad, _)), Some(Hunted { of, reach, .. })) => {
                let scope = Scope::Again { of: *of, reach: *reach, runs: CLEAN, until: Until::Red };
                (self.hunting_ground(bad)?, scope, Why::Bracket)
            }
        };
        self.asked.push((ticket, len));
        Some(Full { len, scope, why })
    }

    /// The longest length that nothing speaks against.
    fn low(&self) -> usize {
        self.good.0.max(self.clean)
    }

    /// The middle of what is open, where nobody looks at the moment.
    fn hunting_ground(&self, bad: usize) -> Option<usize> {
        let middle = usize::midpoint(self.low(), bad);
        (middle > self.low() && self.asked.is_empty()).then_some(middle)
    }

    /// The middle of the widest gap between what passed, what is under way and what failed.
    fn cut(&self, bad: usize) -> Option<usize> {
        let mut ends: Vec<usize> = self.asked.iter().map(|asked| asked.1).collect();
        ends.extend([self.low(), bad]);
        ends.sort_unstable();
        let gaps = ends.windows(2).filter(|pair| pair[1] - pair[0] > 1);
        let widest = gaps.max_by_key(|pair| (pair[1] - pair[0], core::cmp::Reverse(pair[0])))?;
        Some(usize::midpoint(widest[0], widest[1]))
    }

    /// Tells how a run went; gives back the tickets that no longer matter.
    pub(crate) fn record(&mut self, ticket: Ticket, outcome: &Outcome) -> Vec<Ticket> {
        if let Some((_, doubt)) = &mut self.doubt
            && doubt.waits_for(ticket)
        {
            doubt.answer(ticket, &evidence::counts(outcome));
            return self.weigh();
        }
        if self.more.state == Progress::Asked(ticket) && self.doubt.is_none() {
            return self.ran_often(ticket, outcome);
        }
        let Some(place) = self.asked.iter().position(|asked| asked.0 == ticket) else {
            return Vec::new();
        };
        let (_, len) = self.asked.remove(place);
        if self.hunted.is_some() {
            return self.tracked(len, ticket, outcome);
        }
        match outcome {
            Outcome::Passed => self.passed(len, ticket),
            Outcome::Failed { proof: Proof::Certain, .. } => self.failed(len, ticket),
            Outcome::Failed { only, .. } => {
                self.red.clone_from(only);
                self.doubt = Some((len, Doubt::last(ticket)));
                self.drop_asked(|_| true)
            }
            Outcome::Unproved { atoms } => self.drop_unproved(len, ticket, atoms),
            Outcome::Counted { .. } | Outcome::Inconclusive => self.gave_no_answer(),
        }
    }

    /// A run of the whole target, which nothing speaks against so far, took these picks in one step only: they are one from now on, as a
    /// part of them alone would be refused.
    pub(crate) fn merge(&mut self, joint: &Joint) {
        let is_whole = self.asked.iter().all(|(_, len)| *len == self.target.len());
        if !is_whole || self.bad.is_some() || self.doubt.is_some() || self.hunted.is_some() {
            return;
        }
        let places: Vec<usize> = (0..self.target.len()).filter(|&place| self.target[place].meets(joint)).collect();
        let before = self.target.len();
        joint::merge(&mut self.target, joint);
        let gone = before - self.target.len();
        let (Some(&first), Some(&last), 1..) = (places.first(), places.last(), gone) else { return };
        // Of a length that ends amid the merged ones nothing is known any more.
        let moved = |len: usize| match len {
            len if len <= first => Some(len),
            len if len > last => Some(len - gone),
            _ => None,
        };
        for asked in &mut self.asked {
            asked.1 = self.target.len();
        }
        self.good = moved(self.good.0).map_or((0, None), |len| (len, self.good.1));
        self.clean = moved(self.clean).unwrap_or(0);
        let tallies = core::mem::take(&mut self.tallies).into_iter();
        self.tallies = tallies.filter_map(|(len, tally)| Some((moved(len)?, tally))).collect();
        let voids = core::mem::take(&mut self.voids).into_iter();
        self.voids = voids.filter_map(|(len, count)| Some((moved(len)?, count))).collect();
    }

    /// The whole matrix passed with the first `len` joints, and is no evidence for some of their picks: these go, with what moves
    /// with them, and nothing else is to blame.
    fn drop_unproved(&mut self, len: usize, ticket: Ticket, atoms: &[usize]) -> Vec<Ticket> {
        let is_unproved = |pick: &&Pick| atoms.contains(&pick.atom);
        let places = (0..len).filter(|&place| self.target[place].picks().iter().any(|pick| is_unproved(&pick)));
        let places: Vec<usize> = places.collect();
        let Some(&first) = places.first() else { return self.gave_no_answer() };
        for &place in places.iter().rev() {
            let joint = self.target.remove(place);
            let unproved: Vec<Pick> = joint.picks().iter().filter(is_unproved).copied().collect();
            self.idle.extend(unproved.iter().map(|pick| pick.atom));
            self.cut_out(&joint, &unproved, ticket);
        }
        if first < self.good.0 {
            self.good = (0, None);
        }
        self.tallies.clear();
        let moot = self.drop_asked(|_| true);
        self.start_anew();
        moot
    }

    /// Runs of the hunted tests.
    fn tracked(&mut self, len: usize, ticket: Ticket, outcome: &Outcome) -> Vec<Ticket> {
        let mut counts = evidence::counts(outcome);
        counts.retain(|count| self.hunted.as_ref().is_some_and(|hunted| hunted.tests.contains(&count.test)));
        if counts.is_empty() {
            return self.gave_no_answer();
        }
        self.silent = 0;
        if counts.iter().any(|count| count.red > 0) {
            self.bad = Some((len, ticket));
        } else {
            self.clean = len;
        }
        self.corner();
        Vec::new()
    }

    /// Where only one joint is left between what is clean and what failed, it is doubted, as any leaf is.
    fn corner(&mut self) {
        if let (Some((bad, _)), Some(Hunted { of, reach, .. })) = (self.bad, &self.hunted)
            && bad == self.low() + 1
        {
            let doubt = match reach {
                Reach::Tests => Doubt::about(*of),
                Reach::Units => Doubt::of_units(*of, self.runs.of_units),
            };
            self.doubt = Some((bad, doubt));
        }
    }

    pub(super) fn failed(&mut self, len: usize, ticket: Ticket) -> Vec<Ticket> {
        self.silent = 0;
        self.tallies.clear();
        self.bad = Some((len, ticket));
        let moot = self.drop_asked(|asked| asked >= len);
        self.blame();
        moot
    }

    /// Where only one joint is left between what passed and what failed, it is cut out.
    fn blame(&mut self) {
        let Some((bad, ticket)) = self.bad.filter(|(bad, _)| *bad == self.low() + 1) else {
            return;
        };
        let joint = self.target.remove(bad - 1);
        self.cut_out(&joint, &[joint.first()], ticket);
        self.asked.clear();
        if self.aim == Aim::Culprit {
            self.state = State::Ended;
        }
        self.start_anew();
    }

    /// A joint was taken out of the target, and these of its picks are to blame: what is known against it is nothing against the
    /// others, for they may pass without them. Its atoms go back to where they were.
    fn cut_out(&mut self, joint: &Joint, blamed: &[Pick], ticket: Ticket) {
        self.refused.extend(blamed.iter().map(|pick| (*pick, ticket)));
        for pick in joint.picks() {
            let is_free = |old: &Joint| old != joint && !self.target.iter().any(|other| other.meets(old));
            if self.fallback.get(&pick.atom).is_some_and(is_free) {
                self.target.extend(self.fallback.remove(&pick.atom));
            }
        }
        // None of them comes back a second time.
        self.fallback.retain(|_, old| old != joint && !self.target.contains(old));
        let is_out = |pick: &&Pick| !blamed.contains(pick) && !self.target.iter().any(|one| one.picks().contains(pick));
        self.released.extend(joint.picks().iter().filter(is_out).map(|pick| (*pick, ticket)));
    }

    /// What is left of the target is another one.
    fn start_anew(&mut self) {
        self.bad = None;
        self.voids.clear();
        let mut passed = self.tallies.remove(&self.good.0).unwrap_or_default();
        self.tallies.clear();
        (self.lost, self.restarts) = (0, 0);
        if self.more.runs > 0 {
            (self.more.state, self.more.voids) = (Progress::Due, 0);
        }
        self.clean = 0;
        if self.is_over() {
            return;
        }
        if self.good.0 == self.target.len() {
            // The rest is what passed on the way.
            if passed.passes() == 0 {
                self.good.1.into_iter().for_each(|ticket| passed.pass(ticket));
            }
            self.tallies.insert(self.good.0, passed);
        }
        self.end_if_enough();
    }

    fn gave_no_answer(&mut self) -> Vec<Ticket> {
        self.silent += 1;
        if self.silent >= SILENT {
            self.state = State::Ended;
            return self.drop_asked(|_| true);
        }
        Vec::new()
    }

    pub(super) fn drop_asked(&mut self, moot: impl Fn(usize) -> bool) -> Vec<Ticket> {
        let dropped = self.asked.iter().filter(|asked| moot(asked.1)).map(|asked| asked.0).collect();
        self.asked.retain(|asked| !moot(asked.1));
        dropped
    }

    /// Whether answers are still to come.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.asked.is_empty()
            || matches!(self.more.state, Progress::Asked(_))
            || self.doubt.as_ref().is_some_and(|(_, doubt)| doubt.asked.is_some())
    }

    /// About how many runs are still to come.
    pub(crate) fn guess(&self) -> usize {
        if self.is_over() {
            return 0;
        }
        let split = self.bad.map_or(0, |(bad, _)| (bad - self.low().min(bad)).max(1).ilog2() as usize);
        split + usize::from(self.more.state == Progress::Due) + self.missing()
    }
}
