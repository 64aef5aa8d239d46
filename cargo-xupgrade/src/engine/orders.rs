//! From what the search proposes to what an executor runs: which cells, how fresh, under which name. Pure.

use std::collections::BTreeSet;

use xupgrade_search::{Pick, Proposal, Scope, Until};

use crate::executor::{Atom, Order, Repeat};
use crate::plan::Plan;
use crate::trial::narrow::Breadth;
use crate::trial::{Cell, CellKey, CellReport, Freshness, Phase, TestEnd, TestName, TrialReport, Turn};

/// The atoms of picks, in the same order.
#[must_use]
pub fn atoms(picks: &[Pick]) -> Vec<Atom> {
    picks.iter().map(|pick| Atom { candidate: pick.atom, rung: pick.rung }).collect()
}

/// The order for a proposal. `again` gives the cells of a [`Scope::Again`], those that failed in the trial that it names, and of
/// a [`Scope::Often`].
/// `awake` are cells of the whole matrix that run in every trial all the same.
pub fn order(plan: &Plan, proposal: &Proposal, awake: &BTreeSet<CellKey>, again: impl Fn(Scope) -> Vec<Cell>) -> Order {
    let fresh: Vec<usize> = proposal.fresh_picks().iter().map(|pick| pick.atom).collect();
    let concerned = || usual(plan.cells_for(&fresh), awake);
    let (cells, freshness) = match proposal.scope {
        Scope::Gate => (only_gates(concerned()), Freshness::Cached),
        Scope::Concerned => (concerned(), Freshness::Cached),
        Scope::Full => (plan.cells.clone(), Freshness::Afresh),
        scope @ (Scope::Again { .. } | Scope::Often { .. }) => (again(scope), Freshness::Afresh),
    };
    let repeat = match proposal.scope {
        Scope::Again { runs, until, .. } => Some(Repeat { runs, until }),
        // Its cells are there as often as they run.
        Scope::Often { .. } => Some(Repeat { runs: 1, until: Until::Done }),
        Scope::Concerned | Scope::Gate | Scope::Full => None,
    };
    let breadth = match proposal.scope {
        Scope::Concerned => Breadth::Targeted { fresh: proposal.fresh },
        Scope::Gate | Scope::Full | Scope::Again { .. } | Scope::Often { .. } => Breadth::Whole,
    };
    Order { id: name(proposal), atoms: atoms(&proposal.picks), cells, freshness, breadth, repeat, until: None }
}

/// Whether an order is to run again what failed, but has nothing to run: that would pass, and prove nothing.
pub fn is_vacuous(proposal: &Proposal, order: &Order) -> bool {
    matches!(proposal.scope, Scope::Again { .. }) && order.cells.is_empty()
}

/// Without the cells that wait for the whole matrix.
fn usual(mut cells: Vec<Cell>, awake: &BTreeSet<CellKey>) -> Vec<Cell> {
    cells.retain(|cell| cell.check.turn == Turn::Always || awake.contains(&cell.key()));
    cells
}

fn only_gates(mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.retain(|cell| cell.check.phase == Phase::Gate);
    cells
}

/// The name of a trial: what it is for, and its number.
fn name(proposal: &Proposal) -> String {
    let number = proposal.ticket.number();
    match proposal.scope {
        Scope::Gate => format!("gate-{number}"),
        Scope::Concerned => format!("t{number}"),
        Scope::Full => format!("full-{number}"),
        Scope::Again { .. } => format!("again-{number}"),
        Scope::Often { .. } => format!("often-{number}"),
    }
}

/// The cells to run again for a trial that failed: those that failed, after the gates of their projects.
#[must_use]
pub fn failed_cells(report: &TrialReport) -> Vec<Cell> {
    let red: BTreeSet<&String> =
        report.cells.iter().filter(|one| !one.exit.is_success()).map(|one| &one.cell.project).collect();
    let again = |one: &&CellReport| {
        red.contains(&one.cell.project) && (one.cell.check.phase == Phase::Gate || !one.exit.is_success())
    };
    report.cells.iter().filter(again).map(|one| one.cell.clone()).collect()
}

/// The tests that failed in a trial, with their cells.
#[must_use]
pub fn failed_tests(report: &TrialReport) -> Vec<(CellKey, TestName)> {
    let of = |one: &CellReport| {
        let failed = one.reading.tests.iter().filter(|(_, end)| **end == TestEnd::Failed);
        failed.map(|(name, _)| (one.cell.key(), name.clone())).collect::<Vec<_>>()
    };
    report.cells.iter().flat_map(of).collect()
}
