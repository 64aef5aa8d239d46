//! What the files of a checkout may be: filtered, with other line ends, links, odd names. What is committed is what git
//! would commit, and nothing is written through a link.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::common::{AS_OF, Env, Ran, find, names, promises, shared, snapshot::Snapshot, text};

/// A run that upgrades `fine` in a changed world, keeps every promise, and changes one line of one lockfile.
fn upgrades(env: &Env) -> Ran {
    let before = Snapshot::of(env.repo());
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["fine 1.0.0 -> 1.1.0"], "{}", ran.said());
    promises::hold(env, &ran, &before);
    let changed = env.git(&["diff", "--numstat", "main", text(&ran.report, "tip")]);
    assert_eq!(changed, "2\t2\tCargo.lock", "more than the version and its checksum changed");
    ran
}

fn dirtied(ran: &Ran) -> Vec<String> {
    let cells = ran.report["trials"].as_array().unwrap().iter().flat_map(|one| one["cells"].as_array().unwrap());
    cells.filter_map(|cell| cell.get("dirtied")).map(ToString::to_string).collect()
}

/// A test in the world's repository that looks at its own files.
fn with_a_test(env: &Env, body: &str) {
    let lib = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write("src/lib.rs", &format!("{lib}\n#[test]\nfn its_files_are_as_in_the_checkout() {{\n    {body}\n}}\n"));
}

#[test]
fn a_filter_of_the_users_own_configuration_shapes_the_files_that_tests_see() {
    let env = Env::new("breaks_build");
    let tool = |name: &str, script: &str| {
        let path = env.world.root.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    env.git(&["config", "filter.shout.smudge", &tool("smudge", "tr a-z A-Z")]);
    env.git(&["config", "filter.shout.clean", &tool("clean", "tr A-Z a-z")]);
    env.git(&["config", "filter.shout.required", "true"]);
    env.git(&["config", "core.autocrlf", "true"]);
    env.write(
        ".gitattributes",
        "*.loud filter=shout -text\n*.wide text working-tree-encoding=UTF-16LE eol=lf\n*.unix text eol=lf\n",
    );
    env.write("a.loud", "QUIET").write("a.unix", "one\n").write("a.txt", "one\r\n");
    std::fs::write(env.repo().join("a.wide"), b"w\0\n\0").unwrap();
    with_a_test(
        &env,
        "assert_eq!(include_str!(\"../a.loud\"), \"QUIET\"); assert_eq!(include_bytes!(\"../a.wide\"), b\"w\\0\\n\\0\");
    assert_eq!(include_str!(\"../a.unix\"), \"one\\n\"); assert_eq!(include_str!(\"../a.txt\"), \"one\\r\\n\");",
    );
    env.commit();
    assert_eq!(env.git(&["show", "HEAD:a.loud"]), "quiet");
    let ran = upgrades(&env);
    assert_eq!(dirtied(&ran), [""; 0]);
    assert!(!ran.stderr.contains("filter="), "{}", ran.stderr);
}

#[test]
fn a_filter_that_gives_back_something_else_is_no_change_of_a_tests() {
    let env = Env::new("breaks_build");
    // Committed with line ends that the attribute, which came later, would not store.
    env.write("a.txt", "one\r\ntwo\r\n").commit();
    env.write(".gitattributes", "*.txt text\n");
    env.git(&["add", ".gitattributes"]);
    env.git(&["commit", "--quiet", "--message=Attributes"]);
    assert_eq!(dirtied(&upgrades(&env)), [""; 0]);
}

#[test]
fn a_lockfile_with_eol_crlf_gets_its_version_changed_and_nothing_else() {
    let env = Env::new("breaks_build");
    env.write(".gitattributes", "Cargo.* text eol=crlf\n").commit();
    upgrades(&env);
}

#[test]
fn a_filter_that_is_not_set_up_is_told_once() {
    let env = Env::new("lock_only");
    env.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n*.dat filter=lfs\n");
    env.write("a.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n").commit();
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.stderr.matches("filter=lfs").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("pointers") && ran.stderr.contains("git lfs install"), "{}", ran.stderr);
}

#[test]
fn files_of_a_filter_that_fails_in_the_clone_are_checked_out_as_they_lie_in_git() {
    // The key lies in the user's own git folder; the second time only the way back wants it.
    let with_key =
        "sh -c 'test -s \"$(git rev-parse --git-common-dir)/key\" || { echo no key >&2; exit 1; }; tr a-z A-Z'";
    for (smudge, required) in [(with_key, "true"), ("tr A-Z a-z", "true"), (with_key, "false")] {
        let env = Env::new("breaks_build");
        env.write(".git/key", "secret");
        env.git(&["config", "filter.toy.smudge", smudge]);
        env.git(&["config", "filter.toy.clean", with_key]);
        env.git(&["config", "filter.toy.required", required]);
        env.write(".gitattributes", "*.key filter=toy\n").write("a.key", "low").write("b/c.key", "low");
        with_a_test(&env, "assert_eq!(include_str!(\"../a.key\"), \"LOW\");");
        env.commit();
        assert_eq!(env.git(&["show", "HEAD:a.key"]), "LOW");
        let ran = upgrades(&env);
        assert_eq!(dirtied(&ran), [""; 0]);
        let told = "the filter `toy` fails in the clone (no key), so what it is for is checked out as it lies in git: a.key, b/c.key;";
        assert_eq!(ran.stderr.matches(told).count(), 1, "{smudge} {required}: {}", ran.stderr);
        assert_eq!(ran.stderr.matches("filter").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_project_whose_lock_is_a_link_is_held_and_it_is_never_written_through() {
    let env = Env::new("lock_only");
    let place = env.world.root.join("outside");
    std::fs::rename(env.repo().join("Cargo.lock"), &place).unwrap();
    symlink("../outside", env.repo().join("Cargo.lock")).unwrap();
    env.commit();
    let bytes = std::fs::read(&place).unwrap();
    let plan = env.plan(&[]);
    let obstacle = &plan["projects"][0]["obstacle"];
    assert_eq!(obstacle["kind"], "unsupported_project", "{plan:#}");
    assert!(text(obstacle, "text").contains("symbolic link"), "{obstacle:#}");
    assert_eq!(names(&plan, "candidates"), [""; 0]);
    assert_eq!(names(&plan, "held").len(), 3, "its dependencies are named: {plan:#}");
    assert_eq!(std::fs::read(&place).unwrap(), bytes);
}

/// The world's package becomes a workspace with a member that is reached by a link, and requires `bee` and `ant`.
fn with_a_linked_member(env: &Env, link: &str, real: &str) {
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &format!("{manifest}\n[workspace]\nmembers = [\"{link}\"]\n"));
    let member = "[package]\nname = \"member\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
        [dependencies]\nant = \"1\"\nbee = \"~1.0\"\n";
    env.write(&format!("{real}/Cargo.toml"), member).write(&format!("{real}/src/lib.rs"), "");
    symlink(real, env.repo().join(link)).unwrap();
    let lock = std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap();
    let with = "\n[[package]]\nname = \"member\"\nversion = \"0.1.0\"\ndependencies = [\n \"ant\",\n \"bee\",\n]\n";
    env.write("Cargo.lock", &(lock + with)).commit();
}

#[test]
fn a_member_behind_a_link_is_one_project_with_its_workspace_and_only_what_would_write_there_is_held() {
    for real in ["real/b", "a"] {
        let env = Env::new("lock_only");
        with_a_linked_member(&env, "b", real);
        let before = Snapshot::of(env.repo());
        let ran = env.run(&["--manifest", "always"]);
        assert_eq!(ran.code, 0, "{}", ran.said());
        let projects = ran.report["projects"].as_array().unwrap();
        assert_eq!(projects.iter().map(|one| text(one, "path")).collect::<Vec<_>>(), ["."], "{projects:#?}");
        assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4"], "{}", ran.said());
        let reason = &find(&ran.report, "held", "bee").unwrap()["reason"];
        assert!(text(reason, "text").starts_with("b/Cargo.toml is reached by the symbolic link b"), "{reason:#}");
        let changed = env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]);
        assert_eq!(changed, "Cargo.lock\nCargo.toml");
        promises::hold(&env, &ran, &before);
    }
}

#[test]
fn a_package_whose_manifest_is_a_link_moves_what_its_lock_alone_can_move() {
    let env = Env::new("lock_only");
    std::fs::create_dir_all(env.repo().join("real")).unwrap();
    std::fs::rename(env.repo().join("Cargo.toml"), env.repo().join("real/manifest")).unwrap();
    symlink("real/manifest", env.repo().join("Cargo.toml")).unwrap();
    env.commit();
    let plan = env.plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["ant", "bee", "cat"], "{plan:#}");
}

#[test]
fn a_project_is_held_where_the_lock_of_another_one_that_follows_it_is_a_link() {
    let env = Env::new("cargo_nested_workspaces");
    let outside = env.world.root.join("outside.lock");
    std::fs::rename(env.repo().join("fuzz/Cargo.lock"), &outside).unwrap();
    symlink(&outside, env.repo().join("fuzz/Cargo.lock")).unwrap();
    env.commit();
    let bytes = std::fs::read(&outside).unwrap();
    let plan = env.plan(&[]);
    let obstacle = &plan["projects"][0]["obstacle"];
    assert_eq!(
        (text(&plan["projects"][0], "path"), &obstacle["kind"]),
        (".", &"unsupported_project".into()),
        "{plan:#}"
    );
    assert!(text(obstacle, "text").contains("fuzz/Cargo.lock is reached by the symbolic link"), "{obstacle:#}");
    assert_eq!(names(&plan, "candidates"), ["page"], "only what writes nothing there goes on: {plan:#}");
    assert_eq!(std::fs::read(&outside).unwrap(), bytes);
}

#[test]
fn a_manifest_that_git_would_store_otherwise_is_held_with_the_command_that_mends_it() {
    for (attribute, held) in [("*.toml text\n", true), ("*.toml text=auto\n", false)] {
        let env = Env::new("lock_only");
        let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
        env.write("Cargo.toml", &manifest.replace('\n', "\r\n")).commit();
        env.write(".gitattributes", attribute);
        env.git(&["add", ".gitattributes"]);
        env.git(&["commit", "--quiet", "--message=Attributes"]);
        let plan = env.plan(&[]);
        let obstacle = &plan["projects"][0]["obstacle"];
        assert_eq!(names(&plan, "candidates").is_empty(), held, "{attribute}: {plan:#}");
        assert_eq!(obstacle["kind"] == "unsupported_project", held, "{attribute}: {plan:#}");
        let words = obstacle["text"].as_str().unwrap_or_default();
        assert_eq!(words.contains("`git add --renormalize Cargo.toml`"), held, "{obstacle:#}");
    }
}

#[test]
fn a_folder_that_is_a_link_is_no_second_project() {
    let env = Env::new("red_baseline");
    symlink("bad", env.repo().join("alias")).unwrap();
    symlink("/", env.repo().join("everything")).unwrap();
    env.commit();
    let plan = env.plan(&[]);
    let projects: Vec<&str> = plan["projects"].as_array().unwrap().iter().map(|one| text(one, "path")).collect();
    assert!(!projects.iter().any(|path| path.starts_with("alias") || path.starts_with("everything")), "{projects:?}");
    assert!(find(&plan, "candidates", "dep").is_some());
}

#[test]
fn names_that_are_no_utf_8_and_names_that_differ_in_case_are_told_and_no_trouble() {
    let env = Env::new("breaks_build");
    let odd = env.repo().join(OsStr::from_bytes(b"bad\xffname"));
    std::fs::write(&odd, "x").unwrap();
    env.write("README", "one").write("readme", "two").write("-dash *?[x] \"quoted\"", "three").commit();
    std::fs::remove_file(&odd).unwrap();
    let ran = upgrades(&env);
    assert_eq!(ran.stderr.matches("1 files have names that are no UTF-8").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("README and readme differ only in case").count(), 1, "{}", ran.stderr);
    assert_eq!(dirtied(&ran), [""; 0]);
}

#[test]
fn tests_that_look_at_git_find_each_upgrade_committed() {
    let run = shared("looks_at_git", &[]);
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1"], "{}", run.ran.said());
}

#[test]
fn the_tags_of_the_repository_are_found_from_an_upgrade() {
    let env = Env::new("looks_at_git");
    let text = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write(
        "src/lib.rs",
        &text.replace("!env!(\"DESCRIBED\").is_empty()", "env!(\"DESCRIBED\").starts_with(\"v0.1.0\")"),
    );
    env.commit();
    env.git(&["tag", "--annotate", "--message=One", "v0.1.0"]);
    env.git(&["commit", "--quiet", "--allow-empty", "--message=More"]);
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"], "{}", ran.said());
}

#[test]
fn tests_that_look_at_git_do_not_see_a_lockfile_that_git_does_not_track() {
    let env = Env::new("looks_at_git");
    env.git(&["rm", "--quiet", "--cached", "Cargo.lock"]);
    env.git(&["commit", "--quiet", "--message=No lock"]);
    std::fs::remove_file(env.repo().join("Cargo.lock")).unwrap();
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &manifest.replace("dep = \"1\"", "dep = \"=1.0.0\""));
    env.git(&["commit", "--quiet", "--all", "--message=Pinned"]);
    let ran = env.run(&["--pinned"]);
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.0.1"], "{}", ran.said());
}
