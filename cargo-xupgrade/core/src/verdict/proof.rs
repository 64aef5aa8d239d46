//! The proof that a trial which passed gives for one package: tests that stand on it, or that it compiles. Pure.

use super::{Baseline, Claim, exercised, is_compiled};
use crate::candidate::ProjectId;
use crate::project::Exercised;
use crate::trial::{Cell, CellReport, TestEnd, TestName, TrialReport};

/// The evidence behind an upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Nothing: no cell compiled it.
    None,
    /// A build: a cell compiled it, but no test that stands on it ran.
    Compiled,
    /// Tests that stand on it and passed.
    Tests,
}

/// A reason why a commit does not end after an upgrade but goes on to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    /// A bond: the tree here failed, or the upgrades on both sides were proved or written as one.
    Together,
    /// The next upgrade was brought along: it changes nothing any more.
    Brought,
    /// The tree was not tried, for want of time, or gave no answer.
    Open,
}

/// The proof that a passed trial gives for one package.
#[must_use]
pub fn proof(report: &TrialReport, claim: &Claim) -> Proof {
    if !is_compiled(report, claim) {
        return Proof::None;
    }
    let units = units_on(report, claim);
    let passed = |cell: &CellReport| {
        cell.reading.tests.iter().any(|(test, end)| *end == TestEnd::Passed && is_of(&cell.cell, test, &units))
    };
    if report.cells.iter().any(passed) { Proof::Tests } else { Proof::Compiled }
}

/// The reason for a weak proof: tests that stand on the package are set aside, as they fail on the untouched base.
#[must_use]
pub fn is_guarded_by_red(report: &TrialReport, baseline: &Baseline, claim: &Claim) -> bool {
    let units = units_on(report, claim);
    let failing = |cell: &CellReport| baseline.cells.get(&cell.cell.key()).map(|known| &known.failing);
    report.cells.iter().any(|cell| failing(cell).into_iter().flatten().any(|test| is_of(&cell.cell, test, &units)))
}

/// The units of tests that stand on the package of a claim, each with its project. The lockfile knows no features and targets:
/// below a test may lie what only a build with more of them compiles, so such a build alone is none.
fn units_on<'a>(report: &'a TrialReport, claim: &'a Claim) -> Vec<(&'a ProjectId, &'a String)> {
    let early = |known: &Exercised| known.compiled.contains(&claim.package) && !known.late.contains(&claim.package);
    let known = exercised(report, claim).filter(|(_, known)| early(known));
    let below = known.flat_map(|(project, known)| known.below.iter().map(move |unit| (project, unit)));
    below
        .filter(|(_, (_, below))| below.contains(&claim.package.name))
        .map(|(project, (unit, _))| (project, unit))
        .collect()
}

/// True for a test of one of these units: of its own project's cells, or of those that concern that project.
fn is_of(cell: &Cell, test: &TestName, units: &[(&ProjectId, &String)]) -> bool {
    let is_it = |unit: &String| test.unit == *unit || test.unit.starts_with(&format!("{unit} "));
    let is_its = |project: &ProjectId| *project == cell.project || cell.concerns.contains(project);
    units.iter().any(|(project, unit)| is_its(project) && is_it(unit))
}
