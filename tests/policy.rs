//! The policy through the command line and `xupgrade.toml`, seen in plans (which build nothing) wherever a plan shows it.

use serde_json::Value;

use crate::common::{self, AS_OF, Env, find, names, shared, text};

/// The versions that a candidate may climb to.
pub fn rungs(plan: &Value, name: &str) -> Vec<String> {
    let candidate = find(plan, "candidates", name).unwrap_or_else(|| panic!("no candidate {name}: {plan:#}"));
    common::rungs(candidate).into_iter().map(str::to_owned).collect()
}

/// The kind of reason that holds a dependency.
pub fn why<'a>(plan: &'a Value, name: &str) -> &'a str {
    common::held(plan, name).0
}

#[test]
fn without_asking_a_plan_stays_compatible_and_names_the_breaking_release() {
    let plan = Env::new("breaking_asked").plan(&[]);
    assert_eq!(rungs(&plan, "steps"), ["1.1.0"]);
    let beyond = &find(&plan, "candidates", "steps").unwrap()["beyond"];
    assert_eq!(text(&beyond["reason"], "kind"), "breaking_not_asked", "{beyond:#}");
}

#[test]
fn a_breaking_level_adds_the_newest_of_each_major_line() {
    let plan = Env::new("breaking_asked").plan(&["--level", "breaking"]);
    assert_eq!(rungs(&plan, "steps"), ["1.1.0", "2.1.0", "3.0.0"]);
    let rung = &find(&plan, "candidates", "steps").unwrap()["rungs"][1];
    assert_eq!((text(rung, "level"), rung["breaking"].as_bool()), ("major", Some(true)));
}

#[test]
fn a_breaking_release_that_fails_sends_the_dependency_one_major_lower() {
    let run = shared("breaking_asked", &["--level", "breaking"]);
    assert_eq!(run.ran.upgrades(), ["steps 1.0.0 -> 2.1.0"]);
    let upgrade = run.ran.upgrade("steps");
    assert_eq!((text(upgrade, "level"), upgrade["breaking"].as_bool()), ("major", Some(true)));
    let subject = run.env.git(&["show", "--no-patch", "--format=%s", text(&run.ran.report, "tip")]);
    assert_eq!(subject, "build(deps)!: upgrade steps from 1.0.0 to 2.1.0");
}

#[test]
fn a_patch_level_leaves_minor_releases_alone() {
    let plan = Env::new("breaks_test_lands_lower").plan(&["--level", "patch"]);
    assert_eq!(rungs(&plan, "count"), ["1.0.2"]);
    let plan = Env::new("lock_only").plan(&["--level", "patch"]);
    assert_eq!(names(&plan, "candidates"), ["ant", "cat"]);
    assert_eq!(why(&plan, "bee"), "level_not_asked");
}

#[test]
fn as_of_hides_what_was_published_later() {
    let env = Env::new("lock_only");
    let plan = env.json(&["plan", "--format", "json", "--as-of", "2024-06-01T00:00:00Z"]);
    assert_eq!(names(&plan, "candidates"), [""; 0]);
    assert_eq!(names(&plan, "newest"), ["ant", "bee", "cat"]);
}

#[test]
fn a_release_younger_than_the_cooldown_is_held_and_an_older_one_is_not() {
    let env = Env::new("lock_only");
    let day_after = "2025-01-02T12:00:00Z";
    let young = env.json(&["plan", "--format", "json", "--as-of", day_after]);
    assert_eq!(names(&young, "candidates"), [""; 0], "the default is three days");
    assert_eq!(why(&young, "ant"), "too_young");
    let asked = env.json(&["plan", "--format", "json", "--as-of", day_after, "--min-age", "1"]);
    assert_eq!(names(&asked, "candidates"), ["ant", "bee", "cat"]);
    env.write("xupgrade.toml", "min-age = 0\n");
    let off = env.json(&["plan", "--format", "json", "--as-of", day_after]);
    assert_eq!(names(&off, "candidates"), ["ant", "bee", "cat"]);
}

#[test]
fn only_what_is_named_with_p_is_a_candidate() {
    let plan = Env::new("lock_only").plan(&["-p", "bee"]);
    assert_eq!(names(&plan, "candidates"), ["bee"]);
    assert_eq!((why(&plan, "ant"), why(&plan, "cat")), ("not_selected", "not_selected"));
}

#[test]
fn a_key_of_the_manifest_asks_for_what_it_requires_and_for_nothing_else_of_that_name() {
    let env = Env::new("cargo_two_aliases");
    let at = |args: &[&str]| {
        let plan = env.plan(args);
        let candidates = plan["candidates"].as_array().unwrap().iter();
        candidates.map(|one| text(one, "at").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(at(&["-p", "dice_07"]), ["0.7.0"]);
    assert_eq!(at(&["--exclude", "dice_07"]), at(&[]).into_iter().filter(|at| at != "0.7.0").collect::<Vec<_>>());
}

#[test]
fn what_is_excluded_by_name_is_held() {
    let plan = Env::new("lock_only").plan(&["--exclude", "bee"]);
    assert_eq!(names(&plan, "candidates"), ["ant", "cat"]);
    assert_eq!(why(&plan, "bee"), "not_selected");
}

#[test]
fn a_pinned_requirement_moves_when_pinned_or_its_name_is_asked_for() {
    let env = Env::new("manifest_edit");
    assert_eq!(why(&env.plan(&[]), "pinned"), "pinned");
    assert_eq!(rungs(&env.plan(&["--pinned"]), "pinned"), ["1.1.0"]);
    assert_eq!(rungs(&env.plan(&["-p", "pinned"]), "pinned"), ["1.1.0"]);
}

#[test]
fn a_pinned_requirement_stays_pinned_after_its_upgrade() {
    let run = shared("manifest_edit", &["-p", "pinned"]);
    assert_eq!(run.ran.upgrades(), ["pinned 1.0.0 -> 1.1.0"], "{}", run.ran.said());
    let manifest = run.env.git(&["show", &format!("{}:plain/Cargo.toml", text(&run.ran.report, "tip"))]);
    assert!(manifest.contains("pinned = \"=1.1.0\"\n"), "{manifest}");
}

#[test]
fn a_plan_says_file_and_line_of_a_requirement_that_is_not_edited() {
    let env = Env::new("requirements_not_edited");
    let plan = env.plan(&["--pinned", "--level", "breaking"]);
    let told =
        |line| format!("Cargo.toml:{line}: a requirement in a multi-line string is not edited; write it on one line");
    assert_eq!(common::held(&plan, "exact"), ("edit_refused", told(12).as_str()));
    for (name, highest, beyond, line) in [("admits", "1.1.0", "2.0.0", 7), ("tilde", "1.0.1", "1.1.0", 9)] {
        assert_eq!(rungs(&plan, name).last().map(String::as_str), Some(highest), "{plan:#}");
        let above = &find(&plan, "candidates", name).unwrap()["beyond"];
        let reason = (text(&above["reason"], "kind"), text(&above["reason"], "text"));
        assert_eq!((text(above, "version"), reason), (beyond, ("edit_refused", told(line).as_str())));
    }
}

#[test]
fn a_requirement_that_is_not_edited_ends_no_run() {
    let run = shared("requirements_not_edited", &["--pinned"]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    let upgrades = run.ran.upgrades();
    for upgrade in ["admits 1.0.0 -> 1.1.0", "fine 1.0.0 -> 1.1.0", "tilde 1.0.0 -> 1.0.1"] {
        assert!(upgrades.contains(&upgrade.to_owned()), "{upgrades:?}");
    }
    assert_eq!(run.ran.why("exact"), "edit_refused");
}

#[test]
fn what_resolves_only_together_needs_no_edit_of_a_requirement_that_admits_it() {
    let env = Env::new("pair_pinned_siblings");
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &manifest.replace("two = \"1\"", "two = '''1'''")).commit();
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["one 1.0.0 -> 1.1.0", "two 1.0.0 -> 1.1.0"], "{}", ran.said());
    assert_eq!(env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")]), "Cargo.lock");
}

#[test]
fn manifest_always_raises_requirements_that_admit_the_version_already() {
    let run = shared("lock_only", &["--manifest", "always"]);
    assert_eq!(run.ran.upgrades(), ["ant 1.0.0 -> 1.0.1", "cat 0.3.1 -> 0.3.4", "bee 1.0.0 -> 1.2.0"]);
    let tip = text(&run.ran.report, "tip");
    assert_eq!(run.env.git(&["diff", "--name-only", "main", tip]), "Cargo.lock\nCargo.toml");
    let manifest = run.env.git(&["show", &format!("{tip}:Cargo.toml")]);
    assert!(manifest.contains("cat = \"0.3.4\""), "{manifest}");
}

#[test]
fn a_hold_of_the_configuration_holds_with_its_reason_until_its_day() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "[[hold]]\nname = \"bee\"\nreason = \"ticket 12\"\nuntil = \"2025-07-01\"\n");
    let plan = env.plan(&[]);
    assert_eq!(why(&plan, "bee"), "held_by_user");
    let words = text(&find(&plan, "held", "bee").unwrap()["reason"], "text").to_owned();
    assert!(words.contains("ticket 12") && words.contains("2025-07-01"), "{words}");
    let later = env.json(&["plan", "--format", "json", "--as-of", "2025-08-01T00:00:00Z"]);
    assert_eq!(names(&later, "candidates"), ["ant", "bee", "cat"]);
}

#[test]
fn a_hold_for_the_other_ecosystem_holds_nothing_here() {
    let env = Env::new("lock_only");
    env.write("xupgrade.toml", "[[hold]]\nname = \"bee\"\necosystem = \"go\"\nreason = \"no\"\n");
    assert_eq!(names(&env.plan(&[]), "candidates"), ["ant", "bee", "cat"]);
}

#[test]
fn a_comment_in_the_manifest_holds_with_its_words() {
    let env = Env::new("lock_only");
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &manifest.replace("bee = \"1.0\"", "bee = \"1.0\" # xupgrade: hold bees are asleep"));
    env.commit();
    let plan = env.plan(&[]);
    assert_eq!(why(&plan, "bee"), "held_by_user");
    let words = text(&find(&plan, "held", "bee").unwrap()["reason"], "text").to_owned();
    assert!(words.contains("bees are asleep"), "{words}");
}

#[test]
fn a_folder_that_a_glob_excludes_is_no_project() {
    let env = Env::new("red_baseline");
    env.write("xupgrade.toml", "exclude = [\"b*\"]\n");
    let plan = env.plan(&[]);
    let projects: Vec<&str> = plan["projects"].as_array().unwrap().iter().map(|one| text(one, "path")).collect();
    assert_eq!(projects, ["good"]);
}

#[test]
fn testdata_and_vendor_are_no_projects() {
    let env = Env::new("red_baseline");
    env.git(&["mv", "bad", "testdata"]);
    env.write("vendor/x/Cargo.toml", "[package]\nname = \"x\"\nversion = \"0.1.0\"\n").commit();
    let plan = env.plan(&[]);
    let projects: Vec<&str> = plan["projects"].as_array().unwrap().iter().map(|one| text(one, "path")).collect();
    assert_eq!(projects, ["good"]);
}

#[test]
fn unexercised_allow_lets_through_what_no_cell_compiles_and_says_so() {
    let env = Env::new("not_exercised");
    env.write("xupgrade.toml", "unexercised = \"allow\"\n");
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let of = |one: &Value| ["project", "name", "proof"].map(|key| text(one, key).to_owned()).join(" ");
    let mut upgrades: Vec<String> = ran.report["upgrades"].as_array().unwrap().iter().map(of).collect();
    upgrades.sort();
    assert_eq!(upgrades, [". optional none", ". seen tests", ". windows-only none", "tool seen none"]);
}

#[test]
fn fail_on_held_ends_with_ten_when_somebody_can_act() {
    let run = shared("breaks_build", &["--fail-on-held"]);
    assert_eq!(run.ran.code, 10, "{}", run.ran.said());
    assert!(!run.ran.report["branch"].is_null());
}

#[test]
fn fail_on_held_is_content_when_nothing_is_held() {
    let run = shared("lock_only", &["--fail-on-held", "--strategy", "one-by-one"]);
    assert_eq!(run.ran.code, 0, "{}", run.ran.said());
    assert_eq!(run.ran.upgrades().len(), 3);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let env = Env::new("lock_only");
    let before = common::snapshot::Snapshot::of(env.repo());
    let ran = env.run(&["--dry-run", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(ran.stdout.contains("ant") && ran.stdout.contains("1.0.1"), "{}", ran.stdout);
    assert_eq!(before.changes(&common::snapshot::Snapshot::of(env.repo())), [""; 0]);
}

#[test]
fn another_output_folder_leaves_the_repository_without_one() {
    let env = Env::new("breaks_build");
    let out = env.world.root.join("elsewhere");
    let ran = env.run(&["--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert!(out.join("report.json").is_file() && out.join("journal.jsonl").is_file());
    assert!(!env.repo().join("xupgrade.out").exists());
}

#[test]
fn a_configured_check_takes_the_place_of_a_default_one() {
    let env = Env::new("breaks_test_lands_lower");
    let check = "[[check]]\nname = \"test\"\necosystem = \"cargo\"\ncommand = \"cargo test --lib --locked -- --skip counts_from_one\"\n";
    env.write("xupgrade.toml", check);
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["count 1.0.0 -> 1.1.0"], "{}", ran.said());
}

#[test]
fn a_hold_by_key_counts_and_one_that_names_nothing_is_told_once_with_the_nearest_name() {
    let env = Env::new("lock_only");
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &manifest.replace("ant = \"1\"", "emmet = { package = \"ant\", version = \"1\" }"));
    let lib = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write("src/lib.rs", &lib.replace("ant::", "emmet::"));
    let hold = |name: &str| format!("[[hold]]\nname = \"{name}\"\nreason = \"ticket 7\"\n");
    env.write("xupgrade.toml", &(hold("emmet") + &hold("bees"))).commit();
    let ran = env.run(&["plan", "--format", "json", "--as-of", AS_OF]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(why(&plan, "ant"), "held_by_user", "{plan:#}");
    assert_eq!(names(&plan, "candidates"), ["bee", "cat"], "{plan:#}");
    assert_eq!(ran.stderr.matches("[[hold]]").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("the `[[hold]]` of `bees` in xupgrade.toml holds nothing"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`bee` is near"), "{}", ran.stderr);
}
