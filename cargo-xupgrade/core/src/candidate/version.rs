//! Versions as both ecosystems write them, their order, and what a step from one to another is called.
//! Values only.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version: its spelling in the ecosystem (`1.2.3`, `v1.2.3`) and its `SemVer` order.
/// Build metadata takes no part in the order.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    semver: semver::Version,
}

impl Version {
    /// Reads a version in Cargo's or in Go's spelling.
    ///
    /// # Errors
    /// When it is not a `SemVer` version (Go's leading `v` is allowed).
    pub fn parse(text: &str) -> Result<Self, semver::Error> {
        let semver = semver::Version::parse(text.strip_prefix('v').unwrap_or(text))?;
        Ok(Self { text: text.to_owned(), semver })
    }

    /// The version as `SemVer` sees it.
    #[must_use]
    pub fn semver(&self) -> &semver::Version {
        &self.semver
    }

    /// The spelling without build metadata, as it may be written into a requirement.
    #[must_use]
    pub fn plain(&self) -> &str {
        match self.text.split_once('+') {
            Some((plain, build)) if build != "incompatible" => plain,
            _ => &self.text,
        }
    }

    /// Whether this is a pre-release (Go's pseudo-versions are pre-releases, too).
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.semver.pre.is_empty()
    }

    /// Whether a Go version was made from a commit (the Go modules reference, "Pseudo-versions"): its last part is
    /// fourteen digits, a dash and twelve hexadecimal digits.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        let Some((rest, hash)) = self.semver.pre.as_str().rsplit_once('-') else { return false };
        let stamp = rest.rsplit('.').next().unwrap_or(rest);
        hash.len() == 12 && stamp.len() == 14 && stamp.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl From<semver::Version> for Version {
    fn from(semver: semver::Version) -> Self {
        Self { text: semver.to_string(), semver }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Version {}
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.semver.cmp_precedence(&other.semver)
    }
}
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The position of the version number that changes, by the ecosystem's own rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Fixes only.
    Patch,
    /// Additions.
    Minor,
    /// Anything may have changed.
    Major,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// The promise of a package on its versions: which of them are compatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Compatible are versions with the same leftmost number that is not zero (the Cargo book, "`SemVer` compatibility").
    LeftmostNumber,
    /// Compatible are versions with the same first number, whatever it is (the Go modules reference, "Versions").
    FirstNumber,
    /// Compatible are all versions: the path of the Go module names its major (`gopkg.in/yaml.v1`, `/v2`), and another
    /// major is another module. A commit of `gopkg.in/yaml.v1` may be called v0.0.0 all the same (the Go modules reference, "Pseudo-versions";
    /// `module.MatchPathMajor` of golang.org/x/mod).
    Path,
}

/// The position that changes between two versions of a package: Cargo calls 0.31 to 0.32 a major step, Go calls v0.18 to
/// v0.20 a minor one.
#[must_use]
pub fn level(promise: Promise, from: &Version, to: &Version) -> Level {
    let (a, b) = (from.semver(), to.semver());
    if !compatible(promise, from, to) {
        Level::Major
    } else if (a.major, a.minor) != (b.major, b.minor) || to.is_commit() {
        // Nobody called a commit a mere fix.
        Level::Minor
    } else {
        Level::Patch
    }
}

/// The promise that code for one version works with another one.
#[must_use]
pub fn compatible(promise: Promise, from: &Version, to: &Version) -> bool {
    match promise {
        Promise::LeftmostNumber => cargo_compatible(from.semver(), to.semver()),
        Promise::FirstNumber => from.semver().major == to.semver().major,
        Promise::Path => true,
    }
}

/// Whether two versions are compatible for Cargo: the leftmost number that is not zero is the same.
#[must_use]
pub fn cargo_compatible(a: &semver::Version, b: &semver::Version) -> bool {
    let line = |version: &semver::Version| match (version.major, version.minor, version.patch) {
        (0, 0, patch) => (0, 0, patch),
        (0, minor, _) => (0, minor, 0),
        (major, _, _) => (major, 0, 0),
    };
    line(a) == line(b)
}

/// The order of two toolchain versions: true where the first is above the second. `1.64` equals `1.64.0`. Go orders `1.24` before `1.24rc1` before
/// `1.24.0` (package `go/version`), but all three name the same language: a release that says `1.24.0` has a line that says
/// `1.24` gain its `.0`, and asks for nothing newer.
#[must_use]
pub fn toolchain_exceeds(needs: &str, has: &str) -> bool {
    toolchain_key(needs) > toolchain_key(has)
}

fn toolchain_key(text: &str) -> (u64, u64, i64, u64) {
    const CANDIDATE: i64 = -1;
    let mut parts = text.trim().split('.');
    let major = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let second = parts.next().unwrap_or("0");
    let digits = second.find(|c: char| !c.is_ascii_digit()).unwrap_or(second.len());
    let minor = second[..digits].parse().unwrap_or(0);
    let (patch, extra) = match (parts.next(), &second[digits..]) {
        (Some(patch), _) => (patch.parse().unwrap_or(0), 0),
        (None, "") => (0, 0),
        (None, suffix) => (CANDIDATE, suffix.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)),
    };
    (major, minor, patch, extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_two_parts_means_the_first_release_of_its_language() {
        assert!(!toolchain_exceeds("1.24.0", "1.24"));
        assert!(!toolchain_exceeds("1.24rc1", "1.24"));
        assert!(toolchain_exceeds("1.24.1", "1.24"));
        assert!(toolchain_exceeds("1.24.0", "1.24rc1"));
        assert!(!toolchain_exceeds("1.64.0", "1.64"));
    }
}
