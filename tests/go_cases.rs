//! The named edge cases of Go modules (`fixtures/cases/go.toml`), seen in plans wherever a plan shows them, and in short
//! runs where only a run does. What a single edit does is tested beside the code, in `ecosystem/go/tests/cases.rs`.

use serde_json::Value;

use crate::common::{AS_OF, Env, Ran, find, held, names, shared, text};

/// What a plan does with a dependency: `to <version>` (the top of its ladder), `held <kind>` or `newest`.
fn fate(plan: &Value, name: &str) -> String {
    if let Some(candidate) = find(plan, "candidates", name) {
        let top = candidate["rungs"].as_array().unwrap().last().unwrap();
        return format!("to {}", text(top, "version"));
    }
    if let Some(held) = find(plan, "held", name) {
        return format!("held {}", text(&held["reason"], "kind"));
    }
    assert!(find(plan, "newest", name).is_some(), "{name} is nowhere: {plan:#}");
    "newest".to_owned()
}

/// The words with which a plan holds a dependency.
fn words<'a>(plan: &'a Value, name: &str) -> &'a str {
    held(plan, name).1
}

fn plan(fixture: &str) -> Value {
    Env::new(fixture).plan(&[])
}

/// The plan with everything that is allowed to be asked for.
fn boldest(fixture: &str) -> Value {
    Env::new(fixture).plan(&["--level", "breaking", "--min-age", "0"])
}

#[test]
fn modules_that_share_a_prefix_are_two_dependencies() {
    let plan = plan("go_nested_modules");
    assert_eq!(names(&plan, "candidates"), ["demo.test/nest", "demo.test/nest/store"]);
}

#[test]
fn both_majors_in_one_program_are_two_dependencies_each_in_its_own_major() {
    let plan = boldest("go_two_majors");
    assert_eq!(names(&plan, "candidates").len(), 2);
    assert_eq!(fate(&plan, "demo.test/wire"), "to v1.1.0");
    assert_eq!(fate(&plan, "demo.test/wire/v2"), "to v2.1.0");
}

#[test]
fn a_module_of_gopkg_in_stays_in_its_major() {
    let plan = boldest("go_gopkg_in");
    assert_eq!(fate(&plan, "gopkg.in/zz.v1"), "to v1.1.0");
    assert_eq!(names(&plan, "candidates"), ["gopkg.in/yy.v1", "gopkg.in/zz.v1"]);
}

#[test]
fn a_release_after_a_commit_is_not_breaking_where_the_path_names_the_major() {
    let plan = plan("go_gopkg_in");
    assert_eq!(fate(&plan, "gopkg.in/yy.v1"), "to v1.0.0");
    let rung = &find(&plan, "candidates", "gopkg.in/yy.v1").unwrap()["rungs"][0];
    assert_eq!((text(rung, "level"), &rung["breaking"]), ("minor", &false.into()));
}

#[test]
fn another_major_is_never_a_raise_whatever_the_level() {
    for plan in [plan("go_major_gaps"), boldest("go_major_gaps")] {
        assert_eq!(fate(&plan, "demo.test/gap"), "newest");
        assert_eq!(fate(&plan, "demo.test/early"), "newest");
        assert_eq!(fate(&plan, "demo.test/zero"), "to v0.2.0");
        assert_eq!(fate(&plan, "demo.test/astray"), "to v1.1.0");
    }
}

#[test]
fn incompatible_versions_stay_among_themselves() {
    let plan = boldest("go_incompatible");
    assert_eq!(fate(&plan, "demo.test/former"), "to v2.1.0+incompatible");
    assert_eq!(fate(&plan, "demo.test/modern"), "to v1.6.0");
}

#[test]
fn a_release_with_another_module_path_is_held_before_it_is_tried() {
    let env = Env::new("go_moved_path");
    let plan = env.plan(&[]);
    for name in ["demo.test/moved", "demo.test/bent"] {
        assert_eq!(fate(&plan, name), "held resolve_refused");
        assert!(words(&plan, name).contains("another module path"), "{}", words(&plan, name));
    }
    assert!(words(&plan, "demo.test/moved").contains("other.test/moved"), "{}", words(&plan, "demo.test/moved"));
}

#[test]
fn a_deprecated_module_is_raised_and_its_successor_is_named() {
    let env = Env::new("go_moved_path");
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert_eq!(fate(&env.plan(&[]), "demo.test/left"), "to v1.1.0");
    assert!(ran.stderr.contains("demo.test/left is deprecated: use demo.test/right instead"), "{}", ran.said());
}

#[test]
fn what_is_ahead_of_its_last_tag_is_never_lowered_to_it() {
    let plan = plan("go_pseudo_above_tag");
    assert_eq!(fate(&plan, "demo.test/ahead"), "newest");
    assert_eq!(fate(&plan, "demo.test/tagged"), "to v0.1.1");
    assert_eq!(fate(&plan, "demo.test/untagged"), "to v0.0.0-20250202030405-bbbbbbbbbbbb");
}

#[test]
fn a_higher_number_that_is_older_is_a_candidate_and_the_dates_are_told() {
    let env = Env::new("go_older_in_time");
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert_eq!(fate(&env.plan(&[]), "demo.test/branchy"), "to v1.1.0");
    assert!(ran.stderr.contains("v1.1.0 came out on 2025-01-15, before v1.0.9 (2025-03-01)"), "{}", ran.said());
}

#[test]
fn a_release_that_says_1_24_0_speaks_the_language_of_a_line_that_says_1_24() {
    let plan = plan("go_two_part_line");
    assert_eq!(fate(&plan, "demo.test/exact"), "to v1.1.0");
    assert_eq!(fate(&plan, "demo.test/outer"), "to v1.1.0");
    let beyond = &find(&plan, "candidates", "demo.test/patched").unwrap()["beyond"];
    assert_eq!((text(beyond, "version"), text(&beyond["reason"], "kind")), ("v1.1.0", "go_line"));
}

#[test]
fn a_retracted_version_above_which_all_is_retracted_is_held_and_says_that_only_down_is_left() {
    let plan = plan("go_retracted_by_a_higher_one");
    assert_eq!(fate(&plan, "demo.test/cursed"), "held withdrawn");
    for said in ["It eats data.", "v1.1.0", "lower"] {
        assert!(words(&plan, "demo.test/cursed").contains(said), "{}", words(&plan, "demo.test/cursed"));
    }
    assert_eq!(fate(&plan, "demo.test/shaky"), "newest");
}

#[test]
fn paths_with_capitals_and_signs_are_candidates_as_any_other() {
    assert_eq!(
        names(&plan("go_odd_paths"), "candidates"),
        ["demo.test/BurntSushi/Toml", "demo.test/vanity.git", "demo.test/~user/dot.ted"]
    );
}

#[test]
fn a_vendored_module_is_held_whole_and_the_others_go_on() {
    let plan = plan("go_vendored");
    let projects = plan["projects"].as_array().unwrap();
    let held: Vec<(&str, &str)> = projects
        .iter()
        .filter(|one| !one["obstacle"].is_null())
        .map(|one| (text(one, "path"), text(&one["obstacle"], "kind")))
        .collect();
    assert_eq!(held, [("joint/one", "unsupported_project"), ("own", "unsupported_project")]);
    assert_eq!(names(&plan, "candidates"), ["demo.test/codec"]);
    assert_eq!(text(find(&plan, "candidates", "demo.test/codec").unwrap(), "project"), "plain");
    let of_it = |one: &Value| (text(one, "project").to_owned(), text(one, "name").to_owned(), one["reason"].clone());
    let with_it = |one: &Value| (text(one, "path").to_owned(), "demo.test/codec".to_owned(), one["obstacle"].clone());
    let whole = projects.iter().filter(|one| !one["obstacle"].is_null());
    assert_eq!(
        plan["held"].as_array().unwrap().iter().map(of_it).collect::<Vec<_>>(),
        whole.map(with_it).collect::<Vec<_>>(),
        "what they require is held with them, for the same reason"
    );
}

#[test]
fn a_private_module_that_cannot_be_had_is_held_with_gos_words_and_the_rest_goes_on() {
    let mut env = Env::new("go_private");
    env.world.env.insert("GOPRIVATE".into(), "demo.test/corp.git".into());
    env.world.env.insert("GOVCS".into(), "*:off".into());
    let plan = env.plan(&[]);
    assert!(fate(&plan, "demo.test/corp.git").starts_with("held registry_"), "{plan:#}");
    let said = words(&plan, "demo.test/corp.git");
    assert!(said.contains("GOVCS disallows"), "{said}");
    assert_eq!(fate(&plan, "demo.test/open"), "to v1.1.0");
}

/// Tidies each commit of a run in a checkout of its own, and says what that would change.
fn untidy_commits(env: &Env, ran: &Ran, module: &str) -> Vec<String> {
    let folder = env.world.root.join("tidied");
    let place = folder.to_str().unwrap();
    env.git(&["clone", "--quiet", "--shared", "--no-checkout", env.repo().to_str().unwrap(), place]);
    let upgrades = ran.report["upgrades"].as_array().unwrap();
    let mut untidy = Vec::new();
    for upgrade in upgrades {
        env.git(&["-C", place, "checkout", "--quiet", "--force", "--detach", text(upgrade, "commit")]);
        let mut command = env.command("go");
        command.args(["mod", "tidy", "-diff"]).env("GOWORK", "off").current_dir(folder.join(module));
        let output = command.output().unwrap();
        if !output.status.success() || !output.stdout.is_empty() {
            untidy.push(format!("{upgrade:#} {output:?}"));
        }
    }
    untidy
}

#[test]
fn of_two_that_clash_one_stays_and_each_commit_is_tidy() {
    let run = shared("go_two_clash", &[]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades(), ["demo.test/free v1.0.0 -> v1.1.0", "demo.test/key v1.0.0 -> v1.1.0"]);
    assert_eq!(run.ran.why("demo.test/lock"), "test_failed");
    assert_eq!(untidy_commits(&run.env, &run.ran, "."), [""; 0]);
}

#[test]
fn no_source_and_no_script_changes_though_the_raised_path_stands_in_them() {
    let run = shared("go_authors_text", &[]);
    assert_eq!(
        run.ran.upgrades(),
        ["demo.test/gen v1.0.0 -> v1.1.0", "demo.test/zeta v1.0.0 -> v1.1.0"],
        "{}",
        run.ran.said()
    );
    assert_eq!((run.ran.why("demo.test/kept"), run.ran.why("demo.test/block")), ("held_by_user", "held_by_user"));
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "go.mod\ngo.sum");
    let lines = run.env.git(&["diff", "--numstat", "main", tip, "--", "go.mod"]);
    assert_eq!(lines, "2\t2\tgo.mod", "only the lines of the two that were raised");
}

#[test]
fn what_no_build_here_compiles_is_judged_by_tidy_and_tests_and_cgo_count() {
    let run = shared("go_files_outside_the_build", &[]);
    assert_eq!(
        run.ran.upgrades(),
        ["demo.test/assert v1.0.0 -> v1.1.0", "demo.test/native v1.0.0 -> v1.1.0"],
        "{}",
        run.ran.said()
    );
    assert_eq!(run.ran.why("demo.test/win"), "resolve_refused");
    assert!(run.ran.words("demo.test/win").contains("demo.test/win/registry"), "{}", run.ran.words("demo.test/win"));
    assert_eq!(run.ran.why("demo.test/script"), "unused");
}

#[test]
fn tools_are_raised_and_proven_by_building_them() {
    let run = shared("go_tools", &[]);
    assert_eq!(
        run.ran.upgrades(),
        ["demo.test/gen/v2 v2.0.0 -> v2.1.0", "demo.test/lint v1.0.0 -> v1.1.0", "demo.test/gen v1.0.0 -> v1.0.1"],
        "{}",
        run.ran.said()
    );
    assert_eq!(text(run.ran.upgrade("demo.test/lint"), "proof"), "compiled");
    let above = &run.ran.upgrade("demo.test/gen")["failed_above"][0];
    assert_eq!(text(&above["reason"], "kind"), "build_failed", "{above:#}");
}

#[test]
fn a_workspace_of_some_modules_is_upgraded_and_the_module_beside_it_too() {
    let run = shared("go_workspace_of_some", &[]);
    assert_eq!(
        run.ran.upgrades(),
        ["demo.test/codec v1.0.0 -> v1.2.0", "demo.test/codec v1.1.0 -> v1.2.0", "demo.test/gen v1.0.0 -> v1.1.0"],
        "{}",
        run.ran.said()
    );
    let tip = text(&run.ran.report, "tip");
    assert_eq!(
        run.env.git(&["diff", "--name-only", "main", tip]),
        "app/go.mod\napp/go.sum\nlib/go.mod\nlib/go.sum\ntools/go.mod\ntools/go.sum"
    );
    for module in ["app", "lib", "tools"] {
        assert_eq!(untidy_commits(&run.env, &run.ran, module), [""; 0]);
        std::fs::remove_dir_all(run.env.world.root.join("tidied")).unwrap();
    }
}

#[test]
fn an_incomplete_go_sum_holds_its_module_with_what_to_do_and_is_not_healed_in_passing() {
    let env = Env::new("go_sum_incomplete");
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert_eq!(text(ran.upgrade("demo.test/fine"), "project"), "sound");
    assert_eq!(ran.why("demo.test/fine"), "baseline_red", "{}", ran.said());
    for said in ["missing go.sum entry", "go mod tidy"] {
        assert!(ran.words("demo.test/fine").contains(said), "{}", ran.words("demo.test/fine"));
    }
    let changed = env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]);
    assert_eq!(changed, "sound/go.mod\nsound/go.sum");
}

#[test]
fn tags_in_goflags_count_and_flags_on_modules_are_left_out() {
    let mut env = Env::new("go_flags_of_the_user");
    for flags in ["-modcacherw -mod=vendor -tags=extra", "-modcacherw -mod=mod -tags=extra"] {
        env.world.env.insert("GOFLAGS".into(), flags.into());
        assert_eq!(fate(&env.plan(&[]), "demo.test/tagged"), "to v1.1.0", "{flags}");
    }
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/tagged v1.0.0 -> v1.1.0"], "{}", ran.said());
}

#[test]
fn an_ignored_folder_asks_for_nothing() {
    assert_eq!(fate(&plan("go_ignored_folder"), "demo.test/fine"), "to v1.1.0");
}

/// The go command, as a toolchain of another version that lies on the PATH; it notes each call of its own.
fn put_toolchain_on_the_path(env: &mut Env, name: &str) -> std::path::PathBuf {
    let folder = env.world.root.join("toolchains");
    std::fs::create_dir_all(&folder).unwrap();
    let calls = folder.join("calls");
    let script = format!(
        "#!/bin/sh\nunset GOTOOLCHAIN_INTERNAL_SWITCH_COUNT GOTOOLCHAIN_INTERNAL_SWITCH_VERSION\n\
         export GOTOOLCHAIN=local\necho \"$*\" >> '{}'\n\
         if [ \"$1\" = env ]; then go \"$@\" | sed 's/\"GOVERSION\": \".*\"/\"GOVERSION\": \"{name}\"/'; else exec go \"$@\"; fi\n",
        calls.display()
    );
    std::fs::write(folder.join(name), script).unwrap();
    let made = env.command("chmod").arg("+x").arg(folder.join(name)).status().unwrap();
    assert!(made.success());
    let path = format!("{}:{}", folder.display(), env.vars["PATH"]);
    env.set("PATH", path);
    calls
}

#[test]
fn a_toolchain_that_is_not_here_holds_its_module_and_is_not_downloaded() {
    let mut env = Env::new("go_toolchain_line");
    env.world.env.insert("GOTOOLCHAIN".into(), "auto".into());
    let plan = env.plan(&[]);
    let pinned = plan["projects"].as_array().unwrap().iter().find(|one| one["path"] == "pinned").unwrap();
    assert_eq!(text(&pinned["obstacle"], "kind"), "toolchain_missing");
    assert!(text(&pinned["obstacle"], "text").contains("go1.99.7"), "{pinned:#}");
    assert_eq!(text(find(&plan, "candidates", "demo.test/fine").unwrap(), "project"), "plain");
}

#[test]
fn a_toolchain_that_is_here_edits_and_checks_the_module_that_asks_for_it() {
    let mut env = Env::new("go_toolchain_line");
    env.world.env.insert("GOTOOLCHAIN".into(), "auto".into());
    let calls = put_toolchain_on_the_path(&mut env, "go1.99.7");
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"; 2], "{}", ran.said());
    let calls = std::fs::read_to_string(calls).unwrap();
    for call in ["get demo.test/fine@v1.1.0", "mod tidy", "vet -framepointer ./...", "test -json ./... -count=1"] {
        assert!(calls.lines().any(|line| line.starts_with(call)), "no `{call}` in {calls}");
    }
    let manifest = env.git(&["show", &format!("{}:pinned/go.mod", text(&ran.report, "tip"))]);
    assert!(manifest.contains("\ngo 1.21\n\ntoolchain go1.99.7\n"), "{manifest}");
}

#[test]
fn a_toolchain_that_the_user_chose_checks_every_module() {
    let mut env = Env::new("go_toolchain_line");
    env.world.env.insert("GOTOOLCHAIN".into(), "go1.99.7".into());
    put_toolchain_on_the_path(&mut env, "go1.99.7");
    let plan = env.plan(&[]);
    let commands: Vec<&str> = plan["matrix"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    assert!(commands.iter().all(|one| one.starts_with("GOTOOLCHAIN=go1.99.7 go ")), "{commands:?}");
}

#[test]
fn with_a_private_module_out_of_reach_the_others_are_upgraded() {
    let mut env = Env::new("go_private");
    // Built before, as a project in use is: else its own dependency could not be had.
    assert!(env.command("go").args(["mod", "download"]).status().unwrap().success());
    env.world.env.insert("GOPRIVATE".into(), "demo.test/corp.git".into());
    env.world.env.insert("GOVCS".into(), "*:off".into());
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/open v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert_eq!(ran.why("demo.test/corp.git"), "registry_refused");
}

#[test]
fn a_base_that_is_not_tidy_is_no_fault_of_an_upgrade_and_what_is_unused_is_said_so() {
    let run = shared("go_untidy_base", &[]);
    assert_eq!(run.ran.upgrades(), ["demo.test/main v1.0.0 -> v1.1.0"], "{}", run.ran.said());
    let notes = run.ran.upgrade("demo.test/main")["notes"].to_string();
    assert!(notes.contains("took out demo.test/spare"), "{notes}");
    let manifest = run.env.git(&["show", &format!("{}:go.mod", text(&run.ran.report, "tip"))]);
    assert!(
        manifest.contains("demo.test/fine v1.0.0") && !manifest.contains("spare") && !manifest.contains("indirect"),
        "{manifest}"
    );
    assert_eq!(run.ran.why("demo.test/spare"), "unused", "{}", run.ran.words("demo.test/spare"));
}

#[test]
fn a_raise_in_a_neighbour_makes_one_commit_of_all_that_reach_it() {
    let run = shared("go_replaced_neighbours", &[]);
    assert_eq!(run.ran.upgrades(), ["demo.test/codec v1.0.0 -> v1.1.0"], "{}", run.ran.said());
    assert_eq!(text(run.ran.upgrade("demo.test/codec"), "project"), "base");
    let changed = run.env.git(&["diff", "--name-only", "main", text(&run.ran.report, "tip")]);
    assert_eq!(changed, "app/go.mod\napp/go.sum\nbase/go.mod\nbase/go.sum\nlib/go.mod\nlib/go.sum");
}

#[test]
fn a_module_that_was_split_lands_with_its_part_and_then_who_needs_that_part() {
    let run = shared("go_split_module", &[]);
    let mut upgrades = run.ran.upgrades();
    upgrades.sort();
    assert_eq!(upgrades, ["demo.test/user v1.0.0 -> v1.1.0", "demo.test/whole v1.0.0 -> v1.1.0"], "{}", run.ran.said());
    assert!(run.ran.upgrade("demo.test/whole")["also_moved"].to_string().contains("demo.test/whole/part"));
}

#[test]
fn what_a_line_of_the_author_forbids_sends_a_raise_one_rung_lower() {
    let run = shared("go_exclude_cuts", &["-p", "demo.test/router"]);
    assert_eq!(run.ran.upgrades(), ["demo.test/router v1.0.0 -> v1.0.1"], "{}", run.ran.said());
    let above = run.ran.upgrade("demo.test/router")["failed_above"].to_string();
    assert!(above.contains("`exclude`") && above.contains("demo.test/codec v1.2.0"), "{above}");
}

#[test]
fn what_is_only_seen_when_it_is_tried_is_a_candidate_in_the_plan() {
    let turned_off = plan("go_replace_turned_off");
    assert_eq!(fate(&turned_off, "demo.test/codec"), "held replaced");
    assert_eq!(names(&turned_off, "candidates"), ["demo.test/fine", "demo.test/router"]);
    assert_eq!(names(&plan("go_unpruned"), "candidates"), ["demo.test/good", "demo.test/lower", "demo.test/young"]);
}
