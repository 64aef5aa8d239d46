//! `--max-trials` and `--deadline`: what was proved until then is published, the rest is untried and not held.

use crate::common::promises;
use crate::common::snapshot::Snapshot;
use crate::common::{Env, names, text};

#[test]
fn after_the_last_trial_of_the_budget_what_passed_is_verified_and_published() {
    let env = Env::new("mixed");
    let before = Snapshot::of(env.repo());
    let ran = env.run(&["--strategy", "one-by-one", "--max-trials", "1"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    promises::hold(&env, &ran, &before);
    assert_eq!(ran.upgrades().len() + names(&ran.report, "held").len(), 1, "one trial settles one: {}", ran.said());
    assert_eq!(names(&ran.report, "untried").len(), 3);
    assert_eq!(text(&ran.report, "budget"), "the one trial of --max-trials is used up");
    assert!(ran.stdout.contains("--max-trials") || ran.stderr.contains("--max-trials"), "{}", ran.said());
}

#[test]
fn a_deadline_that_leaves_no_time_for_a_trial_leaves_everything_untried() {
    let env = Env::new("mixed");
    let ran = env.run(&["--deadline", "1s"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(names(&ran.report, "untried").len(), 4, "{}", ran.said());
    assert!(text(&ran.report, "budget").contains("--deadline"));
    assert!(env.branches().is_empty());
}

/// Runs three times with a budget of one trial; gives how many trials of the search each report tells.
fn one_trial_at_a_time(fixture: &str) -> Vec<usize> {
    let env = Env::new(fixture);
    let searched = |_| {
        let ran = env.run(&["--strategy", "one-by-one", "--max-trials", "1"]);
        assert_eq!(ran.code, 0, "{}", ran.said());
        let trials = ran.report["trials"].as_array().unwrap().iter();
        trials.filter(|one| text(one, "id").starts_with('t')).count()
    };
    (0..3).map(searched).collect()
}

#[test]
fn the_smallest_budget_gets_further_each_time_the_run_is_taken_up() {
    assert_eq!(one_trial_at_a_time("mixed"), [1, 2, 3], "what is known costs nothing");
}

#[test]
fn what_a_package_manager_refuses_costs_no_trial_of_the_budget() {
    let env = Env::new("resolver_refuses");
    let ran = env.run(&["--strategy", "one-by-one", "--max-trials", "1"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["fine 1.0.0 -> 1.0.1"], "{}", ran.said());
    for name in ["database", "exact"] {
        assert_eq!(ran.why(name), "resolve_refused", "{}", ran.said());
        assert!(ran.held(name)["reason"]["evidence"].is_null(), "no trial says so: {}", ran.said());
    }
    assert!(ran.report.get("budget").is_none(), "{}", ran.said());
}

#[test]
fn a_generous_budget_changes_nothing() {
    let env = Env::new("mixed");
    let ran = env.run(&["--max-trials", "100", "--deadline", "10h"]);
    assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert!(ran.report.get("budget").is_none());
}

#[test]
fn a_time_that_nobody_understands_is_a_wrong_command_line() {
    let env = Env::new("mixed");
    let ran = env.run(&["--deadline", "soon"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`45m`"), "{}", ran.stderr);
}

#[test]
fn a_check_that_hangs_is_cut_at_the_deadline_and_judged_by_nobody() {
    let env = Env::new("hangs");
    let before = Snapshot::of(env.repo());
    let ran = env.run(&["--deadline", "25s"]);
    assert!(matches!(ran.code, 0 | 3), "nothing failed; that nothing was clear may be said: {}", ran.said());
    promises::hold(&env, &ran, &before);
    assert!(names(&ran.report, "held").is_empty(), "too slow for the deadline is no verdict: {}", ran.said());
    assert!(!names(&ran.report, "untried").is_empty(), "{}", ran.said());
    assert!(text(&ran.report, "budget").contains("--deadline"));
    assert!(ran.stderr.contains("it had to make way for the verification before the deadline"), "{}", ran.said());
}
