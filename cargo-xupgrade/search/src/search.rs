//! The order of things: stage by stage, generation by generation, and at the end the whole matrix.
//! What a generation does is in `batch`, what comes next for an atom in `ladder`; here they meet the ledger.

mod close;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::batch::{Batch, Belief, Rule};
use crate::bill;
use crate::chance::{self, Stake, Track};
use crate::ladder::Climb;
use crate::ledger::Ledger;
use crate::order::{self, Unit};
use crate::rescue::Rescue;
use crate::sieve::{Sieve, Sifted};
use crate::stage::{self, Open, Resume, Stage};
use crate::verify::{Runs, Verify};
use crate::{AtomSpec, Break, Joint, Options, Outcome, Permille, Pick, Proposal, Scope, Step, Strategy, Ticket, Why};

/// A search over the atoms of one plan.
#[derive(Debug, Clone)]
pub struct Search {
    atoms: Vec<AtomSpec>,
    options: Options,
    /// What any trial costs, in things built.
    floor: u32,
    stage: Stage,
    ledger: Ledger,
    track: Track,
    climbs: Vec<Climb>,
    rescue: Rescue,
    batch: Option<Batch>,
    /// A generation on its way through the gates.
    sieve: Option<Sieve>,
    verify: Option<Verify>,
    /// The joint in which an atom was before it was lifted.
    before: BTreeMap<usize, Joint>,
    /// Losers that are tried as one at the end.
    together: Vec<Joint>,
    moot: BTreeSet<Ticket>,
    issued: u64,
    /// How often the stage of second looks was gone through.
    look_rounds: u32,
    /// Failures of tests that were taken back, the newest last.
    taken_back: Vec<Ticket>,
    /// Trials that failed and count as passed, not told yet.
    cleared: Vec<Ticket>,
    /// How often it was hunted for what fails at times.
    hunts: u32,
    /// How often the whole matrix took something out and the search went on.
    returns: u32,
    /// The atoms that climb again after that; `None`: all.
    reopened: Option<BTreeSet<usize>>,
    pace: Pace,
}

/// Whether the search may still look for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Searching,
    Finishing,
}

impl Search {
    /// A search over `atoms`, in plan order.
    #[must_use]
    pub fn new(atoms: &[AtomSpec], options: &Options) -> Self {
        let stage = match options.strategy {
            Strategy::All => Stage::Everything,
            Strategy::Split | Strategy::Halving if !options.at_once.is_empty() => Stage::AtOnce,
            Strategy::Split | Strategy::OneByOne | Strategy::Halving => Stage::LastTime,
        };
        let mut options = options.clone();
        if !matches!(options.strategy, Strategy::Split | Strategy::Halving) {
            options.at_once.clear();
        }
        Self {
            atoms: atoms.to_vec(),
            options,
            floor: bill::floor(atoms),
            stage,
            ledger: Ledger::new(atoms.len()),
            track: Track::default(),
            climbs: Vec::new(),
            rescue: Rescue::default(),
            batch: None,
            sieve: None,
            verify: None,
            before: BTreeMap::new(),
            together: Vec::new(),
            moot: BTreeSet::new(),
            issued: 0,
            look_rounds: 0,
            taken_back: Vec::new(),
            cleared: Vec::new(),
            hunts: 0,
            returns: 0,
            reopened: None,
            pace: Pace::Searching,
        }
    }

    /// What to do next. `room` is how many more trials the caller could start now, beside those under way.
    pub fn next(&mut self, room: usize) -> Step {
        if room == 0 && self.stage != Stage::Over {
            return Step::Wait;
        }
        loop {
            let step = match self.stage {
                Stage::Over => return Step::Done(self.ledger.solution()),
                Stage::Verify | Stage::Hunt(_) if self.batch.is_none() => self.verify_step(room),
                _ => self.batch_step(room),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Tells how a trial went. Tickets that are unknown, already recorded or given out before
    /// [`Search::stop`] are ignored.
    pub fn record(&mut self, ticket: Ticket, outcome: Outcome) {
        self.moot.remove(&ticket);
        if let Some(verify) = &mut self.verify {
            self.ledger.told(ticket).for_each(|joint| verify.merge(joint));
            self.moot.extend(verify.record(ticket, &outcome));
            self.cleared.append(&mut verify.cleared);
        } else if let Some(batch) = &mut self.batch {
            batch.record(ticket, outcome);
            self.taken_back.append(&mut batch.taken_back);
            self.cleared.append(&mut batch.cleared);
            if let Some((base, of)) = batch.trouble.take() {
                self.start_hunt(&base, of);
            }
        }
    }

    /// Tells that in a trial, however it ends, the package manager took the first of these picks only with the others: where its
    /// sequence is accepted, they are one from then on. To be told before the trial is recorded.
    pub fn join(&mut self, ticket: Ticket, joint: Joint) {
        self.ledger.join(ticket, joint);
    }

    /// A test fails on what passed: before anything else is tried on it, what makes it fail is looked for.
    fn start_hunt(&mut self, base: &[Joint], of: Ticket) {
        let target = self.ledger.joined(self.ledger.sequence(base));
        let resume = match self.stage {
            Stage::Climb(kind) => Resume::Climb(kind),
            Stage::LastTime => Resume::LastTime,
            Stage::Looks => Resume::Looks,
            _ => Resume::Verify,
        };
        if target.is_empty() || self.hunts >= HUNTS || self.pace == Pace::Finishing {
            return;
        }
        self.hunts += 1;
        self.suspend_batch();
        self.verify = Some(Verify::hunt(target, of, self.options.runs_of_units));
        self.stage = Stage::Hunt(resume);
    }

    /// What the hunt found is out; the others are tried as a whole, and what failed beside it counts no more.
    fn after_hunt(&mut self, resume: Resume) {
        let Some(verify) = self.verify.take() else { return };
        let Some(&(culprit, ticket)) = verify.refused.first() else {
            self.stage = match resume {
                Resume::Climb(kind) => Stage::Climb(kind),
                Resume::LastTime => Stage::LastTime,
                Resume::Looks => Stage::Looks,
                Resume::Verify => Stage::Verify,
            };
            return;
        };
        let others = self.ledger.accepted.iter().filter(|joint| !joint.picks().contains(&culprit));
        self.options.last_time = others.cloned().collect();
        self.options.at_once.clear();
        self.ledger.roll_back(culprit, ticket);
        self.sieve = None;
        self.before.clear();
        self.climbs.clear();
        self.look_rounds = 0;
        self.reopened = None;
        self.stage = Stage::LastTime;
    }

    /// Trials that are under way and whose answer no longer matters; they may be ended, and recording them does no harm.
    #[must_use]
    pub fn obsolete(&self) -> Vec<Ticket> {
        let batch = self.batch.iter().flat_map(|batch| batch.moot.iter());
        self.moot.iter().chain(batch).copied().collect()
    }

    /// Trials that failed and count as passed all the same, told once or more: no pick is to blame for what failed in them, all
    /// else passed, and each test passed in as many of the trials of the same picks as are needed. One of them may be the proof
    /// of what is accepted.
    #[must_use]
    pub fn cleared(&mut self) -> Vec<Ticket> {
        core::mem::take(&mut self.cleared)
    }

    /// Ends the search in good order, as the budget does: no new trials but those that verify what is accepted.
    /// What is still under way may be recorded before the next call of [`Search::next`], not after it.
    pub fn finish(&mut self) {
        self.pace = Pace::Finishing;
        if matches!(self.stage, Stage::Hunt(_)) {
            self.verify = None;
        }
        if let Some(verify) = &mut self.verify {
            verify.hurry();
        }
        if self.stage == Stage::Over || self.verify.is_some() {
            return;
        }
        self.close_batch();
        self.stage = Stage::Verify;
    }

    /// Ends the search where it stands: what is accepted stays, nothing more is proposed, and an
    /// outstanding trial no longer counts (record it before, if it is to).
    pub fn stop(&mut self) {
        self.close_batch();
        if matches!(self.stage, Stage::Hunt(_)) {
            self.verify = None;
        }
        self.close_verify();
        self.moot.clear();
        self.stage = Stage::Over;
    }

    /// About how many trials are still to come, those under way included; 0 when the search is over.
    /// A guess from the priors, for a line that says how much time is left.
    #[must_use]
    pub fn expected_remaining(&self) -> usize {
        if self.stage == Stage::Over {
            return 0;
        }
        let runs = self.options.verify_runs.max(1) as usize;
        let verify = self.verify.as_ref().map_or(runs, Verify::guess);
        let Some(batch) = &self.batch else {
            let first = matches!(self.stage, Stage::AtOnce | Stage::LastTime | Stage::Everything);
            let all = if first { stage::everything(&self.atoms) } else { Vec::new() };
            return verify + self.guess(all.iter().map(|unit| self.track.corrected(unit.risk)));
        };
        let later =
            if self.stage == Stage::Climb(Break::Compatible) { self.to_climb(Break::Breaking) } else { Vec::new() };
        let later = later.iter().map(|unit| self.track.corrected(unit.risk));
        let pool = batch.pool.iter().map(|&unit| batch.risk(unit));
        verify + batch.asked.len() + batch.open_windows() + self.guess(pool.chain(later))
    }

    /// About how many trials it takes to settle picks of these risks.
    fn guess(&self, risks: impl Iterator<Item = Permille>) -> usize {
        let mut known = [0u64; 1000];
        let mut cost = |risk: Permille| match self.options.strategy {
            Strategy::Split | Strategy::Halving => {
                let known = &mut known[usize::from(risk.min(999))];
                if *known == 0 {
                    *known = chance::unknown(risk).max(1);
                }
                *known
            }
            Strategy::OneByOne => 1000,
            Strategy::All => 0,
        };
        let thousandths: u64 = risks.map(&mut cost).sum();
        usize::try_from(thousandths.div_ceil(1000)).unwrap_or(usize::MAX)
    }

    /// Proposals of the generation under way; `None` when the stage or the generation is another now.
    fn batch_step(&mut self, room: usize) -> Option<Step> {
        let Some(batch) = &mut self.batch else {
            self.refill();
            return None;
        };
        let mut asks = Vec::new();
        while asks.len() < room && !batch.is_over() {
            let Some(ask) = batch.propose(Ticket(self.issued + 1)) else { break };
            self.issued += 1;
            asks.push(ask);
        }
        if asks.is_empty() && !batch.is_over() && !batch.asked.is_empty() {
            return Some(Step::Wait);
        }
        if asks.is_empty() {
            self.close_batch();
            return None;
        }
        let first = asks.iter().any(|ask| ask.ticket == Ticket(1));
        let batch = self.batch.as_ref()?;
        let proposals = asks.into_iter().map(|ask| {
            let joints = self.ledger.sequence(&batch.joints(&ask.shot));
            let is_fresh = |joint: &&Joint| ask.shot.units.iter().any(|&unit| batch.units[unit].joint.meets(joint));
            let fresh = joints.iter().filter(is_fresh).count();
            let is_plain = !matches!(ask.why, Why::LastTime | Why::AtOnce);
            let why = if first && ask.ticket == Ticket(1) && is_plain { Why::First } else { ask.why };
            Proposal { ticket: ask.ticket, joints, fresh, scope: ask.scope, why }
        });
        Some(Step::Try(proposals.collect()))
    }

    fn verify_step(&mut self, room: usize) -> Option<Step> {
        let Some(verify) = &mut self.verify else {
            let before = core::mem::take(&mut self.before);
            let known = self.ledger.checkpoint.as_ref().is_some_and(|known| known.joints == self.ledger.accepted);
            let target = if known { Vec::new() } else { self.ledger.accepted.clone() };
            let more = if self.pace == Pace::Searching { self.options.more_runs } else { 0 };
            let runs = Runs { full: self.options.verify_runs, more, of_units: self.options.runs_of_units };
            let verify = Verify::new(target, before, runs);
            self.verify = Some(verify.suspecting(&self.taken_back));
            return None;
        };
        let mut proposals = Vec::new();
        while proposals.len() < room {
            let ticket = Ticket(self.issued + 1);
            let Some(full) = verify.propose(ticket) else { break };
            self.issued += 1;
            let joints = verify.target[..full.len].to_vec();
            proposals.push(Proposal { ticket, joints, fresh: 0, scope: full.scope, why: full.why });
        }
        if !proposals.is_empty() {
            return Some(Step::Try(proposals));
        }
        if !verify.is_over() && verify.is_waiting() {
            return Some(Step::Wait);
        }
        if let Stage::Hunt(resume) = self.stage {
            self.after_hunt(resume);
            return None;
        }
        let cut_out = self.close_verify();
        self.stage = self.after_verify(cut_out);
        None
    }

    /// The next generation, or the next stage.
    fn refill(&mut self) {
        let sifted = match self.stage {
            Stage::LastTime => Sifted::unsifted(stage::given(&self.atoms, &self.last_time()), Some(Why::LastTime)),
            Stage::AtOnce => {
                let mut units = stage::given(&self.atoms, &stage::at_once(&self.options));
                order::by_risk(&self.atoms, &mut units);
                Sifted::unsifted(units, Some(Why::AtOnce))
            }
            Stage::Everything => Sifted::unsifted(stage::everything(&self.atoms), Some(Why::Group)),
            Stage::Climb(_) => self.climbing(),
            Stage::Looks => Sifted::unsifted(self.looks(), None),
            Stage::Together(place) => Sifted::unsifted(self.together(place), None),
            Stage::Hunt(_) | Stage::Verify | Stage::Over => return,
        };
        let belief = match self.stage {
            _ if self.sieve.is_some() => Belief::Taken,
            Stage::Together(_) => Belief::Taken,
            Stage::Looks if self.reopened.is_none() => Belief::Taken,
            _ => Belief::Doubted,
        };
        let Sifted { units, whole_first, suspects } = sifted;
        let again = matches!(self.stage, Stage::Climb(_) | Stage::Looks) && !units.is_empty();
        if !again {
            self.advance();
        }
        if !units.is_empty() {
            let rule = Rule {
                strategy: self.options.strategy,
                floor: self.floor,
                scope: if self.sieve.is_some() { Scope::Gate } else { Scope::Concerned },
                belief,
                whole_first,
                runs_of_units: self.options.runs_of_units,
            };
            self.batch = Some(Batch::new(units, rule, self.track).suspecting(suspects));
        }
    }

    /// The set that passed last time; after the set that resolves at once only what moved as one, has parts that are not in that, and
    /// lowers nothing.
    fn last_time(&self) -> Vec<Joint> {
        let is_known = |pick: &Pick| pick.atom < self.atoms.len();
        let is_below = |pick: &Pick| is_known(pick) && self.ledger.rung(pick.atom).is_some_and(|rung| rung > pick.rung);
        let is_in = |pick: &Pick| self.options.at_once.contains(pick);
        let is_wanted = |joint: &&Joint| {
            let picks = joint.picks();
            picks.len() > 1 && !picks.iter().all(is_in) && !picks.iter().any(is_below)
        };
        let all = self.options.last_time.iter();
        if self.options.at_once.is_empty() { all.cloned().collect() } else { all.filter(is_wanted).cloned().collect() }
    }

    /// What the atoms want to try next: at first at the gates, where these are cheap.
    fn climbing(&mut self) -> Sifted {
        if let Some(sieve) = self.sieve.take() {
            return sieve.sifted();
        }
        let (units, whole_first) = self.generation();
        self.sieve = Sieve::new(&units, whole_first, &self.options);
        match &self.sieve {
            Some(sieve) => Sifted::unsifted(sieve.units(), whole_first),
            None => Sifted::unsifted(units, whole_first),
        }
    }

    /// The stage after this one.
    fn advance(&mut self) {
        self.stage = match self.stage {
            Stage::AtOnce if !self.last_time().is_empty() => Stage::LastTime,
            Stage::AtOnce | Stage::LastTime => self.start_climb(Break::Compatible),
            Stage::Climb(Break::Compatible) => self.start_climb(Break::Breaking),
            Stage::Climb(Break::Breaking) => {
                (0..self.atoms.len()).for_each(|atom| self.ledger.settle(atom));
                Stage::Looks
            }
            Stage::Looks if self.options.strategy == Strategy::Split => {
                self.together = stage::together(&self.atoms, &self.ledger);
                Stage::Together(0)
            }
            Stage::Together(place) if place + 1 < self.together.len() => Stage::Together(place + 1),
            Stage::Everything | Stage::Looks | Stage::Together(_) | Stage::Hunt(_) | Stage::Verify => Stage::Verify,
            Stage::Over => Stage::Over,
        };
    }

    /// What is worth another look: each one that passes may let others pass.
    fn looks(&mut self) -> Vec<Unit> {
        // What gave no answer may pass without what was taken out; once is enough.
        let open = if self.reopened.is_some() && self.look_rounds == 0 { Open::Too } else { Open::Stays };
        self.look_rounds += 1;
        if self.look_rounds > LOOK_ROUNDS { Vec::new() } else { stage::looks(&self.atoms, &self.ledger, open) }
    }

    /// What was taken out goes down its ladder, and what failed beside it is looked at again.
    fn after_verify(&mut self, cut_out: BTreeSet<usize>) -> Stage {
        self.returns += 1;
        if cut_out.is_empty()
            || self.returns > RETURNS
            || self.pace == Pace::Finishing
            || self.options.strategy == Strategy::All
        {
            return Stage::Over;
        }
        self.ledger.shaken();
        self.look_rounds = 0;
        self.reopened = Some(cut_out);
        self.start_climb(Break::Compatible)
    }

    fn start_climb(&mut self, kind: Break) -> Stage {
        self.climbs = self.climbs_of(kind);
        Stage::Climb(kind)
    }

    fn climbs_of(&self, kind: Break) -> Vec<Climb> {
        let start = |(atom, spec): (usize, &AtomSpec)| {
            if self.reopened.as_ref().is_some_and(|reopened| !reopened.contains(&atom)) {
                return Climb::over(kind);
            }
            let refused = |rung| self.ledger.is_refused(Pick { atom, rung });
            Climb::start(spec, kind, self.ledger.rung(atom), self.options.below, refused)
        };
        self.atoms.iter().enumerate().map(start).collect()
    }

    fn to_climb(&self, kind: Break) -> Vec<Unit> {
        stage::climbers(&self.atoms, &self.climbs_of(kind), &BTreeSet::new())
    }

    /// What the atoms want to try next, in canonical order.
    fn generation(&mut self) -> (Vec<Unit>, Option<Why>) {
        let (pairs, busy) = self.rescue.pairs(&self.atoms, &self.ledger, &self.climbs);
        let mut units = stage::climbers(&self.atoms, &self.climbs, &busy);
        units.extend(pairs);
        if self.options.strategy == Strategy::OneByOne {
            order::by_plan(&mut units);
            return (units, None);
        }
        order::by_risk(&self.atoms, &mut units);
        let stakes: Vec<Stake<'_>> = units.iter().map(Unit::stake).collect();
        let at_once = self.options.strategy == Strategy::Split
            && units.len() > 1
            && chance::all_at_once(&stakes, self.floor, self.track);
        (units, at_once.then_some(Why::Group))
    }

    /// Losers that may only pass as one, as far as none of them was among others before.
    fn together(&self, place: usize) -> Vec<Unit> {
        let still = |joint: &&Joint| joint.picks().iter().all(|pick| self.ledger.rung(pick.atom).is_none());
        let joint = self.together.get(place).filter(still);
        joint.map(|joint| Unit::alone(joint.clone(), Why::Pair)).into_iter().collect()
    }
}

/// So many hunts for what fails at times there are at most.
const HUNTS: u32 = 12;
/// So many rounds of second looks there are at most.
const LOOK_ROUNDS: u32 = 6;
/// So often the search goes on after the whole matrix took something out.
const RETURNS: u32 = 3;
