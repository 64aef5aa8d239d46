//! Upgrades that only pass together: found as partners, tried as one, and published in one commit or not at all.

use serde_json::Value;

use crate::common::{Shared, VERIFY, shared, text};

/// The subject of the commit that these upgrades share.
fn common_commit(run: &Shared, names: &[&str]) -> String {
    let commits: Vec<&str> = names.iter().map(|name| text(run.ran.upgrade(name), "commit")).collect();
    assert!(commits.windows(2).all(|two| two[0] == two[1]), "{names:?} are in several commits: {commits:?}");
    run.env.git(&["show", "--no-patch", "--format=%s", commits[0]])
}

#[test]
fn crates_that_pin_one_another_are_resolved_together() {
    let run = shared("pair_pinned_siblings", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["one 1.0.0 -> 1.1.0", "two 1.0.0 -> 1.1.0"]);
}

#[test]
fn what_resolves_only_together_is_one_commit_that_names_both() {
    let run = shared("pair_pinned_siblings", &[]);
    assert_eq!(common_commit(run, &["one", "two"]), "build(deps): upgrade one to 1.1.0 and two to 1.1.0");
    let count = run.env.git(&["rev-list", "--count", &format!("main..{}", text(&run.ran.report, "branch"))]);
    assert_eq!(count, "1");
    let changed = run.env.git(&["diff", "--name-only", "main", text(&run.ran.report, "tip")]);
    assert_eq!(changed, "Cargo.lock", "the requirement that was narrowed for the resolve is as it was");
}

#[test]
fn each_of_two_that_resolve_only_together_names_the_other_and_not_itself() {
    let run = shared("pair_pinned_siblings", &[]);
    for (name, other) in [("one", "two@1.1.0"), ("two", "one@1.1.0")] {
        let upgrade = run.ran.upgrade(name);
        assert_eq!(upgrade["notes"], serde_json::json!([format!("it resolves only together with {other}")]));
    }
    let moved = |name: &str| run.ran.upgrade(name)["also_moved"].as_array().unwrap().clone();
    let names: Vec<Value> = moved("one").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["helper"]);
    assert_eq!(moved("two"), [Value::Null; 0]);
}

#[test]
fn one_of_two_that_pin_one_another_is_held_with_cargos_words_where_the_other_may_not_move() {
    let run = shared("pair_pinned_siblings", &["-p", "one"]);
    assert_eq!(run.ran.why("one"), "resolve_refused", "{}", run.ran.said());
    assert!(run.ran.words("one").contains("required by package `two v1.0.0`"), "{}", run.ran.words("one"));
}

#[test]
fn one_of_two_that_share_a_type_is_held_with_rustcs_words_where_the_other_may_not_move() {
    let run = shared("pair_shared_type", &["--level", "breaking", "-p", "sender"]);
    assert_eq!(run.ran.why("sender"), "build_failed", "{}", run.ran.said());
    let lines = run.ran.held("sender")["reason"]["evidence"]["lines"].to_string();
    assert!(lines.contains("multiple different versions of crate `message`"), "{lines}");
}

#[test]
fn one_of_two_modules_that_share_a_type_is_held_where_the_other_may_not_move() {
    let run = shared("go_pair_shared_type", &["-p", "demo.test/sender"]);
    assert_eq!(run.ran.why("demo.test/sender"), "build_failed", "{}", run.ran.said());
    let lines = run.ran.held("demo.test/sender")["reason"]["evidence"]["lines"].to_string();
    assert!(lines.contains("demo.test/message/v2"), "{lines}");
}

/// One upgrade a trial, so that each is tried alone and fails before its partner comes in.
const ONE_BY_ONE: &[&str] = &["--strategy", "one-by-one", "--level", "breaking"];

#[test]
fn two_crates_that_fail_alone_and_pass_together_land_in_one_commit() {
    let run = shared("pair_shared_type", ONE_BY_ONE);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["fine 1.0.0 -> 1.0.1", "sender 1.0.0 -> 2.0.0", "taker 1.0.0 -> 2.0.0"]);
    let subject = common_commit(run, &["sender", "taker"]);
    assert_eq!(subject, "build(deps)!: upgrade sender to 2.0.0 and taker to 2.0.0");
    assert_ne!(run.ran.upgrade("fine")["commit"], run.ran.upgrade("sender")["commit"]);
}

#[test]
fn the_commit_of_a_pair_has_the_tree_of_both() {
    let run = shared("pair_shared_type", ONE_BY_ONE);
    let commit = text(run.ran.upgrade("sender"), "commit");
    let manifest = run.env.git(&["show", &format!("{commit}:Cargo.toml")]);
    let before = run.env.git(&["show", &format!("{commit}^:Cargo.toml")]);
    assert!(manifest.contains("sender = \"2\"") && manifest.contains("taker = \"2\""), "{manifest}");
    assert!(before.contains("sender = \"1\"") && before.contains("taker = \"1\""), "{before}");
}

#[test]
fn two_modules_that_fail_alone_and_pass_together_land_in_one_commit() {
    let run = shared("go_pair_shared_type", ONE_BY_ONE);
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/codec v1.0.0 -> v1.1.0", "demo.test/sender v1.0.0 -> v1.1.0"]);
    let subject = common_commit(run, &["demo.test/codec", "demo.test/sender"]);
    assert!(subject.starts_with("build(deps): upgrade demo.test/codec to v1.1.0 and demo.test/sender"), "{subject}");
}

#[test]
fn two_crates_that_passed_in_a_group_and_fail_alone_land_in_one_commit() {
    let run = shared("pair_shared_type", &["--level", "breaking", VERIFY, "gate"]);
    let subject = common_commit(run, &["sender", "taker"]);
    assert_eq!(subject, "build(deps)!: upgrade sender to 2.0.0 and taker to 2.0.0");
    assert_ne!(run.ran.upgrade("fine")["commit"], run.ran.upgrade("sender")["commit"]);
}

#[test]
fn two_modules_that_passed_in_a_group_and_fail_alone_land_in_one_commit() {
    let run = shared("go_pair_shared_type", &[VERIFY, "gate"]);
    let subject = common_commit(run, &["demo.test/codec", "demo.test/sender"]);
    assert!(subject.starts_with("build(deps): upgrade demo.test/codec to v1.1.0 and demo.test/sender"), "{subject}");
}
