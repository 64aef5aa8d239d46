//! `--explain`: why each trial was chosen and what it taught, in words on stderr and as fields in JSON.

use serde_json::Value;

use crate::common::{Env, shared, text};

/// The trials of the search and after it, by name.
fn trials(report: &Value) -> Vec<&str> {
    let all = report["trials"].as_array().unwrap().iter().map(|trial| text(trial, "id"));
    all.filter(|id| !id.starts_with("baseline")).collect()
}

#[test]
fn each_trial_says_once_why_it_was_chosen_and_once_what_it_taught() {
    let run = shared("two_clash", &["--explain"]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let lines: Vec<&str> = run.ran.stderr.lines().map(str::trim).collect();
    let count = |start: String| lines.iter().filter(|line| line.starts_with(&start)).count();
    let trials = trials(&run.ran.report);
    assert!(trials.len() > 3, "{trials:?}");
    for id in trials {
        let told = (count(format!("{id}, why: ")), count(format!("{id}, learnt: ")));
        assert_eq!(told, (1, 1), "{id}: {}", run.ran.stderr);
    }
    assert_eq!(count("baseline-1, ".into()), 0, "nobody chose the baseline");
}

#[test]
fn the_story_names_the_one_that_fails_and_what_is_below_it() {
    let clash = &shared("two_clash", &["--explain"]).ran.stderr;
    let blamed = "learnt: it passes without right 1.0.1, which speaks against right 1.0.1";
    assert!(clash.contains(blamed), "{clash}");
    let lower = &shared("breaks_test_lands_lower", &["--explain"]).ran.stderr;
    assert!(lower.contains("learnt: count 1.1.0 fails; next lower: 1.0.2"), "{lower}");
    assert_eq!(lower.matches("next lower: ").count(), 1, "{lower}");
    assert!(lower.contains("count 1.1.0 failed in t1") || lower.contains("after 1.1.0 failed in t1"), "{lower}");
}

#[test]
fn without_being_asked_nothing_is_explained_and_stdout_is_the_same() {
    let (quiet, told) = (shared("two_clash", &[]), shared("two_clash", &["--explain"]));
    assert!(!quiet.ran.stderr.contains(", why: ") && !quiet.ran.stderr.contains(", learnt: "), "{}", quiet.ran.stderr);
    assert!(!told.ran.stdout.contains(", why: "), "{}", told.ran.stdout);
}

#[test]
fn in_json_the_reasons_are_fields_and_the_words_stay_on_stderr() {
    let env = Env::new("breaks_test_lands_lower");
    let ran = env.run(&["--explain", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let began: Vec<&Value> = events.iter().filter(|event| event["event"] == "trial-began").collect();
    for event in &began {
        assert_eq!(event["why"].is_null(), text(event, "trial").starts_with("baseline"), "{event:#}");
    }
    let first = began.iter().find(|event| event["why"] == "at_once").expect("a first trial of everything");
    assert_eq!(first["fresh"][0]["lower"], serde_json::json!(["1.0.2"]), "{first:#}");
    assert!(first["fresh"][0]["risk"].as_u64().unwrap() > 0, "{first:#}");
    assert!(ran.stderr.contains("t1, why: ") && ran.stderr.contains("t1, learnt: "), "{}", ran.stderr);
}
