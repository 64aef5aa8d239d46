//! Where to look after a failure: what the failing package stands on, and what the code that does not compile names.

use super::*;
use crate::candidate::{Candidate, EcosystemKind};
use crate::project::{Applied, Exercised, Move, Project};
use crate::trial::CellKey;
use crate::trial::Written;
use crate::trial::{Cell, Exit, Phase, Reading, TestEnd};
use crate::verdict::CellBaseline;

/// `core` stands on alpha and beta, `web` on core's and on gamma; delta is of another project.
fn plan() -> Plan {
    let candidates = ["alpha", "beta", "gamma"].map(|name| Candidate::of(name, &["1.1.0"]));
    let mut delta = Candidate::of("delta", &["1.1.0"]);
    delta.id.project.path = "fuzz".into();
    Plan {
        projects: [".", "fuzz"].map(|path| Project::of(EcosystemKind::Cargo, path, &[])).to_vec(),
        ..Plan::of("base", candidates.into_iter().chain([delta]).collect())
    }
}

fn baseline() -> Baseline {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let below = [("core", set(&["alpha", "beta", "shared"])), ("web", set(&["alpha", "beta", "gamma", "shared"]))];
    let known = Exercised { below: below.map(|(unit, names)| (unit.to_owned(), names)).into(), ..Exercised::default() };
    Baseline { exercised: [("cargo .".into(), known)].into(), ..Baseline::default() }
}

fn failing(tests: &[&str]) -> Reading {
    let name = |unit: &&str| TestName { unit: format!("{unit} src/lib.rs"), name: "works".into() };
    Reading { tests: tests.iter().map(|unit| (name(unit), TestEnd::Failed)).collect(), ..Reading::default() }
}

fn broken(telling: &[&str]) -> Reading {
    let telling = telling.iter().map(|line| (*line).to_owned()).collect();
    Reading { build_failed: Build::Failed, telling, ..Reading::default() }
}

fn red(reading: Reading) -> TrialReport {
    let cell = Cell::of("test", Phase::Test).ended(Exit::Code(101), reading);
    let effects = || [("cargo .".into(), Applied::default())].into();
    let step = |atom| Written { atom, tree: "t".into(), effects: effects() };
    TrialReport { cells: vec![cell], steps: atoms().into_iter().map(step).collect(), ..TrialReport::default() }
}

/// All four upgrades together.
fn with<T>(baseline: &Baseline, report: &TrialReport, look: impl FnOnce(&Judged<'_>) -> T) -> T {
    look(&Judged { plan: &plan(), baseline, report, atoms: &atoms(), fresh: &atoms(), rest: Verdict::Passed })
}

fn atoms() -> Vec<Atom> {
    (0..4).map(|candidate| Member { candidate, rung: 0 }.into()).collect()
}

/// Who may be to blame, for each thing that failed.
fn blamed(report: &TrialReport) -> Vec<Vec<usize>> {
    with(&baseline(), report, |judged| judged.marks().into_iter().map(|mark| mark.within).collect())
}

#[test]
fn a_failing_test_points_to_what_its_package_stands_on() {
    assert_eq!(blamed(&red(failing(&["core"]))), [[0, 1]]);
    assert_eq!(blamed(&red(failing(&["core", "web"]))), [vec![0, 1], vec![0, 1, 2]], "each by itself");
}

#[test]
fn it_points_to_what_moves_something_below_it_too() {
    let mut report = red(failing(&["core"]));
    let shared = Move {
        ecosystem: EcosystemKind::Cargo,
        name: "shared".into(),
        from: Some("1.0.0".into()),
        to: Some("1.1.0".into()),
        lockfile: None,
    };
    report.steps[2].effects.values_mut().for_each(|applied| applied.also_moved.push(shared.clone()));
    assert_eq!(blamed(&report), [[0, 1, 2]]);
}

#[test]
fn where_no_unit_is_named_or_known_it_points_to_the_project() {
    assert_eq!(blamed(&red(Reading::default())), [[0, 1, 2]], "no word of `fuzz`");
    assert_eq!(blamed(&red(failing(&["elsewhere"]))), [[0, 1, 2]]);
}

#[test]
fn what_does_not_compile_points_to_what_its_errors_name_or_else_to_what_it_stands_on() {
    let end = "error: could not compile `web` (lib) due to 1 previous error";
    let named = "error[E0425]: cannot find function `value` in crate `beta`";
    assert_eq!(blamed(&red(broken(&[named, end]))), [[1]]);
    assert_eq!(blamed(&red(broken(&["error[E0308]: mismatched types", end]))), [[0, 1, 2]]);
    let own = "error: could not compile `gamma` (lib) due to 2 previous errors";
    assert_eq!(blamed(&red(broken(&["error[E0658]: use of unstable library feature", own]))), [[2]]);
}

#[test]
fn who_alone_is_named_by_a_compiler_is_a_suspect() {
    let error = |words: &str| format!("error[E0425]: cannot find {words}");
    let suspect = |errors: &[&str], fresh: &[usize]| {
        let end = "error: could not compile `web` (lib) due to 2 previous errors";
        let lines: Vec<String> = errors.iter().map(|words| error(words)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).chain([end]).collect();
        with(&baseline(), &red(broken(&lines)), |judged| judged.only_one_named(fresh))
    };
    assert_eq!(suspect(&["function `value` in crate `beta`", "type `Old` in crate `beta`"], &[0, 1, 2, 3]), Some(1));
    assert_eq!(suspect(&["function `value` in crate `beta`"], &[0, 2]), None, "it is not new");
    assert_eq!(suspect(&["function `value` in crate `beta`", "type `Old` in crate `gamma`"], &[1, 2]), None);
    assert_eq!(suspect(&["function `value` in this scope"], &[0, 1, 2]), None);
    let tests = with(&baseline(), &red(failing(&["gamma"])), |judged| judged.only_one_named(&[2]));
    assert_eq!(tests, None, "a test names nobody");
}

#[test]
fn two_failures_of_one_test_share_a_number_and_what_fails_on_the_base_has_none() {
    let numbers = |reading: Reading, known: &Baseline| -> Vec<u64> {
        with(known, &red(reading), |judged| judged.marks().into_iter().flat_map(|mark| mark.tests).collect())
    };
    let fresh = Baseline::default();
    assert_eq!(numbers(failing(&["core"]), &fresh), numbers(failing(&["core"]), &fresh));
    assert_ne!(numbers(failing(&["core"]), &fresh), numbers(failing(&["web"]), &fresh));
    let accepted = |failing, flaky| {
        let cell = CellBaseline { failing, flaky, ..CellBaseline::default() };
        Baseline { cells: [(CellKey::of("test"), cell)].into(), ..Baseline::default() }
    };
    let name = TestName { unit: "core src/lib.rs".into(), name: "works".into() };
    assert!(numbers(failing(&["core"]), &accepted(vec![name.clone()], vec![])).is_empty());
    assert!(numbers(failing(&["core"]), &accepted(vec![], vec![name])).is_empty());
}

#[test]
fn that_a_gate_writes_over_a_file_is_certain_and_that_a_test_does_may_have_been_chance() {
    let proof = |phase| {
        let mut cell = Cell::of("check", phase).ended(Exit::Code(0), Reading::default());
        cell.changed = vec!["generated.txt".into()];
        let mut baseline = baseline();
        baseline.cells.insert(cell.cell.key(), CellBaseline::default());
        let report = TrialReport { cells: vec![cell], ..TrialReport::default() };
        with(&baseline, &report, |judged| judged.proof(ReasonKind::ChangesFiles))
    };
    assert_eq!((proof(Phase::Gate), proof(Phase::Test)), (Proof::Certain, Proof::Tests));
}
