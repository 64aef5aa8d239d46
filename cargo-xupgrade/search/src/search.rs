//! The strategy: a stack of things to settle, a pool of things to try, one trial at a time.
//! It decides from the priors and the ledger only; every change of the ledger is an explicit trial.
//! A failing group is cut by plan order, so that what is left of it is the failed sequence itself.

use alloc::collections::BTreeSet;
use alloc::{vec, vec::Vec};

use crate::chance::{self, Track};
use crate::ledger::Ledger;
use crate::stage::{self, Stage};
use crate::task::{Task, Trial};
use crate::{AtomSpec, Break, Options, Outcome, Permille, Pick, Proposal, Scope, Step, Strategy, Ticket, Why, ladder};

/// A search over the atoms of one plan.
#[derive(Debug, Clone)]
pub struct Search {
    atoms: Vec<AtomSpec>,
    strategy: Strategy,
    stage: Stage,
    ledger: Ledger,
    /// Untried picks of this stage, at most one for each atom.
    pool: BTreeSet<Pick>,
    /// What has to be settled before the pool, the next one last.
    stack: Vec<Task>,
    /// Sequences of groups that failed, of which no pick is settled as failing: they might come up again.
    doomed: Vec<Vec<Pick>>,
    asked: Option<Trial>,
    issued: u64,
    track: Track,
}

impl Search {
    /// A search over `atoms`, in plan order.
    #[must_use]
    pub fn new(atoms: &[AtomSpec], options: &Options) -> Self {
        let mut search = Self {
            atoms: atoms.to_vec(),
            strategy: options.strategy,
            stage: Stage::Compatible,
            ledger: Ledger::new(atoms.len()),
            pool: BTreeSet::new(),
            stack: Vec::new(),
            doomed: Vec::new(),
            asked: None,
            issued: 0,
            track: Track::default(),
        };
        search.pool = stage::tops(&search.atoms, &search.ledger, Break::Compatible);
        search
    }

    /// What to do next. `room` is how many more trials the caller could start now; at present one trial is
    /// outstanding at a time, whatever the room, so do not build on it.
    pub fn next(&mut self, room: usize) -> Step {
        if self.stage != Stage::Over && (room == 0 || self.asked.is_some()) {
            return Step::Wait;
        }
        match self.choose() {
            Some(trial) => Step::Try(vec![self.propose(trial)]),
            None => Step::Done(self.ledger.solution(&self.atoms)),
        }
    }

    /// Tells how a trial went. Tickets that are unknown, already recorded or given out before
    /// [`Search::stop`] are ignored.
    pub fn record(&mut self, ticket: Ticket, outcome: Outcome) {
        let Some(trial) = self.asked.take_if(|trial| trial.ticket == Some(ticket)) else {
            return;
        };
        match outcome {
            Outcome::Passed => self.passed(trial, ticket),
            Outcome::Failed { suspects, .. } => self.failed(trial, ticket, &suspects),
            Outcome::Inconclusive => self.gave_no_answer(trial, ticket),
        }
    }

    /// Trials that are under way and whose answer no longer matters; they may be ended, and recording them does no harm.
    #[must_use]
    pub fn obsolete(&self) -> Vec<Ticket> {
        Vec::new()
    }

    /// Ends the search in good order, as the budget does: nothing new is tried, what is accepted is verified.
    pub fn finish(&mut self) {
        self.stop();
    }

    /// Ends the search where it stands: what is accepted stays, nothing more is proposed, and an
    /// outstanding trial no longer counts (record it before, if it is to).
    pub fn stop(&mut self) {
        self.stage = Stage::Over;
        self.pool.clear();
        self.stack.clear();
        self.asked = None;
    }

    /// About how many trials are still to come, the outstanding one included; 0 when the search is over.
    /// A guess from the priors, for a line that says how much time is left.
    #[must_use]
    pub fn expected_remaining(&self) -> usize {
        if self.stage == Stage::Over {
            return 0;
        }
        let outstanding = usize::from(self.asked.is_some());
        let queued: usize = self.stack.iter().map(Task::guess).sum();
        let later = if self.stage == Stage::Compatible {
            stage::tops(&self.atoms, &self.ledger, Break::Breaking)
        } else {
            BTreeSet::new()
        };
        outstanding + queued + self.guess(&self.pool) + self.guess(&later)
    }

    /// About how many trials it takes to settle untried picks.
    fn guess(&self, picks: &BTreeSet<Pick>) -> usize {
        let cost = |pick: &Pick| match self.strategy {
            // What is unknown, and one trial alone for each that fails.
            Strategy::Split => chance::unknown(self.risk(*pick)) + u64::from(self.risk(*pick)),
            Strategy::OneByOne | Strategy::Halving | Strategy::All => 1000,
        };
        let thousandths: u64 = picks.iter().map(cost).sum();
        usize::try_from(thousandths.div_ceil(1000)).unwrap_or(usize::MAX)
    }

    /// The chance that a pick fails: its prior, corrected by how the priors did so far.
    fn risk(&self, pick: Pick) -> Permille {
        self.track.corrected(self.atoms[pick.atom].rungs[pick.rung].risk)
    }

    /// The priors of `picks` met the truth: `failed` of them failed.
    fn learn(&mut self, picks: &[Pick], failed: u64) {
        let prior = |pick: &Pick| self.atoms[pick.atom].rungs[pick.rung].risk;
        let priors: Vec<Permille> = picks.iter().map(prior).collect();
        self.track.learn(&priors, failed);
    }

    /// The next trial, or `None` when there is nothing left to try.
    fn choose(&mut self) -> Option<Trial> {
        while self.stage != Stage::Over {
            let trial = match self.stack.pop() {
                Some(Task::Run(trial)) => Some(trial),
                Some(Task::Failing(group)) => Some(self.split(group)),
                Some(Task::Look(pick)) if self.ledger.grew_since_refusal(pick.atom) => {
                    Some(Trial::of(vec![pick], Why::SecondLook))
                }
                Some(Task::Look(_)) => None,
                None => self.draw(),
            };
            match trial {
                Some(trial) if self.is_doomed(&trial) => self.known_to_fail(trial),
                Some(trial) => return Some(trial),
                None if self.stack.is_empty() && self.pool.is_empty() => self.advance(),
                None => {}
            }
        }
        None
    }

    /// Whether a group is, pick for pick, a sequence that failed before.
    fn is_doomed(&self, trial: &Trial) -> bool {
        trial.fresh.len() > 1 && self.doomed.contains(&self.ledger.sequence(&trial.fresh))
    }

    /// A group failed and nothing says why: it is the next to be split, and what it was split from waits.
    fn known_to_fail(&mut self, trial: Trial) {
        self.pool.extend(trial.rest);
        self.stack.push(Task::Failing(trial.fresh));
    }

    /// The next group from the pool.
    fn draw(&mut self) -> Option<Trial> {
        let mut order: Vec<Pick> = self.pool.iter().copied().collect();
        let length = match self.strategy {
            Strategy::OneByOne => 1,
            Strategy::Split | Strategy::Halving | Strategy::All => {
                order.sort_by_key(|&pick| self.risk(pick)); // stable: equal risks stay in plan order
                chance::group(&self.risks(&order))
            }
        };
        order.truncate(length);
        order.sort();
        for pick in &order {
            self.pool.remove(pick);
        }
        match order.len() {
            0 => None,
            1 => Some(Trial::of(order, Why::Leaf)),
            _ => Some(Trial::of(order, Why::Group)),
        }
    }

    /// The part to try of a group that is known to fail; a single one is tried alone, for its own evidence.
    fn split(&self, group: Vec<Pick>) -> Trial {
        let length = chance::cut(&self.risks(&group));
        Trial::part(group, length)
    }

    fn risks(&self, picks: &[Pick]) -> Vec<Permille> {
        picks.iter().map(|&pick| self.risk(pick)).collect()
    }

    fn propose(&mut self, mut trial: Trial) -> Proposal {
        self.issued += 1;
        let ticket = Ticket(self.issued);
        let why = if self.issued == 1 { Why::First } else { trial.why };
        let picks = self.ledger.sequence(&trial.fresh);
        let fresh = trial.fresh.len();
        trial.ticket = Some(ticket);
        self.asked = Some(trial);
        Proposal { ticket, picks, fresh, scope: Scope::Concerned, why }
    }

    /// Everything of this stage is settled.
    fn advance(&mut self) {
        self.stage = match self.stage {
            Stage::Compatible => {
                self.pool = stage::tops(&self.atoms, &self.ledger, Break::Breaking);
                Stage::Breaking
            }
            Stage::Breaking => {
                let losers = stage::losers(&self.atoms, &self.ledger);
                self.stack = losers.into_iter().rev().map(Task::Look).collect();
                Stage::SecondLook
            }
            Stage::SecondLook | Stage::Over => Stage::Over,
        };
    }

    fn passed(&mut self, trial: Trial, ticket: Ticket) {
        self.learn(&trial.fresh, 0);
        self.ledger.accept(&trial.fresh, ticket);
        if !trial.rest.is_empty() {
            self.stack.push(Task::Failing(trial.rest));
        }
    }

    fn failed(&mut self, trial: Trial, ticket: Ticket, suspects: &[usize]) {
        if let Some(leaf) = trial.leaf() {
            self.pool.extend(trial.rest);
            return self.refuse(leaf, ticket);
        }
        self.doomed.push(self.ledger.sequence(&trial.fresh));
        let is_named = |pick: &&Pick| suspects.contains(&pick.atom);
        let (named, others): (Vec<Pick>, Vec<Pick>) = trial.fresh.iter().partition(is_named);
        if named.is_empty() {
            return self.known_to_fail(trial);
        }
        self.pool.extend(trial.rest);
        self.pool.extend(others);
        let alone = |pick| Task::Run(Trial::of(vec![pick], Why::Suspect));
        self.stack.extend(named.into_iter().rev().map(alone));
    }

    /// A leaf failed: one rung lower, unless this was a second look.
    fn refuse(&mut self, leaf: Pick, ticket: Ticket) {
        self.learn(&[leaf], 1);
        self.ledger.refuse(leaf, ticket);
        self.forget_sequences_with(leaf);
        if self.stage != Stage::SecondLook {
            let floor = self.ledger.rung(leaf.atom);
            let lower = ladder::lower(&self.atoms[leaf.atom], leaf.rung, floor);
            self.pool.extend(lower.map(|rung| Pick { atom: leaf.atom, rung }));
        }
    }

    /// The pick is not drawn again, so these sequences cannot come up again.
    fn forget_sequences_with(&mut self, leaf: Pick) {
        self.doomed.retain(|sequence| !sequence.contains(&leaf));
    }

    /// Once: the same again. Twice: a group is halved, a leaf stays open.
    fn gave_no_answer(&mut self, mut trial: Trial, ticket: Ticket) {
        if trial.why != Why::Retry {
            trial.why = Why::Retry;
            return self.stack.push(Task::Run(trial));
        }
        self.pool.extend(trial.rest.drain(..));
        if let Some(leaf) = trial.leaf() {
            self.forget_sequences_with(leaf);
            return self.ledger.leave_open(leaf, ticket);
        }
        let right = trial.fresh.split_off(trial.fresh.len() / 2);
        self.stack.push(Task::Run(Trial::of(right, Why::Half)));
        self.stack.push(Task::Run(Trial::of(trial.fresh, Why::Half)));
    }
}
