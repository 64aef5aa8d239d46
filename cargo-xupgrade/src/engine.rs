//! The one loop: the search proposes, the executor runs, the verdict judges, the search learns. Then the confirmation:
//! only a tree that passed the whole matrix, afresh, leaves this room.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use xupgrade_search::{Options, Outcome, Proof, Proposal, Search, Solution, Step, Ticket};

use crate::candidate::{Candidate, ReasonKind};
use crate::cli::VerifyCommits;
use crate::event::{self, Event, Listener};
use crate::executor::{Atom, Executor, Finished, Order};
use crate::interrupt::{Level, Stop};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::report::{CellSummary, TrialSummary, round};
use crate::trial::{Freshness, Phase, TrialReport};
use crate::verdict::{Baseline, CellBaseline, Claim, Unexercised, Verdict, judge};

/// What the engine works with.
pub struct Engine<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What the untouched base does.
    pub baseline: &'a Baseline,
    /// What to do with candidates that no cell compiles.
    pub unexercised: Unexercised,
    /// Whom to tell.
    pub listener: &'a dyn Listener,
    /// Whether the user wants it to end.
    pub stop: Stop,
    /// Where finished trials are written down.
    pub journal: &'a mut Journal,
    /// The trials so far.
    pub trials: Vec<Trial>,
}

/// A trial that was run and judged.
#[derive(Debug)]
pub struct Trial {
    /// Its name.
    pub id: String,
    /// Its atoms, in commit order.
    pub atoms: Vec<Atom>,
    /// How many of the last ones were new.
    pub fresh: usize,
    /// What happened.
    pub report: TrialReport,
    /// What it means.
    pub verdict: Verdict,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Where the search ended.
#[derive(Debug)]
pub struct Searched {
    /// What it found.
    pub solution: Solution,
    /// The trial behind each ticket: its position among the engine's trials.
    pub tickets: BTreeMap<Ticket, usize>,
}

/// A set that passed the whole matrix, and what had to go for it.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The atoms, in commit order.
    pub atoms: Vec<Atom>,
    /// The trial that proved it: its position among the engine's trials.
    pub trial: Option<usize>,
    /// Atoms that the whole matrix refused, with the trial that says so.
    pub refused: Vec<(Atom, usize)>,
    /// Atoms that no full run got to.
    pub unproven: Vec<Atom>,
}

impl Engine<'_> {
    /// Searches until the search is done, the budget ends or the user stops it.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn search(&mut self, executor: &mut dyn Executor, options: &Options) -> Result<Searched> {
        let mut search = Search::new(&self.plan.atoms(), options);
        let mut tickets = BTreeMap::new();
        let mut waiting: BTreeMap<String, Proposal> = BTreeMap::new();
        loop {
            if self.stop.requested() > Level::None {
                search.stop();
            }
            match search.next(executor.capacity().saturating_sub(waiting.len())) {
                Step::Done(solution) => return Ok(Searched { solution, tickets }),
                Step::Try(proposals) => {
                    for proposal in proposals {
                        let order = self.order(&proposal, self.trials.len() + waiting.len() + 1);
                        self.announce(&order, proposal.fresh, search.expected_remaining());
                        waiting.insert(order.id.clone(), proposal);
                        executor.submit(order)?;
                    }
                }
                Step::Wait => {}
            }
            if let Some(finished) = executor.poll()? {
                let proposal =
                    waiting.remove(&finished.id).ok_or_else(|| anyhow!("a trial nobody asked for: {}", finished.id))?;
                let outcome = self.take(&proposal, finished)?;
                tickets.insert(proposal.ticket, self.trials.len() - 1);
                if self.stop.requested() == Level::None {
                    search.record(proposal.ticket, outcome);
                }
            }
        }
    }

    fn order(&self, proposal: &Proposal, number: usize) -> Order {
        let atoms: Vec<Atom> =
            proposal.picks.iter().map(|pick| Atom { candidate: pick.atom, rung: pick.rung }).collect();
        let fresh: Vec<usize> = proposal.fresh_picks().iter().map(|pick| pick.atom).collect();
        Order { id: format!("t{number}"), cells: self.plan.cells_for(&fresh), atoms, freshness: Freshness::Cached }
    }

    fn announce(&self, order: &Order, fresh: usize, remaining: usize) {
        let accepted = order.atoms.len() - fresh;
        let per_trial: f64 = order
            .cells
            .iter()
            .filter_map(|cell| self.baseline.cells.get(&cell.key()))
            .map(CellBaseline::expected_seconds)
            .sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        let seconds_left = (per_trial * (remaining + 1) as f64) as u64;
        self.listener.tell(&Event::TrialBegan {
            trial: order.id.clone(),
            fresh: order.atoms[accepted..].iter().map(|atom| self.step(atom)).collect(),
            accepted,
            remaining,
            seconds_left: Some(seconds_left),
        });
    }

    fn step(&self, atom: &Atom) -> event::Step {
        let candidate = self.candidate(atom);
        event::Step {
            name: candidate.name.clone(),
            from: candidate.at.clone(),
            to: candidate.rungs[atom.rung].version.clone(),
        }
    }

    fn candidate(&self, atom: &Atom) -> &Candidate {
        &self.plan.candidates[atom.candidate]
    }

    fn take(&mut self, proposal: &Proposal, finished: Finished) -> Result<Outcome> {
        let atoms: Vec<Atom> =
            proposal.picks.iter().map(|pick| Atom { candidate: pick.atom, rung: pick.rung }).collect();
        let verdict = self.judge(&finished.report, &atoms, proposal.fresh);
        let outcome = match &verdict {
            Verdict::Passed => Outcome::Passed,
            Verdict::Failed(cause) => Outcome::Failed {
                suspects: cause.suspects.iter().map(|position| atoms[*position].candidate).collect(),
                partners: Vec::new(),
                proof: proof(cause.kind),
            },
            Verdict::Inconclusive(_) => Outcome::Inconclusive,
        };
        self.keep(Trial {
            id: finished.id,
            atoms,
            fresh: proposal.fresh,
            report: finished.report,
            verdict,
            seconds: finished.seconds,
        })?;
        Ok(outcome)
    }

    fn judge(&self, report: &TrialReport, atoms: &[Atom], fresh: usize) -> Verdict {
        let claims: Vec<Claim> =
            (atoms.len() - fresh..atoms.len()).map(|position| self.claim(&atoms[position], position)).collect();
        judge(report, self.baseline, &claims, self.unexercised)
    }

    /// What a trial has to compile to be evidence for an atom.
    #[must_use]
    pub fn claim(&self, atom: &Atom, position: usize) -> Claim {
        let candidate = self.candidate(atom);
        Claim {
            position,
            project: self.plan.project_of(candidate).map(crate::ecosystem::Project::label).unwrap_or_default(),
            package: format!("{}@{}", candidate.name, candidate.rungs[atom.rung].version),
        }
    }

    fn keep(&mut self, trial: Trial) -> Result<()> {
        let summary = self.summary(&trial);
        self.journal.append(&summary)?;
        self.listener.tell(&Event::TrialEnded {
            trial: summary.id,
            verdict: summary.verdict,
            text: summary.text,
            seconds: summary.seconds,
        });
        self.trials.push(trial);
        Ok(())
    }

    /// The public form of a trial.
    #[must_use]
    pub fn summary(&self, trial: &Trial) -> TrialSummary {
        let (verdict, text) = match &trial.verdict {
            Verdict::Passed => ("passed", String::new()),
            Verdict::Failed(cause) => ("failed", cause.text.clone()),
            Verdict::Inconclusive(why) => ("inconclusive", why.clone()),
        };
        let name = |atom: &Atom| {
            let candidate = self.candidate(atom);
            format!("{}:{}@{}", candidate.ecosystem, candidate.name, candidate.rungs[atom.rung].version)
        };
        TrialSummary {
            id: trial.id.clone(),
            atoms: trial.atoms.iter().map(name).collect(),
            fresh: trial.fresh,
            tree: trial.report.trees.last().cloned().unwrap_or_default(),
            verdict: verdict.to_owned(),
            text,
            seconds: round(trial.seconds),
            cells: trial.report.cells.iter().map(CellSummary::from).collect(),
        }
    }

    /// Runs the whole matrix on what the search accepted. Where it fails, the longest prefix that passes stays, the atom
    /// behind it goes, and the rest gets another full run on top.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn confirm(&mut self, executor: &mut dyn Executor, accepted: &[Atom]) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        let mut wanted = accepted.to_vec();
        while !wanted.is_empty() && self.stop.requested() == Level::None {
            let trial = self.full(executor, &wanted)?;
            match self.trials[trial].verdict {
                Verdict::Passed => {
                    checkpoint.trial = Some(trial);
                    checkpoint.atoms = wanted;
                    return Ok(checkpoint);
                }
                Verdict::Inconclusive(_) => break,
                Verdict::Failed(_) => {}
            }
            let Some((good, bad)) = self.longest_prefix(executor, &wanted, trial)? else { break };
            checkpoint.refused.push((wanted.remove(good), bad));
        }
        checkpoint.unproven = wanted;
        Ok(checkpoint)
    }

    /// The length of the longest prefix that passes the whole matrix, and the trial that fails with one atom more.
    fn longest_prefix(
        &mut self,
        executor: &mut dyn Executor,
        atoms: &[Atom],
        red: usize,
    ) -> Result<Option<(usize, usize)>> {
        let (mut good, mut bad, mut proof) = (0, atoms.len(), red);
        while bad - good > 1 {
            let middle = usize::midpoint(good, bad);
            let trial = self.full(executor, &atoms[..middle])?;
            match self.trials[trial].verdict {
                Verdict::Passed => good = middle,
                Verdict::Failed(_) => (bad, proof) = (middle, trial),
                Verdict::Inconclusive(_) => return Ok(None),
            }
        }
        Ok(Some((good, proof)))
    }

    /// One run of the whole matrix, without cached results; noise gets a second chance.
    fn full(&mut self, executor: &mut dyn Executor, atoms: &[Atom]) -> Result<usize> {
        for _ in 0..2 {
            let number = self.trials.iter().filter(|trial| trial.id.starts_with("full")).count() + 1;
            let order = Order {
                id: format!("full-{number}"),
                atoms: atoms.to_vec(),
                cells: self.plan.cells.clone(),
                freshness: Freshness::Afresh,
            };
            self.announce(&order, 0, 0);
            executor.submit(order)?;
            let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost a trial"))?;
            let verdict = self.judge(&finished.report, atoms, 0);
            let noisy = matches!(verdict, Verdict::Inconclusive(_));
            self.keep(Trial {
                id: finished.id,
                atoms: atoms.to_vec(),
                fresh: 0,
                report: finished.report,
                verdict,
                seconds: finished.seconds,
            })?;
            if !noisy || self.stop.requested() > Level::None {
                break;
            }
        }
        Ok(self.trials.len() - 1)
    }
}

impl Engine<'_> {
    /// Tries every commit below the tip by itself: its gate, or the whole matrix. What does not stand alone gets a note.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn verify_commits(
        &mut self,
        executor: &mut dyn Executor,
        checkpoint: &Checkpoint,
        how: VerifyCommits,
    ) -> Result<Vec<(usize, String)>> {
        let mut notes = Vec::new();
        for length in 1..checkpoint.atoms.len() {
            let mut cells = self.plan.cells.clone();
            cells.retain(|cell| how == VerifyCommits::Full || cell.check.phase == Phase::Gate);
            let id = format!("commit-{length}");
            let atoms = checkpoint.atoms[..length].to_vec();
            executor.submit(Order { id, atoms: atoms.clone(), cells, freshness: Freshness::Cached })?;
            let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost a trial"))?;
            let verdict = self.judge(&finished.report, &atoms, 0);
            if verdict != Verdict::Passed {
                notes.push((length - 1, "this commit does not pass by itself, only the branch's tip does".to_owned()));
            }
            let (id, report, seconds) = (finished.id, finished.report, finished.seconds);
            self.keep(Trial { id, atoms, fresh: 0, report, verdict, seconds })?;
        }
        Ok(notes)
    }
}

/// How far a failure of this kind can be believed.
fn proof(kind: ReasonKind) -> Proof {
    match kind {
        ReasonKind::TestFailed | ReasonKind::FewerTests | ReasonKind::TimedOut => Proof::Tests,
        _ => Proof::Certain,
    }
}

#[cfg(test)]
mod tests;
