//! From a proposal of the search to the order for an executor (which cells, how fresh, under which name), and from the atoms that
//! were written back to the picks of the search. Pure.

use std::collections::BTreeSet;

use xupgrade_search::{Joint, Pick, Proposal, Reach, Scope, Why};

use crate::candidate::ProjectId;
use crate::engine::executor::Order;
use crate::plan::Plan;
use crate::trial::narrow::Breadth;
use crate::trial::{
    Atom, Cell, CellKey, CellReport, Extent, Freshness, Member, Phase, TrialKind, TrialReport, Turn, Until, Written,
};

/// The atoms of a sequence, in the same order.
#[must_use]
pub fn atoms(joints: &[Joint]) -> Vec<Atom> {
    let member = |pick: &Pick| Member { candidate: pick.atom, rung: pick.rung };
    joints.iter().map(|joint| Atom::new(joint.picks().iter().map(member))).collect()
}

/// The picks of a proposal that the package manager took in one step only, though they were asked for one by one: first the one
/// that it refused alone.
#[must_use]
pub fn joined(proposal: &Proposal, steps: &[Written]) -> Vec<Joint> {
    let asked = atoms(&proposal.joints);
    let is_in = |atom: &Atom, pick: &Pick| atom.members().contains(&Member { candidate: pick.atom, rung: pick.rung });
    let joint = |atom: &Atom| {
        let all: Vec<Pick> = proposal.picks().into_iter().filter(|pick| is_in(atom, pick)).collect();
        all.split_first().map(|(first, others)| Joint::new(*first, others))
    };
    steps.iter().map(|step| &step.atom).filter(|atom| !asked.contains(atom)).filter_map(joint).collect()
}

/// The order for a proposal. `again` gives the cells of a [`Scope::Again`], once each, and those of a [`Scope::Often`].
/// `awake` are cells of the whole matrix that run in every trial all the same.
pub fn order(plan: &Plan, proposal: &Proposal, awake: &BTreeSet<CellKey>, again: impl Fn(Scope) -> Vec<Cell>) -> Order {
    let fresh: Vec<usize> = proposal.fresh_picks().iter().map(|pick| pick.atom).collect();
    let concerned = || usual(plan.cells_for(&fresh), awake);
    let (cells, freshness) = match proposal.scope {
        Scope::Gate => (only_gates(concerned()), Freshness::Cached),
        Scope::Concerned => (concerned(), Freshness::Cached),
        Scope::Full => (plan.cells.clone(), Freshness::Afresh),
        Scope::Again { reach, runs, .. } => (repeated(&again(proposal.scope), reach, runs), Freshness::Afresh),
        Scope::Often { .. } => (again(proposal.scope), Freshness::Afresh),
    };
    // What is published, and what failed for no pick's sake, is judged test by test: there each has to run.
    let goes_on = match proposal.scope {
        Scope::Again { until, .. } => Some(until.into()),
        Scope::Often { .. } | Scope::Full => Some(Until::Done),
        Scope::Concerned => (proposal.why == Why::Retry && proposal.fresh == 1).then_some(Until::Done),
        Scope::Gate => None,
    };
    let breadth = match proposal.scope {
        Scope::Concerned => Breadth::Targeted { fresh: proposal.fresh },
        Scope::Gate | Scope::Full | Scope::Again { .. } | Scope::Often { .. } => Breadth::Whole,
    };
    let kind = kind(proposal.scope);
    let id = kind.name(proposal.ticket.number());
    Order { kind, id, atoms: atoms(&proposal.joints), cells, freshness, breadth, goes_on, left: None }
}

/// An order to run tests again that has none to run: it would pass, and prove nothing.
pub fn is_vacuous(proposal: &Proposal, order: &Order) -> bool {
    match proposal.scope {
        Scope::Again { .. } => order.cells.is_empty(),
        Scope::Often { .. } => order.cells.iter().all(|cell| cell.check.phase == Phase::Gate),
        Scope::Gate | Scope::Concerned | Scope::Full => false,
    }
}

/// Runs of a check whose tests have no names, where its tests are to run more often.
const WHOLE_RUNS: u32 = 2;

/// The gates of these cells once, then the others in so many rounds.
fn repeated(cells: &[Cell], reach: Reach, runs: u32) -> Vec<Cell> {
    let (gates, tests): (Vec<&Cell>, Vec<&Cell>) = cells.iter().partition(|cell| cell.check.phase == Phase::Gate);
    let most = |cell: &Cell| match cell.extent {
        _ if reach == Reach::Units => runs,
        Extent::Tests(_) | Extent::Amid(_) | Extent::Units(_) => runs,
        Extent::Whole | Extent::Programs | Extent::Packages(_) => runs.min(WHOLE_RUNS),
    };
    let rounds = (0..runs).flat_map(|round| tests.iter().filter(move |cell| round < most(cell)).copied());
    gates.into_iter().chain(rounds).cloned().collect()
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

const fn kind(scope: Scope) -> TrialKind {
    match scope {
        Scope::Gate => TrialKind::Gate,
        Scope::Concerned => TrialKind::Search,
        Scope::Full => TrialKind::Full,
        Scope::Again { .. } => TrialKind::Again,
        Scope::Often { .. } => TrialKind::Often,
    }
}

/// The cells to run again for a trial that failed: those that failed, after the gates of their projects.
#[must_use]
pub fn failed_cells(report: &TrialReport) -> Vec<Cell> {
    let red: BTreeSet<&ProjectId> =
        report.cells.iter().filter(|one| !one.exit.is_success()).map(|one| &one.cell.project).collect();
    let again = |one: &&CellReport| {
        red.contains(&one.cell.project) && (one.cell.check.phase == Phase::Gate || !one.exit.is_success())
    };
    report.cells.iter().filter(again).map(|one| one.cell.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xupgrade_search::{AtomSpec, Break, Depth, Options, RungSpec, Search, Step};

    use super::*;
    use crate::trial::TestName;

    #[test]
    fn tests_by_name_run_as_often_as_asked_behind_one_run_of_their_gate_and_whole_checks_twice() {
        let test = TestName { unit: "app src/lib.rs".into(), name: "a".into() };
        let named = Cell { extent: Extent::Tests([test].into()), ..Cell::of("test", Phase::Test) };
        let cells = [named, Cell::of("script", Phase::Test), Cell::of("gate", Phase::Gate)];
        let order: Vec<String> = repeated(&cells, Reach::Tests, 4).into_iter().map(|cell| cell.check.name).collect();
        assert_eq!(order, ["gate", "test", "script", "test", "script", "test", "test"]);
        assert_eq!(repeated(&cells, Reach::Units, 4).len(), 1 + 2 * 4, "what is counted as one runs whole each time");
    }

    #[test]
    fn upgrades_that_were_taken_in_one_step_only_are_one_from_then_on() {
        let pick = |atom| Pick { atom, rung: 0 };
        let joints = vec![pick(4).into(), pick(1).into(), Joint::new(pick(3), &[pick(2)])];
        let rung = RungSpec { risk: 1, breaking: Break::Compatible, depth: Depth::Rung };
        let atom = AtomSpec { rungs: vec![rung], kin: 0, builds: vec![] };
        let Step::Try(first) = Search::new(&[atom], &Options::default()).next(1) else { panic!("something to try") };
        let proposal = Proposal { joints, fresh: 2, ..first[0].clone() };
        let step = |atom: Atom| Written { atom, tree: "t".into(), effects: BTreeMap::new() };
        let asked = atoms(&proposal.joints);
        let steps = [step(asked[0].with(&asked[2])), step(asked[1].clone())];
        assert_eq!(joined(&proposal, &steps), [Joint::new(pick(4), &[pick(3), pick(2)])]);
    }
}
