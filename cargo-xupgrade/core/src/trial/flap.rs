//! Which tests flapped in a run: passed and failed with the very same packages. Pure; a test that fails with an upgrade
//! and passes without it does not flap.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::candidate::ProjectId;

use super::{CellKey, CellReport, Exit, Extent, TestEnd, TestName, TrialReport};

/// A test that did not end the same way each time, or a check that did not and never said which test it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flap {
    /// The test; none where the check as a whole flapped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test: Option<String>,
    /// Its project.
    pub project: ProjectId,
    /// The check that ran it.
    pub check: String,
    /// How often it passed where it also failed.
    pub passed: usize,
    /// How often it failed where it also passed.
    pub failed: usize,
    /// The trials in which it passed there.
    pub passed_in: Vec<String>,
    /// The trials in which it failed there.
    pub failed_in: Vec<String>,
}

/// A trial, as far as flaps go.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its name.
    pub trial: &'a str,
    /// What happened.
    pub report: &'a TrialReport,
}

/// A cell or a test of it, and the tree that it ran on.
type Where<'a> = (CellKey, Option<&'a TestName>, &'a str);

/// The tests that flapped in these trials, which come in the order in which they ran.
#[must_use]
pub fn flapped(trials: &[Seen<'_>]) -> Vec<Flap> {
    let cells =
        || trials.iter().flat_map(|seen| seen.report.cells.iter().flat_map(with_reruns).map(move |cell| (seen, cell)));
    // Most tests never fail, and those need no room.
    let red: BTreeSet<&TestName> = cells().flat_map(|(_, cell)| ended(cell, TestEnd::Failed)).collect();
    let mut ends: BTreeMap<Where<'_>, Vec<(TestEnd, &str)>> = BTreeMap::new();
    for (seen, cell) in cells() {
        let tree = seen.report.tested.as_deref().unwrap_or_default();
        for end in [TestEnd::Passed, TestEnd::Failed] {
            for test in ended(cell, end).filter(|test| red.contains(test)) {
                ends.entry((cell.cell.key(), Some(test), tree)).or_default().push((end, seen.trial));
            }
        }
        if let Some(end) = nameless(cell) {
            ends.entry((cell.cell.key(), None, tree)).or_default().push((end, seen.trial));
        }
    }
    let mut flaps: BTreeMap<(CellKey, Option<&TestName>), Flap> = BTreeMap::new();
    for ((key, test, _), seen) in ends {
        let differ = seen.iter().any(|(end, _)| *end != seen[0].0);
        if differ {
            flaps.entry((key.clone(), test)).or_insert_with(|| empty(&key, test)).add(&seen);
        }
    }
    flaps.into_values().collect()
}

fn with_reruns(cell: &CellReport) -> impl Iterator<Item = &CellReport> {
    std::iter::once(cell).chain(&cell.again)
}

fn ended(cell: &CellReport, wanted: TestEnd) -> impl Iterator<Item = &TestName> {
    cell.reading.tests.iter().filter(move |(_, end)| **end == wanted).map(|(test, _)| test)
}

/// How a cell ended as far as no test tells it: noise and failing tests say nothing about the rest, and a part of the
/// check nothing about the whole.
fn nameless(cell: &CellReport) -> Option<TestEnd> {
    let told = cell.reading.noise.is_some() || ended(cell, TestEnd::Failed).next().is_some();
    match cell.exit {
        _ if cell.cell.extent != Extent::Whole => None,
        Exit::Code(0) => Some(TestEnd::Passed),
        Exit::Code(_) | Exit::TimedOut if !told => Some(TestEnd::Failed),
        _ => None,
    }
}

fn empty(key: &CellKey, test: Option<&TestName>) -> Flap {
    Flap {
        test: test.map(ToString::to_string),
        project: key.project.clone(),
        check: key.check.clone(),
        passed: 0,
        failed: 0,
        passed_in: Vec::new(),
        failed_in: Vec::new(),
    }
}

impl Flap {
    fn add(&mut self, seen: &[(TestEnd, &str)]) {
        let of = |wanted: TestEnd| seen.iter().filter(move |(end, _)| *end == wanted).map(|(_, trial)| *trial);
        self.passed += of(TestEnd::Passed).count();
        self.failed += of(TestEnd::Failed).count();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        self.passed_in.extend(of(TestEnd::Passed).filter(|trial| told.insert(trial)).map(str::to_owned));
        told.clear();
        self.failed_in.extend(of(TestEnd::Failed).filter(|trial| told.insert(trial)).map(str::to_owned));
    }
}

#[cfg(test)]
mod tests;
