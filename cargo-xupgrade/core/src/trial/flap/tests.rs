//! What flaps are, as sentences.

use super::*;
use crate::trial::{Cell, Exit, Phase, Reading};

fn cell(ends: &[(&str, TestEnd)]) -> CellReport {
    let test = |name: &str| TestName { unit: "app src/lib.rs".into(), name: name.into() };
    let reading = Reading { tests: ends.iter().map(|(name, end)| (test(name), *end)).collect(), ..Reading::default() };
    Cell::of("test", Phase::Test).ended(Exit::Code(0), reading)
}

fn report(tree: Option<&str>, cells: Vec<CellReport>) -> TrialReport {
    TrialReport { tested: tree.map(str::to_owned), cells, ..TrialReport::default() }
}

fn told(trials: &[(&str, TrialReport)]) -> Vec<String> {
    let seen: Vec<Seen<'_>> = trials.iter().map(|(trial, report)| Seen { trial, report }).collect();
    let line = |flap: Flap| {
        let Flap { test, passed, failed, passed_in, failed_in, .. } = flap;
        let test = test.unwrap_or_else(|| "the whole check".into());
        format!("{test}: {passed} in {passed_in:?}, {failed} in {failed_in:?}")
    };
    flapped(&seen).into_iter().map(line).collect()
}

const GREEN: &[(&str, TestEnd)] = &[("a", TestEnd::Passed), ("b", TestEnd::Passed), ("c", TestEnd::Skipped)];
const RED: &[(&str, TestEnd)] = &[("a", TestEnd::Failed), ("b", TestEnd::Passed), ("c", TestEnd::Passed)];

#[test]
fn a_test_that_passed_and_failed_on_one_tree_flapped() {
    let trials = [
        ("baseline-1", report(None, vec![cell(GREEN)])),
        ("baseline-2", report(None, vec![cell(RED)])),
        ("t1", report(Some("x"), vec![cell(GREEN)])),
    ];
    assert_eq!(told(&trials), [r#"app src/lib.rs a: 1 in ["baseline-1"], 1 in ["baseline-2"]"#]);
}

#[test]
fn a_test_that_fails_with_an_upgrade_and_passes_without_it_did_not_flap() {
    let trials = [
        ("baseline-1", report(None, vec![cell(GREEN)])),
        ("t1", report(Some("x"), vec![cell(RED)])),
        ("t2", report(Some("x"), vec![cell(RED)])),
    ];
    assert!(told(&trials).is_empty());
}

#[test]
fn what_ran_again_within_a_trial_counts_and_each_trial_is_named_once() {
    let mut flapping = cell(RED);
    flapping.again = vec![cell(&[("a", TestEnd::Failed)]), cell(&[("a", TestEnd::Passed)])];
    let trials = [("t1", report(Some("x"), vec![flapping]))];
    assert_eq!(told(&trials), [r#"app src/lib.rs a: 1 in ["t1"], 2 in ["t1"]"#]);
}

#[test]
fn a_check_that_fails_at_times_without_a_name_flapped_as_a_whole() {
    let fell = |exit: Exit| CellReport { exit, ..cell(&[]) };
    let trials = [
        ("baseline-1", report(None, vec![fell(Exit::Code(0))])),
        ("baseline-2", report(None, vec![fell(Exit::Code(1))])),
        ("t1", report(Some("x"), vec![fell(Exit::Code(1))])),
    ];
    assert_eq!(told(&trials), [r#"the whole check: 1 in ["baseline-1"], 1 in ["baseline-2"]"#]);
    let killed = [("a", report(None, vec![cell(&[])])), ("b", report(None, vec![fell(Exit::Signal(9))]))];
    assert!(told(&killed).is_empty(), "noise is none");
}

#[test]
fn a_part_of_a_check_says_nothing_about_the_whole() {
    let mut part = cell(&[]);
    let mut whole = part.clone();
    whole.exit = Exit::Code(101);
    for extent in [Extent::Packages(["app".to_owned()].into()), Extent::Tests(BTreeSet::new())] {
        part.cell.extent = extent;
        let trials =
            [("t1", report(Some("x"), vec![part.clone()])), ("full-2", report(Some("x"), vec![whole.clone()]))];
        assert_eq!(told(&trials), [""; 0]);
    }
}
