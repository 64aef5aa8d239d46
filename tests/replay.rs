//! `plan --as-of` again: other folders, cold and warm caches, a registry that has moved on; the same bytes each time. What
//! cannot be looked at as of an instant is listed.

use std::path::Path;

use serde_json::Value;

use crate::common::registry::{Trouble, serve};
use crate::common::{AS_OF, Env, fixture, text};

/// Releases that came out after [`AS_OF`]: newer patches, breaking ones, yanked ones, retractions, a changed requirement.
const LATER: &str = r#"
-- crates/ant/1.0.2/.release --
published = "2025-07-01T00:00:00Z"
-- crates/ant/2.0.0/.release --
published = "2025-07-01T00:00:00Z"
-- crates/gone/1.1.0/.release --
published = "2025-07-01T00:00:00Z"
yanked = true
-- crates/inner/0.9.5/.release --
published = "2025-07-01T00:00:00Z"
-- crates/inner/1.2.0/.release --
published = "2025-07-01T00:00:00Z"
yanked = true
-- crates/calm/1.1.0/.release --
published = "2025-07-01T00:00:00Z"
-- crates/outer/1.1.0/.release --
published = "2025-07-01T00:00:00Z"
-- crates/outer/1.1.0/Cargo.toml --
[dependencies]
stuck = "1"
-- modules/demo.test/fine/v1.2.0/.release --
published = "2025-07-01T00:00:00Z"
-- modules/demo.test/fine/v1.2.0/fine.go --
package fine
-- modules/demo.test/fine/v1.2.0/go.mod --
module demo.test/fine

go 1.99

retract v1.1.0
-- modules/demo.test/cache/v1.3.0/.release --
published = "2025-07-01T00:00:00Z"
-- modules/demo.test/cache/v1.3.0/cache.go --
package cache
-- modules/demo.test/cache/v1.3.0/go.mod --
// Deprecated: use another one.
module demo.test/cache

go 1.21

retract v1.1.0
-- modules/demo.test/bad/v1.0.2/.release --
published = "2025-07-01T00:00:00Z"
-- modules/demo.test/bad/v1.0.2/bad.go --
package bad
"#;

fn bytes(env: &Env, args: &[&str]) -> String {
    let ran = env.run(&[&["plan", "--format", "json", "--as-of", AS_OF], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.said());
    ran.stdout
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Which of the two machines.
#[derive(PartialEq)]
enum Machine {
    One,
    Other,
}

/// Plans a world in all these ways and compares; `dress` makes each machine ready.
fn assert_replayable(name: &str, args: &[&str], dress: impl Fn(&Env, Machine)) {
    let here = Env::new(name);
    dress(&here, Machine::One);
    let cold = bytes(&here, args);
    assert_eq!(bytes(&here, args), cold, "{name}: warm caches");

    let elsewhere = Env::from_archive(&(fixture(name) + LATER));
    dress(&elsewhere, Machine::Other);
    assert_eq!(elsewhere.git(&["rev-parse", "HEAD"]), here.git(&["rev-parse", "HEAD"]));
    assert_eq!(bytes(&elsewhere, args), cold, "{name}: another machine, after newer releases");

    for folder in ["registry", "goproxy"] {
        let (from, to) = (elsewhere.world.root.join(folder), here.world.root.join(folder));
        if from.exists() {
            copy(&from, &to);
        }
    }
    assert_eq!(bytes(&here, args), cold, "{name}: warm caches, after newer releases");
    let later = here.json(&["plan", "--format", "json", "--as-of", "2025-08-01T00:00:00Z"]);
    assert_ne!(later["candidates"], serde_json::from_str::<Value>(&cold).unwrap()["candidates"], "{name}");
}

#[test]
fn a_mixed_plan_is_the_same_bytes_on_two_machines_cold_and_warm_and_after_newer_releases() {
    assert_replayable("mixed", &["--level", "breaking"], |_, _| {});
}

#[test]
fn a_plan_with_retractions_is_the_same_bytes_after_later_retractions() {
    assert_replayable("go_retracted", &[], |_, _| {});
}

#[test]
fn a_plan_of_transitive_packages_is_the_same_bytes_after_newer_releases() {
    assert_replayable("transitive_yanked", &["--transitive"], |_, _| {});
}

#[test]
fn a_plan_from_a_sparse_registry_is_the_same_bytes_with_cold_and_warm_caches() {
    assert_replayable("transitive_yanked", &["--transitive", "--level", "breaking"], |env, machine| {
        serve(env, "nothing", Trouble::Silence);
        // The first machine begins with nothing, the other one with cargo's own cache.
        if machine == Machine::Other {
            let said = env.command("cargo").args(["fetch", "--locked"]).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        }
    });
}

#[test]
fn what_holds_a_broken_project_reads_the_same_on_two_machines() {
    for name in ["broken_toml", "broken_go_mod", "conflict_markers"] {
        assert_eq!(bytes(&Env::new(name), &[]), bytes(&Env::new(name), &[]), "{name}");
    }
}

#[test]
fn a_crate_that_the_registry_lost_reads_the_same_on_two_machines() {
    let lost = |env: &Env| std::fs::remove_file(env.world.root.join("registry/index/3/a/ant")).unwrap();
    let (one, two) = (Env::new("lock_only"), Env::new("lock_only"));
    lost(&one);
    lost(&two);
    assert_eq!(bytes(&one, &[]), bytes(&two, &[]));
}

/// What cannot be replayed, as `name version kind`.
fn gaps(plan: &Value) -> Vec<String> {
    let list = plan["not_replayable"].as_array().unwrap_or_else(|| panic!("{plan:#}"));
    let version = |one: &Value| one["version"].as_str().unwrap_or("-").to_owned();
    list.iter().map(|one| format!("{} {} {}", text(one, "name"), version(one), text(one, "kind"))).collect()
}

#[test]
fn yanked_versions_that_count_and_refusals_are_listed_and_the_table_has_a_line_for_them() {
    let world = fixture("lock_only")
        + "-- crates/ant/1.0.0/.release --\nyanked = true\n\
           -- crates/bee/1.3.0/.release --\nyanked = true\n\
           -- crates/bee/1.1.0/.release --\nyanked = true\n\
           -- crates/bee/1.4.0/.release --\nyanked = true\npublished = \"2025-07-01T00:00:00Z\"\n";
    let env = Env::from_archive(&world);
    std::fs::remove_file(env.world.root.join("registry/index/3/c/cat")).unwrap();
    assert_eq!(gaps(&env.plan(&[])), ["ant 1.0.0 withdrawn", "bee 1.3.0 withdrawn", "cat - registry_refused"]);
    let table = env.run(&["plan", "--as-of", AS_OF]).stdout;
    let line = table.lines().find(|line| line.contains("history")).unwrap_or_else(|| panic!("{table}"));
    assert!(line.ends_with("ant 1.0.0 (yanked), bee 1.3.0 (yanked), cat (refused)"), "{line}");
}

#[test]
fn a_world_with_dates_and_without_yanks_has_nothing_that_cannot_be_replayed() {
    let env = Env::new("mixed");
    assert_eq!(gaps(&env.plan(&[])), [""; 0]);
    assert!(!env.run(&["plan", "--as-of", AS_OF]).stdout.contains("history"));
}
