//! How much of each cell runs: of a targeted order the tests of what moved, and once more by themselves the tests that are
//! known to be flaky, where nothing else failed.

use std::collections::BTreeMap;

use anyhow::Result;

use super::TrialRunner;
use crate::candidate::ProjectId;
use crate::engine::executor::Order;
use crate::event::Event;
use crate::report::CellSummary;
use crate::state::facts::Asked;
use crate::trial::narrow::{Breadth, Moved, target};
use crate::trial::reading::name_units;
use crate::trial::{Cell, CellKey, CellReport, Executable, Extent, Freshness, TrialReport, Written, words};
use crate::verdict::{FLAKY_RERUNS, Verdict, judge_cell, only_flaky, only_news, widens};

/// What the cells of a trial showed so far.
#[derive(Default)]
pub(super) struct Shown {
    /// The tree that is tested.
    tree: String,
    /// How many answers were known from the journal, and the seconds that they took then.
    pub(super) known: (usize, f64),
    /// How many ran.
    pub(super) ran: usize,
    /// The test executables, by file stem.
    executables: BTreeMap<String, Executable>,
    /// How often each check ran.
    runs: BTreeMap<CellKey, usize>,
}

impl Shown {
    /// Nothing yet, of a tree.
    pub(super) fn of(tree: String) -> Self {
        Self { tree, ..Self::default() }
    }

    /// Counts one more run of a check.
    fn count(&mut self, cell: &Cell) -> usize {
        let runs = self.runs.entry(cell.key()).or_default();
        *runs += 1;
        *runs
    }
}

impl TrialRunner<'_> {
    /// Runs a cell: the whole one where its narrowing may be what failed, flaky tests once more.
    pub(super) fn run_as_much_as_counts(&self, order: &Order, cell: &Cell, shown: &mut Shown) -> Result<CellReport> {
        let mut ran = self.run_and_read(order, cell, shown)?;
        if widens(&ran)
            && let Some(whole) = order.cells.iter().find(|one| one.key() == cell.key() && one.extent == Extent::Whole)
        {
            ran = self.run_and_read(order, whole, shown)?;
        }
        self.run_flaky_again(order, &mut ran, shown)?;
        Ok(ran)
    }

    /// The cells of an order; in a targeted one the tests of what the written atoms moved, no others.
    pub(super) fn cells_of(&self, order: &Order, report: &TrialReport) -> Vec<Cell> {
        let Breadth::Targeted { fresh } = order.breadth else { return order.cells.clone() };
        let fresh = &order.atoms[order.atoms.len().saturating_sub(fresh)..];
        let is_fresh = |step: &&Written| fresh.iter().any(|atom| atom.is_in(&step.atom));
        let mut moved: BTreeMap<ProjectId, Moved> = BTreeMap::new();
        for step in report.steps.iter().filter(is_fresh) {
            for candidate in step.atom.members().iter().map(|member| self.tools.plan.candidate(*member)) {
                let its = moved.entry(candidate.id.project.clone()).or_default();
                its.add(&candidate.id.name, step.effects.get(&candidate.id.project));
            }
        }
        let ran = self.known.cells.iter().map(|(key, known)| (key.clone(), known.names.clone())).collect();
        target(&order.cells, &self.known.exercised, &moved, &ran)
    }

    /// What a cell says, with the units of its tests named by what the cells before it built.
    fn run_and_read(&self, order: &Order, cell: &Cell, shown: &mut Shown) -> Result<CellReport> {
        let mut ran = self.answer(order, cell, shown)?;
        shown.executables.extend(std::mem::take(&mut ran.reading.executables));
        name_units(&mut ran.reading, &shown.executables);
        if let Some(known) = self.known.exercised.get(&cell.project) {
            ran.reading.units.retain(|_, words| !known.beyond.contains(words));
        }
        only_news(&mut ran, self.known.cells.get(&cell.key()));
        Ok(ran)
    }

    /// What a cell says on a tree: known from the journal, or run now and kept there. The tree is left as it was.
    fn answer(&self, order: &Order, cell: &Cell, shown: &mut Shown) -> Result<CellReport> {
        let asked = Asked::new(&shown.tree, cell, &words(&cell.check, order.freshness), order.freshness);
        let nth = shown.count(cell);
        let trial = order.id.clone();
        if let Some(known) = self.tools.facts.known(&asked) {
            shown.known.0 += 1;
            shown.known.1 += known.seconds;
            self.tools.listener.tell(&Event::CellKnown { trial, cell: CellSummary::from(&known) });
            return Ok(known);
        }
        shown.ran += 1;
        let mut ran = self.run_cell(order, cell, nth)?;
        let undone = self.restore(&ran)?;
        ran.undo(&undone);
        self.tools.facts.keep(&asked, &ran)?;
        self.tools.listener.tell(&Event::CellEnded { trial, cell: CellSummary::from(&ran) });
        Ok(ran)
    }

    /// Runs tests that are known to be flaky once more by themselves, where nothing else failed.
    fn run_flaky_again(&self, order: &Order, ran: &mut CellReport, shown: &mut Shown) -> Result<()> {
        let afresh = Order { freshness: Freshness::Afresh, ..order.clone() };
        for _ in 0..FLAKY_RERUNS {
            for cell in only_flaky(ran, self.known.cells.get(&ran.cell.key())) {
                if self.halted().is_some() {
                    return Ok(());
                }
                let rerun = self.run_and_read(&afresh, &cell, shown)?;
                ran.again.push(rerun);
            }
        }
        Ok(())
    }

    /// Whether a trial may go on after this.
    pub(super) fn passed(&self, ran: &CellReport) -> bool {
        judge_cell(ran, self.known.cells.get(&ran.cell.key())) == Verdict::Passed
    }
}
