//! The commits of the branch: cuts the tested sequence where a commit may end, and tries the commits below the tip of which
//! nothing is known, by the checks that they concern.

use std::ops::Range;
use std::time::Duration;

use super::ends::{self, Pace, Passed, Place, Reply, Unit};
use super::{Checkpoint, Engine, Searched, Spent, Trial};
use crate::engine::executor::{Executor, Order};
use crate::event::Event;
use crate::machine::interrupt::Level;
use crate::trial::narrow::Breadth;
use crate::trial::{Atom, Cell, CellReport, Extent, Freshness, Phase, TrialKind, TrialReport, Turn, Written, members};
use crate::verdict::{Bar, CellBaseline, Verdict, judge};
use anyhow::{Result, anyhow};

/// The checks of a commit below the tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitChecks {
    /// None: it resolves, and did not fail in a trial.
    None,
    /// The gates of what it concerns, or else it is one commit with the next; in no more time than all checks take once.
    Gates,
    /// The whole matrix, or else it is one commit with the next.
    Matrix,
}

/// The least time for the trials of commits: less is not worth a coarser history.
const AT_LEAST: Duration = Duration::from_secs(10);

/// The commits of a branch, and the most that trying them may cost.
#[derive(Debug, Default)]
pub struct Chain {
    /// The commits, in their order.
    pub units: Vec<Unit>,
    /// The time that their trials have together, where there is a limit.
    pub limit: Option<Duration>,
}

impl Engine<'_> {
    /// Cuts what is published into commits. Those below the tip that no trial of the search proved are tried by their gates,
    /// or by the whole matrix, or not at all.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn commits(
        &mut self,
        executor: &mut dyn Executor,
        searched: &Searched,
        checkpoint: &Checkpoint,
        how: CommitChecks,
    ) -> Result<Chain> {
        let places = self.places(checkpoint, how);
        let limit = self.limit(searched, how);
        let mut units = ends::units(&places, Pace::within(limit.map(millis)), |positions| match how {
            CommitChecks::None => Ok((Reply::Trusted, 0)),
            _ if self.stop.requested() > Level::None => Ok((Reply::Open, 0)),
            CommitChecks::Gates | CommitChecks::Matrix => self.try_commit(executor, checkpoint, positions, how),
        })?;
        for unit in &mut units {
            let mut atoms = checkpoint.atoms[unit.positions.clone()].iter();
            unit.bars.extend(atoms.any(|atom| atom.members().len() > 1).then_some(Bar::Together));
        }
        Ok(Chain { units, limit })
    }

    /// The time that the trials of commits may take: that of all checks once, as the baseline measured it, and none where the
    /// deadline has come.
    fn limit(&self, searched: &Searched, how: CommitChecks) -> Option<Duration> {
        let is_late = matches!(searched.spent, Some(Spent::Time(_)));
        let limit = if is_late { Duration::ZERO } else { self.full_time().max(AT_LEAST) };
        (how == CommitChecks::Gates).then_some(limit)
    }

    fn try_commit(
        &mut self,
        executor: &mut dyn Executor,
        checkpoint: &Checkpoint,
        positions: Range<usize>,
        how: CommitChecks,
    ) -> Result<(Reply, u64)> {
        let atoms = checkpoint.atoms[..positions.end].to_vec();
        let cells = self.cells_of_commit(&atoms[positions.clone()], how);
        let kind = TrialKind::Commit;
        let id = kind.name(positions.end);
        self.listener.tell(&Event::TrialBegan {
            trial: id.clone(),
            why: Some(crate::why::Why::Commit),
            of: None,
            fresh: members(&atoms[positions.clone()]).map(|member| self.step_of(member)).collect(),
            accepted: members(&atoms[..positions.start]).count(),
            remaining: 0,
            seconds_left: Some(self.time_of(&cells).as_secs()),
        });
        let (freshness, breadth) = (Freshness::Cached, Breadth::Whole);
        executor.submit(Order {
            kind,
            id,
            atoms: atoms.clone(),
            cells,
            freshness,
            breadth,
            goes_on: None,
            left: None,
        })?;
        let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost a trial"))?;
        let verdict = judge(&finished.report, &self.baseline, &[], self.unexercised);
        // What is resolved once more may end elsewhere; then this pass says nothing of the tree that is committed.
        let tested = checkpoint.trial.and_then(|trial| self.trials[trial].report.steps.get(positions.end - 1));
        let is_it = tested.map(|step| step.tree.as_str()) == finished.report.tip();
        let reply = match &verdict {
            Verdict::Passed if !is_it => Reply::Open,
            Verdict::Passed => Reply::Passed(finished.id.clone()),
            Verdict::Failed(_) => Reply::Failed,
            Verdict::Inconclusive(_) => Reply::Open,
        };
        let (id, report, seconds) = (finished.id, finished.report, finished.seconds);
        let took = millis(cells_time(&report));
        self.keep(Trial { id, why: None, of: None, asked: atoms, fresh: 0, report, verdict, red: vec![], seconds })?;
        Ok((reply, took))
    }

    /// The checks that a commit with these upgrades has to pass: the gates of what they concern (all its checks, where none
    /// of them is a gate), or the whole matrix.
    fn cells_of_commit(&self, atoms: &[Atom], how: CommitChecks) -> Vec<Cell> {
        if how == CommitChecks::Matrix {
            return self.plan.cells.clone();
        }
        let mut cells = self.plan.cells_for(&members(atoms).map(|member| member.candidate).collect::<Vec<_>>());
        cells.retain(|cell| cell.check.turn == Turn::Always);
        let gates: Vec<Cell> = cells.iter().filter(|cell| cell.check.phase == Phase::Gate).cloned().collect();
        if gates.is_empty() { cells } else { gates }
    }

    /// The tree after each atom, with all that is known of it.
    fn places(&self, checkpoint: &Checkpoint, how: CommitChecks) -> Vec<Place> {
        let Some(tested) = checkpoint.trial.map(|trial| &self.trials[trial].report) else { return Vec::new() };
        let steps = &tested.steps;
        let expected = |cell: &Cell| self.baseline.cells.get(&cell.key()).map_or(0.0, CellBaseline::expected_seconds);
        let place = |(position, step): (usize, &Written)| {
            let cells = self.cells_of_commit(std::slice::from_ref(&step.atom), how);
            Place {
                bar: self.bar(step, steps.get(position + 1)),
                passed: self.passed_on(&step.tree),
                needs: cells.iter().map(|cell| (cell.key(), millis(seconds(expected(cell))))).collect(),
            }
        };
        steps.iter().enumerate().map(place).collect()
    }

    fn bar(&self, step: &Written, next: Option<&Written>) -> Option<Bar> {
        if self.failed_on(&step.tree) {
            return Some(Bar::Together);
        }
        next.is_some_and(|next| next.tree == step.tree).then_some(Bar::Brought)
    }

    fn failed_on(&self, tree: &str) -> bool {
        self.trials.iter().any(|trial| matches!(trial.verdict, Verdict::Failed(_)) && trial.tree() == Some(tree))
    }

    fn passed_on(&self, tree: &str) -> Vec<Passed> {
        let passed = self.trials.iter().filter(|trial| trial.verdict == Verdict::Passed);
        let here = passed.filter(|trial| trial.tree() == Some(tree) && trial.is_published_whole());
        let is_whole = |cell: &&CellReport| cell.cell.extent == Extent::Whole;
        let checks = |trial: &Trial| trial.report.cells.iter().filter(is_whole).map(|cell| cell.cell.key()).collect();
        here.map(|trial| Passed { trial: trial.id.clone(), checks: checks(trial) }).collect()
    }
}

impl Trial {
    /// The tree that was judged; none where not all of it could be written.
    fn tree(&self) -> Option<&str> {
        let is_written = !self.report.is_refused() && self.report.steps.len() == self.atoms().len();
        self.report.tip().filter(|_| is_written)
    }

    /// True if the tree to publish has all that was tested, lockfiles included.
    fn is_published_whole(&self) -> bool {
        self.report.tested.is_none() || self.report.tested.as_deref() == self.report.tip()
    }
}

/// The time that the cells of a trial took when they ran, which may have been in an interrupted run.
fn cells_time(report: &TrialReport) -> Duration {
    seconds(report.cells.iter().map(|cell| cell.seconds).sum())
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 1e9))
}

/// In whole milliseconds, so that no sum hangs on rounding.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
