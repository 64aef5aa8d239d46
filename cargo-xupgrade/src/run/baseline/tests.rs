//! What two runs of the untouched base say together, as sentences.

use super::*;
use crate::trial::{Exit, Phase, Reading};

fn run(exit: i32, ends: &[(&str, TestEnd)]) -> TrialReport {
    let test = |name: &str| TestName { unit: "app src/lib.rs".into(), name: name.into() };
    let reading = Reading { tests: ends.iter().map(|(name, end)| (test(name), *end)).collect(), ..Reading::default() };
    let cell = Cell::of("test", Phase::Test).ended(Exit::Code(exit), reading);
    TrialReport { cells: vec![cell], ..TrialReport::default() }
}

fn known(runs: &[TrialReport]) -> CellBaseline {
    gather(runs).cells.into_values().next().unwrap()
}

/// The standing as the runs alone make it.
fn standing(runs: &[TrialReport], accept: Accept) -> Standing {
    standing::standing(runs, &gather(runs), accept)
}

const RED: TestEnd = TestEnd::Failed;
const GREEN: TestEnd = TestEnd::Passed;

#[test]
fn a_test_that_failed_in_one_run_is_flaky_by_its_name_and_the_project_goes_on() {
    let runs = [run(0, &[("a", GREEN), ("b", GREEN)]), run(101, &[("a", RED), ("b", GREEN)])];
    let known = known(&runs);
    assert_eq!(known.flaky.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(known.steadiness, Steadiness::Steady, "the name says all");
    assert!(!standing(&runs, Accept::Nothing).is_red(&"cargo .".into()));
}

#[test]
fn two_runs_that_differ_without_a_name_make_the_cell_unsteady() {
    let runs = [run(0, &[]), run(1, &[])];
    assert_eq!(known(&runs).steadiness, Steadiness::Unsteady);
    assert!(!standing(&runs, Accept::Nothing).is_red(&"cargo .".into()));
    assert_eq!(known(&[run(1, &[]), run(1, &[])]).steadiness, Steadiness::Steady);
    assert!(standing(&[run(1, &[]), run(1, &[])], Accept::Nothing).is_red(&"cargo .".into()), "red each time is red");
}

#[test]
fn a_test_that_is_red_each_time_makes_the_project_red_though_another_one_flaps() {
    let runs = [run(101, &[("a", RED), ("b", RED)]), run(101, &[("a", GREEN), ("b", RED)])];
    assert!(standing(&runs, Accept::Nothing).is_red(&"cargo .".into()));
    assert!(!standing(&runs, Accept::Failing).is_red(&"cargo .".into()));
}

#[test]
fn a_cell_of_the_whole_matrix_that_is_red_is_left_out_and_its_project_goes_on() {
    let mut red = Cell::of("windows", Phase::Gate);
    red.check.turn = Turn::Final;
    let telling = vec!["undefined: syscall.Stat_t".to_owned()];
    let runs = [TrialReport {
        cells: vec![
            Cell::of("test", Phase::Test).ended(Exit::Code(0), Reading::default()),
            red.clone().ended(Exit::Code(1), Reading { telling, ..Reading::default() }),
        ],
        ..TrialReport::default()
    }];
    let standing = standing(&runs, Accept::Nothing);
    assert!(!standing.is_red(&"cargo .".into()));
    assert!(!standing.keeps(&red) && standing.keeps(&Cell::of("test", Phase::Test)));
    let plan = Plan { cells: vec![Cell::of("test", Phase::Test), red], ..Plan::of("base", vec![]) };
    let told: Vec<String> = standing.left_out(&plan).into_iter().map(|one| one.text).collect();
    assert!(told.len() == 1 && told[0].contains("undefined: syscall.Stat_t"), "{told:?}");
}

#[test]
fn of_a_check_that_counts_target_by_target_those_that_compile_stay() {
    let mut all = Cell::of("build-all", Phase::Gate);
    all.check.grain = Grain::Target;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let run = |built: &[&str]| {
        let reading = Reading { built: names(built), unbuilt: names(&["app (bench \"new\")"]), ..Reading::default() };
        TrialReport { cells: vec![all.clone().ended(Exit::Code(101), reading)], ..TrialReport::default() }
    };
    let plan = Plan { cells: vec![all.clone()], ..Plan::of("base", vec![]) };
    let both = [run(&["app (lib)", "app (bench \"old\")"]), run(&["app (lib)"])];
    let partly = standing(&both, Accept::Nothing);
    assert!(!partly.is_red(&"cargo .".into()) && partly.keeps(&all));
    let told = partly.left_out(&plan);
    assert!(told.len() == 1 && told[0].text.contains("app (bench \"new\")"), "{}", told[0].text);
    assert_eq!(known(&both).built, names(&["app (lib)"]), "what compiled each time");
    let whole = standing(&[run(&[])], Accept::Nothing);
    assert!(!whole.is_red(&"cargo .".into()) && !whole.keeps(&all), "where nothing compiles, it is left out whole");
}

#[test]
fn a_unit_of_tests_costs_what_its_fastest_run_took() {
    let took = |millis: u64| {
        let mut report = run(0, &[("a", GREEN)]);
        report.cells[0].reading.millis = [("app src/lib.rs".to_owned(), millis)].into();
        report
    };
    assert_eq!(known(&[took(1500), took(250)]).unit_seconds, [("app src/lib.rs".to_owned(), 0.25)].into());
}
