//! Tests that fail before any upgrade: set aside by name, so that the others still prove something.

use crate::common::{Env, shared, text};

fn left_out(report: &serde_json::Value) -> String {
    report["projects"].as_array().unwrap().iter().map(|one| one["left_out"].to_string()).collect()
}

#[test]
fn a_test_that_fails_before_any_upgrade_is_set_aside_by_name_and_its_project_goes_on() {
    let run = shared("red_baseline", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let upgrades = run.ran.report["upgrades"].as_array().unwrap();
    assert_eq!(upgrades.iter().map(|one| text(one, "project")).collect::<Vec<_>>(), ["bad", "good"]);
    let told = "cargo bad: 1 test fails before any upgrade, so it is set aside and proves nothing: `bad src/lib.rs always_fails`";
    assert!(run.ran.stderr.contains(told), "{}", run.ran.said());
    assert!(left_out(&run.ran.report).contains("always_fails"), "{}", run.ran.report);
    let again = "baseline-again-1: the failed tests on the untouched base";
    assert!(run.ran.stderr.contains(again), "it ran alone, too: {}", run.ran.said());
    assert_eq!(text(&upgrades[0], "proof"), "tests", "others of the project passed");
}

#[test]
fn a_test_that_fails_only_since_an_upgrade_holds_it_although_another_one_was_red_before() {
    let env = Env::new("breaks_test_lands_lower");
    let tests = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write("src/lib.rs", &format!("{tests}\n#[test]\nfn was_red_before() {{\n    panic!();\n}}\n")).commit();
    let ran = env.run(&["--accept-failing"]);
    assert_eq!(ran.upgrades(), ["count 1.0.0 -> 1.0.2"], "{}", ran.said());
    let above = &ran.upgrade("count")["failed_above"][0]["reason"]["evidence"]["tests"];
    assert!(above.to_string().contains("counts_from_one") && !above.to_string().contains("was_red_before"), "{above}");
}

#[test]
fn a_network_that_red_tests_of_the_base_miss_makes_no_trial_inconclusive() {
    let run = shared("red_by_name", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"]);
    assert_eq!(run.ran.why("bee"), "test_failed", "{}", run.ran.said());
    let trials = run.ran.report["trials"].as_array().unwrap();
    assert!(trials.iter().all(|trial| trial["verdict"] != "inconclusive"), "{trials:#?}");
}

#[test]
fn what_only_red_tests_guard_is_compiled_and_says_why() {
    let run = shared("red_by_name", &[]);
    let dep = run.ran.upgrade("dep");
    assert_eq!(text(dep, "proof"), "compiled");
    assert!(dep["notes"].to_string().contains("the tests that stand on it fail before any upgrade"), "{dep:#}");
    assert_eq!(text(run.ran.upgrade("demo.test/fine"), "proof"), "tests");
    let told = left_out(&run.ran.report);
    assert!(told.contains("TestServer/there") && !told.contains("TestServer`"), "a part of a test by itself: {told}");
}

#[test]
fn a_project_without_a_test_that_passes_is_held_as_red_with_the_command_that_shows_it() {
    let env = Env::new("red_baseline");
    let tests = std::fs::read_to_string(env.repo().join("bad/src/lib.rs")).unwrap();
    env.write("bad/src/lib.rs", &tests.replace("fn passes() {", "fn passes() {\n    panic!();")).commit();
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"], "{}", ran.said());
    assert_eq!((text(ran.held("dep"), "project"), ran.why("dep")), ("bad", "baseline_red"));
    let see = "to see it, run `cargo test --workspace --locked --no-fail-fast` in the folder bad of a clean clone";
    assert!(ran.words("dep").contains(see), "{}", ran.words("dep"));
}

/// The world of `red_baseline`, in which the red test does this; not committed.
fn red_test_that(does: &str) -> Env {
    let env = Env::new("red_baseline");
    let tests = std::fs::read_to_string(env.repo().join("bad/src/lib.rs")).unwrap();
    env.write("bad/src/lib.rs", &tests.replace("assert_eq!(dep::one(), 2)", does));
    env
}

#[test]
fn a_red_test_that_misses_an_ignored_file_is_set_aside_with_the_line_that_mends_it() {
    let reads = "std::fs::read_to_string(\"local.env\").unwrap_or_else(|error| panic!(\"local.env: {error}\"))";
    let env = red_test_that(reads);
    env.write("bad/.gitignore", "local.env\n").commit();
    env.write("bad/local.env", "");
    let ran = env.run(&[]);
    let told = left_out(&ran.report);
    assert!(told.contains("always_fails") && told.contains("copy = [\\\"bad/local.env\\\"]"), "{told}\n{}", ran.said());
}

#[test]
fn a_red_test_that_needs_a_variable_of_the_caller_gets_the_line_that_passes_it_on() {
    let mut env = red_test_that("std::env::var(\"DEMO_SDK\").unwrap()");
    env.set("DEMO_SDK", "/opt/sdk");
    env.commit();
    let told = left_out(&env.run(&[]).report);
    assert!(told.contains("always_fails") && told.contains("`pass-env = [\\\"DEMO_SDK\\\"]`"), "{told}");
    env.write("xupgrade.toml", "pass-env = [\"DEMO_SDK\"]\n");
    let ran = env.run(&[]);
    assert!(!left_out(&ran.report).contains("always_fails"), "the line mends it: {}", ran.said());
}

#[test]
fn a_red_test_that_looks_for_a_program_in_target_gets_the_line_that_links_it() {
    let runs = "assert!(std::path::Path::new(\"target/debug/bad\").exists(), \"no target/debug/bad\")";
    let env = red_test_that(runs);
    env.write("bad/src/main.rs", "fn main() {}\n");
    env.write(".gitignore", "target\n").commit();
    let ran = env.run(&[]);
    let told = left_out(&ran.report);
    assert!(told.contains("always_fails") && told.contains("ln -sfn $CARGO_TARGET_DIR target"), "{told}");
    assert!(ran.stdout.contains("left out: these fail before any upgrade"), "the table lists it: {}", ran.stdout);
}
