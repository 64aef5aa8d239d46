//! Rust and Go in one repository: one plan, one branch, every direct dependency in exactly one list.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::common::{Env, shared, text};

#[test]
fn in_each_ecosystem_what_passes_lands_and_what_fails_is_held() {
    let run = shared("mixed", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "demo.test/fine v1.0.0 -> v1.1.0"]);
    assert_eq!((run.ran.why("gone"), run.ran.why("demo.test/count")), ("build_failed", "test_failed"));
    assert_eq!(text(run.ran.upgrade("demo.test/fine"), "ecosystem"), "go");
    assert_eq!(text(run.ran.upgrade("demo.test/fine"), "project"), "svc");
}

#[test]
fn every_direct_dependency_ends_in_exactly_one_list() {
    let run = shared("mixed", &[]);
    // Read off the manifests by hand, with none of the tool's code.
    let expected = ["cargo ant", "cargo gone", "go demo.test/count", "go demo.test/fine"];
    assert_eq!(listed(&run.ran.report), expected.map(str::to_owned));
}

/// Everything in the four lists; a name that is there twice is a failure.
fn listed(report: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for list in ["upgrades", "held", "untried", "newest"] {
        found.extend(
            report[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| format!("{} {}", text(one, "ecosystem"), text(one, "name"))),
        );
    }
    let unique: BTreeSet<&String> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "{found:?}");
    found.sort();
    found
}

#[test]
fn only_the_cells_that_a_change_concerns_run_in_the_search() {
    let run = shared("mixed", &[]);
    for trial in run.ran.report["trials"].as_array().unwrap() {
        let fresh = usize::try_from(trial["fresh"].as_u64().unwrap()).unwrap();
        let atoms = trial["atoms"].as_array().unwrap();
        let touched: BTreeSet<&str> =
            atoms[atoms.len() - fresh..].iter().map(|atom| atom.as_str().unwrap().split(':').next().unwrap()).collect();
        for cell in trial["cells"].as_array().unwrap() {
            let ecosystem = text(cell, "project").split(' ').next().unwrap();
            assert!(fresh == 0 || touched.contains(ecosystem), "{trial:#}");
        }
    }
}

#[test]
fn the_demo_ends_as_its_story_says() {
    let ran = &shared("demo", &[]).ran;
    assert_eq!(ran.code, 0, "{}", ran.said());
    let mut upgrades = ran.upgrades();
    upgrades.sort();
    let expected = [
        "demo.test/cache v1.4.0 -> v1.5.0",
        "demo.test/router v1.0.0 -> v1.1.0",
        "glyphs 1.3.0 -> 1.4.0",
        "ledger 0.4.1 -> 0.4.2",
        "paint 1.2.0 -> 1.2.3",
        "sorter 1.0.0 -> 1.0.1",
    ];
    assert_eq!(upgrades, expected);
    let why = ["anchor", "clockwork", "parser", "widget"].map(|name| ran.why(name));
    assert_eq!(why, ["held_by_user", "msrv", "build_failed", "breaking_not_asked"]);
    let moved = ran.upgrade("demo.test/router")["also_moved"].to_string();
    assert!(moved.contains("demo.test/mux") && moved.contains("v1.2.0"), "{moved}");
    let direct = [
        "cargo anchor",
        "cargo brittle",
        "cargo clockwork",
        "cargo glyphs",
        "cargo ledger",
        "cargo paint",
        "cargo parser",
        "cargo sorter",
        "cargo steady",
        "cargo text",
        "cargo widget",
        "go demo.test/cache",
        "go demo.test/ids",
        "go demo.test/router",
    ];
    assert_eq!(listed(&ran.report), direct.map(str::to_owned));
}

/// A PATH on which everything is that is on ours, but for the go command.
pub fn path_without_go(env: &Env) -> String {
    let usual = env.vars["PATH"].clone();
    let folders = usual.split(':').map(|folder| {
        let folder = Path::new(folder);
        if !folder.join("go").exists() {
            return folder.display().to_string();
        }
        let farm = env.world.root.join("path").join(folder.to_str().unwrap().replace('/', "-"));
        std::fs::create_dir_all(&farm).unwrap();
        for entry in folder.read_dir().unwrap().flatten() {
            let name = entry.file_name();
            if name != "go" && !farm.join(&name).exists() {
                std::os::unix::fs::symlink(entry.path(), farm.join(&name)).unwrap();
            }
        }
        farm.display().to_string()
    });
    folders.collect::<Vec<_>>().join(":")
}

#[test]
fn without_go_the_modules_are_held_and_the_workspace_goes_on() {
    let mut env = Env::new("mixed");
    let path = path_without_go(&env);
    env.set("PATH", path);
    env.vars.remove("XUPGRADE_GO_COMPANION");
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1"]);
    let project = ran.report["projects"].as_array().unwrap().iter().find(|one| one["path"] == "svc").unwrap();
    assert_eq!(text(&project["obstacle"], "kind"), "toolchain_missing", "{project:#}");
    // What the module requires is known to nobody then, and that is said.
    assert!(text(&project["obstacle"], "text").contains("no dependency is listed; install Go"), "{project:#}");
}
