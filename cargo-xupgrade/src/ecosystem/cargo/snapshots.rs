//! Packages that let a test accept what it sees, and the variables that keep them from it: a candidate must not bless its
//! own snapshots. Pure.

use std::collections::BTreeMap;

use super::lock::Lock;

/// The variables that each of them reads. Cargo's `[env]` leaves alone what is set, so a repository that has its snapshots
/// updated on the way is overruled. For trybuild and snapbox the value says what they do where nothing is said.
const READ: &[(&str, &[(&str, &str)])] = &[
    ("insta", &[("INSTA_UPDATE", "no"), ("INSTA_FORCE_PASS", "0")]),
    ("snapbox", &[("SNAPSHOTS", "verify")]),
    ("trybuild", &[("TRYBUILD", "wip")]),
];

/// The variables for the checks of a workspace with this lockfile. A package that lies in the workspace itself is the one
/// under test there, and its tests may set them or expect them to be unset.
pub fn variables(locked: &Lock) -> BTreeMap<String, String> {
    let is_used = |name: &str| locked.packages.iter().any(|one| one.name == name && one.source.is_some());
    let is_own = |name: &str| locked.packages.iter().any(|one| one.name == name && one.source.is_none());
    let read = READ.iter().filter(|(name, _)| is_used(name) && !is_own(name));
    read.flat_map(|(_, variables)| *variables).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::cargo::lock;

    fn names(packages: &[(&str, &str)]) -> Vec<String> {
        let package =
            |(name, more): &(&str, &str)| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{more}\n");
        let text = format!("version = 4\n\n{}", packages.iter().map(package).collect::<String>());
        variables(&lock::read(&text).unwrap()).into_keys().collect()
    }

    #[test]
    fn only_packages_that_are_used_and_not_under_test_get_their_variables() {
        const ELSEWHERE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        assert_eq!(names(&[("app", ""), ("serde", ELSEWHERE)]), [""; 0]);
        assert_eq!(names(&[("app", ""), ("insta", ELSEWHERE)]), ["INSTA_FORCE_PASS", "INSTA_UPDATE"]);
        assert_eq!(names(&[("insta", ""), ("trybuild", ELSEWHERE)]), ["TRYBUILD"]);
    }
}
