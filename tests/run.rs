//! `cargo xupgrade` on Cargo workspaces: each fixture ends as its first line says.

use crate::common::{Env, find, names, shared, text};

#[test]
fn upgrades_inside_their_requirements_change_only_the_lockfile() {
    let run = shared("lock_only", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4", "bee 1.0.0 -> 1.2.0"]);
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "Cargo.lock");
    assert_eq!(names(&run.ran.report, "held"), [""; 0]);
}

#[test]
fn each_commit_is_a_conventional_one_that_names_old_and_new() {
    let run = shared("lock_only", &[]);
    let subjects =
        run.env.git(&["log", "--reverse", "--format=%s", &format!("main..{}", text(&run.ran.report, "branch"))]);
    let expected = [
        "build(deps): upgrade ant from 1.0.0 to 1.0.1",
        "build(deps): upgrade cat from 0.3.1 to 0.3.4",
        "build(deps): upgrade bee from 1.0.0 to 1.2.0",
    ];
    assert_eq!(subjects.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn an_upgrade_says_its_level_and_what_stands_behind_it() {
    let run = shared("lock_only", &[]);
    let bee = run.ran.upgrade("bee");
    assert_eq!((text(bee, "level"), bee["breaking"].as_bool()), ("minor", Some(false)));
    assert_eq!(text(run.ran.upgrade("cat"), "level"), "patch");
    assert_eq!(text(bee, "proof"), "tests");
    assert_eq!(bee["places"], serde_json::json!([{ "manifest": "Cargo.toml", "table": "dependencies", "key": "bee" }]));
}

/// A program that signs for git as often as it is told to, and fails from then on. It reads all that git gives
/// it, as git takes a closed pipe for a failure.
fn signing(env: &Env, times: usize) {
    let folder = env.world.root.join("signing");
    std::fs::create_dir_all(&folder).unwrap();
    let signature = "-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n";
    let script = format!(
        "#!/bin/sh\ncat > /dev/null\ncd '{}'\nprintf . >> count\n[ $(wc -c < count) -le {times} ] || exit 1\n\
         printf '\\n[GNUPG:] SIG_CREATED ' >&2\nprintf -- '{signature}'\n",
        folder.display()
    );
    let program = folder.join("program");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    env.git(&["config", "commit.gpgsign", "true"]);
    env.git(&["config", "gpg.program", program.to_str().unwrap()]);
}

#[test]
fn a_branch_that_cannot_be_written_loses_nothing_that_was_found_and_the_next_run_writes_it() {
    let env = Env::new("lock_only");
    signing(&env, 1);
    let ran = env.run(&[]);
    assert_eq!(ran.code, 5, "{}", ran.said());
    assert!(ran.stderr.contains("no branch was written"), "{}", ran.stderr);
    let upgrades = ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4", "bee 1.0.0 -> 1.2.0"];
    assert_eq!(ran.upgrades(), upgrades);
    assert!(ran.report["branch"].is_null() && !ran.report["tested_tree"].is_null(), "{}", ran.report);
    assert_eq!(env.branches(), [""; 0], "no branch of ours");
    signing(&env, 100);
    let next = env.run(&[]);
    assert_eq!((next.code, next.upgrades()), (0, upgrades.map(str::to_owned).to_vec()), "{}", next.said());
    assert!(next.stderr.contains("resuming the run of"), "{}", next.said());
    assert!(next.stderr.contains(" cells are known and do not run again"), "{}", next.said());
}

#[test]
fn what_keeps_git_from_committing_is_told_before_anything_runs() {
    let env = Env::new("lock_only");
    assert_eq!(env.run(&["-p", "ant"]).upgrades(), ["ant 1.0.0 -> 1.0.1"]);
    signing(&env, 0);
    let unsigned = env.run(&[]);
    env.git(&["config", "commit.gpgsign", "false"]);
    env.git(&["config", "user.name", ""]);
    for ran in [unsigned, env.run(&[])] {
        assert_eq!(ran.code, 5, "{}", ran.said());
        assert!(ran.stderr.contains("error: git can make no commit here, so nothing was tried"), "{}", ran.said());
        assert!(!ran.stderr.contains("commit-tree"), "git's words without our command: {}", ran.said());
        assert!(!ran.stderr.contains("baseline-1"), "{}", ran.said());
        assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1"], "the report of the run before it is still there");
    }
}

#[test]
fn author_and_committer_are_the_users() {
    let run = shared("lock_only", &[]);
    let people = run.env.git(&["show", "--no-patch", "--format=%an <%ae> %cn <%ce>", text(&run.ran.report, "tip")]);
    assert_eq!(people, "World <world@example.invalid> World <world@example.invalid>");
}

#[test]
fn only_the_bytes_of_the_versions_change_in_manifests() {
    let run = shared("manifest_edit", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let tip = text(&run.ran.report, "tip");
    for manifest in ["Cargo.toml", "plain/Cargo.toml", "crlf/Cargo.toml"] {
        let before = std::fs::read_to_string(run.env.repo().join(manifest)).unwrap();
        let expected = before.replace("~1.0", "~1.1").replace("<2.1", "<2.2");
        assert_ne!(before, expected);
        let after = run.env.world.git(&["show", &format!("{tip}:{manifest}")]).unwrap();
        assert_eq!(after, expected, "{manifest}");
    }
}

#[test]
fn every_spelling_of_a_requirement_is_upgraded() {
    let run = shared("manifest_edit", &[]);
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    let usual = ["dotted", "in-tests", "renamed", "shared", "unix-only", "windows-lines"];
    let mut expected: Vec<String> = usual.iter().map(|name| format!("{name} 1.0.0 -> 1.1.0")).collect();
    expected.push("range 2.0.0 -> 2.1.0".into());
    expected.sort();
    assert_eq!(upgrades, expected);
    assert_eq!(run.ran.why("pinned"), "pinned");
}

#[test]
fn a_release_that_breaks_the_build_is_held_and_the_rest_goes_on() {
    let run = shared("breaks_build", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert!(run.ran.upgrades().iter().any(|one| one.starts_with("fine ")), "{:?}", run.ran.upgrades());
    assert_eq!(run.ran.why("gone"), "build_failed");
    assert_eq!(text(run.ran.held("gone"), "at"), "1.0.0");
}

#[test]
fn the_evidence_of_a_hold_names_the_command_its_first_useful_lines_and_its_log() {
    let run = shared("breaks_build", &[]);
    let evidence = &run.ran.held("gone")["reason"]["evidence"];
    assert!(text(evidence, "command").starts_with("cargo test --workspace --locked --no-run"), "{evidence:#}");
    let lines = evidence["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line.as_str().unwrap().starts_with("error[E0425]")), "{evidence:#}");
    let log = run.env.repo().join("xupgrade.out").join(text(evidence, "log"));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("error[E0425]"), "{log}");
    assert!(find(&run.ran.report, "held", "gone").is_some());
}

#[test]
fn a_failing_rung_sends_the_dependency_to_the_highest_version_that_passes() {
    let run = shared("breaks_test_lands_lower", &[]);
    assert_eq!(run.ran.upgrades(), ["count 1.0.0 -> 1.0.2"]);
    let above = &run.ran.upgrade("count")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("1.1.0", "test_failed"));
    let tests = above["reason"]["evidence"]["tests"].to_string();
    assert!(tests.contains("counts_from_one"), "{tests}");
}

#[test]
fn of_two_that_clash_the_first_in_plan_order_stays() {
    let run = shared("two_clash", &[]);
    assert_eq!(run.ran.upgrades(), ["left 1.0.0 -> 1.0.1", "other 1.0.0 -> 1.0.1"]);
    assert_eq!(run.ran.why("right"), "test_failed");
    let tests = run.ran.held("right")["reason"]["evidence"]["tests"].to_string();
    assert!(tests.contains("the_bridge_holds"), "{tests}");
}

#[test]
fn the_hold_of_one_that_clashes_names_what_it_was_tried_with() {
    let run = shared("two_clash", &[]);
    let trial = text(&run.ran.held("right")["reason"]["evidence"], "trial").to_owned();
    let trials = run.ran.report["trials"].as_array().unwrap();
    let trial = trials.iter().find(|one| one["id"] == trial.as_str()).expect("the evidence names a trial");
    let atoms = trial["atoms"].to_string();
    assert!(atoms.contains("cargo:left@1.0.1") && atoms.contains("cargo:right@1.0.1"), "{atoms}");
    assert_eq!(run.ran.held("right")["reason"]["evidence"]["beside"][0], "cargo:left@1.0.1");
}

#[test]
fn what_the_resolver_refuses_is_held_with_cargos_words() {
    let run = shared("resolver_refuses", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.why("database"), "resolve_refused");
    assert!(run.ran.words("database").contains("links to the native library"), "{}", run.ran.words("database"));
    assert_eq!(run.ran.why("exact"), "resolve_refused");
    assert!(run.ran.upgrades().contains(&"fine 1.0.0 -> 1.0.1".to_owned()), "{:?}", run.ran.upgrades());
}

#[test]
fn a_refused_relock_leaves_no_trace_in_what_is_published() {
    let run = shared("resolver_refuses", &[]);
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "Cargo.lock");
    let lock = run.env.git(&["show", &format!("{tip}:Cargo.lock")]);
    assert!(!lock.contains("1.1.0"), "{lock}");
}

#[test]
fn an_upgrade_that_would_lower_another_package_is_held() {
    let run = shared("relocks_down", &[]);
    assert_eq!(run.ran.why("greedy"), "would_lower");
    assert!(run.ran.words("greedy").contains("shared from 1.0.5 to 1.0.0"), "{}", run.ran.words("greedy"));
    let tree = run.ran.report["tip"].as_str().unwrap_or("main");
    let lock = run.env.git(&["show", &format!("{tree}:Cargo.lock")]);
    assert!(lock.contains("name = \"shared\"\nversion = \"1.0.5\""), "{lock}");
}

#[test]
fn a_package_that_a_relock_brings_must_fit_the_rust_version_too() {
    let run = shared("msrv_transitive", &[]);
    assert_eq!(run.ran.why("outer"), "msrv");
    assert!(run.ran.words("outer").contains("inner 1.1.0"), "{}", run.ran.words("outer"));
    assert_eq!(run.ran.upgrades(), ["direct 1.0.0 -> 1.0.1"]);
    let above = &run.ran.upgrade("direct")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("1.1.0", "msrv"));
}

#[test]
fn what_no_cell_compiles_is_held_and_what_would_compile_it_is_named() {
    let run = shared("not_exercised", &[]);
    assert_eq!(run.ran.upgrades(), ["seen 1.0.0 -> 1.0.1"]);
    assert_eq!((run.ran.why("windows-only"), run.ran.why("optional")), ("not_exercised", "not_exercised"));
    assert!(run.ran.words("windows-only").contains("cfg(windows)"), "{}", run.ran.words("windows-only"));
    assert!(run.ran.words("optional").contains("extra"), "{}", run.ran.words("optional"));
}

#[test]
fn what_another_project_compiles_is_no_evidence() {
    let run = shared("not_exercised", &[]);
    let held = run.ran.report["held"].as_array().unwrap();
    let seen = held.iter().find(|one| text(one, "name") == "seen").unwrap_or_else(|| panic!("{}", run.ran.said()));
    assert_eq!((text(seen, "project"), text(&seen["reason"], "kind")), ("tool", "not_exercised"));
}

#[test]
fn a_green_suite_that_shrank_is_a_failure() {
    let run = shared("fewer_tests", &[]);
    assert_eq!(run.ran.upgrades(), [""; 0]);
    assert_eq!(run.ran.why("cases"), "fewer_tests");
    assert!(run.ran.words("cases").contains("ran 1 tests, 3 ran before"), "{}", run.ran.words("cases"));
}

#[test]
fn an_artefact_of_an_earlier_trial_does_not_pass_for_this_one() {
    let run = shared("stale_artifact", &[]);
    assert_eq!(run.ran.upgrades(), ["style 1.0.0 -> 1.0.1"]);
    let above = &run.ran.upgrade("style")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("1.1.0", "test_failed"));
    assert!(above["reason"]["evidence"]["tests"].to_string().contains("as_expected"), "{above:#}");
}

#[test]
fn all_trials_of_a_run_use_one_target_directory_at_one_path() {
    let env = Env::new("stale_artifact");
    assert_eq!(env.run(&[]).code, 0);
    let folders = || -> Vec<std::path::PathBuf> {
        let workers = env.world.root.join("cache").read_dir().unwrap().flatten().map(|entry| entry.path().join("w0"));
        let inside = workers.filter(|worker| worker.is_dir()).flat_map(|worker| worker.read_dir().unwrap().flatten());
        let mut found: Vec<_> = inside.map(|entry| entry.path()).collect();
        found.sort();
        found
    };
    let before = folders();
    let named = |name: &str| before.iter().filter(|folder| folder.file_name().is_some_and(|one| one == name)).count();
    assert_eq!((named("target"), named("tree")), (1, 1), "{before:?}");
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["style 1.0.0 -> 1.0.1"], "the second run, with the artefacts of the first");
    assert_eq!(folders(), before);
}

#[test]
fn target_directories_above_the_limit_are_gone_when_the_run_is_over() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "target-limit = 0\n");
    let ran = env.run(&["-p", "ant"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(ran.said().contains("more than 0 GiB (`target-limit`): target directories were removed"), "{}", ran.said());
    let repositories = env.world.root.join("cache").read_dir().unwrap().flatten();
    assert!(repositories.map(|entry| entry.path().join("w0/target")).all(|target| !target.exists()));
}

#[test]
fn a_lockfile_that_cargo_would_repair_is_no_green_baseline() {
    let run = shared("lock_repaired", &[]);
    assert_eq!(run.ran.code, 4, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), [""; 0]);
    assert!(!names(&run.ran.report, "held").is_empty());
    for held in run.ran.report["held"].as_array().unwrap() {
        assert_eq!(text(&held["reason"], "kind"), "baseline_red", "{held:#}");
        assert!(text(&held["reason"], "text").contains("cargo update --workspace"), "{held:#}");
    }
    assert_eq!(run.env.branches(), [""; 0]);
}

#[test]
fn a_project_with_a_red_baseline_is_held_whole_and_the_others_go_on() {
    let run = shared("red_baseline", &["--require-green"]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    assert_eq!(text(run.ran.upgrade("dep"), "project"), "good");
    assert_eq!((text(run.ran.held("dep"), "project"), run.ran.why("dep")), ("bad", "baseline_red"));
    assert!(run.ran.held("dep")["reason"].to_string().contains("always_fails"), "{:#}", run.ran.held("dep"));
}

#[test]
fn with_no_green_project_nothing_is_tried() {
    let run = shared("red_everywhere", &[]);
    assert_eq!(run.ran.code, 4, "{}", run.ran.said());
    assert_eq!(run.ran.why("dep"), "baseline_red");
    let trials = run.ran.report["trials"].as_array().unwrap();
    assert!(trials.iter().all(|trial| text(trial, "id").starts_with("baseline")), "{trials:#?}");
    assert_eq!(run.before.intrusions(&crate::common::snapshot::Snapshot::of(run.env.repo())), [""; 0]);
}

#[test]
fn a_test_that_never_ends_is_a_time_out_that_names_its_check() {
    use crate::common::process::{VARIABLE, assert_none_left, mark};
    let mut env = Env::new("hangs");
    let mark = mark();
    env.set(VARIABLE, &mark);
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n{}", limited_test(15)));
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["fine 1.0.0 -> 1.0.1"]);
    assert_eq!(ran.why("wait"), "timed_out");
    assert!(ran.words("wait").contains("`cargo test` took longer than its limit"), "{}", ran.words("wait"));
    let command = text(&ran.held("wait")["reason"]["evidence"], "command");
    assert!(command.starts_with("cargo test --workspace --locked"), "{command}");
    assert_none_left(&mark);
}

fn limited_test(seconds: u32) -> String {
    format!(
        "[[check]]\nname = \"test\"\necosystem = \"cargo\"\ncommand = \"cargo test --workspace --locked\"\nlimit = {seconds}\n"
    )
}

#[test]
fn noise_is_no_evidence_and_a_run_with_nothing_else_says_so() {
    let run = shared("noise", &[]);
    assert_eq!(run.ran.code, 3, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), [""; 0]);
    assert_eq!(run.ran.why("full"), "inconclusive");
    assert!(run.ran.words("full").contains("no space left"), "{}", run.ran.words("full"));
    assert_eq!(run.env.branches(), [""; 0]);
}

#[test]
fn a_second_run_replaces_the_branch_of_the_first() {
    let env = Env::new("breaks_build");
    let first = env.run(&["--branch", "up"]);
    let again = env.run(&["--branch", "up"]);
    assert_eq!((first.code, again.code), (0, 0), "{}", again.said());
    assert_eq!(env.branches(), ["refs/heads/up"]);
    assert_eq!(first.report["tip_tree"], again.report["tip_tree"]);
}

#[test]
fn a_branch_with_somebodys_commit_is_left_alone() {
    let env = Env::new("breaks_build");
    env.git(&["branch", "up"]);
    let tree = env.git(&["rev-parse", "main^{tree}"]);
    let foreign = env.git(&["commit-tree", &tree, "-p", "main", "-m", "Mine"]);
    env.git(&["update-ref", "refs/heads/up", &foreign]);
    let ran = env.run(&["--branch", "up"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(text(&ran.report, "branch"), "up-2");
    assert_eq!(env.git(&["rev-parse", "up"]), foreign);
}

#[test]
fn the_style_of_the_repositorys_own_commits_is_kept() {
    let env = Env::new("breaks_build");
    for number in 0..10 {
        env.git(&["commit", "--quiet", "--allow-empty", &format!("--message=Mend the door, part {number}")]);
    }
    let ran = env.run(&[]);
    let subject = env.git(&["show", "--no-patch", "--format=%s", text(&ran.report, "tip")]);
    assert!(subject.starts_with("Upgrade fine from "), "{subject}");
}
