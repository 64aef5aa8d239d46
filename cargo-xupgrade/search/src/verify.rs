//! The whole matrix on what was accepted, as often as asked for; where it fails, the pick to blame is cut out.
//! What passed the whole matrix is bisected in commit order with runs of the whole matrix.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::evidence::{Doubt, Finding, Pass, Side};
use crate::{Checkpoint, Outcome, Pick, Proof, Scope, Ticket, Why};

/// So many failures of one length may prove void before the verification gives up.
const VOIDS: u32 = 3;
/// So many runs of one length may give no answer.
const SILENT: u32 = 2;

/// The state of a verification.
#[derive(Debug, Clone)]
pub(crate) struct Verify {
    pub(crate) target: Vec<Pick>,
    /// What an atom falls back to when its pick is cut out.
    fallback: BTreeMap<usize, usize>,
    runs: usize,
    /// The first so many picks passed the whole matrix at least once (0: nothing is known to).
    good: (usize, Option<Ticket>),
    /// The first so many picks failed it.
    bad: Option<(usize, Ticket)>,
    /// Passed runs of the whole target.
    passes: Vec<Ticket>,
    asked: Vec<(Ticket, usize)>,
    doubt: Option<(usize, Doubt)>,
    voids: u32,
    silent: u32,
    pub(crate) refused: Vec<(Pick, Ticket)>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
}

/// A run to propose: how many picks of the target, how, why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full {
    pub(crate) len: usize,
    pub(crate) scope: Scope,
    pub(crate) why: Why,
}

impl Verify {
    pub(crate) fn new(target: Vec<Pick>, fallback: BTreeMap<usize, usize>, runs: u32) -> Self {
        let state = if target.is_empty() { State::Ended } else { State::Running };
        Self {
            target,
            fallback,
            runs: usize::try_from(runs.max(1)).unwrap_or(1),
            good: (0, None),
            bad: None,
            passes: Vec::new(),
            asked: Vec::new(),
            doubt: None,
            voids: 0,
            silent: 0,
            refused: Vec::new(),
            state,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    /// The target with the runs that it passed, when these were enough.
    pub(crate) fn checkpoint(&self) -> Option<Checkpoint> {
        let done = !self.target.is_empty() && self.passes.len() >= self.runs;
        done.then(|| Checkpoint { picks: self.target.clone(), proven_by: self.passes.clone() })
    }

    /// What is left of the target with a trial that proves it, once something was cut out.
    pub(crate) fn accepted(&self) -> Option<(&[Pick], Option<Ticket>)> {
        if self.refused.is_empty() {
            return None;
        }
        match self.passes.last() {
            Some(ticket) => Some((&self.target, Some(*ticket))),
            None => Some((&self.target[..self.good.0], self.good.1)),
        }
    }

    /// The next run, if one is worth a place.
    pub(crate) fn propose(&mut self, ticket: Ticket) -> Option<Full> {
        if self.is_over() {
            return None;
        }
        if let Some((len, doubt)) = &mut self.doubt {
            let side = doubt.wanted()?;
            doubt.ask(side, ticket);
            let scope = Scope::Again { of: doubt.of };
            return Some(match side {
                Side::With => Full { len: *len, scope, why: Why::Confirm },
                Side::Without => Full { len: self.good.0, scope, why: Why::Bracket },
            });
        }
        let len = match self.bad {
            None if self.passes.len() + self.asked.len() < self.runs => self.target.len(),
            None => return None,
            Some((bad, _)) => self.cut(bad)?,
        };
        self.asked.push((ticket, len));
        Some(Full { len, scope: Scope::Full, why: Why::Verify })
    }

    /// The middle of the widest gap between what passed, what is under way and what failed.
    fn cut(&self, bad: usize) -> Option<usize> {
        let mut ends: Vec<usize> = self.asked.iter().map(|asked| asked.1).collect();
        ends.extend([self.good.0, bad]);
        ends.sort_unstable();
        let gaps = ends.windows(2).filter(|pair| pair[1] - pair[0] > 1);
        let widest = gaps.max_by_key(|pair| (pair[1] - pair[0], core::cmp::Reverse(pair[0])))?;
        Some(usize::midpoint(widest[0], widest[1]))
    }

    /// Tells how a run went; gives back the tickets that no longer matter.
    pub(crate) fn record(&mut self, ticket: Ticket, outcome: &Outcome) -> Vec<Ticket> {
        if let Some((_, doubt)) = &mut self.doubt
            && doubt.asked.iter().any(|asked| asked.0 == ticket)
        {
            let answer = match outcome {
                Outcome::Passed => Some(Pass::Yes),
                Outcome::Failed { .. } => Some(Pass::No),
                Outcome::Inconclusive => None,
            };
            doubt.answer(ticket, answer);
            return self.weigh();
        }
        let Some(place) = self.asked.iter().position(|asked| asked.0 == ticket) else {
            return Vec::new();
        };
        let (_, len) = self.asked.remove(place);
        match outcome {
            Outcome::Passed => self.passed(len, ticket),
            Outcome::Failed { proof: Proof::Certain, .. } => self.failed(len, ticket),
            Outcome::Failed { proof: Proof::Tests, .. } => {
                self.doubt = Some((len, Doubt::about(ticket)));
                self.drop_asked(|_| true)
            }
            Outcome::Inconclusive => self.gave_no_answer(),
        }
    }

    /// A failure of tests was run again.
    fn weigh(&mut self) -> Vec<Ticket> {
        let Some((len, doubt)) = &self.doubt else {
            return Vec::new();
        };
        let (len, of) = (*len, doubt.of);
        let finding = doubt.finding();
        let moot: Vec<Ticket> = doubt.tickets().collect();
        match finding {
            Finding::Open => return Vec::new(),
            Finding::Guilty => {
                self.doubt = None;
                self.failed(len, of);
            }
            Finding::Void | Finding::NoAnswer => {
                self.doubt = None;
                self.voids += 1;
                self.passes.clear(); // or it would be tried until it passes
                if finding == Finding::NoAnswer {
                    self.state = State::Ended;
                } else if self.voids > VOIDS {
                    self.failed(len, of); // it fails only among all the others, but it does
                }
            }
        }
        moot
    }

    fn passed(&mut self, len: usize, ticket: Ticket) -> Vec<Ticket> {
        self.silent = 0;
        if len == self.target.len() {
            self.passes.push(ticket);
            if self.passes.len() >= self.runs {
                self.state = State::Ended;
            }
            return Vec::new();
        }
        if len > self.good.0 {
            self.good = (len, Some(ticket));
        }
        let moot = self.drop_asked(|asked| asked <= len);
        self.blame();
        moot
    }

    fn failed(&mut self, len: usize, ticket: Ticket) -> Vec<Ticket> {
        self.silent = 0;
        self.passes.clear();
        self.bad = Some((len, ticket));
        let moot = self.drop_asked(|asked| asked >= len);
        self.blame();
        moot
    }

    /// Where only one pick is left between what passed and what failed, it is cut out.
    fn blame(&mut self) {
        let Some((bad, ticket)) = self.bad.filter(|(bad, _)| *bad == self.good.0 + 1) else {
            return;
        };
        let pick = self.target.remove(bad - 1);
        self.refused.push((pick, ticket));
        if let Some(rung) = self.fallback.remove(&pick.atom) {
            self.target.push(Pick { atom: pick.atom, rung });
        }
        self.bad = None;
        self.voids = 0;
        self.asked.clear();
        if self.good.0 == self.target.len() {
            self.passes.extend(self.good.1); // the rest is what passed on the way
        }
        if self.target.is_empty() || self.passes.len() >= self.runs {
            self.state = State::Ended;
        }
    }

    fn gave_no_answer(&mut self) -> Vec<Ticket> {
        self.silent += 1;
        if self.silent >= SILENT {
            self.state = State::Ended;
            return self.drop_asked(|_| true);
        }
        Vec::new()
    }

    fn drop_asked(&mut self, moot: impl Fn(usize) -> bool) -> Vec<Ticket> {
        let dropped = self.asked.iter().filter(|asked| moot(asked.1)).map(|asked| asked.0).collect();
        self.asked.retain(|asked| !moot(asked.1));
        dropped
    }

    /// Whether answers are still to come.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.asked.is_empty() || self.doubt.as_ref().is_some_and(|(_, doubt)| !doubt.asked.is_empty())
    }

    /// About how many runs are still to come.
    pub(crate) fn guess(&self) -> usize {
        if self.is_over() {
            return 0;
        }
        let split = self.bad.map_or(0, |(bad, _)| (bad - self.good.0).max(1).ilog2() as usize);
        split + self.runs - self.passes.len().min(self.runs)
    }
}
