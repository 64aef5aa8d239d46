//! A run that is stopped, killed, or not alone: no process stays, no ref is half written, the next run works.

use std::path::Path;

use serde_json::Value;

use crate::common::process::{self, VARIABLE, assert_none_left, mark};
use crate::common::{Env, Ran, snapshot::Snapshot, text};

/// The world of a test that never ends once `wait` is upgraded; what it starts carries the mark.
fn endless(mark: &str) -> Env {
    let mut env = Env::new("hangs");
    env.set(VARIABLE, mark);
    let check = "[[check]]\nname = \"test\"\necosystem = \"cargo\"\ncommand = \"cargo test --workspace --locked\"\nlimit = 3600\n";
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n{check}"));
    env
}

fn assert_interrupted(env: &Env, ran: &Ran, before: &Snapshot, mark: &str) {
    assert_eq!(ran.code, 130, "{}", ran.said());
    assert_none_left(mark);
    assert_eq!(env.branches(), [""; 0]);
    assert_eq!(before.intrusions(&Snapshot::of(env.repo())), [""; 0]);
}

/// Sends the signals while the tests of a trial run, and sees that nothing is left and nothing is published.
fn interrupt_a_trial(signals: &[&str]) -> Ran {
    let mark = mark();
    let env = endless(&mark);
    let before = Snapshot::of(env.repo());
    let mut run = env.start(&[]);
    run.wait_for_tests_of_a_trial(&mark);
    for signal in signals {
        run.signal(signal);
    }
    let ran = run.end(&env);
    assert_interrupted(&env, &ran, &before, &mark);
    ran
}

#[test]
fn an_interrupt_in_a_trial_ends_the_run_and_says_so() {
    let ran = interrupt_a_trial(&["INT"]);
    assert_eq!(ran.report["interrupted"], true);
    let list = |list: &str| ran.report[list].as_array().unwrap().len();
    assert_eq!(list("upgrades") + list("held") + list("untried"), 2, "nothing vanishes: {:#}", ran.report);
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    interrupt_a_trial(&["INT", "INT"]);
}

#[test]
fn a_termination_is_an_interrupt() {
    interrupt_a_trial(&["TERM"]);
}

#[test]
fn an_interrupt_in_the_baseline_tries_nothing() {
    let mark = mark();
    let env = endless(&mark);
    let before = Snapshot::of(env.repo());
    let mut run = env.start(&[]);
    run.wait_for("the baseline began", |event| event["event"] == "cell-began");
    run.signal("INT");
    let ran = run.end(&env);
    assert_interrupted(&env, &ran, &before, &mark);
    let ids: Vec<&str> = ran.report["trials"].as_array().unwrap().iter().map(|trial| text(trial, "id")).collect();
    assert!(ids.iter().all(|id| id.starts_with("baseline")), "{ids:?}");
    assert!(ran.stdout.contains("\"text\":\"interrupted\""), "{}", ran.said());
    assert!(!ran.stdout.contains("fails before any upgrade"), "no check of the project failed: {}", ran.said());
}

#[test]
fn an_interrupt_in_the_set_up_is_an_interrupt_and_no_failure_of_its_command() {
    let mark = mark();
    let mut env = Env::new("lock_only");
    env.set(VARIABLE, &mark);
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n[setup]\ncommands = [\"sleep 3600\"]\n"));
    let before = Snapshot::of(env.repo());
    let run = env.start(&["--jobs", "2"]);
    process::wait_for(&mark, "sleep");
    run.signal("INT");
    let ran = run.end(&env);
    assert_interrupted(&env, &ran, &before, &mark);
    assert!(!ran.stderr.contains("failed"), "{}", ran.said());
}

#[test]
fn a_killed_tool_leaves_no_process_and_no_ref_and_the_next_run_works() {
    let mark = mark();
    let env = endless(&mark);
    let before = Snapshot::of(env.repo());
    let mut run = env.start(&[]);
    run.wait_for_tests_of_a_trial(&mark);
    run.signal("KILL");
    let ran = run.end(&env);
    assert_eq!(ran.code, -1);
    assert_none_left(&mark);
    assert_eq!(env.branches(), [""; 0]);
    assert_eq!(before.intrusions(&Snapshot::of(env.repo())), [""; 0]);
    assert_finished_trials_are_on_disk(&env.repo().join("xupgrade.out/journal.jsonl"));
    let next = env.run(&["-p", "fine"]);
    assert_eq!((next.code, next.upgrades()), (0, vec!["fine 1.0.0 -> 1.0.1".to_owned()]), "{}", next.said());
}

fn assert_finished_trials_are_on_disk(journal: &Path) {
    let lines = std::fs::read_to_string(journal).unwrap();
    let all: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("each line is whole")).collect();
    assert_eq!(all[0]["line"], "header", "{lines}");
    let trials = all.iter().filter(|line| line["line"] == "trial");
    let ids: Vec<String> = trials.map(|line| text(line, "id").to_owned()).collect();
    assert_eq!(ids[..2], ["baseline-1", "baseline-2"], "{lines}");
}

#[test]
fn a_second_run_at_the_same_time_says_who_holds_the_lock() {
    let mark = mark();
    let env = endless(&mark);
    let mut first = env.start(&[]);
    first.wait_for_tests_of_a_trial(&mark);
    let second = env.run(&[]);
    assert_eq!(second.code, 1, "{}", second.said());
    let held = [
        format!("(process {}, since 20", first.id()),
        "cargo-xupgrade --verify-commits no --verify-runs 1 --flake-budget 0 --format json".to_owned(),
    ];
    assert!(held.iter().all(|words| second.stderr.contains(words)), "{}", second.stderr);
    first.signal("INT");
    assert_eq!(first.end(&env).code, 130, "the second run disturbed the first");
    assert_none_left(&mark);
}
