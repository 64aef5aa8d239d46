//! The words of cargo's resolver where it finds no solution (`cargo update`, `generate-lockfile`, `fetch`): the packages
//! that it names, and the part that each of them has in the conflict. Reads stderr as it is or joined to one line.
//!
//! The texts are made in cargo's `core/resolver/errors.rs`; the recorded ones in the tests are cargo 1.95's.

use semver::Version;

use super::super::has_any;

/// A package as the resolver names it: `` package `name v1.0.0` ``, with its source behind it unless it is of crates.io.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
}

/// Tells a conflict between versions from the other refusals: ``all possible versions conflict with previously selected
/// packages``, followed by each of them.
#[must_use]
pub fn is_version_conflict(words: &str) -> bool {
    words.contains("all possible versions conflict with previously selected packages")
}

/// A line, or all words on one line, of a resolve that finds no solution, of whichever of the reasons.
#[must_use]
pub fn is_of_conflict(line: &str) -> bool {
    let signs = ["failed to select a version for", "previously selected package", "links to the native library"];
    has_any(line, &signs)
}

/// The crate for which no version was found, of either form: ``failed to select a version for `x`.`` (there are versions,
/// and each meets a conflict) and ``... for the requirement `x = "^2"` `` (no release, or none that is shown, matches).
#[must_use]
pub fn unsolved(words: &str) -> Option<&str> {
    let rest = words.split_once("failed to select a version for ")?.1;
    let quoted = rest.strip_prefix("the requirement ").unwrap_or(rest).strip_prefix('`')?;
    quoted.split(['`', ' ']).next().filter(|name| !name.is_empty())
}

/// The requirement that no release matches: name and range of ``failed to select a version for the requirement
/// `x = "^2"` ``. This is also what cargo says of a range of which the index shows no release.
#[must_use]
pub fn unmatched(words: &str) -> Option<(&str, &str)> {
    let quoted = words.split_once("failed to select a version for the requirement `")?.1.split('`').next()?;
    let (name, range) = quoted.split_once(" = ")?;
    Some((name, range.trim_matches('"')))
}

/// Packages that were selected before and stand in the way, in the order of the words: ``previously selected package
/// `once_cell v1.18.0` ``. Where such a one is only locked, unlocking it may let the resolve go through.
#[must_use]
pub fn previously_selected(words: &str) -> Vec<Named> {
    named_after(words, "previously selected package `")
}

/// Packages that the lockfile fixes, in the order of the words: ``dependency `x = "^1"` (locked to 1.0.65)``, in either
/// chain: that of the unsolved crate and those of the packages selected before.
#[must_use]
pub fn locked(words: &str) -> Vec<Named> {
    let of_mark = |(at, mark): (usize, &str)| {
        let version = words[at + mark.len()..].split(')').next()?.parse().ok()?;
        let quoted = words[..at].strip_suffix('`')?.rsplit('`').next()?;
        Some(Named { name: quoted.split(' ').next()?.to_owned(), version })
    };
    distinct(words.match_indices(" (locked to ").filter_map(of_mark))
}

/// The package whose requirement could not be met: ``required by package `tempfile v3.27.0` ``. Where it is a locked one,
/// it is the package to unlock: what holds back here is its requirement, and no version that was selected.
#[must_use]
pub fn required_by(words: &str) -> Option<Named> {
    named_after(words, "required by package `").into_iter().next()
}

/// The package that links to the same native library as the unsolved one: ``package `a-sys` links to the native library
/// `a`, but it conflicts with a previous package which links to `a` as well:`` and then ``package `a-sys v0.26.0` ``.
#[must_use]
pub fn linked_before(words: &str) -> Option<Named> {
    let behind = words.split_once("but it conflicts with a previous package which links to `")?.1;
    named_after(behind, "package `").into_iter().next()
}

/// The crate that the index does not have, or (with `--precise`) not in the version that was asked for:
/// ``no matching package named `x` found``.
#[must_use]
pub fn unknown_package(words: &str) -> Option<&str> {
    words.split_once("no matching package named `")?.1.split('`').next()
}

/// Each `name v1.0.0` that stands behind a mark, once.
fn named_after(words: &str, mark: &str) -> Vec<Named> {
    distinct(words.match_indices(mark).filter_map(|(at, mark)| named(&words[at + mark.len()..])))
}

/// The package at the beginning of `name v1.0.0`, `name v1.0.0 (/path)` or `` name v1.0.0 (registry `corp`) ``.
fn named(text: &str) -> Option<Named> {
    let (name, rest) = text.split_once(" v")?;
    let version = rest.split(['`', ' ']).next()?.parse().ok()?;
    (!name.contains('`')).then(|| Named { name: name.to_owned(), version })
}

fn distinct(found: impl Iterator<Item = Named>) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for one in found {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

#[cfg(test)]
mod tests;
