//! `cargo xupgrade` on Go modules: each fixture ends as its first line says.

use crate::common::{Env, Shared, names, shared, text};

fn file(run: &Shared, path: &str) -> String {
    run.env.git(&["show", &format!("{}:{path}", text(&run.ran.report, "tip"))])
}

#[test]
fn what_passes_lands_and_what_fails_goes_lower_or_is_held() {
    let run = shared("go_one_module", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/count v1.0.0 -> v1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"]);
    assert_eq!(run.ran.why("demo.test/gone"), "build_failed");
    let above = &run.ran.upgrade("demo.test/count")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("v1.1.0", "test_failed"));
    assert!(above["reason"]["evidence"]["tests"].to_string().contains("TestSum"), "{above:#}");
}

#[test]
fn a_comment_in_go_mod_stays_and_no_line_of_a_higher_version_is_left_in_go_sum() {
    let run = shared("go_one_module", &[]);
    let manifest = file(run, "go.mod");
    assert!(manifest.contains("demo.test/fine v1.1.0 // fine as it is"), "{manifest}");
    let sums = file(run, "go.sum");
    assert!(!sums.contains("demo.test/gone v1.1.0") && !sums.contains("demo.test/count v1.1.0"), "{sums}");
    assert!(sums.contains("demo.test/fine v1.1.0 h1:") && sums.contains("demo.test/fine v1.1.0/go.mod h1:"), "{sums}");
}

#[test]
fn what_a_raise_drags_along_is_listed_and_nothing_is_lowered() {
    let run = shared("go_drags", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(text(run.ran.upgrade("demo.test/router"), "to"), "v1.1.0");
    assert_eq!(text(run.ran.upgrade("demo.test/log"), "to"), "v1.3.0");
    let moved: String =
        run.ran.report["upgrades"].as_array().unwrap().iter().map(|one| one["also_moved"].to_string()).collect();
    assert!(moved.contains("demo.test/mux"), "{moved}");
    let manifest = file(run, "go.mod");
    assert!(
        manifest.contains("demo.test/log v1.3.0") && manifest.contains("demo.test/mux v1.2.0 // indirect"),
        "{manifest}"
    );
}

#[test]
fn the_go_line_is_never_raised_unasked() {
    let run = shared("go_go_line_guard", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/modern v1.0.0 -> v1.0.1"]);
    assert_eq!(run.ran.why("demo.test/outer"), "go_line");
    assert!(run.ran.words("demo.test/outer").contains("1.24"), "{}", run.ran.words("demo.test/outer"));
    assert!(file(run, "go.mod").contains("\ngo 1.21\n"), "{}", file(run, "go.mod"));
    let above = &run.ran.upgrade("demo.test/modern")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("v1.1.0", "go_line"));
}

#[test]
fn what_a_replace_decides_is_held() {
    let run = shared("go_replace_noop", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"]);
    assert!(
        ["replaced", "path_source"].contains(&run.ran.why("demo.test/local")),
        "{}",
        run.ran.why("demo.test/local")
    );
    assert_eq!(run.ran.why("demo.test/fork"), "replaced");
    assert_eq!(run.ran.why("demo.test/versioned"), "replaced");
}

#[test]
fn a_retracted_version_is_no_target_and_an_urgent_reason_to_leave() {
    let run = shared("go_retracted", &[]);
    assert_eq!(run.ran.upgrades(), ["demo.test/bad v1.0.0 -> v1.0.1", "demo.test/cache v1.0.0 -> v1.1.0"]);
    assert!(
        text(run.ran.upgrade("demo.test/bad"), "urgent").contains("retracted"),
        "{:#}",
        run.ran.upgrade("demo.test/bad")
    );
}

#[test]
fn a_package_that_vanished_holds_its_module_and_a_new_module_is_never_silent() {
    let run = shared("go_vanished_package", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert!(run.ran.upgrades().contains(&"demo.test/fine v1.0.0 -> v1.1.0".to_owned()), "{:?}", run.ran.upgrades());
    assert!(run.ran.words("demo.test/big").contains("demo.test/big/part"), "{}", run.ran.words("demo.test/big"));
    let split = if names(&run.ran.report, "held").iter().any(|name| name == "demo.test/split") {
        run.ran.held("demo.test/split").to_string()
    } else {
        run.ran.upgrade("demo.test/split").to_string()
    };
    assert!(split.contains("demo.test/split/part"), "{split}");
}

#[test]
fn go_test_results_of_the_baseline_and_the_confirmation_are_not_cached_ones() {
    let run = shared("go_one_module", &[]);
    for trial in run.ran.report["trials"].as_array().unwrap() {
        let id = text(trial, "id");
        for cell in trial["cells"].as_array().unwrap().iter().filter(|cell| cell["check"] == "test") {
            let afresh = !id.starts_with('t');
            assert_eq!(text(cell, "command").contains("-count=1"), afresh, "{id}: {cell:#}");
        }
    }
}

#[test]
fn a_version_list_that_is_refused_holds_one_module_only() {
    let env = Env::new("go_one_module");
    // A proxy that has no list for `gone`, and no way around it.
    let list = env.world.root.join("goproxy/demo.test/gone/@v/list");
    assert!(list.is_file(), "the proxy keeps its lists elsewhere");
    std::fs::remove_file(&list).unwrap();
    let plan = env.plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["demo.test/count", "demo.test/fine"]);
    assert_eq!(names(&plan, "held"), ["demo.test/gone"]);
}
