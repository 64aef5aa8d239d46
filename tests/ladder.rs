//! Releases between the rungs of a ladder: how a plan names them, and what is said of a dependency that ends on one.

use crate::common::{Env, shared, text};

#[test]
fn a_plan_names_the_rungs_in_full_and_of_the_releases_between_them_the_versions() {
    let plan = Env::new("lands_between_rungs").plan(&["--level", "breaking"]);
    let candidate = |name: &str| plan["candidates"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    let count = candidate("count");
    assert_eq!(count["between"], serde_json::json!(["1.1.0", "1.2.0", "1.3.0", "1.4.0"]));
    assert_eq!(count["rungs"].as_array().unwrap().len(), 1, "{count:#}");
    assert_eq!((text(&count["rungs"][0], "version"), text(&count["rungs"][0], "level")), ("1.5.0", "minor"));
    let steps = candidate("steps");
    assert_eq!(steps["between"], serde_json::json!(["0.2.0", "0.2.1"]));
    assert_eq!(steps["rungs"].as_array().unwrap().len(), 2, "{steps:#}");
}

#[test]
fn a_module_has_releases_between_its_rungs_like_a_crate() {
    let plan = Env::new("go_lands_between_rungs").plan(&[]);
    let count = &plan["candidates"][0];
    assert_eq!(count["between"], serde_json::json!(["v1.1.0", "v1.2.0"]));
    assert_eq!(count["rungs"].as_array().unwrap().len(), 2, "{count:#}");
}

#[test]
fn a_table_shows_the_rungs_alone() {
    let shown = Env::new("lands_between_rungs").run(&["plan", "--as-of", crate::common::AS_OF]);
    assert_eq!(shown.code, 0, "{}", shown.said());
    assert!(shown.stdout.contains("1.5.0") && !shown.stdout.contains("1.4.0"), "{}", shown.stdout);
}

#[test]
fn where_the_newest_release_fails_the_highest_one_that_passes_is_found() {
    let run = shared("lands_between_rungs", &["--level", "breaking"]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["count 1.0.0 -> 1.3.0", "steps 0.1.0 -> 0.2.1"]);
    let count = run.ran.upgrade("count");
    assert_eq!((text(count, "level"), count["breaking"].as_bool()), ("minor", Some(false)));
    assert_eq!(run.ran.upgrade("steps")["breaking"].as_bool(), Some(true));
}

#[test]
fn an_upgrade_that_ends_below_its_rungs_says_which_release_stopped_it() {
    let run = shared("lands_between_rungs", &["--level", "breaking"]);
    let count = run.ran.upgrade("count");
    let notes = count["notes"].to_string();
    assert!(notes.contains("its newest releases fail") && notes.contains("1.4.0 fails\""), "{notes}");
    let above: Vec<&str> = count["failed_above"].as_array().unwrap().iter().map(|one| text(one, "wanted")).collect();
    assert_eq!(above, ["1.5.0", "1.4.0"]);
    assert!(run.ran.stdout.contains("not 1.5.0: test_failed"), "{}", run.ran.stdout);
}

#[test]
fn what_passes_nowhere_is_held_with_the_versions_tried_the_highest_first() {
    let run = shared("lands_between_rungs", &["--level", "breaking"]);
    let never = run.ran.held("never");
    let tried: Vec<&str> =
        never["reason"]["evidence"]["tried"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(tried, ["1.3.0", "1.2.0", "1.1.0"]);
    assert!(never["reason"]["evidence"]["tests"].to_string().contains("is_there"), "{never:#}");
}

#[test]
fn with_rungs_alone_nothing_between_them_is_tried() {
    let run = shared("lands_between_rungs", &["--level", "breaking", "--depth", "rungs"]);
    assert_eq!(run.ran.upgrades(), [""; 0], "{}", run.ran.said());
    let tried = |name: &str| run.ran.held(name)["reason"]["evidence"]["tried"].clone();
    assert_eq!(tried("count"), serde_json::json!(["1.5.0"]));
    assert_eq!(tried("steps"), serde_json::json!(["0.3.0", "0.2.2"]));
}

#[test]
fn a_hold_tells_the_lower_versions_that_were_tried() {
    let run = shared("lands_between_rungs", &["--level", "breaking"]);
    assert!(run.ran.stdout.contains("lower versions fail, too: 1.2.0, 1.1.0\n"), "{}", run.ran.stdout);
}
