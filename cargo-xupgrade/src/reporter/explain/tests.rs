//! Stories as a reader hears them.

use super::*;
use crate::candidate::Version;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

/// An upgrade from `name@version`, with a lower rung where the version has one behind a slash.
fn step(text: &str) -> Step {
    let (name, versions) = text.split_once('@').unwrap();
    let (to, lower) = versions.split_once('/').unwrap_or((versions, ""));
    let lower = lower.split('/').filter(|one| !one.is_empty()).map(version).collect();
    Step { name: name.into(), project: "cargo .".into(), from: version("1.0.0"), to: version(to), risk: 40, lower }
}

/// The verdict of this name.
fn kind(name: &str) -> VerdictKind {
    serde_json::from_value(name.into()).unwrap()
}

/// What is said to `id why accepted upgrade … = verdict`, line by line.
fn told(trials: &[(&str, Why, usize, &str, &str)]) -> Vec<String> {
    let mut story = Story::default();
    let mut lines = Vec::new();
    for (id, why, accepted, fresh, verdict) in trials {
        lines.extend(story.hear(&Event::TrialBegan {
            trial: (*id).into(),
            why: Some(*why),
            of: None,
            fresh: fresh.split_whitespace().map(step).collect(),
            accepted: *accepted,
            remaining: 1,
            seconds_left: None,
        }));
        lines.extend(story.hear(&Event::TrialEnded {
            trial: (*id).into(),
            verdict: kind(verdict),
            text: "the test x".into(),
            seconds: 1.0,
        }));
    }
    lines
}

#[test]
fn a_failed_group_is_followed_down_to_the_one_that_breaks_it() {
    let lines = told(&[
        ("t1", Why::First, 0, "a@1.1.0 b@1.1.0 c@1.2.0/1.1.4 d@1.1.0", "failed"),
        ("t2", Why::Half, 0, "a@1.1.0 b@1.1.0", "passed"),
        ("t3", Why::Half, 2, "c@1.2.0/1.1.4", "failed"),
        ("t4", Why::Group, 2, "c@1.1.4 d@1.1.0", "passed"),
        ("full-1", Why::Verify, 4, "", "passed"),
    ]);
    let expected = [
        "t1, why: the first 4, a chance of about 85 % that all of them pass",
        "t1, learnt: one of these 4 breaks it, or several together; a part of them is next",
        "t2, why: 2 of the 4 that did not pass in t1",
        "t2, learnt: a 1.1.0, b 1.1.0 passed, so t1 failed because of one of c 1.2.0, d 1.1.0, or of several together",
        "t3, why: 1 of the 4 that did not pass in t1",
        "t3, learnt: c 1.2.0 fails on top of 2 upgrades; next lower: 1.1.4",
        "t4, why: the next 2, a chance of about 92 % that all of them pass; c 1.1.4 comes after 1.2.0 failed in t3",
        "t4, learnt: c 1.1.4, d 1.1.0 passed",
        "full-1, why: the whole matrix with nothing cached: only what passes it is published",
        "full-1, learnt: the whole matrix passes with 4 upgrades",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_is_left_of_a_failed_group_is_tried_for_its_own_evidence() {
    let lines = told(&[
        ("t1", Why::First, 0, "a@1.1.0 b@1.1.0", "failed"),
        ("t2", Why::Leaf, 0, "a@1.1.0", "passed"),
        ("t3", Why::Leaf, 1, "b@1.1.0", "failed"),
    ]);
    assert_eq!(lines[2], "t2, why: one of the 2 that failed in t1, by itself");
    assert_eq!(lines[3], "t2, learnt: a 1.1.0 passed, so t1 failed because of b 1.1.0");
    assert_eq!(lines[4], "t3, why: all that is left of what failed in t1; by itself, for evidence of its own");
    assert_eq!(lines[5], "t3, learnt: b 1.1.0 fails on top of 1 upgrade");
}

#[test]
fn a_lower_version_by_itself_names_the_one_that_failed() {
    let lines = told(&[("t1", Why::First, 0, "a@1.2.0/1.1.4", "failed"), ("t2", Why::Leaf, 0, "a@1.1.4", "passed")]);
    assert_eq!(lines[2], "t2, why: the next lower version, as a 1.2.0 failed in t1");
    assert_eq!(lines[3], "t2, learnt: a 1.1.4 passed");
}

#[test]
fn the_one_that_is_most_in_doubt_is_named_where_there_is_one() {
    let risky = Step { risk: 300, ..step("b@2.0.0") };
    let mut story = Story::default();
    let said = story.hear(&Event::TrialBegan {
        trial: "t1".into(),
        why: Some(Why::First),
        of: None,
        fresh: vec![step("a@1.1.0"), risky],
        accepted: 0,
        remaining: 1,
        seconds_left: None,
    });
    let expected = "t1, why: the first 2, a chance of about 67 % that all of them pass; most in doubt: b 2.0.0";
    assert_eq!(said.as_deref(), Some(expected));
}

#[test]
fn a_bracket_says_what_it_says_about_the_upgrade() {
    let before = ("t1", Why::Leaf, 3, "a@1.2.0/1.1.4", "failed");
    let passed = told(&[before, ("t2", Why::Bracket, 3, "", "passed")]);
    assert_eq!(passed[2], "t2, why: the tests that failed in t1 without a 1.2.0: do they fail there, too?");
    assert_eq!(passed[3], "t2, learnt: it passes without a 1.2.0, which speaks against a 1.2.0");
    let failed = told(&[before, ("t2", Why::Bracket, 3, "", "failed")]);
    assert_eq!(failed[3], "t2, learnt: it fails without a 1.2.0, too, so a 1.2.0 is not to blame");
}

#[test]
fn a_bracket_without_several_names_them_once() {
    let before = ("t1", Why::Pair, 0, "a@1.1.0 b@1.1.0", "failed");
    let passed = told(&[before, ("t2", Why::Bracket, 0, "", "passed")]);
    assert_eq!(passed[3], "t2, learnt: it passes without a 1.1.0, b 1.1.0, which speaks against them");
    let failed = told(&[before, ("t2", Why::Bracket, 0, "", "failed")]);
    assert_eq!(failed[3], "t2, learnt: it fails without a 1.1.0, b 1.1.0, too, so they are not to blame");
}

#[test]
fn a_bracket_that_leaves_out_what_was_accepted_before_speaks_against_nothing_later() {
    let before = ("t1", Why::Leaf, 3, "a@1.2.0/1.1.4", "failed");
    let lines = told(&[before, ("t2", Why::Bracket, 1, "", "passed")]);
    assert_eq!(lines[2], "t2, why: the tests that failed in t1 without the last upgrades: do they fail there, too?");
    assert_eq!(lines[3], "t2, learnt: it passes without the last upgrades, which speaks against them");
}

#[test]
fn a_bracket_leaves_out_only_what_has_not_passed_since() {
    let lines = told(&[
        ("t1", Why::First, 0, "a@1.1.0 b@1.1.0", "failed"),
        ("t2", Why::Leaf, 0, "a@1.1.0", "passed"),
        ("t3", Why::Confirm, 1, "b@1.1.0", "failed"),
        ("t4", Why::Bracket, 1, "", "passed"),
    ]);
    assert_eq!(lines[6], "t4, why: the tests that failed in t1 without b 1.1.0: do they fail there, too?");
    assert_eq!(lines[7], "t4, learnt: it passes without b 1.1.0, which speaks against b 1.1.0");
}

#[test]
fn after_a_second_look_nothing_lower_is_promised() {
    let lines = told(&[
        ("t1", Why::Leaf, 0, "a@1.2.0/1.1.4", "failed"),
        ("t2", Why::SecondLook, 3, "a@1.2.0/1.1.4", "failed"),
        ("t3", Why::Bracket, 3, "", "passed"),
    ]);
    assert_eq!(lines[3], "t2, learnt: a 1.2.0 fails on top of 3 upgrades");
    assert_eq!(lines[5], "t3, learnt: it passes without a 1.2.0, which speaks against a 1.2.0");
}

#[test]
fn a_bracket_is_about_the_trial_that_it_names_whatever_failed_beside_it() {
    let mut story = Story::default();
    let mut began = |trial: &str, why, of: Option<&str>, fresh: &str, verdict: &str| {
        story.hear(&Event::TrialBegan {
            trial: trial.into(),
            why: Some(why),
            of: of.map(str::to_owned),
            fresh: fresh.split_whitespace().map(step).collect(),
            accepted: 0,
            remaining: 1,
            seconds_left: None,
        });
        let (text, seconds) = (String::new(), 1.0);
        story.hear(&Event::TrialEnded { trial: trial.into(), verdict: kind(verdict), text, seconds })
    };
    began("t1", Why::Leaf, None, "a@1.1.0", "failed");
    began("t2", Why::Leaf, None, "b@1.1.0", "failed");
    let learnt = began("t3", Why::Bracket, Some("t1"), "", "passed");
    assert_eq!(learnt.as_deref(), Some("t3, learnt: it passes without a 1.1.0, which speaks against a 1.1.0"));
}

#[test]
fn a_failure_that_does_not_come_again_does_not_count() {
    let lines = told(&[("t1", Why::Leaf, 0, "a@1.1.0", "failed"), ("t2", Why::Confirm, 0, "a@1.1.0", "passed")]);
    assert_eq!(lines[3], "t2, learnt: the failure of t1 does not come again, so it does not count");
}

#[test]
fn noise_teaches_nothing_and_the_same_comes_again() {
    let lines = told(&[
        ("t1", Why::First, 0, "a@1.1.0 b@1.1.0", "inconclusive"),
        ("t2", Why::Retry, 0, "a@1.1.0 b@1.1.0", "passed"),
    ]);
    assert_eq!(lines[1], "t1, learnt: nothing, for noise is no evidence");
    assert_eq!(lines[3], "t2, learnt: a 1.1.0, b 1.1.0 passed", "nothing about what failed: nothing did");
}

#[test]
fn every_reason_is_a_sentence_of_its_own() {
    let all = [
        Why::First,
        Why::Group,
        Why::Half,
        Why::Leaf,
        Why::Retry,
        Why::Suspect,
        Why::SecondLook,
        Why::LastTime,
        Why::AtOnce,
        Why::Pair,
        Why::Union,
        Why::Bisect,
        Why::Neighbour,
        Why::Confirm,
        Why::Bracket,
        Why::Verify,
        Why::Commit,
    ];
    let told =
        |why| told(&[("t1", Why::First, 0, "a@1.1.0 b@1.1.0", "failed"), ("t2", why, 0, "a@1.1.0 b@1.1.0", "failed")]);
    let reasons: std::collections::BTreeSet<String> = all.into_iter().map(|why| told(why)[2].clone()).collect();
    assert_eq!(reasons.len(), all.len(), "{reasons:#?}");
    assert!(reasons.iter().all(|text| !text.contains("  ") && !text.ends_with(' ')), "{reasons:#?}");
}

#[test]
fn the_baseline_and_cells_are_no_part_of_the_story() {
    let mut story = Story::default();
    let baseline = Event::TrialBegan {
        trial: "baseline-1".into(),
        why: None,
        of: None,
        fresh: vec![],
        accepted: 0,
        remaining: 1,
        seconds_left: None,
    };
    assert_eq!(story.hear(&baseline), None);
    let ended = Event::TrialEnded {
        trial: "baseline-1".into(),
        verdict: VerdictKind::Passed,
        text: String::new(),
        seconds: 1.0,
    };
    assert_eq!(story.hear(&ended), None);
}

#[test]
fn a_union_beside_its_parts_is_called_a_bet_and_one_after_them_what_passed() {
    let lines = told(&[
        ("t1", Why::Half, 0, "a@1.1.0", "passed"),
        ("t2", Why::Union, 0, "a@1.1.0 b@1.1.0", "passed"),
        ("t3", Why::Half, 0, "c@1.1.0", "passed"),
        ("t4", Why::Union, 1, "b@1.1.0 c@1.1.0", "passed"),
    ]);
    assert_eq!(lines[2], "t2, why: a bet that all of it passes, beside the trials of its parts");
    assert_eq!(lines[6], "t4, why: what passed side by side, now together");
}

#[test]
fn what_is_below_a_failure_is_told_once() {
    let lines = told(&[
        ("t1", Why::Leaf, 0, "a@1.2.0/1.1.4", "failed"),
        ("t2", Why::Confirm, 0, "a@1.2.0/1.1.4", "failed"),
        ("t3", Why::Bracket, 0, "", "passed"),
        ("t4", Why::Bracket, 0, "", "passed"),
    ]);
    assert_eq!(lines.iter().filter(|line| line.contains("next lower: 1.1.4")).count(), 1, "{lines:#?}");
}
