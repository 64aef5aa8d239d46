//! The limits of one resolve, beside the rule on ages that holds for a whole run: the newest Rust that a release may need,
//! and, where a lockfile is known that all upgrades together lead to, the versions in it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::super::index::Glance;
use super::super::requirement::{compatible, same_version};
use crate::candidate::toolchain_exceeds;

/// Versions by lower-case name of their crate.
pub type Versions = BTreeMap<String, BTreeSet<Version>>;

/// The limits of one resolve on the releases of one registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The newest Rust that a release may need; `None` is no limit.
    pub rust: Option<String>,
    /// Versions that are locked: shown, whatever Rust they need.
    pub locked: Versions,
    /// The only versions that are shown, beside the locked ones; `None` is no limit.
    pub only: Option<Versions>,
    /// Crates of which a resolve may choose certain versions only, by lower-case name.
    pub lines: BTreeMap<String, Vec<Line>>,
    /// Crates of which nothing above a version is shown where `only` is no limit, by lower-case name.
    pub tops: BTreeMap<String, Version>,
}

/// The compatible versions of a crate that a resolve may choose between. They rank above everything else in [`Limits`] but
/// the Rust that they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Any version of the line: versions that are compatible with it belong to the line.
    pub with: Version,
    /// The versions that are shown.
    pub shown: BTreeSet<Version>,
}

/// The effect of [`Limits`] on one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Free to be chosen.
    Shown,
    /// Left out: not among the versions that may be chosen.
    Hidden,
    /// Left out, as it needs this Rust, which is too new.
    NeedsRust(String),
}

impl Line {
    /// A line of which one version alone is shown.
    #[must_use]
    pub fn only(version: &Version) -> Self {
        Self { with: version.clone(), shown: BTreeSet::from([version.clone()]) }
    }
}

impl Limits {
    /// The effect on one release of a crate, given by its lower-case name.
    #[must_use]
    pub fn sight(&self, name: &str, release: &Glance) -> Sight {
        let is_in = |versions: &Versions| versions.get(name).is_some_and(|found| has(found, &release.version));
        let line = self.line_of(name, &release.version);
        if line.is_some_and(|line| !has(&line.shown, &release.version)) {
            return Sight::Hidden;
        }
        if is_in(&self.locked) {
            return Sight::Shown;
        }
        let is_open = match &self.only {
            Some(only) => is_in(only),
            None => self.tops.get(name).is_none_or(|top| release.version <= *top),
        };
        if line.is_none() && !is_open {
            return Sight::Hidden;
        }
        match (&self.rust, &release.rust_version) {
            (Some(limit), Some(needs)) if toolchain_exceeds(needs, limit) => Sight::NeedsRust(needs.clone()),
            _ => Sight::Shown,
        }
    }

    fn line_of(&self, name: &str, version: &Version) -> Option<&Line> {
        let is_it = |line: &&Line| same_version(&line.with, version) || compatible(&line.with, version);
        self.lines.get(name)?.iter().find(is_it)
    }
}

fn has(versions: &BTreeSet<Version>, version: &Version) -> bool {
    versions.iter().any(|one| same_version(one, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glance(version: &str, rust: Option<&str>) -> Glance {
        let version = version.parse().unwrap();
        Glance { version, published: None, rust_version: rust.map(str::to_owned) }
    }

    fn versions(name: &str, found: &[&str]) -> Versions {
        [(name.to_owned(), found.iter().map(|one| one.parse().unwrap()).collect())].into()
    }

    #[test]
    fn a_release_that_needs_a_newer_rust_is_hidden_unless_it_is_locked() {
        let limits = Limits { rust: Some("1.70".into()), locked: versions("x", &["1.2.0"]), ..Limits::default() };
        assert_eq!(limits.sight("x", &glance("1.1.0", Some("1.70.0"))), Sight::Shown);
        assert_eq!(limits.sight("x", &glance("1.1.0", None)), Sight::Shown);
        assert_eq!(limits.sight("x", &glance("1.3.0", Some("1.71"))), Sight::NeedsRust("1.71".into()));
        assert_eq!(limits.sight("x", &glance("1.2.0", Some("1.71"))), Sight::Shown);
    }

    #[test]
    fn towards_a_target_only_its_versions_and_the_locked_ones_are_shown() {
        let limits =
            Limits { locked: versions("x", &["1.0.0"]), only: Some(versions("x", &["1.2.0"])), ..Limits::default() };
        let shown = ["1.0.0", "1.1.0", "1.2.0"].map(|one| limits.sight("x", &glance(one, None)) == Sight::Shown);
        assert_eq!(shown, [true, false, true]);
        assert_eq!(limits.sight("y", &glance("1.0.0", None)), Sight::Hidden);
    }

    #[test]
    fn of_a_line_only_the_wanted_version_is_shown_and_other_lines_are_as_they_were() {
        let line = Line { with: "1.0.0".parse().unwrap(), shown: ["1.4.0".parse().unwrap()].into() };
        let lines = [("x".to_owned(), vec![line])].into();
        let mut limits = Limits { locked: versions("x", &["1.0.0"]), lines, ..Limits::default() };
        let shown =
            |limits: &Limits| ["1.0.0", "1.4.0", "1.5.0", "2.0.0"].map(|one| limits.sight("x", &glance(one, None)));
        assert_eq!(shown(&limits), [Sight::Hidden, Sight::Shown, Sight::Hidden, Sight::Shown]);
        limits.tops.insert("x".into(), "1.4.0".parse().unwrap());
        assert_eq!(shown(&limits), [Sight::Hidden, Sight::Shown, Sight::Hidden, Sight::Hidden]);
        // The wanted version may require a later one of the same crate, which is in the target then.
        limits.only = Some(versions("x", &["2.0.0"]));
        assert_eq!(shown(&limits), [Sight::Hidden, Sight::Shown, Sight::Hidden, Sight::Shown]);
    }

    #[test]
    fn the_wanted_version_of_a_line_may_not_need_a_newer_rust_either() {
        let line = Line { with: "1.0.0".parse().unwrap(), shown: ["1.4.0".parse().unwrap()].into() };
        let lines = [("x".to_owned(), vec![line])].into();
        let limits = Limits { lines, rust: Some("1.70".into()), ..Limits::default() };
        assert_eq!(limits.sight("x", &glance("1.4.0", Some("1.71"))), Sight::NeedsRust("1.71".into()));
        assert_eq!(limits.sight("x", &glance("1.4.0", Some("1.70"))), Sight::Shown);
    }
}
