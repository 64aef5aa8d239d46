//! Bad input: one clear error with the documented exit code, or one held dependency or project; nothing is healed, the
//! rest goes on.

use serde_json::Value;

use crate::common::registry::{Trouble, serve};
use crate::common::{Env, find, names, shared, snapshot::Snapshot, text};

/// What stands in the way of a project.
fn obstacle<'a>(report: &'a Value, path: &str) -> &'a Value {
    let projects = report["projects"].as_array().unwrap();
    let project =
        projects.iter().find(|one| one["path"] == path).unwrap_or_else(|| panic!("no project {path}: {report:#}"));
    &project["obstacle"]
}

/// The words of an obstacle of some kind, which must hold all of these.
fn assert_held_whole(report: &Value, path: &str, kind: &str, words: &[&str]) {
    let obstacle = obstacle(report, path);
    assert_eq!(obstacle["kind"], kind, "{path}: {obstacle:#}");
    for word in words {
        assert!(text(obstacle, "text").contains(word), "no `{word}` in: {}", text(obstacle, "text"));
    }
}

/// The dependencies of a project that is held whole are held, too: none of them vanishes.
fn assert_its_dependencies_are_held(report: &Value, path: &str, kind: &str) {
    let held = report["held"].as_array().unwrap();
    let of_it: Vec<&Value> = held.iter().filter(|one| one["project"] == path).collect();
    assert!(!of_it.is_empty(), "nothing of {path} is held");
    assert!(of_it.iter().all(|one| one["reason"]["kind"] == kind), "{of_it:#?}");
}

/// Runs something that must end with a code and say all of these words on stderr, and touch nothing.
fn assert_ends(env: &Env, args: &[&str], code: i32, words: &[&str]) {
    let before = Snapshot::of(env.repo());
    let ran = env.run(args);
    assert_eq!(ran.code, code, "{}", ran.said());
    assert_eq!(ran.stdout, "", "stdout is for data");
    for word in words {
        assert!(ran.stderr.contains(word), "no `{word}` in: {}", ran.stderr);
    }
    assert_eq!(before.changes(&Snapshot::of(env.repo())), [""; 0]);
}

#[test]
fn manifests_that_cannot_be_read_hold_their_projects_and_the_rest_goes_on() {
    let run = shared("broken_toml", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert_held_whole(&run.ran.report, "bad", "broken_project", &["bad/Cargo.toml", ":3"]);
    assert_held_whole(&run.ran.report, "refused", "broken_project", &["refused/Cargo.toml"]);
}

#[test]
fn conflict_markers_hold_their_projects_with_file_and_line() {
    let run = shared("conflict_markers", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    let line = |path: &str| {
        let text = std::fs::read_to_string(run.env.repo().join(path)).unwrap();
        format!("{}", text.lines().position(|line| line.starts_with("<<<<<<<")).unwrap() + 1)
    };
    assert_held_whole(
        &run.ran.report,
        "bad",
        "broken_project",
        &["bad/Cargo.lock", &line("bad/Cargo.lock"), "conflict"],
    );
    assert_its_dependencies_are_held(&run.ran.report, "bad", "broken_project");
}

#[test]
fn conflict_markers_in_go_sum_hold_the_module_with_file_and_line() {
    let run = shared("conflict_markers", &[]);
    assert_held_whole(&run.ran.report, "svc", "broken_project", &["svc/go.sum", "conflict"]);
    assert_its_dependencies_are_held(&run.ran.report, "svc", "broken_project");
}

#[test]
fn a_go_mod_that_cannot_be_read_holds_its_module_with_file_and_line() {
    let run = shared("broken_go_mod", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"]);
    assert_held_whole(&run.ran.report, "bad", "broken_project", &["go.mod:5", "demand"]);
}

/// Both checksums of the tampered crate are in the reason that holds it.
fn assert_both_checksums_are_shown(env: &Env, report: &Value) {
    let reason = find(report, "held", "tampered").unwrap()["reason"].to_string();
    let index = std::fs::read_to_string(env.world.root.join("registry/index/ta/mp/tampered")).unwrap();
    let claimed: Value = serde_json::from_str(index.lines().find(|line| line.contains("1.0.1")).unwrap()).unwrap();
    assert!(reason.contains(text(&claimed, "cksum")), "the claimed checksum is not shown: {reason}");
    let bytes = std::fs::read(env.world.root.join("registry/tampered-1.0.1.crate")).unwrap();
    let real = cargo_xupgrade::digest::sha256_hex(&bytes);
    assert!(reason.contains(&real), "the real checksum {real} is not shown: {reason}");
}

#[test]
fn a_crate_whose_file_has_another_checksum_is_held_with_both_shown() {
    let run = shared("crate_checksum_mismatch", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["fine 1.0.0 -> 1.0.1"]);
    assert_both_checksums_are_shown(&run.env, &run.ran.report);
}

#[test]
fn both_checksums_are_shown_for_a_registry_on_the_network_too() {
    let env = Env::new("crate_checksum_mismatch");
    let _calm = serve(&env, "tampered", Trouble::Junk);
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["fine 1.0.0 -> 1.0.1"], "{}", ran.said());
    assert_both_checksums_are_shown(&env, &ran.report);
}

#[test]
fn a_module_whose_tag_was_moved_is_held_with_both_hashes_and_go_sum_keeps_its_line() {
    let run = shared("go_checksum_mismatch", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"]);
    let claimed = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let words = run.ran.held("demo.test/moved")["reason"].to_string();
    assert!(words.contains(claimed) && words.matches("h1:").count() >= 2, "{words}");
    let sums = run.env.git(&["show", &format!("{}:go.sum", text(&run.ran.report, "tip"))]);
    assert!(sums.contains(&format!("demo.test/moved v1.1.0 {claimed}")), "the line was deleted: {sums}");
}

#[test]
fn an_unknown_key_of_the_configuration_is_an_error_with_line_and_column() {
    assert_ends(&Env::new("config_unknown_key"), &[], 2, &["xupgrade.toml", "line 2", "column 1", "min-ages"]);
}

#[test]
fn a_wrong_type_in_the_configuration_is_an_error_with_its_line() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "level = \"compatible\"\nmin-age = \"three\"\n");
    assert_ends(&env, &["plan"], 2, &["xupgrade.toml", "line 2", "column 11", "three"]);
}

#[test]
fn a_check_of_a_project_that_is_not_there_is_an_error() {
    let env = Env::new("lock_only");
    env.write(
        "xupgrade.toml",
        "[[check]]\nname = \"x\"\necosystem = \"go\"\nproject = \"nowhere\"\ncommand = \"true\"\n",
    );
    assert_ends(&env, &["plan"], 2, &["nowhere", "`x`"]);
}

#[test]
fn a_folder_that_is_no_repository_is_one_clear_error() {
    let env = Env::new("lock_only");
    let bare = env.world.root.join("empty");
    std::fs::create_dir_all(&bare).unwrap();
    assert_ends(&env, &["plan", "--repo", bare.to_str().unwrap()], 1, &["is in no git repository", "--repo"]);
}

#[test]
fn a_repository_without_a_commit_is_one_clear_error() {
    let env = Env::new("lock_only");
    let empty = env.world.root.join("empty");
    env.git(&["init", "--quiet", empty.to_str().unwrap()]);
    assert_ends(&env, &["plan", "--repo", empty.to_str().unwrap()], 1, &["has no commit yet"]);
}

#[test]
fn wrong_words_on_the_command_line_end_with_two_and_say_which() {
    let env = Env::new("lock_only");
    assert_ends(&env, &["plan", "--as-of", "yesterday"], 2, &["--as-of", "yesterday"]);
    assert_ends(&env, &["plan", "-p", "nobody"], 2, &["`nobody`"]);
    assert_ends(&env, &["plan", "--exclude", "nobody"], 2, &["`nobody`"]);
    assert_ends(&env, &["--branch", "no..name"], 2, &["no..name"]);
    assert_ends(&env, &["plan", "--config", "nowhere.toml"], 2, &["nowhere.toml"]);
    assert_ends(&env, &["plan", "--level", "wild"], 2, &["wild", "compatible"]);
    assert_ends(&env, &["plan", "--no-such-flag"], 2, &["--no-such-flag"]);
}

#[test]
fn a_base_that_is_no_commit_is_one_clear_error() {
    assert_ends(&Env::new("lock_only"), &["plan", "--base", "nowhere"], 1, &["`nowhere`", "no commit"]);
}

#[test]
fn an_output_folder_that_somebody_else_filled_is_left_alone() {
    let env = Env::new("lock_only");
    env.write("xupgrade.out/mine.txt", "mine\n");
    assert_ends(&env, &[], 2, &["xupgrade.out", "--out"]);
}

#[test]
fn an_output_folder_with_a_gitignore_of_its_owner_is_left_alone() {
    let env = Env::new("lock_only");
    env.write(".gitignore", "/target\n").write("log/notes.txt", "mine\n").commit();
    assert_ends(&env, &["--out", "."], 2, &["was not made by this tool", "--out"]);
    assert_eq!(env.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_missing_toolchain_holds_its_project_and_the_others_go_on() {
    let env = Env::new("red_baseline").with_usual_path();
    env.git(&["rm", "-r", "--quiet", "bad/src"]);
    env.write("bad/src/lib.rs", "");
    env.write("bad/rust-toolchain.toml", "[toolchain]\nchannel = \"1.0.0-missing\"\n").commit();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert_held_whole(&ran.report, "bad", "toolchain_missing", &["1.0.0-missing"]);
    assert_its_dependencies_are_held(&ran.report, "bad", "toolchain_missing");
}

/// Only the crate in trouble is held; the plan goes on with the others.
fn assert_only_bee_is_held(trouble: Trouble, words: &str) {
    let env = Env::new("lock_only");
    serve(&env, "bee", trouble).begins();
    let plan = env.plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["ant", "cat"], "{trouble:?}");
    let reason = &find(&plan, "held", "bee").unwrap()["reason"];
    assert!(text(reason, "kind").starts_with("registry_"), "{reason:#}");
    assert!(text(reason, "text").contains(words), "{reason:#}");
}

#[test]
fn a_crate_that_the_registry_refuses_is_held_with_its_words() {
    assert_only_bee_is_held(Trouble::Status(403), "none of your business");
    assert_only_bee_is_held(Trouble::Status(404), "bee");
}

#[test]
fn a_crate_for_which_the_registry_fails_is_held() {
    assert_only_bee_is_held(Trouble::Status(500), "500");
}

#[test]
fn a_crate_for_which_the_registry_answers_junk_is_held() {
    assert_only_bee_is_held(Trouble::Junk, "bee");
}

#[test]
fn a_crate_for_which_the_registry_never_answers_is_held() {
    assert_only_bee_is_held(Trouble::Silence, "within");
}

#[test]
fn with_one_crate_refused_the_others_are_upgraded() {
    let env = Env::new("lock_only");
    let trouble = serve(&env, "bee", Trouble::Status(403));
    // Built before the trouble began, as a project in use is: else its own lockfile could not be fetched.
    assert!(env.command("cargo").args(["fetch", "--locked", "--quiet"]).status().unwrap().success());
    trouble.begins();
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4"], "{}", ran.said());
    assert_eq!(ran.why("bee"), "registry_refused");
}

#[test]
fn offline_says_what_it_could_not_know() {
    let env = Env::new("lock_only");
    serve(&env, "bee", Trouble::Status(403)).begins();
    let plan = env.plan(&["--offline"]);
    assert_eq!(names(&plan, "held"), ["ant", "bee", "cat"]);
    for held in plan["held"].as_array().unwrap() {
        assert_eq!(text(&held["reason"], "kind"), "not_cached");
    }
}

#[test]
fn a_repository_without_projects_says_so() {
    let env = Env::new("lock_only");
    env.git(&["rm", "-r", "--quiet", "."]);
    env.write("README", "words\n").commit();
    for args in [&["plan"][..], &[]] {
        let ran = env.run(args);
        assert_eq!(ran.code, 0, "{}", ran.said());
        assert!(
            ran.stderr.contains("warning: no project here: git tracks no Cargo.toml and no go.mod"),
            "{}",
            ran.said()
        );
    }
}

#[test]
fn a_repository_in_which_nothing_can_move_is_done_at_once() {
    let env = Env::new("lock_only");
    let ran = env.run(&["--as-of", "2024-06-01T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.report["trials"], Value::Array(vec![]));
    assert_eq!(env.branches(), [""; 0]);
}

#[test]
fn a_flood_of_output_ends_in_a_log_of_bounded_size() {
    let env = Env::new("breaks_build");
    let flood = "use std::io::Write;\n#[test]\nfn floods() {\n    let line = [b'x'; 65536];\n    let mut out = std::io::stderr().lock();\n    for _ in 0..2048 {\n        out.write_all(&line).unwrap();\n    }\n}\n";
    let tests = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write("tests/flood.rs", flood).write("src/lib.rs", &tests).commit();
    let ran = env.run(&["-p", "fine"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades().len(), 1);
    for log in env.repo().join("xupgrade.out/log").read_dir().unwrap().flatten() {
        let size = log.metadata().unwrap().len();
        assert!(size < 32 << 20, "{} has {size} bytes", log.path().display());
    }
}
