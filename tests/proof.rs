//! What is published builds the way people build it, not only the way its tests do.

use crate::common::{Env, Shared, shared, text};

const BREAKING: &[&str] = &["--level", "breaking"];

#[test]
fn what_no_test_needs_has_to_compile_all_the_same() {
    let run = shared("cargo_beyond_tests", BREAKING);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let all = ("clock", "`cargo build --all-targets`");
    for (name, command) in [("dice", "`cargo build`"), ("lamp", "`cargo build`"), ("words", "`cargo build`"), all] {
        assert_eq!(run.ran.why(name), "build_failed", "{name}");
        let words = run.ran.words(name);
        assert!(words.starts_with(&format!("{command} fails at ")), "{words}");
    }
}

#[test]
fn a_package_without_a_test_lands_with_what_compiled_it_as_its_proof() {
    let run = shared("cargo_beyond_tests", BREAKING);
    assert_eq!(run.ran.upgrades(), ["digits 1.0.0 -> 2.0.0"]);
    assert_eq!(text(run.ran.upgrade("digits"), "proof"), "compiled");
}

#[test]
fn of_a_bench_that_never_compiled_and_one_that_did_only_the_first_is_left_out() {
    let run = shared("cargo_beyond_tests", BREAKING);
    let told: Vec<&str> = run.ran.stderr.lines().filter(|line| line.contains("left out")).collect();
    let [told] = told.as_slice() else { panic!("told once: {told:?}") };
    assert!(told.contains("cargo . does not compile speed (bench \"nightly\") before any upgrade"), "{told}");
    let reported = run.ran.report["projects"][0]["left_out"].to_string();
    assert!(reported.contains("speed (bench \\\"nightly\\\")"), "{reported}");
    let words = run.ran.words("clock");
    assert!(words.contains("speed (bench \"speed\"): error[E0596]"), "{words}");
}

/// The commands of a trial that stand for a check, by its name.
fn checks(run: &Shared, trial: &str) -> Vec<String> {
    let trials = run.ran.report["trials"].as_array().unwrap();
    let trial = trials.iter().find(|one| text(one, "id") == trial).unwrap();
    trial["cells"].as_array().unwrap().iter().map(|cell| text(cell, "check").to_owned()).collect()
}

/// The lines that say what is left out.
fn left_out(run: &Shared) -> Vec<&str> {
    run.ran.stderr.lines().filter(|line| line.contains("left out")).collect()
}

#[test]
fn a_member_that_leans_on_its_neighbours_features_is_built_alone_too() {
    let run = shared("cargo_members_alone", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dot 1.0.0 -> 1.0.1", "tint 1.0.0 -> 1.0.1"]);
    assert_eq!(run.ran.why("shape"), "build_failed");
    let words = run.ran.words("shape");
    assert!(words.contains("`cargo check -p thin` fails at thin (lib): error[E0425]"), "{words}");
}

#[test]
fn a_member_that_would_differ_alone_only_with_the_upgrade_is_built_alone_too() {
    let run = shared("cargo_members_alone", &[]);
    assert_eq!(run.ran.why("cap"), "build_failed", "{}", run.ran.said());
    let words = run.ran.words("cap");
    assert!(words.contains("`cargo check -p bare` fails at bare (lib): error[E0425]"), "{words}");
}

#[test]
fn a_member_that_never_compiled_alone_is_left_out_by_itself_and_told_once() {
    let run = shared("cargo_members_alone", &[]);
    let told = left_out(run);
    let [told] = told.as_slice() else { panic!("told once: {told:?}") };
    assert!(told.contains("cargo check --locked -p leans") && told.contains("error[E0425]"), "{told}");
}

#[test]
fn only_members_that_cargo_builds_otherwise_alone_are_built_alone_and_in_the_whole_matrix_only() {
    let run = shared("cargo_members_alone", &[]);
    let alone =
        |trial: &str| checks(run, trial).into_iter().filter(|name| name.starts_with("alone-")).collect::<Vec<_>>();
    assert_eq!(alone("baseline-1"), ["alone-bare", "alone-leans", "alone-thin"]);
    let trials = run.ran.report["trials"].as_array().unwrap().iter().map(|trial| text(trial, "id"));
    // What fails in the whole matrix is looked for there.
    let before = trials.take_while(|id| !id.starts_with("full"));
    let searched: Vec<&str> = before.filter(|id| id.starts_with('t')).collect();
    assert!(!searched.is_empty() && searched.iter().all(|id| alone(id).is_empty()), "{searched:?}");
}

#[test]
fn dependencies_behind_a_feature_that_nothing_turns_on_are_built_with_it() {
    let run = shared("cargo_other_builds", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let here = ["paint 1.0.0 -> 1.0.1", "righty 1.0.0 -> 1.0.1", "seen 1.0.0 -> 1.0.1"];
    assert_eq!(run.ran.upgrades()[..3], here);
    assert_eq!(text(run.ran.upgrade("paint"), "proof"), "compiled");
    assert_eq!(text(run.ran.upgrade("righty"), "proof"), "compiled");
    for (name, feature) in [("brush", "all"), ("lefty", "left")] {
        assert_eq!(run.ran.why(name), "build_failed", "{name}");
        let words = run.ran.words(name);
        assert!(words.contains(&format!("`cargo build -p app --features {feature}` fails")), "{words}");
    }
}

#[test]
fn a_build_that_caught_an_upgrade_in_the_whole_matrix_runs_in_the_trials_after_it() {
    let run = shared("cargo_other_builds", &[]);
    let trials: Vec<&str> =
        run.ran.report["trials"].as_array().unwrap().iter().map(|trial| text(trial, "id")).collect();
    assert!(trials.len() < 25, "{trials:?}");
}

#[test]
fn a_target_to_install_is_named_where_a_dependency_is_for_another_one() {
    let run = shared("cargo_other_builds", &[]);
    // Where it is installed, the dependency is checked for it.
    if run.ran.upgrades().iter().any(|one| one.starts_with("winged")) {
        assert_eq!(text(run.ran.upgrade("winged"), "proof"), "compiled");
        return;
    }
    assert_eq!(run.ran.why("winged"), "not_exercised");
    let words = run.ran.words("winged");
    assert!(words.contains("rustup target add x86_64-pc-windows-gnu"), "{words}");
}

#[test]
fn as_few_features_as_can_be_are_turned_on_each_for_itself() {
    let run = shared("cargo_other_builds", &[]);
    let mut first = checks(run, "baseline-1");
    first.retain(|name| name.starts_with("feature-"));
    assert_eq!(first, ["feature-app-all", "feature-app-left", "feature-app-right"]);
}

#[test]
fn members_that_a_plain_build_passes_by_hold_nobody_where_they_do_not_compile() {
    let run = shared("cargo_spare_members", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dot 1.0.0 -> 1.0.1"]);
    assert_eq!(text(run.ran.upgrade("dot"), "proof"), "tests");
    assert_eq!(run.ran.why("chip"), "not_exercised");
}

#[test]
fn members_that_are_left_out_are_named_once() {
    let run = shared("cargo_spare_members", &[]);
    let told: Vec<&str> = left_out(run).into_iter().filter(|line| line.contains("firmware")).collect();
    let [told] = told.as_slice() else { panic!("told once: {told:?}") };
    assert!(told.contains("`firmware`, `flasher` does not compile before any upgrade"), "{told}");
    let commands = run.ran.report["projects"][0]["checks"].to_string();
    assert!(commands.contains("--workspace --exclude firmware --exclude flasher"), "{commands}");
}

#[test]
fn a_check_that_is_switched_off_does_not_run() {
    let env = Env::new("cargo_members_alone");
    let off = |name: &str| format!("[[check]]\necosystem = \"cargo\"\nname = \"{name}\"\noff = true\n");
    env.write("xupgrade.toml", &(off("alone-*") + &off("build-all"))).commit();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(text(ran.upgrade("shape"), "to"), "1.0.1");
    let matrix = ran.report["projects"][0]["checks"].to_string();
    assert!(!matrix.contains("-p thin") && !matrix.contains("--all-targets"), "{matrix}");
    env.write("xupgrade.toml", &off("biuld")).commit();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 2, "{}", ran.said());
    let names = "there are gate, build, build-all, test, alone-*, feature-*, target-*";
    assert!(ran.stderr.contains("no check of that name") && ran.stderr.contains(names), "{}", ran.stderr);
}
