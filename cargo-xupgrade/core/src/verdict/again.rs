//! What is to run once more: the tests of a failed trial that decided it, or those of a cell that are known to be flaky.
//! Never a whole group until it is green. Pure.

use std::collections::BTreeSet;

use super::{Baseline, CellBaseline, FLAKY_RERUNS, Verdict, judge_cell, noise, part, tests_that};
use crate::candidate::ProjectId;
use crate::trial::narrow::{is_doc, narrow};
use crate::trial::{Build, Cell, CellKey, CellReport, Exit, Extent, Phase, TestEnd, TestName, TrialReport};

/// The cells that ask once more what made a trial fail: the tests that failed, by name where the command can be told to
/// run them alone, the whole cell else; before them the gates of the same projects, as tests that do not compile say
/// nothing. Tests that are `hidden` run amid all of their unit. To be run with nothing cached and judged as any other cells.
/// Empty where no cell failed.
#[must_use]
pub fn again(report: &TrialReport, baseline: &Baseline, hidden: &BTreeSet<(CellKey, TestName)>) -> Vec<Cell> {
    behind_gates(report, baseline, |cells, before| narrowed(cells, before, hidden))
}

/// The same of whole units: those in which tests failed, or all of the cell where the command cannot be told to run them alone.
#[must_use]
pub fn units_again(report: &TrialReport, baseline: &Baseline) -> Vec<Cell> {
    behind_gates(report, baseline, |cells, before| {
        let blamed: Vec<BTreeSet<TestName>> = cells.iter().map(|cell| blamed(cell, before)).collect();
        let units: BTreeSet<String> = blamed.iter().flatten().map(|test| test.unit.clone()).collect();
        // Cargo takes documentation tests by themselves only.
        let (doc, others): (BTreeSet<String>, BTreeSet<String>) = units.into_iter().partition(|unit| is_doc(unit));
        let parts = [doc, others].into_iter().filter(|units| !units.is_empty());
        narrowed_to(cells, &parts.map(Extent::Units).collect::<Vec<_>>(), &blamed)
    })
}

/// The cells that `again` gives for the test cells that failed, behind the gates of the same projects. Runs of the same cell are asked
/// about at once: of many runs each may have failed with another test.
fn behind_gates(
    report: &TrialReport,
    baseline: &Baseline,
    again: impl Fn(&[&CellReport], Option<&CellBaseline>) -> Vec<Cell>,
) -> Vec<Cell> {
    let before = |cell: &CellReport| baseline.cells.get(&cell.cell.key());
    let failed: Vec<&CellReport> =
        report.cells.iter().filter(|cell| matches!(judge_cell(cell, before(cell)), Verdict::Failed(_))).collect();
    let projects: BTreeSet<&ProjectId> = failed.iter().map(|cell| &cell.cell.project).collect();
    let gates = report.cells.iter().filter(|cell| is_gate(cell) && projects.contains(&cell.cell.project));
    let gates = gates.map(|cell| cell.cell.clone());
    let mut groups: Vec<Vec<&CellReport>> = Vec::new();
    for cell in failed.into_iter().filter(|cell| !is_gate(cell)) {
        match groups.iter_mut().find(|group| group[0].cell == cell.cell) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    let tests = groups.iter().flat_map(|group| again(group, before(group[0])));
    let mut cells: Vec<Cell> = Vec::new();
    for cell in gates.chain(tests) {
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

fn is_gate(cell: &CellReport) -> bool {
    cell.cell.check.phase == Phase::Gate
}

fn narrowed(cells: &[&CellReport], before: Option<&CellBaseline>, hidden: &BTreeSet<(CellKey, TestName)>) -> Vec<Cell> {
    let blamed: Vec<BTreeSet<TestName>> = cells.iter().map(|cell| blamed(cell, before)).collect();
    let is_hidden = |name: &TestName| hidden.contains(&(cells[0].cell.key(), top(name)));
    let (amid, by_name): (BTreeSet<_>, BTreeSet<_>) = blamed.iter().flatten().cloned().partition(is_hidden);
    let mut extents = vec![Extent::Tests(by_name), Extent::Amid(amid)];
    extents.retain(|extent| !matches!(extent, Extent::Tests(tests) | Extent::Amid(tests) if tests.is_empty()));
    narrowed_to(cells, &extents, &blamed)
}

/// Runs of the same cell, narrowed to each of these extents; the whole cell where its command cannot be told so, and beside them
/// where one of the runs blames no test.
fn narrowed_to(cells: &[&CellReport], extents: &[Extent], blamed: &[BTreeSet<TestName>]) -> Vec<Cell> {
    let cell = &cells[0].cell;
    let units = cells.iter().flat_map(|cell| cell.reading.units.clone()).collect();
    let narrowed = extents.iter().map(|extent| narrow(cell, extent, &units)).collect::<Option<Vec<_>>>();
    let mut narrowed = narrowed.map(|cells| cells.concat()).unwrap_or_default();
    if narrowed.is_empty() || blamed.iter().any(BTreeSet::is_empty) {
        narrowed.push(cell.clone());
    }
    narrowed
}

/// The test that a subtest is part of, as only that one runs by name; any other test itself.
fn top(name: &TestName) -> TestName {
    let top = name.name.split('/').next().unwrap_or_default().to_owned();
    TestName { unit: name.unit.clone(), name: top }
}

/// The tests that failed among others and in none of their runs by name, of which there were some: what makes them fail may be
/// what runs beside them. No documentation tests, which have no name to run by.
#[must_use]
pub fn hidden<'a>(reports: impl Iterator<Item = &'a TrialReport>) -> BTreeSet<(CellKey, TestName)> {
    let (mut amid, mut green, mut red) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for cell in reports.flat_map(|report| &report.cells) {
        let wanted = if let Extent::Tests(wanted) = &cell.cell.extent { Some(wanted) } else { None };
        for (name, end) in cell.reading.tests.iter().filter(|(name, _)| !is_doc(&name.unit)) {
            let all = match (wanted, end) {
                (Some(wanted), _) if !wanted.contains(name) => continue,
                (Some(_), TestEnd::Passed) => &mut green,
                (Some(_), TestEnd::Failed) => &mut red,
                (None, TestEnd::Failed) => &mut amid,
                _ => continue,
            };
            all.insert((cell.cell.key(), top(name)));
        }
    }
    amid.into_iter().filter(|test| green.contains(test) && !red.contains(test)).collect()
}

/// The tests that a failed cell has against it: the red ones that were never seen flaky or red before, with those that
/// their process did not come to, else those that are missing. None where a process died or hung without a word.
fn blamed(cell: &CellReport, before: Option<&CellBaseline>) -> BTreeSet<TestName> {
    if let Extent::Tests(wanted) | Extent::Amid(wanted) = &cell.cell.extent {
        return wanted.clone();
    }
    // The one that hangs is none of those that came to an end.
    if cell.exit == Exit::TimedOut {
        return BTreeSet::new();
    }
    let forgiven = |name: &TestName| before.is_some_and(|one| one.flaky.contains(name) || one.failing.contains(name));
    let all = tests_that(cell, TestEnd::Failed);
    let mut red: BTreeSet<TestName> = all.iter().filter(|name| !forgiven(name)).cloned().collect();
    if red.is_empty() && cell.again.len() >= FLAKY_RERUNS {
        // Known to be flaky, and red in each run by itself.
        let flaky: Vec<TestName> = all.into_iter().filter(|name| is_flaky(name, before)).collect();
        red = part::still_failing(cell, &flaky).into_iter().collect();
    }
    match before {
        Some(before) if red.is_empty() && cell.exit.is_success() => {
            part::missing(cell, part::expected(&cell.cell.extent, before).1).into_iter().collect()
        }
        Some(before) if !red.is_empty() => red.into_iter().chain(lost(cell, before)).collect(),
        _ => red,
    }
}

fn is_flaky(name: &TestName, before: Option<&CellBaseline>) -> bool {
    before.is_some_and(|known| known.flaky.contains(name))
}

/// Tests that did not run although others of their unit did: it may have died. Units that never began may stand behind
/// one that failed.
fn lost(cell: &CellReport, before: &CellBaseline) -> Vec<TestName> {
    let began: BTreeSet<&String> = cell.reading.tests.keys().map(|name| &name.unit).collect();
    let mut missing = part::missing(cell, part::expected(&cell.cell.extent, before).1);
    missing.retain(|name| began.contains(&name.unit));
    missing
}

/// The cells that run the flaky tests of a failed cell once more, those that passed in no run of them alone yet: beside other
/// tests that failed, too, which may turn out to be nobody's fault. Empty where there are none, where the cell failed in another way,
/// or where the command cannot be told to run them alone.
#[must_use]
pub fn only_flaky(cell: &CellReport, before: Option<&CellBaseline>) -> Vec<Cell> {
    let Some(before) = before else { return Vec::new() };
    let is_whole_failure = matches!(cell.exit, Exit::Code(code) if code != 0)
        && cell.cell.check.phase == Phase::Test
        && cell.reading.build_failed == Build::Fine
        && !matches!(cell.cell.extent, Extent::Tests(_) | Extent::Amid(_))
        && noise(cell, Some(before)).is_none();
    let red: Vec<TestName> =
        tests_that(cell, TestEnd::Failed).into_iter().filter(|name| before.flaky.contains(name)).collect();
    if !is_whole_failure || red.is_empty() {
        return Vec::new();
    }
    let left: BTreeSet<TestName> = part::still_failing(cell, &red).into_iter().collect();
    if left.is_empty() {
        return Vec::new();
    }
    narrow(&cell.cell, &Extent::Tests(left), &cell.reading.units).unwrap_or_default()
}

/// Whether a cell of some packages failed in a way that the narrowing may have brought about: without a red test. Then the
/// whole cell is to run in its place.
#[must_use]
pub fn widens(cell: &CellReport) -> bool {
    matches!(cell.cell.extent, Extent::Packages(_))
        && matches!(cell.exit, Exit::Code(code) if code != 0)
        && cell.reading.noise.is_none()
        && tests_that(cell, TestEnd::Failed).is_empty()
}
