//! `cargo xupgrade plan`: it decides, shows, and changes nothing; the same question has the same answer, byte for byte.

use crate::common::{AS_OF, Env, names, snapshot::Snapshot, text};

const JSON: &[&str] = &["plan", "--format", "json", "--as-of", AS_OF];

fn bytes(env: &Env) -> String {
    let ran = env.run(JSON);
    assert_eq!(ran.code, 0, "{}", ran.said());
    ran.stdout
}

#[test]
fn a_plan_changes_nothing_in_the_repository() {
    let env = Env::new("manifest_edit");
    let before = Snapshot::of(env.repo());
    bytes(&env);
    assert_eq!(before.changes(&Snapshot::of(env.repo())), [""; 0]);
}

#[test]
fn the_same_plan_comes_twice_from_a_cold_and_from_a_warm_cache() {
    let env = Env::new("mixed");
    let cold = bytes(&env);
    assert_eq!(cold, bytes(&env), "warm");
    std::fs::remove_dir_all(env.world.root.join("cache")).unwrap();
    assert_eq!(cold, bytes(&env), "cold again");
}

#[test]
fn a_clone_at_another_path_gets_the_same_plan() {
    let env = Env::new("mixed");
    let other = env.world.root.join("another place/deeper");
    env.git(&["clone", "--quiet", env.repo().to_str().unwrap(), other.to_str().unwrap()]);
    let output = env.tool(JSON).current_dir(&other).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), bytes(&env));
}

#[test]
fn a_plan_is_the_same_from_any_folder_of_the_repository_and_with_repo() {
    let env = Env::new("mixed");
    let usual = bytes(&env);
    let below = env.tool(JSON).current_dir(env.repo().join("svc")).output().unwrap();
    assert_eq!(String::from_utf8(below.stdout).unwrap(), usual);
    let named =
        env.tool(&[JSON, &["--repo", env.repo().to_str().unwrap()]].concat()).current_dir("/").output().unwrap();
    assert_eq!(String::from_utf8(named.stdout).unwrap(), usual);
}

#[test]
fn a_plan_is_for_the_base_that_is_named() {
    let env = Env::new("lock_only");
    let first = env.git(&["rev-parse", "HEAD"]);
    env.write("Cargo.toml", "nonsense").commit();
    let plan = env.plan(&["--base", &first]);
    assert_eq!((text(&plan, "base"), names(&plan, "candidates").len()), (first.as_str(), 3));
}

#[test]
fn the_table_names_each_candidate_and_its_versions() {
    let env = Env::new("breaks_test_lands_lower");
    let ran = env.run(&["plan", "--as-of", AS_OF]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    for word in ["count", "1.0.0", "1.0.2", "1.1.0"] {
        assert!(ran.stdout.contains(word), "no {word} in {}", ran.stdout);
    }
}

#[test]
fn holds_that_nobody_can_act_on_are_counted_and_listed_with_all() {
    let env = Env::new("lock_only");
    let usual = env.run(&["plan", "--as-of", AS_OF, "-p", "bee"]);
    assert!(!usual.stdout.contains("ant "), "{}", usual.stdout);
    assert!(usual.stdout.contains('2'), "{}", usual.stdout);
    let all = env.run(&["plan", "--as-of", AS_OF, "-p", "bee", "--all"]);
    assert!(all.stdout.contains("ant ") && all.stdout.contains("cat "), "{}", all.stdout);
}

#[test]
fn an_uncommitted_change_takes_no_part() {
    let env = Env::new("lock_only");
    let before = bytes(&env);
    env.write("Cargo.toml", "nonsense");
    assert_eq!(bytes(&env), before);
}

#[test]
fn offline_plans_from_what_is_there() {
    let env = Env::new("lock_only");
    let plan = env.plan(&["--offline"]);
    // A local registry is a folder, so all of it is there.
    assert_eq!(names(&plan, "candidates"), ["ant", "bee", "cat"]);
}

#[test]
fn a_repository_without_go_modules_never_needs_go() {
    let mut env = Env::new("lock_only");
    let path = crate::mixed::path_without_go(&env);
    env.set("PATH", path);
    env.vars.remove("XUPGRADE_GO_COMPANION");
    assert_eq!(names(&env.plan(&[]), "candidates"), ["ant", "bee", "cat"]);
}
