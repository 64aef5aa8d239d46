//! What runs once more after a failure, as sentences.

use super::*;

fn trial(test: CellReport) -> TrialReport {
    let gate = cell(Phase::Gate, Exit::Code(0), Reading::default());
    TrialReport { cells: vec![gate, test], ..TrialReport::default() }
}

/// The cells that ask again where nothing is known of earlier runs by name.
fn by_name(report: &TrialReport, baseline: &Baseline) -> Vec<Cell> {
    again(report, baseline, &BTreeSet::new())
}

#[test]
fn a_failure_is_asked_again_by_the_gate_and_the_tests_that_decided_it() {
    let cells = by_name(&trial(red(BOTH_FAIL)), &known(steady()));
    assert_eq!(cells.iter().map(|cell| cell.check.name.as_str()).collect::<Vec<_>>(), ["gate", "test"]);
    assert_eq!(cells[0].extent, Extent::Whole);
    assert_eq!(cells[1].extent, Extent::Tests(BTreeSet::from([name("b")])), "`a` is known to be flaky");
    assert!(by_name(&trial(red(A_FAILS)), &known(steady())).is_empty(), "no evidence, no question");
}

#[test]
fn a_test_that_fails_in_the_suite_only_is_asked_again_amid_all_of_its_unit() {
    let by_name = |end| {
        let mut report = cell(Phase::Test, Exit::Code(0), tests(&[("b", end)]));
        report.cell.extent = Extent::Tests([name("b")].into());
        trial(report)
    };
    let (suite, green) = (trial(red(BOTH_FAIL)), by_name(TestEnd::Passed));
    let seen = hidden([&suite, &green].into_iter());
    let cells = again(&suite, &known(steady()), &seen);
    assert_eq!(cells[1].extent, Extent::Amid([name("b")].into()));
    assert!(cells[1].check.argv.join(" ").ends_with("--lib"), "{:?}", cells[1].check.argv);
    for seen in [vec![&suite], vec![&green], vec![&suite, &green, &by_name(TestEnd::Failed)]] {
        assert!(hidden(seen.into_iter()).is_empty());
    }
}

#[test]
fn a_failure_in_a_run_without_documentation_tests_is_asked_again_by_name() {
    let mut report = red(BOTH_FAIL);
    report.cell.extent = Extent::Programs;
    report.cell.check.argv.push("--tests".into());
    let cells = by_name(&trial(report), &known(steady()));
    assert_eq!(cells[1].extent, Extent::Tests([name("b")].into()));
    assert!(cells[1].check.argv.join(" ").ends_with(" --lib -- --exact b"), "{:?}", cells[1].check.argv);
    assert!(!cells[1].check.argv.contains(&"--tests".to_owned()));
}

#[test]
fn runs_of_the_same_cell_that_failed_with_other_tests_are_asked_about_in_one_command() {
    let end =
        |red: &str| if red == "a" { [TestEnd::Failed, TestEnd::Passed] } else { [TestEnd::Passed, TestEnd::Failed] };
    let run = |failed: &str| {
        let [a, b] = end(failed);
        red(&[("a", a), ("b", b)])
    };
    let steady = CellBaseline { failing: vec![], flaky: vec![], ..steady() };
    let mut report = TrialReport { cells: vec![run("a"), run("b"), run("a")], ..TrialReport::default() };
    let extents = |report: &TrialReport| -> Vec<Extent> {
        by_name(report, &known(steady.clone())).into_iter().map(|cell| cell.extent).collect()
    };
    let both = Extent::Tests([name("a"), name("b")].into());
    assert_eq!(extents(&report), std::slice::from_ref(&both));
    report.cells.push(CellReport { exit: Exit::TimedOut, ..run("a") });
    assert_eq!(extents(&report), [both, Extent::Whole], "one of them hung, and names nobody");
}

#[test]
fn tests_that_are_missing_are_asked_for_by_name() {
    let mut report = red(&[("a", TestEnd::Passed)]);
    report.exit = Exit::Code(0);
    let cells = by_name(&trial(report), &known(before(2)));
    assert_eq!(cells[1].extent, Extent::Tests(BTreeSet::from([name("b")])));
}

#[test]
fn a_test_that_was_lost_beside_a_red_one_is_asked_for_with_it() {
    let report = red(&[("a", TestEnd::Passed), ("c", TestEnd::Failed)]);
    let before = CellBaseline { names: ["a", "b", "c"].map(name).to_vec(), ..before(3) };
    let cells = by_name(&trial(report), &known(before));
    assert_eq!(cells[1].extent, Extent::Tests(["b", "c"].map(name).into()), "`b` died with its process");
}

#[test]
fn a_check_that_hangs_is_asked_again_as_a_whole_whatever_failed_before() {
    let report = CellReport { exit: Exit::TimedOut, ..red(BOTH_FAIL) };
    assert_eq!(by_name(&trial(report), &known(steady()))[1].extent, Extent::Whole);
}

#[test]
fn a_failure_without_a_name_is_asked_again_as_a_whole() {
    let cells = by_name(&trial(red(&[])), &known(before(0)));
    assert_eq!(cells[1].extent, Extent::Whole);
    let gate =
        TrialReport { cells: vec![cell(Phase::Gate, Exit::Code(101), Reading::default())], ..TrialReport::default() };
    assert_eq!(by_name(&gate, &Baseline::default()).len(), 1);
}

#[test]
fn a_narrowed_cell_that_fails_without_a_red_test_runs_whole_in_its_place() {
    let mut report = red(&[]);
    assert!(!widens(&report));
    report.cell.extent = Extent::Packages(BTreeSet::from(["app".to_owned()]));
    assert!(widens(&report));
    report.reading.tests = tests(A_FAILS).tests;
    assert!(!widens(&report));
}

#[test]
fn only_the_flaky_tests_that_failed_run_again() {
    let cells = only_flaky(&red(A_FAILS), Some(&steady()));
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].check.argv[5..], ["--lib", "--", "--exact", "a"]);
    let mut done = red(A_FAILS);
    done.again.push(part(Exit::Code(0), &["a"], &[("a", TestEnd::Passed)]));
    assert!(only_flaky(&done, Some(&steady())).is_empty());
    assert!(only_flaky(&red(A_FAILS), None).is_empty(), "in the baseline nothing is known yet");
    let mut broken = red(A_FAILS);
    broken.reading.build_failed = Build::Failed;
    assert!(only_flaky(&broken, Some(&steady())).is_empty());
}
