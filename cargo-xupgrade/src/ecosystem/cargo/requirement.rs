//! Arithmetic on Cargo version requirements: what one admits, and how it is raised with as little change to the author's
//! text as can be. Pure: text and versions in, text and values out. The rules are Cargo's, which are those of the `semver`
//! crate: <https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html>.

use std::cmp::Ordering;

pub use crate::candidate::cargo_compatible as compatible;
use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

#[cfg(test)]
mod tests;

/// How an author wrote a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// `1.2` or `^1.2`.
    Caret,
    /// `~1.2`.
    Tilde,
    /// `=1.2.3`.
    Exact,
    /// `1.*` or `*`.
    Wildcard,
    /// `>=1.2`, `<2`, or several comparators with commas between them.
    Range,
}

/// A text that is no version requirement for Cargo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no version requirement ({message}); write one as Cargo's reference describes them")]
pub struct RequirementError {
    /// The text as it was given.
    pub text: String,
    /// What the parser had against it.
    pub message: String,
}

/// What became of the wish to raise a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raise {
    /// The text needs no change.
    AlreadyAdmits,
    /// The text to write in its place.
    To(String),
    /// No text would be right.
    Refused(Refusal),
}

/// Why a requirement was not raised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The text is no requirement.
    #[error(transparent)]
    Unreadable(#[from] RequirementError),
    /// The version lies below everything that is admitted now.
    #[error("{to} is lower than {floor}, the lowest version that is admitted now; pick a higher version")]
    BelowFloor {
        /// The lowest version that is admitted now.
        floor: Version,
        /// The version that was asked for.
        to: Version,
    },
    /// The comparators contradict each other.
    #[error("`{text}` admits no version at all; mend it by hand")]
    AdmitsNothing {
        /// The text as it was given.
        text: String,
    },
    /// Nothing in this form admits the version, as a wildcard never admits a pre-release.
    #[error("`{text}` cannot be written in the same form so that it admits {to}; change it by hand")]
    NotInThisForm {
        /// The text as it was given.
        text: String,
        /// The version that was asked for.
        to: Version,
    },
}

/// How the author wrote this requirement.
///
/// # Errors
/// When the text is no requirement.
pub fn form(text: &str) -> Result<Form, RequirementError> {
    parse(text).map(|requirement| form_of(&requirement))
}

/// Whether a requirement admits a version, by Cargo's rule: build metadata do not count, and a pre-release is admitted only
/// beside a comparator that names a pre-release of the same three numbers. A text that is no requirement admits nothing.
#[must_use]
pub fn admits(text: &str, version: &Version) -> bool {
    parse(text).is_ok_and(|requirement| requirement.matches(version))
}

/// The lowest version a requirement admits; `None` when it admits none or is no requirement.
#[cfg(test)]
pub(crate) fn floor(text: &str) -> Option<Version> {
    floor_of(&parse(text).ok()?)
}

/// The requirement that admits `to`, in the author's form and precision: `1.2` becomes `1.3`, `0.8.5` becomes `0.9.1`,
/// `>=0.10, <0.12` becomes `>=0.10, <0.15`. A text that admits `to` stays, with one exception: a requirement that names a
/// pre-release goes on to the first stable version (`0.9.0-beta.1` to `0.9.5`), for else the door to pre-releases stays open.
#[must_use]
pub fn raise(text: &str, to: &Version) -> Raise {
    changed(text, to, Wish::Admit).unwrap_or_else(Raise::Refused)
}

/// As [`raise`], and the requirement names `to` also when it admits it already, as far as its precision goes: `1.2` becomes
/// `1.4` for `1.4.3`, and `1` stays for `1.5.0`. A range keeps its floor, and a wildcard has none to raise.
#[must_use]
pub fn raise_floor(text: &str, to: &Version) -> Raise {
    changed(text, to, Wish::Name).unwrap_or_else(Raise::Refused)
}

/// What the caller wants of the new text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// That it admits the version.
    Admit,
    /// That it names the version as its floor, as far as the precision goes.
    Name,
}

fn changed(text: &str, to: &Version, wish: Wish) -> Result<Raise, Refusal> {
    let requirement = parse(text)?;
    let to = Version { build: BuildMetadata::EMPTY, ..to.clone() };
    let floor = floor_of(&requirement).ok_or_else(|| Refusal::AdmitsNothing { text: text.to_owned() })?;
    if to < floor {
        return Err(Refusal::BelowFloor { floor, to });
    }
    let rewrite = must_rewrite(&requirement, &to, wish);
    if !rewrite && requirement.matches(&to) {
        return Ok(Raise::AlreadyAdmits);
    }
    let new = rewritten(text, &requirement, |comparator| rewrite || !comparator.matches(&to), &to);
    match parse(&new) {
        Ok(same) if same == requirement && same.matches(&to) => Ok(Raise::AlreadyAdmits),
        Ok(raised) if raised.matches(&to) => Ok(Raise::To(new)),
        _ => Err(Refusal::NotInThisForm { text: text.to_owned(), to }),
    }
}

/// Whether a requirement is written anew although it may admit the version: because that was wished, or because it names a
/// pre-release and the version is stable. Only a comparator that stands alone and has a floor of its own can be.
fn must_rewrite(requirement: &VersionReq, to: &Version, wish: Wish) -> bool {
    let [only] = requirement.comparators.as_slice() else {
        return false;
    };
    let leaves_prerelease = !only.pre.is_empty() && to.pre.is_empty();
    matches!(only.op, Op::Caret | Op::Tilde | Op::Exact) && (wish == Wish::Name || leaves_prerelease)
}

/// The text with each comparator that `chosen` picks raised to `to`, and all else, spaces and operators too, as it was.
fn rewritten(text: &str, requirement: &VersionReq, chosen: impl Fn(&Comparator) -> bool, to: &Version) -> String {
    let mut comparators = requirement.comparators.iter();
    let pieces = text.split(',').map(|piece| match comparators.next() {
        Some(comparator) if chosen(comparator) => raised_piece(piece, comparator, to),
        _ => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join(",")
}

/// One comparator's text with its version exchanged. A lower bound never stands in the way of a higher version, so it stays.
fn raised_piece(piece: &str, comparator: &Comparator, to: &Version) -> String {
    let start = piece.find(|c: char| c.is_ascii_digit() || matches!(c, '*' | 'x' | 'X')).unwrap_or(piece.len());
    let length = piece[start..].find(' ').unwrap_or(piece.len() - start);
    let (lead, version, tail) = (&piece[..start], &piece[start..start + length], &piece[start + length..]);
    let version = match comparator.op {
        Op::Less => at_precision(version, next_ceiling(comparator, to)),
        Op::Greater | Op::GreaterEq => version.to_owned(),
        Op::Caret | Op::Tilde | Op::Exact if !to.pre.is_empty() => to.to_string(),
        _ => at_precision(version, [to.major, to.minor, to.patch]),
    };
    format!("{lead}{version}{tail}")
}

/// The numbers written with as many positions as `template` has; its wildcards stay wildcards, and what follows the numbers
/// (a pre-release, build metadata) goes.
fn at_precision(template: &str, numbers: [u64; 3]) -> String {
    let core = template.split(['-', '+']).next().unwrap_or(template);
    let positions = core.split('.').zip(numbers).map(|(old, new)| match old.parse::<u64>() {
        Ok(_) => new.to_string(),
        Err(_) => old.to_owned(),
    });
    positions.collect::<Vec<_>>().join(".")
}

/// The lowest ceiling above `to` that counts in the same position as the old one: that of its last number that is not zero,
/// so `<2.0.0` goes to `<3.0.0` and `<0.12` to `<0.15`.
fn next_ceiling(old: &Comparator, to: &Version) -> [u64; 3] {
    let position = numbers_of(old).iter().rposition(|&number| number != 0).unwrap_or(0);
    let mut numbers = [to.major, to.minor, to.patch];
    numbers[position] = numbers[position].saturating_add(1);
    numbers[position + 1..].fill(0);
    numbers
}

fn parse(text: &str) -> Result<VersionReq, RequirementError> {
    VersionReq::parse(text).map_err(|error| RequirementError { text: text.to_owned(), message: error.to_string() })
}

fn form_of(requirement: &VersionReq) -> Form {
    match requirement.comparators.as_slice() {
        [] => Form::Wildcard,
        [only] => match only.op {
            Op::Caret => Form::Caret,
            Op::Tilde => Form::Tilde,
            Op::Exact => Form::Exact,
            Op::Wildcard => Form::Wildcard,
            _ => Form::Range,
        },
        _ => Form::Range,
    }
}

/// The highest of the comparators' floors. When that is a pre-release which another comparator shuts out, its stable version.
fn floor_of(requirement: &VersionReq) -> Option<Version> {
    // The lowest version there is, which only a bound like `<0.0.0-rc.1` admits.
    let lowest = Version { pre: Prerelease::new("0").expect("a number is a pre-release"), ..Version::new(0, 0, 0) };
    let highest = requirement.comparators.iter().filter_map(comparator_floor).max().unwrap_or(lowest);
    let stable = Version { pre: Prerelease::EMPTY, ..highest.clone() };
    [highest, stable].into_iter().find(|version| requirement.matches(version))
}

fn comparator_floor(comparator: &Comparator) -> Option<Version> {
    let [major, minor, patch] = numbers_of(comparator);
    let named = Version { pre: comparator.pre.clone(), ..Version::new(major, minor, patch) };
    match comparator.op {
        Op::Less | Op::LessEq => None,
        Op::Greater => Some(just_above(comparator, named)),
        _ => Some(named),
    }
}

/// The lowest version above a `>` bound: the next one in the last position that was written, for `>1.2` shuts out all of `1.2`.
fn just_above(comparator: &Comparator, named: Version) -> Version {
    if !named.pre.is_empty() {
        // Of two pre-releases the one with more fields is the higher, and `0` is the lowest field.
        let pre =
            Prerelease::new(&format!("{}.0", named.pre)).expect("one more numeric field keeps a pre-release valid");
        return Version { pre, ..named };
    }
    match (comparator.minor, comparator.patch) {
        (None, _) => Version::new(named.major.saturating_add(1), 0, 0),
        (_, None) => Version::new(named.major, named.minor.saturating_add(1), 0),
        _ => Version::new(named.major, named.minor, named.patch.saturating_add(1)),
    }
}

fn numbers_of(comparator: &Comparator) -> [u64; 3] {
    [comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0)]
}

/// Whether two versions are the same for Cargo, which does not look at build metadata.
#[must_use]
pub fn same_version(a: &Version, b: &Version) -> bool {
    a.cmp_precedence(b) == Ordering::Equal
}
