//! Who requires what, and what that admits.

use std::fmt::Write as _;

use super::super::{index, lock};
use super::*;
use crate::candidate::{Dependency, EcosystemKind};

const SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// A lockfile of `name version [uses]`; a name with a capital comes from a folder.
fn locked(packages: &[(&str, &str, &[&str])]) -> Lock {
    let mut text = String::from("version = 4\n");
    for (name, version, uses) in packages {
        let uses: Vec<String> = uses.iter().map(|one| format!("\"{one}\"")).collect();
        let source = if name.starts_with(char::is_uppercase) { "" } else { SOURCE };
        let uses = uses.join(", ");
        let _ = write!(
            text,
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\ndependencies = [{uses}]\n"
        );
    }
    lock::read(&text).unwrap()
}

fn members(all: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    all.iter().map(|(name, rust)| ((*name).to_owned(), rust.map(str::to_owned))).collect()
}

fn known(all: &[(&str, &str)]) -> Entries {
    all.iter().map(|(name, text)| (usual(name), Ok(index::releases(text.as_bytes())))).collect()
}

/// A crate of crates-io.
fn usual(name: &str) -> Crate {
    (RegistryKey::crates_io(), name.to_owned())
}

/// The reasons against the releases of the one package that is found.
fn against(lock: &Lock, entries: &Entries) -> Vec<Option<String>> {
    let found = find(lock, &members(&[("App", None)]));
    let made = dependencies(&Project::of(EcosystemKind::Cargo, ".", &[]), &found, entries, entries);
    let [Dependency { releases, .. }] = &made[..] else { panic!("not one: {made:?}") };
    releases.iter().map(|one| one.unfit.as_ref().map(|reason| reason.text.clone())).collect()
}

const X: &str = r#"{"vers":"1.0.0","yanked":true}
{"vers":"1.0.1"}
{"vers":"1.1.0","features":{"more":[]}}
{"vers":"2.0.0","features":{"more":[]}}"#;

fn asking(requirement: &str, more: &str) -> String {
    format!(r#"{{"vers":"1.0.0","deps":[{{"name":"x","req":"{requirement}"{more}}}]}}"#)
}

fn chain() -> Lock {
    locked(&[("App", "0.1.0", &["user"]), ("user", "1.0.0", &["x"]), ("x", "1.0.0", &[])])
}

#[test]
fn what_a_member_requires_too_is_not_transitive_but_another_version_of_it_is() {
    let lock = locked(&[
        ("App", "0.1.0", &["user", "x 1.0.0"]),
        ("user", "1.0.0", &["x 1.0.0", "x 0.9.0"]),
        ("x", "0.9.0", &[]),
        ("x", "1.0.0", &[]),
    ]);
    let found = find(&lock, &members(&[("App", None)]));
    let named: Vec<String> = found.iter().map(|one| format!("{} {}", one.name(), one.package.version)).collect();
    assert_eq!(named, ["x 0.9.0"]);
}

#[test]
fn what_only_a_folder_outside_of_the_project_requires_is_transitive() {
    let lock = locked(&[("App", "0.1.0", &["Near"]), ("Near", "0.1.0", &["x"]), ("x", "1.0.0", &[])]);
    let entries = known(&[("x", X)]);
    let told = against(&lock, &entries);
    assert!(told[1].is_none() && told[2].is_none(), "cargo will tell: {told:?}");
    assert!(told[3].as_ref().unwrap().contains("what Near 0.1.0 admits is not known"), "{told:?}");
}

#[test]
fn the_least_rust_version_of_all_members_that_reach_a_package_counts() {
    let lock = locked(&[
        ("New", "0.1.0", &["user", "y"]),
        ("Old", "0.1.0", &["user"]),
        ("user", "1.0.0", &["x"]),
        ("x", "1.0.0", &[]),
        ("y", "1.0.0", &["z"]),
        ("z", "1.0.0", &["y"]),
    ]);
    let found = find(&lock, &members(&[("New", Some("1.90")), ("Old", Some("1.70")), ("Far", Some("1.10"))]));
    let told: Vec<_> = found.iter().map(|one| (one.name(), one.toolchain.as_deref())).collect();
    assert_eq!(told, [("x", Some("1.70")), ("z", Some("1.90"))]);
}

#[test]
fn a_release_that_a_user_does_not_admit_is_no_rung_and_the_user_is_named() {
    let told = against(&chain(), &known(&[("user", &asking("~1.0", "")), ("x", X)]));
    assert_eq!((told[0].as_deref(), told[1].as_deref()), (None, None));
    let text = "user 1.0.0 requires `x = \"~1.0\"`, which does not admit 1.1.0; only another release of user can \
                change that";
    assert_eq!(told[2].as_deref(), Some(text));
    let wide = against(&chain(), &known(&[("user", &asking(">=1, <3", "")), ("x", X)]));
    assert_eq!(wide, [None, None, None, None]);
}

#[test]
fn every_user_must_admit_it_and_what_a_user_needs_for_its_own_tests_does_not_count() {
    let lock = locked(&[
        ("App", "0.1.0", &["one", "two"]),
        ("one", "1.0.0", &["x"]),
        ("two", "1.0.0", &["x"]),
        ("x", "1.0.0", &[]),
    ]);
    let told = against(&lock, &known(&[("one", &asking("1", "")), ("two", &asking("=1.0.0", "")), ("x", X)]));
    assert!(told[1].as_ref().unwrap().starts_with("two 1.0.0 requires"), "{told:?}");
    let dev = asking("=1.0.0", r#","kind":"dev"},{"name":"x","req":"1""#);
    assert_eq!(against(&chain(), &known(&[("user", &dev), ("x", X)]))[1], None);
}

#[test]
fn an_optional_requirement_gives_way_to_one_that_always_counts() {
    let both = asking("=1.0.0", r#","optional":true},{"name":"x","req":"1""#);
    assert_eq!(against(&chain(), &known(&[("user", &both), ("x", X)]))[1], None);
    let alone = asking("=1.0.0", r#","optional":true"#);
    assert!(against(&chain(), &known(&[("user", &alone), ("x", X)]))[1].is_some());
}

#[test]
fn a_release_without_a_feature_that_a_user_enables_is_no_rung() {
    let told = against(&chain(), &known(&[("user", &asking("1", r#","features":["more"]"#)), ("x", X)]));
    assert_eq!(told[1].as_deref(), Some("1.0.1 has no feature `more`, which user 1.0.0 enables"));
    assert_eq!(told[2], None);
}

#[test]
fn releases_are_wanted_of_the_yanked_ones_or_of_all() {
    let (lock, entries) = (chain(), known(&[("user", &asking("1", "")), ("x", X)]));
    let found = find(&lock, &members(&[("App", None)]));
    let sound = known(&[("x", r#"{"vers":"1.0.0"}"#)]);
    assert_eq!(wanted(&found, &entries, TransitiveRule::Withdrawn), BTreeSet::from([usual("x")]));
    assert_eq!(wanted(&found, &sound, TransitiveRule::Withdrawn), BTreeSet::new());
    assert_eq!(wanted(&found, &sound, TransitiveRule::All), BTreeSet::from([usual("x")]));
}

#[test]
fn what_the_index_does_not_tell_is_told() {
    let lock = chain();
    let found = find(&lock, &members(&[("App", None)]));
    let entries: Entries = [(usual("x"), Err(IndexError::NotCached("x".into())))].into();
    let (names, error) = unknown(&found, &entries).unwrap();
    assert_eq!((names, error), (vec!["x"], &IndexError::NotCached("x".into())));
    assert!(unknown(&found, &known(&[("x", X)])).is_none());
}
