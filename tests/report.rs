//! `cargo xupgrade report`: the last run shown again, also one that was killed.

use serde_json::Value;

use crate::common::{Env, shared, text};
use crate::json::assert_valid;

#[test]
fn the_table_of_the_run_comes_again_below_its_trials() {
    let run = shared("mixed", &[]);
    let again = run.env.run(&["report"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{}", again.said());
    assert!(again.stdout.starts_with("trials\n"), "{}", again.stdout);
    assert!(again.stdout.ends_with(run.ran.stdout.trim_start()), "{}\n---\n{}", again.stdout, run.ran.stdout);
    let wide: Vec<&str> =
        again.stdout.split("\n\n").next().unwrap().lines().filter(|line| line.chars().count() > 100).collect();
    assert_eq!(wide, [""; 0]);
    assert!(again.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{}", again.stdout);
}

/// How far a trial of the tree is indented.
fn depth(tree: &str, id: &str) -> usize {
    let line = tree.lines().find(|line| line.trim_start().starts_with(&format!("{id} ")));
    let line = line.unwrap_or_else(|| panic!("no {id} in {tree}"));
    line.len() - line.trim_start().len()
}

#[test]
fn what_a_failed_group_was_split_into_stands_below_it() {
    let run = shared("mixed", &[]);
    let tree = run.env.run(&["report"]).stdout;
    let trials = run.ran.report["trials"].as_array().unwrap();
    let children: Vec<&Value> = trials.iter().filter(|trial| trial["parent"].is_string()).collect();
    assert!(children.len() > 2, "{trials:#?}");
    for child in children {
        let parent = trials.iter().find(|one| one["id"] == child["parent"]).expect("the parent is a trial");
        assert_ne!(parent["verdict"], "passed", "{child:#}");
        assert_eq!(depth(&tree, text(child, "id")), depth(&tree, text(parent, "id")) + 2, "{tree}");
    }
    for trial in trials {
        assert_eq!(trial["why"].is_null(), text(trial, "id").starts_with("baseline"), "{trial:#}");
    }
}

#[test]
fn as_json_it_is_the_report_on_the_disk() {
    let run = shared("mixed", &[]);
    assert_eq!(run.env.json(&["report", "--format", "json"]), run.ran.report);
}

#[test]
fn as_markdown_it_has_the_upgrades_the_holds_and_the_trials() {
    let run = shared("mixed", &[]);
    let told = run.env.run(&["report", "--format", "markdown"]);
    assert_eq!(told.code, 0, "{}", told.said());
    for line in [
        "# 2 upgraded, 2 held",
        "| `ant` | `cargo .` | `1.0.0` | `1.0.1` | patch |",
        "- `gone 1.0.1` in `cargo .`: `",
        "- `t1` failed in ",
    ] {
        assert!(told.stdout.lines().any(|one| one.starts_with(line)), "no {line} in {}", told.stdout);
    }
}

#[test]
fn a_killed_run_says_how_far_it_got() {
    let env = Env::new("breaks_build");
    let mut run = env.start(&[]);
    run.wait_for("the baseline ended", |event| event["event"] == "trial-ended" && event["trial"] == "baseline-2");
    run.wait_for("a trial began", |event| event["event"] == "trial-began");
    run.signal("KILL");
    run.end(&env);
    let told = env.run(&["report"]);
    assert_eq!(told.code, 0, "{}", told.said());
    assert!(told.stdout.starts_with("this run has no end yet: "), "{}", told.stdout);
    assert!(told.stdout.contains("baseline-2  passed"), "{}", told.stdout);
    assert!(told.stdout.contains("undecided: fine, gone"), "{}", told.stdout);
    let json = env.json(&["report", "--format", "json"]);
    assert_valid("report", &json);
    assert_eq!((&json["interrupted"], &json["branch"]), (&Value::from(true), &Value::Null));
}

#[test]
fn where_no_run_was_there_is_one_line_and_a_code_of_its_own() {
    let env = Env::new("lock_only");
    for args in [&["report"][..], &["report", "--out", "elsewhere"]] {
        let told = env.run(args);
        assert_eq!((told.code, told.stdout.as_str()), (2, ""), "{}", told.said());
        assert_eq!(told.stderr.lines().count(), 1, "{}", told.stderr);
        assert!(told.stderr.starts_with("error: there is no run to report in "), "{}", told.stderr);
    }
}
