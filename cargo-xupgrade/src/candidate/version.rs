//! Versions as both ecosystems write them, their order, and what a step from one to another is called.
//! Values only.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::EcosystemKind;

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

/// Which position changes between two versions, by the ecosystem's rule.
///
/// Cargo (the Cargo book, "`SemVer` compatibility"): the leftmost non-zero position is the major one, so 0.31 to 0.32 is
/// a major step. Go (the Go modules reference): the first number is the major one, whatever it is, so
/// v0.18 to v0.20 is a minor step.
#[must_use]
pub fn level(ecosystem: EcosystemKind, from: &Version, to: &Version) -> Level {
    let (a, b) = (from.semver(), to.semver());
    if !compatible(ecosystem, from, to) {
        Level::Major
    } else if a.minor != b.minor || to.is_commit() {
        // Nobody called a commit a mere fix.
        Level::Minor
    } else {
        Level::Patch
    }
}

/// Whether the ecosystem promises that code for `from` works with `to`.
#[must_use]
pub fn compatible(ecosystem: EcosystemKind, from: &Version, to: &Version) -> bool {
    match ecosystem {
        EcosystemKind::Go => from.semver().major == to.semver().major,
        EcosystemKind::Cargo => cargo_compatible(from.semver(), to.semver()),
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
