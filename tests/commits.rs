//! The commits below the tip: which there are, and what is known of each. That none has a tree which failed in a trial, and that
//! each builds where commits are tried, `common::promises` asks of every run.

use std::sync::OnceLock;

use serde_json::Value;

use crate::common::{Env, Ran, Shared, TOOL, VERIFY, shared, text};

/// The trials of commits by themselves.
fn own_trials(ran: &Ran) -> Vec<&Value> {
    ran.report["trials"].as_array().unwrap().iter().filter(|trial| trial["why"] == "commit").collect()
}

/// Each commit as its upgrades and what it passed.
fn told(ran: &Ran) -> Vec<(String, &str)> {
    let atoms = |commit: &Value| {
        let atoms = commit["atoms"].as_array().unwrap().iter().map(|atom| atom.as_str().unwrap());
        atoms.map(|atom| atom.trim_start_matches("cargo:")).collect::<Vec<_>>().join(" ")
    };
    let commits = ran.report["commits"].as_array().unwrap();
    commits.iter().map(|commit| (atoms(commit), text(commit, "verified"))).collect()
}

/// A run without any flag.
fn plain() -> &'static Ran {
    static RAN: OnceLock<Ran> = OnceLock::new();
    RAN.get_or_init(|| {
        let env = Env::new("lock_only");
        let output = env.command(TOOL).output().unwrap();
        let ran = env.run(&["report"]);
        assert!(output.status.success(), "{}", ran.said());
        ran
    })
}

#[test]
fn without_a_flag_the_last_set_passes_the_whole_matrix_twice() {
    let trials = plain().report["trials"].as_array().unwrap();
    let full = trials.iter().filter(|trial| text(trial, "id").starts_with("full-"));
    assert_eq!(full.map(|trial| text(trial, "verdict")).collect::<Vec<_>>(), ["passed", "passed"]);
}

#[test]
fn without_a_flag_each_commit_below_the_tip_is_tried_by_its_gates_and_the_seconds_are_told() {
    let ran = plain();
    let (own, took) = (own_trials(ran), &ran.report["commit_trials"]);
    let [seconds, limit] = ["seconds", "limit"].map(|key| took[key].as_f64().unwrap());
    let count = took["count"].as_u64().unwrap();
    assert!(count == own.len() as u64 && count > 0 && seconds > 0.0 && limit >= 10.0, "{took:#}");
    if count == 2 {
        let tried = [("ant@1.0.1".into(), "gates"), ("cat@0.3.4".into(), "gates"), ("bee@1.2.0".into(), "matrix")];
        assert_eq!(told(ran), tried);
        assert!(ran.stdout.contains("  below the tip: 2 commits compile\n"), "{}", ran.said());
    } else {
        assert!(seconds * 2.0 > limit && ran.stdout.contains("  verified as a group of 2: "), "{}", ran.said());
    }
    for (trial, commit) in own.iter().zip(ran.report["commits"].as_array().unwrap()) {
        assert_eq!(
            (text(trial, "verdict"), &trial["tree"], &trial["id"]),
            ("passed", &commit["tree"], &commit["trial"])
        );
        let checks: Vec<&str> = trial["cells"].as_array().unwrap().iter().map(|cell| text(cell, "command")).collect();
        assert!(checks.iter().all(|command| command.contains("--no-run") || command.contains("build")), "{checks:?}");
    }
    assert!(ran.stdout.contains(" of commits took "), "{}", ran.said());
}

/// One upgrade a trial, so that one of two fails alone before the other lets it in.
fn lifted() -> &'static Shared {
    shared("pair_lifted", &["--strategy", "one-by-one"])
}

#[test]
fn a_tree_that_failed_in_a_trial_is_no_commit_also_where_no_commit_is_tried() {
    let ran = &lifted().ran;
    assert_eq!(ran.code, 0, "{}", ran.said());
    let trials = ran.report["trials"].as_array().unwrap();
    let is_alone = |trial: &&Value| trial["atoms"] == serde_json::json!(["cargo:bolt@1.0.1"]);
    let alone = trials.iter().find(is_alone).expect("it is tried alone");
    assert_eq!(text(alone, "verdict"), "failed", "{alone:#}");
    let why = |upgrade: &Value| trials.iter().find(|one| one["id"] == upgrade["trial"]).unwrap()["why"].clone();
    assert_eq!([why(ran.upgrade("bolt")), why(ran.upgrade("nut"))], ["second_look", "second_look"], "{}", ran.said());
    assert_eq!(ran.upgrade("bolt")["commit"], ran.upgrade("nut")["commit"]);
    assert_eq!(own_trials(ran).len(), 0);
}

#[test]
fn the_commit_of_what_fails_alone_says_that_they_belong_together() {
    let run = lifted();
    let text = run.env.git(&["show", "--no-patch", "--format=%B", text(run.ran.upgrade("bolt"), "commit")]);
    assert!(text.contains("They belong together: not each of them passes without the others."), "{text}");
}

#[test]
fn where_each_upgrade_passed_on_top_of_those_before_no_commit_is_tried_again() {
    let run = shared("lock_only", &["--strategy", "one-by-one", VERIFY, "gate"]);
    let proofs: Vec<&str> = told(&run.ran).into_iter().map(|(_, verified)| verified).collect();
    assert_eq!((proofs, own_trials(&run.ran).len()), (vec!["search", "search", "matrix"], 0), "{}", run.ran.said());
}

#[test]
fn what_an_upgrade_brought_along_is_in_its_commit_and_makes_no_empty_one() {
    let run = shared("go_brought_along", &[]);
    let [router, words] = ["demo.test/router", "demo.test/words"].map(|name| run.ran.upgrade(name));
    assert_eq!(router["commit"], words["commit"], "{}", run.ran.said());
    let notes = words["notes"].to_string();
    assert!(notes.contains("an upgrade before it brought it along"), "they are written in this order: {notes}");
    let text = run.env.git(&["show", "--no-patch", "--format=%B", text(router, "commit")]);
    assert!(text.contains("One of them was brought along by another: by itself it changes nothing more."), "{text}");
}
