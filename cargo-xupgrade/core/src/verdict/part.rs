//! The judgement on part of a check: a cell that ran tests of some packages or units only, or certain tests, is compared
//! with the same part of the baseline. What should have run and did not is a failure, never a pass.

use std::collections::BTreeSet;

use super::words::fails_at;
use super::{CellBaseline, Verdict, failed, list, tests_that};
use crate::candidate::ReasonKind;
use crate::trial::narrow::{belongs, is_doc};
use crate::trial::{Build, CellReport, Extent, TestEnd, TestName};

/// How many tests this much of the check ran on the untouched base, and their names.
pub(super) fn expected(extent: &Extent, before: &CellBaseline) -> (usize, Vec<TestName>) {
    let names: Vec<TestName> = match extent {
        Extent::Packages(packages) => {
            before.names.iter().filter(|name| belongs(&name.unit, packages)).cloned().collect()
        }
        Extent::Units(units) => before.names.iter().filter(|name| units.contains(&name.unit)).cloned().collect(),
        Extent::Programs => before.names.iter().filter(|name| !is_doc(&name.unit)).cloned().collect(),
        Extent::Whole | Extent::Tests(_) | Extent::Amid(_) => return (before.ran, before.names.clone()),
    };
    (names.len().min(before.ran), names)
}

/// How many tests the cell ran of those that it was asked for.
pub(super) fn ran(cell: &CellReport) -> usize {
    let ours = |unit: &str| match &cell.cell.extent {
        Extent::Packages(packages) => belongs(unit, packages),
        Extent::Units(units) => units.contains(unit),
        Extent::Whole | Extent::Programs | Extent::Tests(_) | Extent::Amid(_) => true,
    };
    cell.reading.tests.iter().filter(|(name, end)| **end != TestEnd::Skipped && ours(&name.unit)).count()
}

/// Which of these did not run to an end.
pub(super) fn missing(cell: &CellReport, names: impl IntoIterator<Item = TestName>) -> Vec<TestName> {
    names.into_iter().filter(|name| end(cell, name).is_none()).collect()
}

/// The judgement on certain tests, run by themselves: each has to pass, and what the command ran beside them does not count.
pub(super) fn judge_tests(cell: &CellReport, wanted: &BTreeSet<TestName>) -> Verdict {
    if let Some(noise) = cell.reading.noise.as_ref().filter(|_| !cell.exit.is_success()) {
        return Verdict::Inconclusive(noise.clone());
    }
    let red: Vec<TestName> = wanted.iter().filter(|name| end(cell, name) == Some(TestEnd::Failed)).cloned().collect();
    if !red.is_empty() {
        return failed(cell, ReasonKind::TestFailed, &format!("fails: {}", list(&red)), &red);
    }
    if !cell.exit.is_success() && cell.reading.build_failed == Build::Failed {
        return failed(cell, ReasonKind::BuildFailed, &fails_at(None), &[]);
    }
    let missing = missing(cell, wanted.iter().cloned());
    if !missing.is_empty() {
        return failed(cell, ReasonKind::FewerTests, &format!("did not run {}", list(&missing)), &missing);
    }
    if !cell.exit.is_success() && tests_that(cell, TestEnd::Failed).is_empty() {
        return failed(cell, ReasonKind::TestFailed, "fails", &[]);
    }
    Verdict::Passed
}

/// Of tests that failed and are known to be flaky: those that passed in no run of them alone.
pub(super) fn still_failing(cell: &CellReport, red: &[TestName]) -> Vec<TestName> {
    let passed = |name: &TestName| cell.again.iter().any(|rerun| end(rerun, name) == Some(TestEnd::Passed));
    red.iter().filter(|name| !passed(name)).cloned().collect()
}

fn end(cell: &CellReport, name: &TestName) -> Option<TestEnd> {
    cell.reading.tests.get(name).copied().filter(|end| *end != TestEnd::Skipped)
}
