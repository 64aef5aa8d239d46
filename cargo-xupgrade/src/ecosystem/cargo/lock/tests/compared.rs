//! What differs between two lockfiles: the judgement "never down" per package and per edge, by examples and over generated
//! graphs.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{EdgeFlip, Lock, LockDiff, Moved, Named, diff, package_versions, read};
use super::{REGISTRY, lock, named, v};

fn moved(name: &str, from: &str, to: &str) -> Moved {
    Moved { name: name.to_owned(), from: v(from), to: v(to) }
}

fn flip(user: (&str, &str), dependency: &str, from: &str, to: &str) -> EdgeFlip {
    EdgeFlip { user: named(user.0, user.1), dependency: dependency.to_owned(), from: v(from), to: v(to) }
}

fn difference(before: &[&str], after: &[&str]) -> LockDiff {
    diff(&lock(before), &lock(after))
}

#[test]
fn two_lines_of_one_crate_are_two_raises() {
    let found = difference(
        &["app 0.1.0 -> rand 0.8.5, rand 0.9.0", "rand 0.8.5", "rand 0.9.0"],
        &["app 0.1.0 -> rand 0.8.6, rand 0.9.1", "rand 0.8.6", "rand 0.9.1"],
    );
    assert_eq!(
        found,
        LockDiff {
            raised: vec![moved("rand", "0.8.5", "0.8.6"), moved("rand", "0.9.0", "0.9.1")],
            ..LockDiff::default()
        }
    );
    assert_eq!(found.arrivals(), [named("rand", "0.8.6"), named("rand", "0.9.1")]);
}

#[test]
fn the_compatible_version_is_the_successor_and_not_the_highest() {
    let found = difference(
        &["app 0.1.0 -> rand, a", "a 1.0.0 -> rand", "rand 0.8.5"],
        &["app 0.1.0 -> rand 0.9.1, a", "a 1.0.0 -> rand 0.8.6", "rand 0.8.6", "rand 0.9.1"],
    );
    assert_eq!(found.raised, [moved("rand", "0.8.5", "0.8.6")]);
    assert_eq!((found.added, found.removed), (vec![named("rand", "0.9.1")], vec![]));
}

#[test]
fn a_crate_that_goes_from_git_to_the_registry_stays_itself() {
    let text = |versions: &[(&str, &str)]| {
        let package = |(version, source): &(&str, &str)| {
            format!("[[package]]\nname = \"a\"\nversion = \"{version}\"\nsource = \"{source}\"\n")
        };
        format!("version = 4\n{}", versions.iter().map(package).collect::<String>())
    };
    let lock = |versions: &[(&str, &str)]| read(&text(versions)).expect("a lockfile");
    let before = lock(&[("1.0.0", "git+https://host/a#abc")]);
    let found = diff(&before, &lock(&[("1.0.1", REGISTRY), ("2.0.0", REGISTRY)]));
    assert_eq!(found.raised, [moved("a", "1.0.0", "1.0.1")]);
    assert_eq!((found.source_changed.len(), found.added), (1, vec![named("a", "2.0.0")]));
    let both = lock(&[("1.0.0", "git+https://host/a#abc"), ("1.0.9", REGISTRY)]);
    let found = diff(&both, &lock(&[("1.0.12", "git+https://host/a#abd"), ("1.0.10", REGISTRY)]));
    assert_eq!(found.raised, [moved("a", "1.0.0", "1.0.12"), moved("a", "1.0.9", "1.0.10")]);
    assert_eq!(found.source_changed, []);
}

#[test]
fn a_raise_across_a_break_is_no_removal() {
    let found =
        difference(&["app 0.1.0 -> rand", "rand 0.8.5"], &["app 0.1.0 -> rand", "rand 0.9.1", "rand_core 0.9.0"]);
    assert_eq!(found.raised, [moved("rand", "0.8.5", "0.9.1")]);
    assert_eq!((found.added, found.removed), (vec![named("rand_core", "0.9.0")], vec![]));
}

#[test]
fn a_second_copy_beside_the_first_is_added() {
    let found = difference(
        &["app 0.1.0 -> rand, a", "a 1.0.0 -> rand", "rand 0.8.5"],
        &["app 0.1.0 -> rand 0.9.1, a", "a 1.0.0 -> rand 0.8.5", "rand 0.8.5", "rand 0.9.1"],
    );
    assert_eq!(found, LockDiff { added: vec![named("rand", "0.9.1")], ..LockDiff::default() });
}

#[test]
fn a_package_that_falls_is_lowered() {
    let found = difference(&["app 0.1.0 -> a", "a 1.5.0"], &["app 0.1.0 -> a", "a 1.4.0"]);
    assert_eq!(found, LockDiff { lowered: vec![moved("a", "1.5.0", "1.4.0")], ..LockDiff::default() });
}

#[test]
fn a_package_that_falls_across_a_break_is_lowered_once() {
    let found = difference(&["app 0.1.0 -> a", "a 2.0.0"], &["app 0.1.0 -> a", "a 1.4.0"]);
    assert_eq!(found, LockDiff { lowered: vec![moved("a", "2.0.0", "1.4.0")], ..LockDiff::default() });
}

#[test]
fn an_edge_that_falls_to_a_version_not_locked_before_is_lowered_although_the_package_stays() {
    let found = difference(
        &["app 0.1.0 -> a, b", "a 1.0.0 -> z", "b 1.0.0 -> z", "z 0.52.0"],
        &["app 0.1.0 -> a, b", "a 1.0.0 -> z 0.52.0", "b 1.0.0 -> z 0.48.0", "z 0.48.0", "z 0.52.0"],
    );
    assert_eq!(found, LockDiff { lowered: vec![moved("z", "0.52.0", "0.48.0")], ..LockDiff::default() });
}

#[test]
fn the_falling_edge_of_a_user_that_moved_itself_is_lowered() {
    let found = difference(
        &["app 0.1.0 -> a, z", "a 1.0.0 -> z", "z 0.52.0"],
        &["app 0.1.0 -> a, z 0.52.0", "a 2.0.0 -> z 0.48.0", "z 0.48.0", "z 0.52.0"],
    );
    assert_eq!(
        (found.raised, found.lowered),
        (vec![moved("a", "1.0.0", "2.0.0")], vec![moved("z", "0.52.0", "0.48.0")])
    );
}

#[test]
fn an_edge_that_flips_between_locked_versions_is_reported_and_not_lowered() {
    let both = ["z 0.48.0", "z 0.52.0", "c 1.0.0 -> z 0.48.0", "d 1.0.0 -> z 0.52.0"];
    let before = [&["app 0.1.0 -> a, c, d", "a 1.0.0 -> z 0.52.0"][..], &both].concat();
    let after = [&["app 0.1.0 -> a, c, d", "a 1.0.0 -> z 0.48.0"][..], &both].concat();
    let down = difference(&before, &after);
    assert_eq!(down, LockDiff { flipped: vec![flip(("a", "1.0.0"), "z", "0.52.0", "0.48.0")], ..LockDiff::default() });
    let up = difference(&after, &before);
    assert_eq!(up.flipped, [flip(("a", "1.0.0"), "z", "0.48.0", "0.52.0")]);
}

#[test]
fn a_copy_that_goes_because_its_last_edge_flipped_is_removed() {
    let found = difference(
        &["app 0.1.0 -> z 0.48.0, a", "a 1.0.0 -> z 0.52.0", "z 0.48.0", "z 0.52.0"],
        &["app 0.1.0 -> z, a", "a 1.0.0 -> z", "z 0.52.0"],
    );
    assert_eq!(found.flipped, [flip(("app", "0.1.0"), "z", "0.48.0", "0.52.0")]);
    assert_eq!((found.removed, found.lowered), (vec![named("z", "0.48.0")], vec![]));
}

#[test]
fn an_old_version_that_a_newcomer_brings_is_added_and_lowers_nothing() {
    let found = difference(
        &["app 0.1.0 -> x 1.0.0, y", "y 1.0.0 -> x 2.0.0", "x 1.0.0", "x 2.0.0"],
        &["app 0.1.0 -> x 2.0.0, y, new", "y 1.0.0 -> x 2.0.0", "new 1.0.0 -> x 0.9.0", "x 0.9.0", "x 2.0.0"],
    );
    assert!(found.lowered.is_empty(), "{:?}", found.lowered);
    assert_eq!(found.added, [named("new", "1.0.0"), named("x", "0.9.0")]);
    assert_eq!(found.removed, [named("x", "1.0.0")]);
}

#[test]
fn a_source_and_a_checksum_that_change_are_reported() {
    let text = |source: &str, sum: &str| {
        format!(
            "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{}\"\n",
            sum.repeat(64)
        )
    };
    let lock = |source: &str, sum: &str| read(&text(source, sum)).expect("a lockfile");
    let before = lock(REGISTRY, "0");
    let elsewhere = diff(&before, &lock("git+https://host/a#abc", "0"));
    assert_eq!(elsewhere.source_changed.len(), 1);
    assert_eq!(elsewhere.source_changed[0].to.as_deref(), Some("git+https://host/a#abc"));
    let commit = diff(&lock("git+https://host/a#abc", "0"), &lock("git+https://host/a#abd", "0"));
    assert_eq!(commit.source_changed.len(), 1);
    let forged = diff(&before, &lock(REGISTRY, "1"));
    assert_eq!((forged.checksum_changed.len(), forged.source_changed.len()), (1, 0));
}

#[test]
fn a_patch_that_nothing_uses_any_more_is_reported() {
    let text = "version = 4\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    let unused = format!("{text}[[patch.unused]]\nname = \"foo\"\nversion = \"1.0.0\"\n");
    let (before, after) = (read(text).expect("a lockfile"), read(&unused).expect("a lockfile"));
    assert_eq!(diff(&before, &after).patches_left_unused, [named("foo", "1.0.0")]);
    assert!(diff(&after, &after).is_empty());
}

#[test]
fn build_metadata_alone_are_no_fall() {
    let found = difference(&["app 0.1.0 -> a", "a 1.0.0+b"], &["app 0.1.0 -> a", "a 1.0.0+a"]);
    assert!(found.lowered.is_empty());
}

/// Some versions of two crates, and who uses which.
fn graph() -> impl Strategy<Value = Vec<String>> {
    let versions = || {
        prop::collection::btree_set(
            prop::sample::select(vec!["0.8.5", "0.8.6", "0.9.0", "1.0.0", "1.4.0", "2.0.0"]),
            1..4,
        )
    };
    (versions(), versions(), prop::collection::vec(any::<prop::sample::Index>(), 8)).prop_map(|(a, b, picks)| {
        let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
        let mut lines: Vec<String> = b.iter().map(|version| format!("b {version}")).collect();
        lines.extend(a.iter().zip(&picks[2..]).map(|(version, pick)| format!("a {version} -> b {}", pick.get(&b))));
        lines.push(format!("app 0.1.0 -> a {}, b {}", picks[0].get(&a), picks[1].get(&b)));
        lines
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_accounts_for_every_package_once(before in graph(), after in graph()) {
        let [before, after] = [before, after].map(|lines| lock(&lines.iter().map(String::as_str).collect::<Vec<_>>()));
        let found = diff(&before, &after);
        let names = |lock: &Lock| lock.packages.iter().map(super::super::named).collect::<BTreeSet<Named>>();
        // A fall seen on an edge may name a version that is locked on both sides, so only what came and went is compared.
        let arrived: BTreeSet<Named> = names(&after).difference(&names(&before)).cloned().collect();
        prop_assert_eq!(found.arrivals().into_iter().collect::<BTreeSet<_>>(), arrived);
        for raise in &found.raised {
            prop_assert!(raise.from < raise.to);
        }
        for fall in &found.lowered {
            prop_assert!(fall.to < fall.from && !package_versions(&before, &fall.name).contains(&fall.to));
        }
        prop_assert!(diff(&before, &before).is_empty());
        prop_assert_eq!(found.is_empty(), before == after);
    }
}
