//! What a verdict must say, as sentences.

mod again;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::candidate::Reason;
use crate::project::Exercised;
use crate::trial::{Cell, Grain, Member, Reading};

fn cell(phase: Phase, exit: Exit, reading: Reading) -> CellReport {
    let name = if phase == Phase::Gate { "gate" } else { "test" };
    Cell::of(name, phase).ended(exit, reading)
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
fn documentation_tests_are_missed_in_no_run_of_the_test_programs_alone() {
    let doc = TestName { unit: "app doc".into(), name: "src/lib.rs - f (line 3)".into() };
    let before = CellBaseline { ran: 3, names: vec![name("a"), name("b"), doc], ..CellBaseline::default() };
    let both = tests(&[("a", TestEnd::Passed), ("b", TestEnd::Passed)]);
    let mut report = cell(Phase::Test, Exit::Code(0), both.clone());
    assert_eq!(kind(&judge_cell(&report, Some(&before))), ReasonKind::FewerTests, "the whole check ran less");
    report.cell.extent = Extent::Programs;
    assert_eq!(judge_cell(&report, Some(&before)), Verdict::Passed);
    report.reading.tests.pop_last();
    assert_eq!(kind(&judge_cell(&report, Some(&before))), ReasonKind::FewerTests, "of these none may be missing");
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
        end: TrialEnd::Refused { atom: MEMBER.into(), reason: Reason::new(ReasonKind::ResolveRefused, "links clash") },
        ..TrialReport::default()
    };
    let Verdict::Failed(cause) = judge(&report, &Baseline::default(), &[], Unexercised::Hold) else { panic!() };
    assert_eq!(cause.suspects, [MEMBER]);
}

fn compiled(package: &str) -> TrialReport {
    let exercised = Exercised {
        compiled: BTreeSet::from([package.into()]),
        below: BTreeMap::from([("app".to_owned(), BTreeSet::from(["x".to_owned()]))]),
        ..Exercised::default()
    };
    TrialReport {
        cells: vec![cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed)]))],
        exercised: BTreeMap::from([("cargo .".into(), exercised)]),
        ..TrialReport::default()
    }
}

const MEMBER: Member = Member { candidate: 2, rung: 0 };

fn claim(package: &str) -> Claim {
    Claim { member: MEMBER, projects: ["cargo .".into()].into(), package: package.into() }
}

#[test]
fn what_another_project_compiles_and_tests_is_no_evidence() {
    let mut elsewhere = compiled("x@1.0.1");
    elsewhere.exercised = elsewhere.exercised.into_values().map(|known| ("cargo fuzz".into(), known)).collect();
    let verdict = judge(&elsewhere, &Baseline::default(), &[claim("x@1.0.1")], Unexercised::Hold);
    assert_eq!(kind(&verdict), ReasonKind::NotExercised);
    assert_eq!(proof(&elsewhere, &claim("x@1.0.1")), Proof::None);
    let mut both = compiled("x@1.0.1");
    both.cells[0].cell.project = "cargo fuzz".into();
    assert_eq!(proof(&both, &claim("x@1.0.1")), Proof::Compiled, "a test of that name ran, and not here");
    both.cells[0].cell.concerns = ["cargo .".into()].into();
    assert_eq!(proof(&both, &claim("x@1.0.1")), Proof::Tests, "a check of one project may test another");
}

#[test]
fn tests_of_a_dependent_that_stays_at_the_old_release_prove_nothing() {
    let mut report = compiled("x@1.0.1");
    let own = report.exercised.get_mut(&"cargo .".into()).unwrap();
    let old = Exercised { compiled: ["x@1.0.0".into()].into(), ..own.clone() };
    own.below.clear();
    report.exercised.insert("cargo examples".into(), old);
    report.cells[0].cell.project = "cargo examples".into();
    let projects = ["cargo .".into(), "cargo examples".into()].into();
    assert_eq!(proof(&report, &Claim { projects, ..claim("x@1.0.1") }), Proof::Compiled);
}

#[test]
fn what_its_own_project_compiles_late_is_late_whoever_else_compiles_it() {
    let candidate = Candidate::of("x", &["1.0.1"]);
    let all: BTreeSet<Target> = ["x@1.0.0".into()].into();
    let early = Exercised { compiled: all.clone(), ..Exercised::default() };
    let late = Exercised { late: all, ..early.clone() };
    let reached = ["cargo .".into(), "cargo fuzz".into()];
    let is_late = |own: Option<&Exercised>, other: &Exercised| {
        let own = own.map(|own| ("cargo .".into(), own.clone()));
        let exercised = own.into_iter().chain([("cargo fuzz".into(), other.clone())]).collect();
        Baseline { exercised, ..Baseline::default() }.is_late(&candidate, &reached)
    };
    assert!(is_late(Some(&late), &early));
    assert!(!is_late(Some(&early), &late));
    assert!(is_late(None, &late) && !is_late(None, &early));
}

#[test]
fn what_a_check_compiles_counts_for_each_project_that_it_concerns() {
    let mut report = compiled("x@1.0.1");
    let concerns = ["cargo .".into(), "cargo tool".into()].into();
    let cell = Cell { concerns, ..report.cells[0].cell.clone() };
    let seen = Exercised { compiled: ["y@1.0.1".into()].into(), ..Exercised::default() };
    let there = Claim { projects: ["cargo tool".into()].into(), ..claim("y@1.0.1") };
    assert_eq!(proof(&report, &there), Proof::None);
    report.share_evidence(&cell, &seen);
    assert_eq!(proof(&report, &there), Proof::Compiled);
    let other = Claim { package: "x@1.0.1".into(), ..there };
    assert_eq!(proof(&report, &other), Proof::None, "only what that check compiled");
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
fn what_only_the_whole_matrix_compiles_is_proved_by_no_test_that_the_lockfile_puts_above_it() {
    let mut report = compiled("x@1.0.1");
    for exercised in report.exercised.values_mut() {
        exercised.late.insert("x@1.0.1".into());
    }
    assert_eq!(proof(&report, &claim("x@1.0.1")), Proof::Compiled);
}

#[test]
fn limits_come_from_the_baseline_with_a_floor() {
    assert_eq!(time_limit(Phase::Gate, 10.0), 600);
    assert_eq!(time_limit(Phase::Gate, 400.0), 800);
    assert_eq!(time_limit(Phase::Test, 2.0), 60);
    assert_eq!(time_limit(Phase::Test, 100.0), 500);
}

fn steady() -> CellBaseline {
    CellBaseline { flaky: vec![name("a")], ..before(2) }
}

fn red(ends: &[(&str, TestEnd)]) -> CellReport {
    let mut report = cell(Phase::Test, Exit::Code(101), tests(ends));
    report.cell.check.argv = "cargo test --workspace --locked --no-fail-fast".split(' ').map(str::to_owned).collect();
    report.reading.units = BTreeMap::from([("app src/lib.rs".to_owned(), vec!["--lib".to_owned()])]);
    report
}

const A_FAILS: &[(&str, TestEnd)] = &[("a", TestEnd::Failed), ("b", TestEnd::Passed)];
const BOTH_FAIL: &[(&str, TestEnd)] = &[("a", TestEnd::Failed), ("b", TestEnd::Failed)];

/// A run of certain tests only.
fn part(exit: Exit, wanted: &[&str], ends: &[(&str, TestEnd)]) -> CellReport {
    let mut report = cell(Phase::Test, exit, tests(ends));
    report.cell.extent = Extent::Tests(wanted.iter().map(|text| name(text)).collect());
    report
}

#[test]
fn a_flaky_test_that_passes_by_itself_is_forgiven_and_one_that_does_not_is_no_evidence() {
    let mut report = red(A_FAILS);
    report.again.push(part(Exit::Code(101), &["a"], &[("a", TestEnd::Failed)]));
    assert!(matches!(judge_cell(&report, Some(&steady())), Verdict::Inconclusive(_)));
    report.again.push(part(Exit::Code(0), &["a"], &[("a", TestEnd::Passed)]));
    assert_eq!(judge_cell(&report, Some(&steady())), Verdict::Passed);
}

#[test]
fn a_test_never_seen_flaky_is_believed_whatever_a_flaky_one_beside_it_does() {
    let mut report = red(BOTH_FAIL);
    report.again.push(part(Exit::Code(0), &["a", "b"], &[("a", TestEnd::Passed), ("b", TestEnd::Passed)]));
    let Verdict::Failed(cause) = judge_cell(&report, Some(&steady())) else { panic!() };
    assert_eq!(cause.evidence.tests, ["app src/lib.rs b"]);
    let again = only_flaky(&red(BOTH_FAIL), Some(&steady()));
    assert_eq!(again[0].check.argv[5..], ["--lib", "--", "--exact", "a"], "the other one is doubted apart");
}

#[test]
fn a_forgiven_cell_still_has_to_run_all_its_tests() {
    let mut report = red(&[("a", TestEnd::Failed)]);
    report.again.push(part(Exit::Code(0), &["a"], &[("a", TestEnd::Passed)]));
    assert_eq!(kind(&judge_cell(&report, Some(&steady()))), ReasonKind::FewerTests);
}

#[test]
fn a_cell_that_failed_once_on_the_base_without_a_name_is_no_evidence_when_it_fails_so_again() {
    let unsteady = CellBaseline { steadiness: Steadiness::Unsteady, ..before(0) };
    for exit in [Exit::Code(1), Exit::TimedOut] {
        let report = cell(Phase::Test, exit.clone(), Reading::default());
        assert!(matches!(judge_cell(&report, Some(&unsteady)), Verdict::Inconclusive(_)));
        assert!(matches!(judge_cell(&report, Some(&before(0))), Verdict::Failed(_)), "{exit:?}");
    }
    let named = cell(Phase::Test, Exit::Code(1), tests(&[("a", TestEnd::Failed)]));
    assert_eq!(kind(&judge_cell(&named, Some(&unsteady))), ReasonKind::TestFailed);
}

#[test]
fn certain_tests_pass_only_if_each_of_them_ran_and_passed() {
    let all = ["a", "b"];
    let good = part(Exit::Code(0), &all, &[("a", TestEnd::Passed), ("b", TestEnd::Passed)]);
    assert_eq!(judge_cell(&good, Some(&before(900))), Verdict::Passed);
    let absent = part(Exit::Code(0), &all, &[("a", TestEnd::Passed)]);
    assert_eq!(kind(&judge_cell(&absent, None)), ReasonKind::FewerTests);
    let skipped = part(Exit::Code(0), &all, &[("a", TestEnd::Passed), ("b", TestEnd::Skipped)]);
    assert_eq!(kind(&judge_cell(&skipped, None)), ReasonKind::FewerTests);
    let failed = part(Exit::Code(101), &all, A_FAILS);
    assert_eq!(kind(&judge_cell(&failed, None)), ReasonKind::TestFailed);
    let beside = part(Exit::Code(101), &["b"], A_FAILS);
    assert_eq!(judge_cell(&beside, None), Verdict::Passed, "what ran beside them does not count");
    let died = part(Exit::Code(101), &["b"], &[("b", TestEnd::Passed)]);
    assert_eq!(kind(&judge_cell(&died, None)), ReasonKind::TestFailed);
    let killed = part(Exit::Signal(9), &["b"], &[]);
    assert!(matches!(judge_cell(&killed, None), Verdict::Inconclusive(_)));
}

#[test]
fn a_cell_of_some_packages_is_compared_with_their_part_of_the_baseline() {
    let other = TestName { unit: "other src/lib.rs".into(), name: "c".into() };
    let known = CellBaseline { ran: 3, names: vec![name("a"), name("b"), other], ..CellBaseline::default() };
    let mut report = cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed), ("b", TestEnd::Passed)]));
    report.cell.extent = Extent::Packages(BTreeSet::from(["app".to_owned()]));
    assert_eq!(judge_cell(&report, Some(&known)), Verdict::Passed);
    report.reading.tests.remove(&name("b"));
    report.reading.tests.insert(TestName { unit: "stranger src/lib.rs".into(), name: "c".into() }, TestEnd::Passed);
    assert_eq!(kind(&judge_cell(&report, Some(&known))), ReasonKind::FewerTests);
}

fn known(cell: CellBaseline) -> Baseline {
    let cells = BTreeMap::from([(CellKey::of("test"), cell)]);
    Baseline { cells, ..Baseline::default() }
}

#[test]
fn noise_in_one_run_hides_no_failure_in_another() {
    let noisy = CellReport { exit: Exit::Signal(9), ..red(&[]) };
    let report = TrialReport { cells: vec![noisy, red(BOTH_FAIL)], ..TrialReport::default() };
    assert_eq!(kind(&judge(&report, &known(before(2)), &[], Unexercised::Allow)), ReasonKind::TestFailed);
}

#[test]
fn of_tests_that_run_amid_their_unit_only_they_count() {
    let mut report = red(&[("a", TestEnd::Failed), ("b", TestEnd::Passed)]);
    report.cell.extent = Extent::Amid([name("b")].into());
    assert_eq!(judge_cell(&report, Some(&before(2))), Verdict::Passed);
    report.cell.extent = Extent::Amid([name("a")].into());
    assert_eq!(kind(&judge_cell(&report, Some(&before(2)))), ReasonKind::TestFailed);
}

#[test]
fn a_cell_of_some_units_is_compared_with_their_part_of_the_baseline() {
    let other = TestName { unit: "app tests/it.rs".into(), name: "c".into() };
    let known = CellBaseline { ran: 3, names: vec![name("a"), name("b"), other], ..CellBaseline::default() };
    let mut report = cell(Phase::Test, Exit::Code(0), tests(&[("a", TestEnd::Passed), ("b", TestEnd::Passed)]));
    report.cell.extent = Extent::Units([name("a").unit].into());
    assert_eq!(judge_cell(&report, Some(&known)), Verdict::Passed);
    report.reading.tests.remove(&name("b"));
    assert_eq!(kind(&judge_cell(&report, Some(&known))), ReasonKind::FewerTests);
}

#[test]
fn a_tracked_file_that_a_check_changes_only_with_an_upgrade_fails_it_and_one_that_it_always_changes_does_not() {
    let cell = |changed: &[&str]| {
        let mut cell = Cell::of("test", Phase::Test).ended(Exit::Code(0), Reading::default());
        cell.changed = changed.iter().map(|file| (*file).to_owned()).collect();
        cell
    };
    let before = CellBaseline { changes: ["stamp".to_owned()].into(), ..CellBaseline::default() };
    assert_eq!(judge_cell(&cell(&["stamp"]), Some(&before)), Verdict::Passed);
    assert_eq!(judge_cell(&cell(&["docs/deps.md"]), None), Verdict::Passed, "the base may do what it likes");
    let Verdict::Failed(cause) = judge_cell(&cell(&["docs/deps.md", "stamp"]), Some(&before)) else { panic!() };
    assert_eq!(cause.kind, ReasonKind::ChangesFiles);
    assert!(cause.text.contains("changes `docs/deps.md`, which") && !cause.text.contains("stamp"), "{}", cause.text);
}

#[test]
fn that_a_check_changes_files_is_told_only_where_nothing_else_stands_against_an_upgrade() {
    let mut changing = Cell::of("docs", Phase::Test).ended(Exit::Code(0), Reading::default());
    changing.changed = vec!["docs/deps.md".into()];
    let red = Cell::of("test", Phase::Test).ended(Exit::Code(1), Reading::default());
    let key = changing.cell.key();
    let baseline = Baseline { cells: [(key, CellBaseline::default())].into(), ..Baseline::default() };
    let judged = |cells| judge(&TrialReport { cells, ..TrialReport::default() }, &baseline, &[], Unexercised::Hold);
    assert_eq!(kind(&judged(vec![changing.clone(), red])), ReasonKind::TestFailed);
    assert_eq!(kind(&judged(vec![changing])), ReasonKind::ChangesFiles);
}

/// A failed check that is judged target by target.
fn targets(built: &[&str], unbuilt: &[&str], telling: &[&str]) -> CellReport {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let telling = telling.iter().map(|line| (*line).to_owned()).collect();
    let reading = Reading {
        built: set(built),
        unbuilt: set(unbuilt),
        telling,
        build_failed: Build::Failed,
        ..Reading::default()
    };
    let mut report = cell(Phase::Gate, Exit::Code(101), reading);
    report.cell.check.grain = Grain::Target;
    report
}

/// The same on the untouched base.
fn base_of(report: &CellReport) -> CellBaseline {
    CellBaseline {
        built: report.reading.built.clone(),
        unbuilt: report.reading.unbuilt.clone(),
        told: report.reading.telling.iter().cloned().collect(),
        ..CellBaseline::default()
    }
}

#[test]
fn a_target_that_did_not_compile_before_stands_against_nothing_and_every_other_one_does() {
    let before = targets(&["app (lib)", "app (bench \"old\")"], &["app (bench \"new\")"], &["error[E0554]: nightly"]);
    let known = base_of(&before);
    assert_eq!(judge_cell(&before, Some(&known)), Verdict::Passed);
    let mut now = targets(
        &["app (lib)"],
        &["app (bench \"new\")", "app (bench \"old\")"],
        &["error[E0554]: nightly", "error[E0596]: cannot borrow"],
    );
    only_news(&mut now, Some(&known));
    let Verdict::Failed(cause) = judge_cell(&now, Some(&known)) else { panic!("it is no news that `old` fails") };
    assert_eq!(cause.kind, ReasonKind::BuildFailed);
    assert_eq!(
        cause.text, "`cargo test` fails at app (bench \"old\"): error[E0596]: cannot borrow",
        "what failed before is not told again"
    );
    let mut whole = before;
    whole.cell.check.grain = Grain::Whole;
    assert!(matches!(judge_cell(&whole, Some(&known)), Verdict::Failed(_)), "other checks stand or fall whole");
}

#[test]
fn a_target_that_nobody_came_to_counts_as_one_that_does_not_compile() {
    let known = base_of(&targets(&["app (lib)", "top (lib)"], &["app (bench \"new\")"], &[]));
    let now = targets(&["app (lib)"], &["dep (lib)"], &["error[E0425]: gone"]);
    assert!(matches!(judge_cell(&now, Some(&known)), Verdict::Failed(_)), "`top` stood behind `dep`");
    let killed = CellReport { exit: Exit::Signal(11), ..targets(&["app (lib)", "top (lib)"], &[], &[]) };
    assert!(matches!(judge_cell(&killed, Some(&known)), Verdict::Failed(_)), "that is no word on targets");
}

#[test]
fn where_all_targets_compiled_before_any_failure_counts() {
    let known = CellBaseline { built: ["app (lib)".to_owned()].into(), ..CellBaseline::default() };
    let now = targets(&["app (lib)"], &[], &["error: failed to link"]);
    assert!(matches!(judge_cell(&now, Some(&known)), Verdict::Failed(_)));
}

#[test]
fn what_does_not_compile_is_told_before_a_test_that_failed_and_stands_before_it() {
    let red = cell(Phase::Test, Exit::Code(101), tests(&[("a", TestEnd::Failed)]));
    let report = TrialReport {
        cells: vec![red, cell(Phase::Gate, Exit::Code(101), Reading::default())],
        ..TrialReport::default()
    };
    assert_eq!(kind(&judge(&report, &Baseline::default(), &[], Unexercised::Allow)), ReasonKind::BuildFailed);
}
