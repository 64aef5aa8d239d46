//! What a verdict must say, as sentences.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::candidate::Reason;
use crate::ecosystem::Exercised;
use crate::trial::{Cell, Check, Reader, Reading};

fn cell(phase: Phase, exit: Exit, reading: Reading) -> CellReport {
    let name = if phase == Phase::Gate { "gate" } else { "test" };
    CellReport {
        cell: Cell {
            project: "cargo .".into(),
            check: Check {
                name: name.into(),
                phase,
                argv: vec!["cargo".into(), "test".into()],
                afresh: vec![],
                dir: ".".into(),
                env: BTreeMap::new(),
                reader: Reader::Libtest,
                limit: None,
                company: crate::trial::Company::Any,
            },
            concerns: BTreeSet::new(),
        },
        words: vec!["cargo".into(), "test".into()],
        seconds: 1.0,
        exit,
        log: "log/x".into(),
        reading,
        dirtied: vec![],
        strays: 0,
        beside: None,
    }
}

fn name(text: &str) -> TestName {
    TestName { unit: "app src/lib.rs".into(), name: text.into() }
}

fn tests(ends: &[(&str, TestEnd)]) -> Reading {
    Reading { tests: ends.iter().map(|(text, end)| (name(text), *end)).collect(), ..Reading::default() }
}

fn before(ran: usize) -> CellBaseline {
    CellBaseline { ran, names: vec![name("a"), name("b")], ..CellBaseline::default() }
}

fn kind(verdict: &Verdict) -> ReasonKind {
    match verdict {
        Verdict::Failed(cause) => cause.kind,
        other => panic!("not failed: {other:?}"),
    }
}

#[test]
fn a_green_cell_with_all_its_tests_passes() {
    let report = cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed), ("b", TestEnd::Passed)]));
    assert_eq!(judge_cell(&report, Some(&before(2))), Verdict::Passed);
}

#[test]
fn fewer_tests_than_before_fail_and_are_named() {
    let report = cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed)]));
    let verdict = judge_cell(&report, Some(&before(2)));
    assert_eq!(kind(&verdict), ReasonKind::FewerTests);
    let Verdict::Failed(cause) = verdict else { unreachable!() };
    assert_eq!(cause.evidence.tests, ["app src/lib.rs b"]);
}

#[test]
fn a_test_that_turned_into_an_ignored_one_counts_as_missing() {
    let report = cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed), ("b", TestEnd::Skipped)]));
    assert_eq!(kind(&judge_cell(&report, Some(&before(2)))), ReasonKind::FewerTests);
}

#[test]
fn a_failing_gate_is_a_build_failure() {
    let report = cell(Phase::Gate, Exit::Code(101), Reading::default());
    assert_eq!(kind(&judge_cell(&report, None)), ReasonKind::BuildFailed);
}

#[test]
fn a_red_test_is_named() {
    let report = cell(Phase::Test, Exit::Code(101), tests(&[("a", TestEnd::Failed), ("b", TestEnd::Passed)]));
    let verdict = judge_cell(&report, Some(&before(2)));
    assert_eq!(kind(&verdict), ReasonKind::TestFailed);
    let Verdict::Failed(cause) = verdict else { unreachable!() };
    assert_eq!(cause.evidence.tests, ["app src/lib.rs a"]);
}

#[test]
fn a_failure_made_only_of_flaky_tests_is_no_evidence() {
    let known = CellBaseline { flaky: vec![name("a")], ..before(2) };
    let report = cell(Phase::Test, Exit::Code(101), tests(&[("a", TestEnd::Failed), ("b", TestEnd::Passed)]));
    assert!(matches!(judge_cell(&report, Some(&known)), Verdict::Inconclusive(_)));
}

#[test]
fn failures_that_the_user_accepts_pass_and_new_ones_do_not() {
    let known = CellBaseline { failing: vec![name("a")], ..before(2) };
    let old = cell(Phase::Test, Exit::Code(101), tests(&[("a", TestEnd::Failed), ("b", TestEnd::Passed)]));
    assert_eq!(judge_cell(&old, Some(&known)), Verdict::Passed);
    let new = cell(Phase::Test, Exit::Code(101), tests(&[("a", TestEnd::Failed), ("b", TestEnd::Failed)]));
    assert_eq!(kind(&judge_cell(&new, Some(&known))), ReasonKind::TestFailed);
}

#[test]
fn noise_is_never_evidence() {
    let full_disk = Reading { noise: Some("no space left on the disk".into()), ..Reading::default() };
    assert!(matches!(judge_cell(&cell(Phase::Gate, Exit::Code(101), full_disk), None), Verdict::Inconclusive(_)));
    assert!(matches!(
        judge_cell(&cell(Phase::Test, Exit::Signal(9), Reading::default()), None),
        Verdict::Inconclusive(_)
    ));
    let missing = Exit::NotStarted("no such program".into());
    assert!(matches!(judge_cell(&cell(Phase::Test, missing, Reading::default()), None), Verdict::Inconclusive(_)));
}

#[test]
fn words_of_noise_in_a_green_cell_do_not_matter() {
    let loud =
        Reading { noise: Some("out of memory".into()), ..tests(&[("a", TestEnd::Passed), ("b", TestEnd::Passed)]) };
    assert_eq!(judge_cell(&cell(Phase::Test, Exit::Code(0), loud), Some(&before(2))), Verdict::Passed);
}

#[test]
fn a_test_that_never_ends_is_a_time_out() {
    assert_eq!(kind(&judge_cell(&cell(Phase::Test, Exit::TimedOut, Reading::default()), None)), ReasonKind::TimedOut);
}

#[test]
fn a_refused_resolve_names_its_atom() {
    let report = TrialReport {
        refused: Some((2, Reason::new(ReasonKind::ResolveRefused, "links clash"))),
        ..TrialReport::default()
    };
    let Verdict::Failed(cause) = judge(&report, &Baseline::default(), &[], Unexercised::Hold) else { panic!() };
    assert_eq!(cause.suspects, [2]);
}

fn compiled(package: &str) -> TrialReport {
    let exercised = Exercised {
        compiled: BTreeSet::from([package.to_owned()]),
        below: BTreeMap::from([("app".to_owned(), BTreeSet::from(["x".to_owned()]))]),
        ..Exercised::default()
    };
    TrialReport {
        cells: vec![cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed)]))],
        exercised: BTreeMap::from([("cargo .".to_owned(), exercised)]),
        ..TrialReport::default()
    }
}

fn claim(package: &str) -> Claim {
    Claim { position: 0, project: "cargo .".into(), package: package.into() }
}

#[test]
fn a_candidate_that_no_cell_compiles_is_not_exercised() {
    let verdict = judge(&compiled("x@1.0.0"), &Baseline::default(), &[claim("x@1.0.1")], Unexercised::Hold);
    assert_eq!(kind(&verdict), ReasonKind::NotExercised);
    let verdict = judge(&compiled("x@1.0.1"), &Baseline::default(), &[claim("x@1.0.1")], Unexercised::Hold);
    assert_eq!(verdict, Verdict::Passed);
    let verdict = judge(&compiled("x@1.0.0"), &Baseline::default(), &[claim("x@1.0.1")], Unexercised::Allow);
    assert_eq!(verdict, Verdict::Passed);
}

#[test]
fn proof_is_tests_only_where_a_unit_above_the_dependency_ran() {
    assert_eq!(proof(&compiled("x@1.0.1"), &claim("x@1.0.1")), Proof::Tests);
    assert_eq!(proof(&compiled("y@1.0.1"), &claim("y@1.0.1")), Proof::Compiled);
    assert_eq!(proof(&compiled("x@1.0.0"), &claim("x@1.0.1")), Proof::None);
}

#[test]
fn limits_come_from_the_baseline_with_a_floor() {
    assert_eq!(time_limit(Phase::Gate, 10.0), 600);
    assert_eq!(time_limit(Phase::Gate, 400.0), 800);
    assert_eq!(time_limit(Phase::Test, 2.0), 60);
    assert_eq!(time_limit(Phase::Test, 100.0), 500);
}
