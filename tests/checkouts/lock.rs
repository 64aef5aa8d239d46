//! Projects that keep no Cargo.lock in git.

use serde_json::Value;

use super::Place;
use crate::common::{Env, find, names, promises, snapshot::Snapshot, text};

const FIXTURE: &str = "checkout_lock_untracked";

fn reason<'a>(plan: &'a Value, name: &str) -> &'a Value {
    &find(plan, "held", name).unwrap_or_else(|| panic!("{name} is not held: {plan:#}"))["reason"]
}

#[test]
fn a_lock_that_git_does_not_track_is_resolved_afresh_and_not_taken_from_the_checkout() {
    let env = Env::new(FIXTURE);
    let old = std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap();
    let plan = env.plan(&[]);
    assert_eq!(
        (names(&plan, "candidates"), names(&plan, "newest")),
        (vec!["narrow".to_owned()], vec!["binder".to_owned(), "near".to_owned()])
    );
    assert_eq!(text(find(&plan, "newest", "near").unwrap(), "at"), "1.2.0");
    assert_eq!(plan["projects"][0]["lock"]["tracked"], false);
    assert_eq!(text(&plan["projects"][0]["lock"], "sha256").len(), 64);
    assert_eq!(std::fs::read_to_string(env.repo().join("Cargo.lock")).unwrap(), old);
    std::fs::remove_file(env.repo().join("Cargo.lock")).unwrap();
    assert_eq!(env.plan(&[]), plan, "the lock of the checkout matters");
}

#[test]
fn an_upgrade_that_only_a_lock_outside_of_git_would_record_is_held() {
    let plan = Env::new(FIXTURE).plan(&[]);
    let reason = reason(&plan, "bound");
    assert_eq!(reason["kind"], "no_lockfile", "{reason:#}");
    assert!(text(reason, "text").contains("1.1.0") && text(reason, "text").contains("--manifest always"), "{reason:#}");
}

#[test]
fn an_upgrade_beyond_the_requirement_is_published_without_any_lock() {
    let env = Env::new(FIXTURE);
    let before = Snapshot::of(env.repo());
    let ran = env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["narrow 1.0.0 -> 1.1.0"], "{}", ran.said());
    promises::hold(&env, &ran, &before);
    let tip = text(&ran.report, "tip");
    assert_eq!(env.git(&["diff", "--name-only", "main", tip]), "Cargo.toml");
    assert!(env.git(&["show", &format!("{tip}:Cargo.toml")]).contains("narrow = \"~1.1\" # by hand"));
    let said = "Cargo.lock is not in git";
    assert!(env.git(&["show", "--no-patch", "--format=%B", tip]).contains(said));
    assert!(ran.upgrade("narrow")["notes"].to_string().contains(said));
    assert!(ran.stderr.contains(said), "{}", ran.said());
}

#[test]
fn the_lock_that_was_tested_is_kept_beside_the_report() {
    let run = crate::common::shared(FIXTURE, &["--all"]);
    let project = &run.ran.report["projects"][0];
    let kept = |key: &str| {
        let path = run.env.repo().join("xupgrade.out").join(text(&project["tested_lock"], key));
        std::fs::read_to_string(path).unwrap()
    };
    let digest = |text: &str| cargo_xupgrade::digest::sha256_hex(text.as_bytes());
    assert_eq!(digest(&kept("file")), text(&project["tested_lock"], "sha256"));
    assert_eq!(digest(&kept("base_file")), text(&project["lock"], "sha256"));
    let narrow = |lock: &str| lock.split("name = \"narrow\"\nversion = ").nth(1).unwrap()[..7].to_owned();
    assert_eq!((narrow(&kept("base_file")), narrow(&kept("file"))), ("\"1.0.0\"".into(), "\"1.1.0\"".into()));
}

#[test]
fn a_lock_that_a_check_spoils_is_put_back_before_the_next_one() {
    let env = Env::new(FIXTURE);
    let spoil = "[[check]]\nname = \"spoil\"\necosystem = \"cargo\"\nphase = \"gate\"\n\
                 command = [\"sh\", \"-c\", \"echo nonsense >> Cargo.lock\"]\n";
    env.write("xupgrade.toml", spoil);
    let ran = env.run(&[]);
    assert_eq!((ran.code, ran.upgrades()), (0, vec!["narrow 1.0.0 -> 1.1.0".to_owned()]), "{}", ran.said());
}

#[test]
fn a_project_whose_lock_cannot_be_resolved_is_held_whole_with_cargos_words() {
    let env = Env::new(FIXTURE);
    let text_of = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    env.write("Cargo.toml", &text_of.replace("near = \"1\"", "near = \"9\"")).commit();
    // The old lock is in that commit, too, and must not be.
    env.git(&["rm", "--quiet", "--cached", "Cargo.lock"]);
    env.git(&["commit", "--quiet", "--message=No lock"]);
    let plan = env.plan(&[]);
    let obstacle = &plan["projects"][0]["obstacle"];
    assert_eq!(obstacle["kind"], "no_lockfile", "{obstacle:#}");
    for word in ["not in git", "near", "^9"] {
        assert!(text(obstacle, "text").contains(word), "no {word} in {obstacle:#}");
    }
    assert_eq!(reason(&plan, "narrow"), obstacle, "its dependencies are held, too");
}

/// Makes the project require a crate out of a git repository beside it, and gives the commit where that one stands.
fn require_from_git(env: &Env) -> String {
    let (folder, manifest) = (env.world.root.join("afar"), "[package]\nname = \"afar\"\nversion = \"0.1.0\"\n");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("src/lib.rs"), "").unwrap();
    let git = |args: &[&str]| env.git(&[&["-C", folder.to_str().unwrap()], args].concat());
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=Afar"]);
    git(&["rev-parse", "HEAD"])
}

/// Commits the requirement; `more` says which commit it means.
fn write_requirement(env: &Env, more: &str) {
    let manifest = std::fs::read_to_string(env.repo().join("Cargo.toml")).unwrap();
    let rest: Vec<&str> = manifest.lines().filter(|line| !line.starts_with("afar")).collect();
    let afar = format!("afar = {{ git = \"file://{}/afar\"{more} }}", env.world.root.display());
    env.write("Cargo.toml", &format!("{}\n{afar}\n", rest.join("\n")));
    env.git(&["commit", "--quiet", "--message=Afar", "Cargo.toml"]);
}

#[test]
fn what_a_lock_of_our_own_takes_from_git_is_listed_and_never_fetched_offline() {
    let env = Env::new(FIXTURE);
    let commit = require_from_git(&env);
    write_requirement(&env, "");
    let plan = env.plan(&[]);
    let gap = &plan["not_replayable"][0];
    assert_eq!((text(gap, "name"), text(gap, "version"), text(gap, "kind")), ("afar", "0.1.0", "from_git"), "{plan:#}");
    let offline = env.plan(&["--offline"]);
    let obstacle = &offline["projects"][0]["obstacle"];
    assert_eq!(obstacle["kind"], "not_cached", "{offline:#}");
    let words = text(obstacle, "text");
    assert!(words.contains("/afar, which cannot be asked offline; commit one"), "{words}");
    // The very commit is the same another day.
    write_requirement(&env, &format!(", rev = \"{commit}\""));
    let plan = env.plan(&[]);
    assert_eq!(plan["not_replayable"].as_array().unwrap().len(), 0, "{plan:#}");
    assert_eq!(names(&plan, "candidates"), ["narrow"], "{plan:#}");
}

#[test]
fn a_bare_repository_has_no_lock_in_its_checkout_and_the_same_plan() {
    Place::new(FIXTURE, &["clone", "--quiet", "--bare", "@", "%"]).assert_usual_plan();
}

#[test]
fn a_lock_in_git_that_no_rule_shows_to_discovery_is_still_the_projects_own() {
    let env = Env::new("lock_only");
    std::fs::create_dir_all(env.repo().join("testdata/p")).unwrap();
    env.git(&["mv", "Cargo.toml", "Cargo.lock", "src", "testdata/p"]);
    env.write("xupgrade.toml", "include = [\"**/testdata/**/Cargo.toml\"]\nexclude = [\"**/Cargo.lock\"]\n").commit();
    let plan = env.plan(&[]);
    assert_eq!(plan["projects"][0]["path"], "testdata/p", "{plan:#}");
    assert!(plan["projects"][0].get("lock").is_none_or(Value::is_null), "{plan:#}");
    assert_eq!(names(&plan, "candidates"), ["ant", "bee", "cat"], "{plan:#}");
}
