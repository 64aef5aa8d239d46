//! The user's repository, configuration and secrets are out of reach of a run and of the code that it tries.

use crate::common::process::{VARIABLE, assert_none_left, mark};
use crate::common::{Env, promises, shared, snapshot::Snapshot, text};

#[test]
fn tests_that_call_git_reach_nothing_of_the_users() {
    let mut env = Env::new("hostile_tests");
    let mark = mark();
    env.set(VARIABLE, &mark);
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n"));
    let before = Snapshot::of(env.repo());
    let outside = || ["home", "cargo-home/config.toml", "gitconfig"].map(|name| Outside::of(&env, name));
    let (outside_before, worktrees) = (outside(), env.git(&["worktree", "list", "--porcelain"]));
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"]);
    promises::hold(&env, &ran, &before);
    assert_eq!(outside(), outside_before, "something of the user's outside of the repository changed");
    assert_eq!(env.git(&["worktree", "list", "--porcelain"]), worktrees);
    assert_eq!((env.git(&["tag"]), env.git(&["stash", "list"])), (String::new(), String::new()));
    assert_eq!(env.branches(), [format!("refs/heads/{}", text(&ran.report, "branch"))]);
    // The process that a test left behind, and everything else that saw the mark.
    assert_none_left(&mark);
}

/// A file or folder beside the repository.
#[derive(Debug, PartialEq, Eq)]
enum Outside {
    File(Vec<u8>),
    Folder(Snapshot),
}

impl Outside {
    fn of(env: &Env, name: &str) -> Self {
        let path = env.world.root.join(name);
        if path.is_dir() { Self::Folder(Snapshot::of(&path)) } else { Self::File(std::fs::read(&path).unwrap()) }
    }
}

#[test]
fn what_tests_wrote_into_the_tree_is_undone_and_reported_and_never_committed() {
    let run = shared("hostile_tests", &[]);
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "Cargo.lock");
    let cells: Vec<_> =
        run.ran.report["trials"].as_array().unwrap().iter().flat_map(|one| one["cells"].as_array().unwrap()).collect();
    let dirtied: Vec<String> = cells.iter().map(|cell| cell["dirtied"].to_string()).collect();
    assert!(dirtied.iter().any(|one| one.contains("tracked.txt") && one.contains("untracked.txt")), "{dirtied:?}");
    let strays: u64 = cells.iter().map(|cell| cell["strays"].as_u64().unwrap()).sum();
    assert!(strays > 0, "the process that was left behind is not reported");
}

#[test]
fn uncommitted_changes_and_a_staged_index_stay_byte_for_byte() {
    let env = Env::new("breaks_build");
    env.write("src/lib.rs", "// half a thought, not saved in git\n");
    env.write("staged.txt", "staged\n").git(&["add", "staged.txt"]);
    env.write("staged.txt", "staged, then changed\n").write("untracked/file", "mine\n");
    env.write("stashed.txt", "1").git(&["stash", "push", "--quiet", "--include-untracked", "--", "stashed.txt"]);
    env.git(&["config", "user.nickname", "me"]);
    // The status refreshes the index, so it comes first.
    let status = env.git(&["status", "--porcelain"]);
    let before = Snapshot::of(env.repo());
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(!ran.report["branch"].is_null(), "{}", ran.said());
    assert_eq!(before.intrusions(&Snapshot::of(env.repo())), [""; 0]);
    assert_eq!(env.git(&["status", "--porcelain", "--", ".", ":!xupgrade.out"]), status);
}

#[test]
fn no_hook_of_the_users_runs() {
    let env = Env::new("breaks_build");
    let trace = env.world.root.join("a-hook-ran");
    for hook in [
        "post-checkout",
        "pre-commit",
        "post-commit",
        "commit-msg",
        "reference-transaction",
        "post-index-change",
        "pre-auto-gc",
    ] {
        let path = env.repo().join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\necho {hook} >> '{}'\n", trace.display())).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(!ran.report["branch"].is_null());
    assert_eq!(std::fs::read_to_string(&trace).unwrap_or_default(), "");
    // The hooks do work: a commit of the user's calls them.
    env.git(&["commit", "--quiet", "--allow-empty", "--message=Mine"]);
    assert!(trace.exists());
}

#[test]
fn checks_see_no_token_no_credentials_and_no_network_of_package_managers() {
    let mut env = Env::new("secrets");
    for name in [
        "CARGO_REGISTRY_TOKEN",
        "CARGO_REGISTRIES_CORP_TOKEN",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "GITLAB_TOKEN",
        "GIT_ASKPASS",
        "SSH_AUTH_SOCK",
        "NETRC",
        "AWS_SECRET_ACCESS_KEY",
        "SOMETHING_OF_THE_USERS",
    ] {
        env.set(name, "s3cret");
    }
    let home = |name: &str| env.world.root.join(name);
    let settings = std::fs::read_to_string(home("cargo-home/config.toml")).unwrap();
    let token = "\n[registries.corp]\nindex = \"sparse+https://corp.invalid/\"\ntoken = \"s3cret\"\n";
    std::fs::write(home("cargo-home/config.toml"), settings + token).unwrap();
    std::fs::write(home("cargo-home/credentials.toml"), "[registry]\ntoken = \"s3cret\"\n").unwrap();
    for file in [".netrc", ".git-credentials", ".gitconfig"] {
        std::fs::write(home("home").join(file), "").unwrap();
    }
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let mut upgrades = ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/dep v1.0.0 -> v1.1.0", "dep 1.0.0 -> 1.0.1"], "{:#}", ran.report["held"]);
}

#[test]
fn pass_env_lets_a_named_variable_in() {
    let mut env = Env::new("secrets");
    env.set("SOMETHING_OF_THE_USERS", "open");
    env.write("xupgrade.toml", "pass-env = [\"SOMETHING_OF_THE_USERS\"]\nexclude = [\"svc\"]\n");
    let ran = env.run(&["--require-green"]);
    assert_eq!(ran.code, 4, "{}", ran.said());
    assert!(ran.held("dep").to_string().contains("no_token_is_in_the_environment"), "{}", ran.held("dep"));
}

#[test]
fn a_bare_repository_gets_its_branch_and_its_output_lands_in_the_cache() {
    let env = Env::new("breaks_build");
    let bare = env.world.root.join("bare.git");
    env.git(&["clone", "--quiet", "--bare", env.repo().to_str().unwrap(), bare.to_str().unwrap()]);
    let before = Snapshot::of(&bare);
    let ran = env.run(&["--repo", bare.to_str().unwrap(), "--branch", "up"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let refs = env.git(&["--git-dir", bare.to_str().unwrap(), "for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/main\nrefs/heads/up");
    let new: Vec<String> =
        before.changes(&Snapshot::of(&bare)).into_iter().filter(|path| !path.starts_with("objects")).collect();
    assert_eq!(new, ["refs/heads/up"]);
}

#[test]
fn a_repository_that_cannot_be_written_gets_its_plan() {
    let env = Env::new("lock_only");
    let root = env.repo().to_owned();
    let mode = |mode| std::fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o555);
    let plan = env.plan(&[]);
    mode(0o755);
    assert_eq!(plan["candidates"].as_array().unwrap().len(), 3);
}
