//! The shapes of Cargo repositories that tools of this kind get wrong, one fixture each; `fixtures/cases/cargo.toml` is
//! the table of them. Most show in a plan, which builds nothing.

use std::io::Read as _;
use std::net::TcpListener;

use serde_json::Value;

use crate::common::{AS_OF, Env, Shared, find, held, names, promises, shared, snapshot::Snapshot, text};
use crate::policy::{rungs, why};

const BREAKING: &[&str] = &["--level", "breaking"];

/// A file as it is at the tip of the branch.
fn at_tip(run: &Shared, path: &str) -> String {
    run.env.world.git(&["show", &format!("{}:{path}", text(&run.ran.report, "tip"))]).unwrap()
}

/// The words that hold a dependency in a plan.
fn words<'a>(plan: &'a Value, name: &str) -> &'a str {
    held(plan, name).1
}

/// The notes of an upgrade, on one line.
fn notes(run: &Shared, name: &str) -> String {
    let notes = run.ran.upgrade(name)["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| note.as_str().unwrap().to_owned()).collect::<Vec<_>>().join("; ")
}

/// A package of a lockfile's text: whether this version is locked.
fn locks(lock: &str, name: &str, version: &str) -> bool {
    lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"))
}

#[test]
fn nothing_goes_down_to_a_release_that_fits_the_rust_version() {
    let plan = Env::new("cargo_msrv_never_down").plan(BREAKING);
    assert_eq!(names(&plan, "candidates"), [""; 0]);
    for name in ["dates", "parse"] {
        assert_eq!(why(&plan, name), "msrv");
        assert!(words(&plan, name).contains("supports Rust 1.60"), "{}", words(&plan, name));
    }
}

#[test]
fn a_shared_entry_fits_the_least_rust_version_of_the_members_that_use_it() {
    let plan = Env::new("cargo_msrv_of_the_users").plan(&[]);
    assert_eq!(rungs(&plan, "parse"), ["4.2.0"]);
    let beyond = &find(&plan, "candidates", "parse").unwrap()["beyond"];
    assert_eq!((text(beyond, "version"), text(&beyond["reason"], "kind")), ("4.6.0", "msrv"));
    assert!(text(&beyond["reason"], "text").contains("supports Rust 1.64"), "{beyond:#}");
}

#[test]
fn a_raise_that_cannot_resolve_fails_and_is_undone() {
    let run = shared("cargo_links_conflict", BREAKING);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.why("rusq"), "resolve_refused");
    assert!(run.ran.words("rusq").contains("links to the native library"), "{}", run.ran.words("rusq"));
    assert_eq!(run.ran.upgrades(), ["fine 1.0.0 -> 1.1.0"]);
    let before = std::fs::read_to_string(run.env.repo().join("a/Cargo.toml")).unwrap();
    assert_eq!(at_tip(run, "a/Cargo.toml"), before.replace("~1.0", "~1.1"));
}

#[test]
fn a_feature_that_goes_away_is_told_before_anything_is_tried() {
    let plan = Env::new("cargo_feature_gone").plan(BREAKING);
    assert_eq!(why(&plan, "dice"), "feature_gone");
    assert!(words(&plan, "dice").contains("0.10.0 has no feature `getrandom`"), "{}", words(&plan, "dice"));
}

#[test]
fn a_feature_that_the_projects_own_features_turn_on_counts_too() {
    let plan = Env::new("cargo_feature_gone").plan(&[]);
    assert_eq!(rungs(&plan, "coins"), ["1.0.1"]);
    let beyond = &find(&plan, "candidates", "coins").unwrap()["beyond"]["reason"];
    assert_eq!(text(beyond, "kind"), "feature_gone");
    assert!(text(beyond, "text").contains("`simd`"), "{beyond:#}");
}

#[test]
fn ranges_keep_their_floor_and_move_their_ceiling() {
    let run = shared("cargo_ranges", BREAKING);
    let expected = ["small 1.8.0 -> 1.16.5", "core-sys 0.16.0 -> 0.18.8", "span 0.11.0 -> 0.15.0"];
    assert_eq!(run.ran.upgrades(), expected, "{}", run.ran.said());
    let before = std::fs::read_to_string(run.env.repo().join("Cargo.toml")).unwrap();
    let expected = before.replace("<0.17", "<0.19").replace("<1.9", "<1.17").replace("<0.12", "<0.16");
    assert_eq!(at_tip(run, "Cargo.toml"), expected);
}

#[test]
fn two_aliases_of_a_crate_stay_apart() {
    let plan = Env::new("cargo_two_aliases").plan(BREAKING);
    let candidates = plan["candidates"].as_array().unwrap();
    let top = |at: &str| {
        let one = candidates.iter().find(|one| one["at"] == at).unwrap();
        let rungs = one["rungs"].as_array().unwrap();
        (text(rungs.last().unwrap(), "version").to_owned(), one["beyond"]["reason"]["kind"].clone())
    };
    assert_eq!(top("0.7.0"), ("0.7.3".to_owned(), "aliased".into()));
    assert_eq!(top("0.8.0"), ("0.9.2".to_owned(), Value::Null));
}

#[test]
fn each_of_two_locked_versions_is_addressed_by_its_version() {
    let run = shared("cargo_two_aliases", BREAKING);
    assert_eq!(run.ran.upgrades(), ["dice 0.7.0 -> 0.7.3", "dice 0.8.0 -> 0.9.2"], "{}", run.ran.said());
    let manifest = at_tip(run, "Cargo.toml");
    assert!(manifest.contains("dice = \"0.9\"\n") && manifest.contains("version = \"0.7\" }"), "{manifest}");
}

#[test]
fn every_place_of_a_requirement_is_upgraded_and_nothing_else_changes() {
    let run = shared("cargo_all_places", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(names(&run.ran.report, "held"), [""; 0]);
    let before = std::fs::read_to_string(run.env.repo().join("places/Cargo.toml")).unwrap();
    // The one in a comment is no requirement.
    let comment = "left out: \"~1.0\"";
    let expected = before.replace("~1.0", "~1.1").replace("~2.0", "~2.1").replace("left out: \"~1.1\"", comment);
    assert_eq!(at_tip(run, "places/Cargo.toml"), expected);
}

#[test]
fn old_spellings_of_tables_and_keys_are_read_and_stay() {
    let run = shared("cargo_all_places", &[]);
    let before = std::fs::read_to_string(run.env.repo().join("old/Cargo.toml")).unwrap();
    assert!(before.contains("[dev_dependencies]") && before.contains("default_features"), "{before}");
    assert_eq!(at_tip(run, "old/Cargo.toml"), before.replace("~1.0", "~1.1"));
}

#[test]
fn an_upgrade_reaches_the_version_at_which_cargo_update_stops_short() {
    let run = shared("cargo_update_p_falls_short", &[]);
    assert_eq!(run.ran.upgrades(), ["novel 1.0.0 -> 1.1.0", "tool 1.0.0 -> 1.2.0"], "{}", run.ran.said());
    assert!(locks(&at_tip(run, "Cargo.lock"), "lexer", "1.1.0"), "{}", at_tip(run, "Cargo.lock"));
}

#[test]
fn a_crate_that_was_never_downloaded_comes_along() {
    let run = shared("cargo_update_p_falls_short", &[]);
    let moved = run.ran.upgrade("novel")["also_moved"].to_string();
    assert!(moved.contains("\"fresh\""), "{moved}");
    assert!(locks(&at_tip(run, "Cargo.lock"), "fresh", "1.0.0"), "{}", at_tip(run, "Cargo.lock"));
}

#[test]
fn a_second_copy_of_a_crate_that_another_dependency_needs_is_told() {
    let run = shared("cargo_two_copies", BREAKING);
    assert_eq!(run.ran.upgrades(), ["wire 0.12.0 -> 0.12.1", "proto 0.13.0 -> 0.14.0"], "{}", run.ran.said());
    assert_eq!(notes(run, "proto"), "proto 0.13.0 stays beside it for hub");
    assert!(run.ran.stdout.contains("proto 0.13.0 stays beside it for hub"), "{}", run.ran.stdout);
}

#[test]
fn a_second_copy_that_another_dependency_brings_is_told() {
    let run = shared("cargo_two_copies", &[]);
    assert_eq!(run.ran.upgrades(), ["wire 0.12.0 -> 0.12.1"], "{}", run.ran.said());
    let words = "there are two copies of proto now: 0.13.0 for app, hub, 0.14.0 for wire";
    assert_eq!(notes(run, "wire"), words);
}

#[test]
fn a_prerelease_goes_on_to_its_own_version_only() {
    let env = Env::new("cargo_prereleases");
    for args in [&[][..], BREAKING] {
        let plan = env.plan(args);
        assert_eq!((rungs(&plan, "beta"), rungs(&plan, "still")), (vec!["0.9.5".into()], vec!["2.0.0-rc.2".into()]));
        assert_eq!(names(&plan, "newest"), ["stable"]);
    }
}

#[test]
fn a_virtual_workspace_is_listed_whole_with_plain_words_and_code_0() {
    let ran = Env::new("manifest_edit").run(&["plan", "--all", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    for name in ["dotted", "in-tests", "pinned", "range", "renamed", "shared", "unix-only", "windows-lines"] {
        assert!(ran.stdout.contains(&format!("  {name} ")), "no {name} in {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{}", ran.said());
}

#[test]
fn a_registry_with_https_is_spoken_to_in_tls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let first = std::thread::spawn(move || {
        let mut bytes = [0; 2];
        listener.accept().unwrap().0.read_exact(&mut bytes).map(|()| bytes)
    });
    let env = Env::new("lock_only");
    let text = format!(
        "[source.crates-io]\nreplace-with = \"w\"\n\n[source.w]\nregistry = \"sparse+https://{address}/index/\"\n"
    );
    std::fs::write(env.world.root.join("cargo-home/config.toml"), text).unwrap();
    let plan = env.plan(&[]);
    assert_eq!(why(&plan, "ant"), "registry_unreachable");
    // A handshake record of TLS 1.x (RFC 8446, section 5.1).
    assert_eq!(first.join().unwrap().unwrap(), [0x16, 0x03]);
}

#[test]
fn build_metadata_are_reached_and_never_written() {
    let run = shared("cargo_build_metadata", &[]);
    let expected = ["packed 2.0.1+z-1.5.0 -> 2.1.2+z-1.5.5", "spec 1.0.0+spec-1.0.0 -> 1.2.1+spec-1.1.0"];
    assert_eq!(run.ran.upgrades(), expected, "{}", run.ran.said());
    let before = std::fs::read_to_string(run.env.repo().join("Cargo.toml")).unwrap();
    assert_eq!(at_tip(run, "Cargo.toml"), before.replace("~1.0", "~1.2"));
}

#[test]
fn a_dash_in_build_metadata_opens_no_prerelease() {
    let plan = Env::new("cargo_build_metadata").plan(BREAKING);
    assert_eq!(rungs(&plan, "packed"), ["2.1.2+z-1.5.5"]);
}

/// The lines of a lockfile before the first package, without comments.
fn head(lock: &str) -> String {
    let head = lock.split("[[package]]").next().unwrap_or_default();
    head.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
}

#[test]
fn every_lockfile_is_upgraded_by_itself_and_stays_in_its_format() {
    let run = shared("cargo_lock_formats", &[]);
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.0.1"; 4], "{}", run.ran.said());
    for (folder, says) in [("f1", ""), ("f2", ""), ("f3", "version = 3"), ("f4", "version = 4")] {
        let lock = at_tip(run, &format!("{folder}/Cargo.lock"));
        assert_eq!(head(&lock), says, "{folder}: {lock}");
        assert_eq!(lock.contains("\n[metadata]\n"), folder == "f1", "{lock}");
        assert!(locks(&lock, "dep", "1.0.1"), "{lock}");
    }
}

#[test]
fn every_edition_is_planned_and_built() {
    let run = shared("cargo_lock_formats", &[]);
    for (folder, edition) in [("f1", "2015"), ("f2", "2018"), ("f3", "2021"), ("f4", "2024")] {
        let manifest = std::fs::read_to_string(run.env.repo().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("edition = \"{edition}\"")), "{manifest}");
        let upgrades = run.ran.report["upgrades"].as_array().unwrap();
        assert!(upgrades.iter().any(|one| one["project"] == folder && one["proof"] == "tests"), "{folder}");
    }
}

#[test]
fn an_edge_that_moves_though_no_version_does_is_told() {
    let run = shared("cargo_edge_flips", &[]);
    assert_eq!(run.ran.upgrades(), ["user 1.0.0 -> 1.0.1"], "{}", run.ran.said());
    assert_eq!(run.ran.upgrade("user")["also_moved"], serde_json::json!([]));
    assert_eq!(notes(run, "user"), "user 1.0.1 now uses win 0.59.0 (before: 0.52.0)");
}

#[test]
fn a_yanked_release_is_no_target_and_a_locked_one_is_left_first() {
    let plan = Env::new("cargo_yanked").plan(BREAKING);
    assert_eq!(names(&plan, "candidates"), ["b", "a"], "what is urgent comes first");
    assert_eq!((rungs(&plan, "a"), rungs(&plan, "b")), (vec!["1.0.1".into()], vec!["1.0.1".into()]));
    let b = find(&plan, "candidates", "b").unwrap();
    assert_eq!(text(b, "urgent"), "b 1.0.0 is yanked");
    assert_eq!(why(&plan, "c"), "withdrawn");
}

#[test]
fn a_lockfile_that_could_not_be_made_anew_is_edited() {
    let run = shared("cargo_yanked", &[]);
    assert_eq!(run.ran.upgrades(), ["b 1.0.0 -> 1.0.1", "a 1.0.0 -> 1.0.1"], "{}", run.ran.said());
    assert!(locks(&at_tip(run, "Cargo.lock"), "ring", "0.17.0"), "{}", at_tip(run, "Cargo.lock"));
}

#[test]
fn where_cargo_brings_what_needs_a_newer_rust_an_older_one_serves_and_where_none_does_the_rung_is_refused() {
    let run = shared("cargo_msrv_greedy", &[]);
    assert_eq!(run.ran.upgrades(), ["outer 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    let lock = at_tip(run, "Cargo.lock");
    assert!(locks(&lock, "middle", "1.1.0") && !lock.contains("inner"), "{lock}");
    let above = &run.ran.upgrade("outer")["failed_above"][0];
    assert_eq!((text(above, "wanted"), text(&above["reason"], "kind")), ("1.2.0", "msrv"));
    assert!(text(&above["reason"], "text").contains("inner 2.0.0, which needs Rust 1.80"), "{above:#}");
    assert!(above["reason"]["evidence"].is_null(), "no trial says so: {above:#}");
}

#[test]
fn a_locked_package_that_has_to_move_moves_along_and_nothing_else_does() {
    let run = shared("cargo_unlocks", &[]);
    assert_eq!(run.ran.upgrades(), ["a 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    let lock = at_tip(run, "Cargo.lock");
    assert!(locks(&lock, "helper", "1.1.0") && locks(&lock, "leaf", "1.0.0"), "{lock}");
    let moved = &run.ran.upgrade("a")["also_moved"];
    assert_eq!(moved.as_array().unwrap().len(), 1, "{moved:#}");
}

#[test]
fn a_direct_dependency_that_no_check_compiles_is_unlocked_where_another_upgrade_needs_it_higher() {
    let run = shared("cargo_idle_in_the_way", &[]);
    assert_eq!(run.ran.upgrades(), ["outer 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    assert!(locks(&at_tip(run, "Cargo.lock"), "idle", "1.1.0"), "{}", run.ran.said());
    assert_eq!(run.ran.why("idle"), "not_exercised");
}

#[test]
fn an_upgrade_brings_the_version_that_leaves_room_for_those_after_it() {
    let run = shared("cargo_towards_the_target", &[]);
    assert_eq!(run.ran.upgrades(), ["a 1.0.0 -> 1.1.0", "b 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    assert!(locks(&at_tip(run, "Cargo.lock"), "fresh", "1.0.0"), "{}", run.ran.said());
    let ran = run.ran.report["trials"].as_array().unwrap().iter();
    let searched = ran.filter(|trial| text(trial, "id").starts_with('t')).count();
    assert_eq!(searched, 1, "the first trial is the whole set: {}", run.ran.said());
}

#[test]
fn the_lockfile_of_the_order_that_was_tested_is_the_one_that_is_committed() {
    let run = shared("cargo_order_matters", &[]);
    assert_eq!(run.ran.upgrades(), ["alpha 1.0.0 -> 1.1.0", "beta 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    let lock = at_tip(run, "Cargo.lock");
    assert!(locks(&lock, "common", "2.0.0") && locks(&lock, "common", "1.0.0"), "{lock}");
    assert_eq!(text(&run.ran.report, "tip_tree"), text(&run.ran.report, "tested_tree"));
}

#[test]
fn a_test_that_blesses_itself_does_not_pass_the_second_time() {
    let run = shared("cargo_self_blessing", &[]);
    assert_eq!(run.ran.upgrades(), ["shape 1.0.0 -> 1.0.1"], "{}", run.ran.said());
    let above = &run.ran.upgrade("shape")["failed_above"][0]["reason"];
    assert_eq!(text(above, "kind"), "test_failed");
    assert!(above["evidence"]["tests"].to_string().contains("it_is_as_expected"), "{above:#}");
    assert_eq!(at_tip(run, "expected.txt"), "round\n");
}

#[test]
fn nested_workspaces_are_projects_with_lockfiles_of_their_own() {
    let plan = Env::new("cargo_nested_workspaces").plan(&[]);
    let projects = plan["projects"].as_array().unwrap();
    let shape = |one: &Value| (text(one, "path").to_owned(), text(one, "lockfile").to_owned());
    let expected = [(".", "Cargo.lock"), ("examples/web", "examples/web/Cargo.lock"), ("fuzz", "fuzz/Cargo.lock")];
    let found: Vec<(String, String)> = projects.iter().map(shape).collect();
    assert_eq!(found, expected.map(|(path, lock)| (path.to_owned(), lock.to_owned())));
    assert_eq!(projects[0]["dependents"], serde_json::json!(["examples/web", "fuzz"]));
    assert_eq!(names(&plan, "candidates"), ["dep", "page", "engine"]);
}

#[test]
fn the_lockfiles_of_workspaces_that_use_a_project_follow_its_raise_in_the_same_commit() {
    let run = shared("cargo_nested_workspaces", &["-p", "dep"]);
    assert_eq!(run.ran.upgrades(), ["dep 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    let changed = run.env.git(&["diff", "--name-only", "main", text(&run.ran.report, "tip")]);
    assert_eq!(changed, "Cargo.lock\nCargo.toml\nexamples/web/Cargo.lock\nfuzz/Cargo.lock");
    for folder in ["fuzz", "examples/web"] {
        let lock = at_tip(run, &format!("{folder}/Cargo.lock"));
        // Not to 1.1.1, which cargo would take there: it needs a newer Rust than the root promises.
        assert!(locks(&lock, "dep", "1.1.0"), "{lock}");
        assert!(notes(run, "dep").contains(&format!("{folder}/Cargo.lock follows")), "{}", notes(run, "dep"));
    }
}

#[test]
fn lockfiles_that_git_does_not_track_follow_a_raise_too_and_are_not_published() {
    let env = Env::new("cargo_nested_workspaces");
    for lock in ["Cargo.lock", "fuzz/Cargo.lock", "examples/web/Cargo.lock"] {
        std::fs::remove_file(env.repo().join(lock)).unwrap();
    }
    env.write(".gitignore", "Cargo.lock\n").commit();
    let ran = env.run(&["run", "--as-of", AS_OF, "-p", "dep"]);
    assert_eq!(ran.upgrades(), ["dep 1.0.0 -> 1.1.0"], "{}", ran.said());
    let changed = env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]);
    assert_eq!(changed, "Cargo.toml");
}

#[test]
fn patches_and_replacements_are_named_where_they_decide() {
    let plan = Env::new("cargo_patched").plan(&[]);
    assert_eq!((why(&plan, "forked"), why(&plan, "swapped")), ("replaced", "replaced"));
    assert!(words(&plan, "forked").starts_with("`[patch.crates-io]` in patched/Cargo.toml"), "{plan:#}");
    assert!(words(&plan, "swapped").starts_with("`[replace]` in replaced/Cargo.toml"), "{plan:#}");
}

#[test]
fn a_raise_that_would_wake_a_patch_is_held_and_one_that_lets_it_sleep_is_told() {
    let run = shared("cargo_patched", &[]);
    assert_eq!(run.ran.why("sleeping"), "replaced");
    assert!(run.ran.words("sleeping").contains("would come from a `[patch]`"), "{}", run.ran.words("sleeping"));
    assert_eq!(run.ran.upgrades(), ["fine 1.0.0 -> 1.0.1", "outer 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    assert_eq!(notes(run, "outer"), "nothing uses the patch of deep (1.0.0) any more");
}

/// The world's package becomes a workspace with a member that is called like a crate which it takes from the registry.
fn with_a_namesake(version: &str) -> Env {
    let env = Env::new("lock_only");
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &format!("{manifest}\n[workspace]\nmembers = [\"mine\"]\n"));
    let member = format!("[package]\nname = \"ant\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    env.write("mine/Cargo.toml", &member).write("mine/src/lib.rs", "");
    let lock = std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap();
    let other = if version == "1.0.0" { " (registry+https://github.com/rust-lang/crates.io-index)" } else { "" };
    let lock = lock.replace(" \"ant\",\n", &format!(" \"ant 1.0.0{other}\",\n"));
    let mine = format!("[[package]]\nname = \"ant\"\nversion = \"{version}\"\n\n");
    env.write("Cargo.lock", &lock.replacen("[[package]]\n", &format!("{mine}[[package]]\n"), 1)).commit();
    env
}

#[test]
fn a_member_with_the_name_and_version_of_a_locked_crate_is_no_patch() {
    let env = with_a_namesake("1.0.0");
    let before = Snapshot::of(env.repo());
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4", "bee 1.0.0 -> 1.2.0"], "{}", ran.said());
    promises::hold(&env, &ran, &before);
}

#[test]
fn a_release_with_the_name_and_version_of_a_member_is_held_for_no_check_tells_them_apart() {
    let plan = with_a_namesake("1.0.1").plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["bee", "cat"], "{plan:#}");
    let reason = &find(&plan, "held", "ant").unwrap()["reason"];
    assert!(text(reason, "text").starts_with("a package in a folder here is called ant 1.0.1, too"), "{reason:#}");
}
