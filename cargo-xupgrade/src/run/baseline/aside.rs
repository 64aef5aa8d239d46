//! Tests that fail before any upgrade and are set aside by name, so that the others of their check go on: which they are,
//! and what further runs of them alone say. Pure.

use std::collections::BTreeSet;

use crate::trial::narrow::narrow;
use crate::trial::{Build, Cell, CellReport, Exit, Extent, Phase, TestEnd, TestName, TrialReport};
use crate::verdict::{Baseline, CellBaseline};

/// Limit of red tests in one check, where it has few; above it they are no exception any more.
const MOST: usize = 10;
/// Limit of red tests in one check that has many: one in ten.
const SHARE: usize = 10;
/// The number of their runs alone, beside the two of the whole check.
pub const RUNS: usize = 3;

/// The condition for a check to go on without its red tests: they have names, are few, and leave others that pass.
pub fn is_few(known: &CellBaseline) -> bool {
    let most = MOST.max(known.names.len() / SHARE);
    let few = (1..=most).contains(&leaves(&known.failing).len());
    few && known.names.iter().any(|name| !known.failing.contains(name))
}

/// These tests without those that only sum up others: Go counts a test as failed where a part of it (`TestX/part`) is.
pub fn leaves(tests: &[TestName]) -> Vec<&TestName> {
    let is_sum = |test: &TestName| {
        let part = format!("{}/", test.name);
        tests.iter().any(|other| other.unit == test.unit && other.name.starts_with(&part))
    };
    tests.iter().filter(|test| !is_sum(test)).collect()
}

/// The cells that run the red tests of a run of the base alone, where their command can be told to.
pub fn cells(report: &TrialReport, baseline: &Baseline) -> Vec<Cell> {
    let red = report.cells.iter().filter(|cell| is_red_by_name(cell));
    red.flat_map(|cell| {
        let known = baseline.cells.get(&cell.cell.key()).filter(|known| is_few(known));
        let tests: BTreeSet<TestName> = known.into_iter().flat_map(|known| known.failing.clone()).collect();
        narrow(&cell.cell, &Extent::Tests(tests), &cell.reading.units).unwrap_or_default()
    })
    .collect()
}

fn is_red_by_name(cell: &CellReport) -> bool {
    cell.cell.check.phase == Phase::Test
        && matches!(cell.exit, Exit::Code(code) if code != 0)
        && cell.reading.build_failed == Build::Fine
}

/// Takes in a run of the red tests alone: one that passed in it fails at times only, or only beside others.
pub fn hear(baseline: &mut Baseline, report: &TrialReport) {
    for cell in &report.cells {
        let Some(known) = baseline.cells.get_mut(&cell.cell.key()) else { continue };
        let passed = |name: &TestName| cell.reading.tests.get(name) == Some(&TestEnd::Passed);
        let (flaky, failing): (Vec<_>, Vec<_>) = known.failing.drain(..).partition(passed);
        known.failing = failing;
        known.flaky.extend(flaky);
        known.flaky.sort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Reading;

    fn names(names: &[&str]) -> Vec<TestName> {
        names.iter().map(|name| TestName { unit: "app src/lib.rs".into(), name: (*name).into() }).collect()
    }

    fn known(failing: &[&str], all: &[&str]) -> CellBaseline {
        CellBaseline { failing: names(failing), names: names(all), ..CellBaseline::default() }
    }

    #[test]
    fn a_check_goes_on_without_a_few_red_tests_and_not_where_none_is_left() {
        assert!(is_few(&known(&["a"], &["a", "b"])));
        assert!(!is_few(&known(&["a"], &["a"])), "no test is left");
        assert!(!is_few(&known(&[], &["a"])), "it fails, and no test says so");
        let many: Vec<String> = (0..=MOST).map(|number| format!("t{number}")).collect();
        let mut all: Vec<&str> = many.iter().map(String::as_str).collect();
        all.push("b");
        assert!(!is_few(&known(&all[..=MOST], &all)) && is_few(&known(&all[..MOST], &all)));
    }

    #[test]
    fn of_many_tests_a_tenth_may_be_red() {
        let many: Vec<String> = (0..150).map(|number| format!("t{number}")).collect();
        let all: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(is_few(&known(&all[..15], &all)) && !is_few(&known(&all[..16], &all)));
    }

    #[test]
    fn a_red_test_that_passes_by_itself_is_flaky_and_one_that_does_not_stays_red() {
        let cell = Cell::of("test", Phase::Test);
        let mut baseline =
            Baseline { cells: [(cell.key(), known(&["a", "b"], &["a", "b", "c"]))].into(), ..Baseline::default() };
        let ends = names(&["a", "b"]).into_iter().zip([TestEnd::Passed, TestEnd::Failed]).collect();
        let report = cell.ended(Exit::Code(101), Reading { tests: ends, ..Reading::default() });
        hear(&mut baseline, &TrialReport { cells: vec![report], ..TrialReport::default() });
        let known = baseline.cells.into_values().next().unwrap();
        assert_eq!((known.flaky, known.failing), (names(&["a"]), names(&["b"])));
    }

    #[test]
    fn a_test_that_sums_up_its_parts_is_not_counted_with_them() {
        let tests = names(&["TestX", "TestX/one", "TestX/two", "TestXY"]);
        let leaves: Vec<&str> = leaves(&tests).into_iter().map(|test| test.name.as_str()).collect();
        assert_eq!(leaves, ["TestX/one", "TestX/two", "TestXY"]);
    }
}
