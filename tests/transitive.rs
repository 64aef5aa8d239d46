//! Packages that only other packages require: yanked ones move, or say why not; with `--transitive` the others do, too.

use serde_json::Value;

use crate::common::{AS_OF, Env, find, held, names, rungs, shared, text};

/// The candidates as `name at -> rungs`.
fn candidates(plan: &Value) -> Vec<String> {
    let list = plan["candidates"].as_array().unwrap();
    let line = |one: &Value| format!("{} {} -> {}", text(one, "name"), text(one, "at"), rungs(one).join(" "));
    list.iter().map(line).collect()
}

#[test]
fn each_yanked_version_of_a_crate_that_others_require_is_an_urgent_candidate_without_a_place() {
    let plan = Env::new("transitive_yanked").plan(&[]);
    assert_eq!(candidates(&plan), ["inner 0.9.0 -> 0.9.4", "inner 1.0.0 -> 1.1.0"]);
    for candidate in plan["candidates"].as_array().unwrap() {
        assert_eq!((text(candidate, "role"), &candidate["places"]), ("transitive", &Value::from(vec![0; 0])));
        assert!(text(candidate, "urgent").ends_with("is yanked"), "{candidate:#}");
    }
    assert_eq!(names(&plan, "newest"), ["older", "outer"], "what is sound and was not asked for is not listed");
}

#[test]
fn a_yanked_package_that_its_user_pins_is_held_and_the_user_is_named() {
    let plan = Env::new("transitive_yanked").plan(&[]);
    let (kind, words) = held(&plan, "stuck");
    assert_eq!(kind, "resolve_refused");
    assert!(words.starts_with("outer 1.0.0 requires `stuck = \"=1.0.0\"`"), "{words}");
    let held = find(&plan, "held", "stuck").unwrap();
    assert_eq!((text(held, "role"), text(held, "urgent")), ("transitive", "stuck 1.0.0 is yanked"));
}

#[test]
fn with_transitive_every_package_that_can_move_is_a_candidate_after_the_urgent_ones() {
    let plan = Env::new("transitive_yanked").plan(&["--transitive"]);
    assert_eq!(candidates(&plan), ["inner 0.9.0 -> 0.9.4", "inner 1.0.0 -> 1.1.0", "calm 1.0.0 -> 1.0.1"]);
    assert_eq!(names(&plan, "held"), ["stuck"]);
}

#[test]
fn a_transitive_package_can_be_asked_for_by_name_only_with_the_flag() {
    let env = Env::new("transitive_yanked");
    let refused = env.run(&["plan", "--as-of", AS_OF, "-p", "calm"]);
    assert_eq!(refused.code, 2, "{}", refused.said());
    assert!(refused.stderr.contains("`calm`") && refused.stderr.contains("`--transitive`"), "{}", refused.said());
    let plan = env.plan(&["--transitive", "-p", "calm"]);
    assert_eq!(candidates(&plan), ["calm 1.0.0 -> 1.0.1"]);
}

#[test]
fn holds_excludes_and_the_cooldown_count_for_transitive_packages() {
    let env = Env::new("transitive_yanked");
    let plan = env.plan(&["--exclude", "inner"]);
    assert_eq!((candidates(&plan), held(&plan, "inner").0), (vec![], "not_selected"));
    let early = env.json(&["plan", "--format", "json", "--as-of", "2025-01-02T00:00:00Z"]);
    assert_eq!(held(&early, "inner").0, "too_young");
    env.write("xupgrade.toml", "[[hold]]\nname = \"calm\"\nreason = \"ticket 77\"\n");
    let plan = env.plan(&["--transitive"]);
    assert_eq!(held(&plan, "calm"), ("held_by_user", "held in xupgrade.toml: ticket 77"));
    let alone = env.plan(&[]);
    assert_eq!(held(&alone, "calm").0, "held_by_user", "no other upgrade may take it along, so it is told");
}

#[test]
fn the_least_rust_of_the_members_that_reach_a_package_limits_its_rungs() {
    let plan = Env::new("transitive_msrv").plan(&[]);
    assert_eq!(candidates(&plan), ["edge 1.0.0 -> 1.1.0", "inner 1.0.0 -> 1.0.1"]);
    let (kind, words) = held(&plan, "late");
    assert_eq!(kind, "msrv");
    assert!(words.starts_with("1.1.0 needs Rust 1.80"), "{words}");
}

#[test]
fn the_table_tells_which_packages_only_others_require() {
    let ran = Env::new("transitive_yanked").run(&["plan", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    for words in
        ["inner (transitive)", "stuck (transitive)", "urgent: inner 1.0.0 is yanked", "stuck 1.0.0 is yanked; outer"]
    {
        assert!(ran.stdout.contains(words), "no {words} in {}", ran.stdout);
    }
}

#[test]
fn a_run_moves_only_the_lockfile_and_says_so_in_each_subject() {
    let run = shared("transitive_yanked", &["--transitive"]);
    let upgrades = ["inner 0.9.0 -> 0.9.4", "calm 1.0.0 -> 1.0.1", "inner 1.0.0 -> 1.1.0"];
    assert_eq!(run.ran.upgrades(), upgrades, "{}", run.ran.said());
    let (base, tip) = (text(&run.ran.report, "base"), text(&run.ran.report, "tip"));
    assert_eq!(run.env.git(&["diff", "--name-only", base, tip]), "Cargo.lock");
    let subjects = run.env.git(&["log", "--format=%s", &format!("{base}..{tip}")]);
    assert!(subjects.ends_with("build(deps): upgrade inner from 0.9.0 to 0.9.4 (transitive)"), "{subjects}");
    assert_eq!(text(run.ran.upgrade("calm"), "role"), "transitive");
    for upgrade in run.ran.report["upgrades"].as_array().unwrap() {
        assert_eq!(text(upgrade, "proof"), "tests");
    }
    assert_eq!(run.ran.why("stuck"), "resolve_refused");
}

#[test]
fn a_release_that_requires_its_own_successor_lands_with_that_one_beside_it() {
    let run = shared("cargo_semver_trick", &[]);
    assert_eq!(run.ran.upgrades(), ["uni 0.4.4 -> 0.4.5"], "{}", run.ran.said());
    let lock = run.env.git(&["show", &format!("{}:Cargo.lock", text(&run.ran.report, "tip"))]);
    assert!(lock.contains("name = \"uni\"\nversion = \"1.6.2\""), "{lock}");
    assert!(lock.contains("name = \"slug\"\nversion = \"0.1.4\""), "{lock}");
}

/// The direct upgrade leaves `calm` without a user.
const LEFT_BEHIND: &str = r#"Expected: calm passes before outer, and is held, as nothing of it is left in the last tree.
-- repo/Cargo.toml --
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
outer = "1"
-- repo/src/lib.rs --
#[test]
fn they_add_up() {
    assert_eq!(outer::n(), 1);
}
-- repo/Cargo.lock --
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "outer",
]

[[package]]
name = "calm"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "@"

[[package]]
name = "outer"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "@"
dependencies = [
 "calm",
]
-- crates/calm/1.0.0/src/lib.rs --
pub const N: u32 = 1;
-- crates/calm/1.0.1/src/lib.rs --
pub const N: u32 = 1;
-- crates/outer/1.0.0/Cargo.toml --
[dependencies]
calm = "1"
-- crates/outer/1.0.0/src/lib.rs --
pub fn n() -> u32 {
    calm::N
}
-- crates/outer/1.1.0/src/lib.rs --
pub fn n() -> u32 {
    1
}
"#;

#[test]
fn a_package_that_a_later_upgrade_takes_out_is_held_for_nothing_proves_it_any_more() {
    let env = Env::from_archive(LEFT_BEHIND);
    let ran = env.run(&["--transitive"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["outer 1.0.0 -> 1.1.0"], "{}", ran.said());
    assert_eq!((ran.why("calm"), text(ran.upgrade("outer"), "proof")), ("not_exercised", "tests"));
    assert!(ran.words("calm").contains("the upgrade of outer takes it out"), "{}", ran.words("calm"));
}

#[test]
fn a_hold_of_a_package_that_an_upgrade_takes_out_says_that_it_is_there_no_more() {
    let elsewhere =
        "[target.'cfg(windows)'.dependencies]\ncalm = \"1\"\n-- crates/calm/1.0.0/.release --\nyanked = true";
    let archive = LEFT_BEHIND.replacen("[dependencies]\ncalm = \"1\"", elsewhere, 1).replacen("calm::N", "1", 1);
    let ran = Env::from_archive(&archive).run(&[]);
    assert_eq!((ran.upgrades(), ran.why("calm")), (vec!["outer 1.0.0 -> 1.1.0".to_owned()], "not_exercised"));
    assert!(ran.words("calm").ends_with("; the upgrade of outer takes it out"), "{}", ran.words("calm"));
}

#[test]
fn where_the_configuration_lets_it_through_it_says_that_no_check_compiled_it() {
    let env = Env::from_archive(LEFT_BEHIND);
    env.write("xupgrade.toml", "unexercised = \"allow\"\n");
    let ran = env.run(&["--transitive"]);
    assert_eq!(ran.upgrades(), ["calm 1.0.0 -> 1.0.1", "outer 1.0.0 -> 1.1.0"], "{}", ran.said());
    assert_eq!(ran.upgrade("calm")["notes"], Value::from(vec!["the upgrade of outer takes it out"]));
    assert_eq!((text(ran.upgrade("calm"), "proof"), text(ran.upgrade("outer"), "proof")), ("none", "tests"));
    let message = env.git(&["show", "--no-patch", "--format=%B", text(ran.upgrade("calm"), "commit")]);
    assert!(message.contains("no check of the whole matrix compiled it, which `unexercised = \"allow\"`"), "{message}");
}
