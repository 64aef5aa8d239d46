//! The builds of Go modules beside vet and tests: what people build, tools, and files that a plain build passes by.

use serde_json::Value;

use crate::common::{Ran, Shared, shared, text};

/// The commands of a trial, in order; of the last whose name begins so.
fn commands<'a>(ran: &'a Ran, trial: &str) -> Vec<&'a str> {
    let trials = ran.report["trials"].as_array().unwrap();
    let found: &Value = trials.iter().rfind(|one| text(one, "id").starts_with(trial)).unwrap();
    found["cells"].as_array().unwrap().iter().map(|cell| text(cell, "command")).collect()
}

/// The proof of an upgrade.
fn proof<'a>(ran: &'a Ran, name: &str) -> &'a str {
    text(ran.upgrade(name), "proof")
}

#[test]
fn a_command_that_no_longer_links_is_noticed_though_no_test_runs_it() {
    let Shared { ran, .. } = shared("go_beyond_tests", &[]);
    assert_eq!(ran.upgrades(), ["demo.test/fast v1.0.0 -> v1.0.1"], "{}", ran.said());
    assert_eq!(proof(ran, "demo.test/fast"), "compiled");
    let above = &ran.upgrade("demo.test/fast")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("v1.1.0", "build_failed"));
    assert!(above["reason"].to_string().contains("relocation target"), "{above:#}");
}

#[test]
fn modules_of_nothing_but_tools_are_proven_by_building_these() {
    let Shared { ran, .. } = shared("go_tools_alone", &[]);
    let mut upgrades = ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/gen v1.0.0 -> v1.1.0", "demo.test/lint v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert_eq!((proof(ran, "demo.test/gen"), proof(ran, "demo.test/lint")), ("compiled", "compiled"));
    let above = &ran.upgrade("demo.test/gen")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("v1.2.0", "build_failed"));
}

#[test]
fn files_for_another_system_or_behind_a_tag_are_built_where_a_candidate_needs_it() {
    let Shared { ran, .. } = shared("go_other_builds", &[]);
    let mut upgrades = ran.upgrades();
    upgrades.sort();
    assert_eq!(
        upgrades,
        [
            "demo.test/e2e v1.0.0 -> v1.1.0",
            "demo.test/loud v1.0.0 -> v1.0.1",
            "demo.test/registry v1.0.0 -> v1.1.0",
            "demo.test/screen v1.0.0 -> v1.1.0"
        ],
        "{}",
        ran.said()
    );
    for name in ["e2e", "loud", "registry", "screen"] {
        assert_eq!(proof(ran, &format!("demo.test/{name}")), "compiled", "{name}");
    }
    let above = &ran.upgrade("demo.test/loud")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("v1.1.0", "build_failed"));
    assert!(above["reason"].to_string().contains("undefined: missing"), "{above:#}");
}

#[test]
fn such_builds_are_as_few_as_can_be_and_wait_for_the_whole_matrix() {
    let Shared { ran, .. } = shared("go_other_builds", &[]);
    let usual = ["go vet -framepointer ./...", "go install ./..."];
    let windows = "CGO_ENABLED=0 GOOS=windows go build -o /dev/null . ./tui";
    let (lost, e2e) = ("go build -o /dev/null -tags=lost .", "go vet -framepointer -tags=e2e ./e2e");
    let afresh = "go test -json ./... -count=1";
    let mut first = commands(ran, "baseline-1");
    first.sort_unstable();
    let mut all = vec![usual[0], usual[1], windows, lost, e2e, afresh];
    all.sort_unstable();
    assert_eq!(first, all);
    let trials = ran.report["trials"].as_array().unwrap();
    let searched = trials.iter().find(|one| text(one, "id").starts_with('t')).unwrap();
    let searched: Vec<&str> = searched["cells"].as_array().unwrap().iter().map(|cell| text(cell, "command")).collect();
    assert_eq!(searched, [usual[0], "go test -json ./..."]);
    assert!(commands(ran, "t").contains(&windows), "it caught a release: {:?}", commands(ran, "t"));
    let full = commands(ran, "full-");
    assert!(full.contains(&windows) && full.contains(&e2e) && !full.contains(&lost), "{full:?}");
}

#[test]
fn what_no_build_here_compiles_is_held_with_the_build_that_would() {
    let Shared { ran, .. } = shared("go_other_builds", &[]);
    for (name, words) in [("demo.test/dom", "`//go:build js`"), ("demo.test/lost", "only a build with -tags=lost")] {
        assert_eq!(ran.why(name), "not_exercised");
        assert!(ran.words(name).contains(words), "{}", ran.words(name));
    }
    let told = "`go build -o /dev/null -tags=lost .` fails before any upgrade";
    assert_eq!(ran.stderr.matches(told).count(), 1, "{}", ran.stderr);
    assert!(ran.report["projects"].to_string().contains(told), "{:#}", ran.report["projects"]);
}
