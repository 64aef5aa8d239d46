//! Go versions that nobody named: what `go mod tidy` adds is chosen through the proxy view, by the rule on ages; and
//! modules that only other modules require are raised where the one in use is retracted, or where that was asked for.

use serde_json::Value;

use crate::common::{AS_OF, Env, Shared, names, rungs, shared, text};

fn go_mod(run: &Shared) -> String {
    run.env.git(&["show", &format!("{}:go.mod", text(&run.ran.report, "tip"))])
}

#[test]
fn what_tidy_adds_is_the_newest_release_that_is_old_enough() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/late v1.0.0 -> v1.1.0", "demo.test/old v1.0.0 -> v1.1.0"]);
    let manifest = go_mod(run);
    assert!(
        manifest.contains("demo.test/old/part v0.1.0") && manifest.contains("demo.test/late/part v0.1.0"),
        "{manifest}"
    );
    let moved = run.ran.upgrade("demo.test/old").to_string();
    assert!(moved.contains("`go mod tidy` took demo.test/old/part v0.1.0"), "{moved}");
}

#[test]
fn a_module_whose_releases_are_all_too_young_holds_the_upgrade_that_needs_it() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF]);
    assert_eq!(run.ran.why("demo.test/new"), "drags_forbidden");
    let words = run.ran.words("demo.test/new");
    assert!(words.contains("no version of demo.test/new/part is old enough; v0.1.0 came out on 2025-05-30"), "{words}");
    assert!(!words.contains("127.0.0.1"), "{words}");
}

#[test]
fn without_a_cooldown_the_as_of_instant_still_counts() {
    let run = shared("go_view_tidy_adds", &["--as-of", AS_OF, "--min-age", "0"]);
    assert_eq!(run.ran.upgrades().len(), 3, "{}", run.ran.said());
    let manifest = go_mod(run);
    assert!(
        manifest.contains("demo.test/old/part v0.2.0") && manifest.contains("demo.test/late/part v0.1.0"),
        "{manifest}"
    );
}

/// The candidates as `project name at -> rungs`.
fn candidates(plan: &Value) -> Vec<String> {
    let list = plan["candidates"].as_array().unwrap();
    let line = |one: &Value| {
        let (project, name) = (text(one, "project"), text(one, "name"));
        format!("{project} {name} {} -> {}", text(one, "at"), rungs(one).join(" "))
    };
    list.iter().map(line).collect()
}

#[test]
fn a_retracted_module_that_only_others_require_is_an_urgent_candidate_and_sound_ones_are_not_listed() {
    let plan = Env::new("go_view_transitive").plan(&[]);
    let inner = ". demo.test/inner v1.0.0 -> v1.1.0";
    assert_eq!(
        candidates(&plan),
        [inner, "old demo.test/ghost v1.0.0 -> v1.0.1", "old demo.test/inner v1.0.0 -> v1.1.0"]
    );
    for candidate in plan["candidates"].as_array().unwrap() {
        assert_eq!(text(candidate, "role"), "transitive");
        assert!(text(candidate, "urgent").contains("v1.0.0 is retracted: It "), "{candidate:#}");
    }
    // A line of go.mod is a place, an entry of the build list is none.
    assert_eq!(plan["candidates"][0]["places"][0]["manifest"], "go.mod");
    assert_eq!(plan["candidates"][2]["places"], Value::Array(vec![]));
    assert_eq!((names(&plan, "newest").len(), names(&plan, "held").len()), (2, 0), "{plan:#}");
}

#[test]
fn with_transitive_all_indirect_modules_are_candidates() {
    let plan = Env::new("go_view_transitive").plan(&["--transitive"]);
    let calm: Vec<String> = candidates(&plan).into_iter().filter(|one| one.contains("calm")).collect();
    assert_eq!(calm, [". demo.test/calm v1.0.0 -> v1.1.0", "old demo.test/calm v1.0.0 -> v1.1.0"]);
}

#[test]
fn a_transitive_raise_lands_where_it_is_built_and_is_held_where_no_check_builds_it() {
    let run = shared("go_view_transitive", &["--as-of", AS_OF]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/inner v1.0.0 -> v1.1.0"; 2]);
    for upgrade in run.ran.report["upgrades"].as_array().unwrap() {
        assert_eq!(text(upgrade, "role"), "transitive");
    }
    assert!(go_mod(run).contains("demo.test/inner v1.1.0 // indirect"), "{}", go_mod(run));
    assert_eq!(run.ran.why("demo.test/ghost"), "not_exercised");
    let words = run.ran.words("demo.test/ghost");
    assert!(words.contains("no check compiles demo.test/ghost@v1.0.0 (only other packages require it)"), "{words}");
}

#[test]
fn a_transitive_raise_that_tidy_takes_back_is_held_as_unused() {
    let env = Env::new("go_view_transitive");
    env.write("xupgrade.toml", "unexercised = \"allow\"\n").commit();
    let ran = env.run(&["--as-of", AS_OF, "-p", "demo.test/ghost"]);
    assert_eq!((ran.code, ran.why("demo.test/ghost")), (0, "unused"), "{}", ran.said());
    let words = ran.words("demo.test/ghost");
    assert!(words.contains("`go mod tidy` takes the raise to v1.0.1 back"), "{words}");
}
