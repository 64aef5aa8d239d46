//! What must hold after every run that published something, whatever the fixture: looked at with git, cargo and go, and
//! with none of the tool's own code.

use serde_json::Value;

use super::snapshot::Snapshot;
use super::{Env, Ran, text};

/// Checks them all.
pub fn hold(env: &Env, ran: &Ran, before: &Snapshot) {
    assert_eq!(before.intrusions(&Snapshot::of(env.repo())), [""; 0], "the user's repository was touched");
    what_is_published_was_tested(env, ran);
    each_dependency_is_in_one_list(&ran.report);
    if !ran.report["branch"].is_null() {
        each_commit_is_an_upgrade(env, ran);
        no_commit_has_a_tree_that_failed_or_changes_nothing(env, ran);
        each_commit_resolves(env, ran);
        each_commit_builds_where_that_was_asked_for(env, ran);
        go_work_sum_is_left_alone_as_on_the_base(env, ran);
    }
}

fn what_is_published_was_tested(env: &Env, ran: &Ran) {
    let report = &ran.report;
    if report["branch"].is_null() {
        assert_eq!(report["upgrades"], Value::Array(vec![]));
        assert!(report["tip"].is_null() && report["tip_tree"].is_null(), "{report:#}");
        return;
    }
    let (branch, tip) = (text(report, "branch"), text(report, "tip"));
    assert_eq!(env.git(&["rev-parse", &format!("refs/heads/{branch}")]), tip);
    let tree = env.git(&["rev-parse", &format!("{tip}^{{tree}}")]);
    assert_eq!((text(report, "tip_tree"), text(report, "tested_tree")), (tree.as_str(), tree.as_str()));
    let trials = report["trials"].as_array().unwrap();
    let full = trials.iter().rfind(|trial| trial["tree"] == tree.as_str() && trial["verdict"] == "passed");
    let full = full.unwrap_or_else(|| panic!("no trial passed on the published tree {tree}: {report:#}"));
    for project in report["projects"].as_array().unwrap().iter().filter(|one| one["obstacle"].is_null()) {
        let label = format!("{} {}", text(project, "ecosystem"), text(project, "path"));
        let commands: Vec<&Value> = project["checks"].as_array().unwrap().iter().collect();
        let ran = |command: &str| {
            let cells = full["cells"].as_array().unwrap();
            cells.iter().any(|cell| cell["project"] == label.as_str() && text(cell, "command").starts_with(command))
        };
        assert!(commands.iter().all(|command| ran(command.as_str().unwrap())), "not the whole matrix ran: {full:#}");
    }
}

fn each_dependency_is_in_one_list(report: &Value) {
    let mut seen = std::collections::BTreeMap::new();
    for list in ["upgrades", "held", "untried", "newest"] {
        for one in report[list].as_array().unwrap() {
            let at = if list == "upgrades" { &one["from"] } else { &one["at"] };
            let key = format!("{} {} {} {at}", one["ecosystem"], one["project"], one["name"]);
            if let Some(other) = seen.insert(key.clone(), list) {
                panic!("{key} is in `{other}` and in `{list}`");
            }
        }
    }
}

fn each_commit_is_an_upgrade(env: &Env, ran: &Ran) {
    let (base, tip) = (text(&ran.report, "base"), text(&ran.report, "tip"));
    let commits = env.git(&["rev-list", "--reverse", &format!("{base}..{tip}")]);
    let upgrades = ran.report["upgrades"].as_array().unwrap();
    let mut named: Vec<&str> = upgrades.iter().map(|one| text(one, "commit")).collect();
    // Upgrades that belong together are one commit.
    named.dedup();
    assert_eq!(commits.lines().collect::<Vec<_>>(), named, "the commits are not those of the upgrades");
    for upgrade in upgrades {
        let body = env.git(&["show", "--no-patch", "--format=%(trailers:unfold)", text(upgrade, "commit")]);
        let (name, from, to) = (text(upgrade, "name"), text(upgrade, "from"), text(upgrade, "to"));
        let what = format!("Xupgrade-Upgrade: {}:{name} {from} -> {to}", text(upgrade, "ecosystem"));
        assert!(body.contains(&what), "no `{what}` among the trailers:\n{body}");
        assert!(body.contains(&format!("Xupgrade-Trial: {} (", text(upgrade, "trial"))), "{body}");
        assert!(body.contains(&format!("Xupgrade-Base: {base}")), "{body}");
        let trials = ran.report["trials"].as_array().unwrap();
        let passed = |trial: &&Value| trial["id"] == upgrade["trial"] && trial["verdict"] == "passed";
        assert!(trials.iter().any(|trial| passed(&trial)), "no trial proves {name}: {:#}", ran.report);
    }
}

/// A tree that failed in any trial of the run is no commit, however commits are verified; and what the report tells of
/// commits is what git has.
fn no_commit_has_a_tree_that_failed_or_changes_nothing(env: &Env, ran: &Ran) {
    let (base, tip) = (text(&ran.report, "base"), text(&ran.report, "tip"));
    let trees = env.git(&["log", "--reverse", "--format=%H %T", &format!("{base}..{tip}")]);
    let told = ran.report["commits"].as_array().unwrap();
    let told: Vec<String> = told.iter().map(|one| format!("{} {}", text(one, "id"), text(one, "tree"))).collect();
    assert_eq!(trees.lines().collect::<Vec<_>>(), told);
    let mut before = env.git(&["rev-parse", &format!("{base}^{{tree}}")]);
    for tree in trees.lines().filter_map(|line| line.split(' ').nth(1)) {
        assert_ne!(tree, before, "a commit is empty: {trees}");
        let trials = ran.report["trials"].as_array().unwrap().iter();
        let red: Vec<&Value> = trials.filter(|one| one["tree"] == tree && one["verdict"] == "failed").collect();
        let is_tip = ran.report["tip_tree"] == tree;
        assert!(is_tip || red.is_empty(), "the tree of a commit failed: {red:#?}");
        tree.clone_into(&mut before);
    }
}

/// Each commit builds where commits were tried.
fn each_commit_builds_where_that_was_asked_for(env: &Env, ran: &Ran) {
    let commits = ran.report["commits"].as_array().unwrap();
    if commits.iter().any(|one| one["verified"] == "no") || ran.report["commit_trials"]["limit"].is_null() {
        return;
    }
    let folder = env.world.root.join("building");
    let place = folder.to_str().unwrap();
    env.git(&["clone", "--quiet", "--shared", "--no-checkout", env.repo().to_str().unwrap(), place]);
    for commit in commits {
        env.git(&["-C", place, "checkout", "--quiet", "--force", "--detach", text(commit, "id")]);
        for project in ran.report["projects"].as_array().unwrap().iter().filter(|one| one["obstacle"].is_null()) {
            let is_cargo = text(project, "ecosystem") == "cargo";
            let words: &[&str] = if is_cargo { &["test", "--workspace", "--no-run"] } else { &["vet", "./..."] };
            let mut command = env.command(if is_cargo { "cargo" } else { "go" });
            let output = command.args(words).current_dir(folder.join(text(project, "path"))).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "commit {commit:#} does not build: {said}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

const CARGO_RESOLVES: &[&str] = &["metadata", "--locked", "--offline", "--format-version=1"];
const GO_RESOLVES: &[&str] = &["list", "-mod=readonly", "-deps", "-test", "./..."];

/// Each commit, checked out elsewhere, resolves with what its lockfile says and nothing else.
fn each_commit_resolves(env: &Env, ran: &Ran) {
    let folder = env.world.root.join("checkout");
    let place = folder.to_str().unwrap();
    env.git(&["clone", "--quiet", "--shared", "--no-checkout", env.repo().to_str().unwrap(), place]);
    let projects = ran.report["projects"].as_array().unwrap();
    for upgrade in ran.report["upgrades"].as_array().unwrap() {
        let commit = text(upgrade, "commit");
        env.git(&["-C", place, "checkout", "--quiet", "--force", "--detach", commit]);
        for project in projects.iter().filter(|one| one["obstacle"].is_null()) {
            let is_cargo = text(project, "ecosystem") == "cargo";
            let (program, words) = if is_cargo { ("cargo", CARGO_RESOLVES) } else { ("go", GO_RESOLVES) };
            let mut command = env.command(program);
            // Where git tracks no lockfile, the manifests alone have to resolve.
            command.args(words.iter().filter(|word| **word != "--locked" || project["lock"].is_null()));
            // Each module must be complete by itself: a workspace could hide what is missing in one.
            command.env("GOWORK", "off");
            let output = command.current_dir(folder.join(text(project, "path"))).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "commit {commit} does not resolve: {said}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The loads of plain commands in a workspace of Go modules, without the building.
const IN_A_WORKSPACE: &[&[&str]] =
    &[&["list", "-deps", "./..."], &["list", "-deps", "-test", "./..."], &["list", "-m", "all"], &["mod", "graph"]];

/// A command that writes nothing into go.work.sum on the base writes nothing there on any commit.
fn go_work_sum_is_left_alone_as_on_the_base(env: &Env, ran: &Ran) {
    let (base, tip) = (text(&ran.report, "base"), text(&ran.report, "tip"));
    let files = env.git(&["ls-tree", "-r", "--name-only", base]);
    if !files.lines().any(|file| file.rsplit('/').next() == Some("go.work")) {
        return;
    }
    let folder = env.world.root.join("workspace");
    let place = folder.to_str().unwrap();
    env.git(&["clone", "--quiet", "--shared", "--no-checkout", env.repo().to_str().unwrap(), place]);
    let projects = ran.report["projects"].as_array().unwrap();
    let modules = projects.iter().filter(|one| one["ecosystem"] == "go").map(|one| text(one, "path"));
    let commands: Vec<(&str, &[&str])> =
        modules.flat_map(|path| IN_A_WORKSPACE.iter().map(move |words| (path, *words))).collect();
    let writes = |commit: &str, (path, words): (&str, &[&str])| {
        env.git(&["-C", place, "checkout", "--quiet", "--force", "--detach", commit]);
        env.git(&["-C", place, "clean", "-fdx", "--quiet"]);
        env.command("go").args(words).current_dir(folder.join(path)).output().unwrap();
        env.git(&["-C", place, "status", "--porcelain", "--", ":(glob)**/go.work.sum"])
    };
    let quiet: Vec<(&str, &[&str])> = commands.into_iter().filter(|one| writes(base, *one).is_empty()).collect();
    let commits = env.git(&["rev-list", "--reverse", &format!("{base}..{tip}")]);
    for commit in commits.lines() {
        for (path, words) in &quiet {
            let written = writes(commit, (path, words));
            assert_eq!(
                written,
                "",
                "`go {}` in {path} leaves it alone on the base only; commit {commit}",
                words.join(" ")
            );
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
