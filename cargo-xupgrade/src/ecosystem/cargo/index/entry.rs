//! The lines of an index file, as values. Pure. Format:
//! <https://doc.rust-lang.org/cargo/reference/registry-index.html#json-schema>, and for what cargo does
//! with lines it does not understand (it leaves them out) `cargo/sources/registry/index/mod.rs`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;

use semver::Version;
use serde::Deserialize;

use crate::clock::Instant;

/// The newest index line format that is understood; lines of a newer one are left out, as cargo does.
const NEWEST_FORMAT: u32 = 2;

/// One published version of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its version, with build metadata if it has any.
    pub version: Version,
    /// Withdrawn: no new lock may take it.
    pub yanked: bool,
    /// The oldest Rust it says it builds with, as written (`1.70`, `1.70.0`).
    pub rust_version: Option<String>,
    /// When it was published, if the registry says so.
    pub published: Option<Instant>,
    /// Its features and what each one turns on; both feature tables of the index in one.
    pub features: BTreeMap<String, Vec<String>>,
    /// The native library it claims; one package of a graph may claim each.
    pub links: Option<String>,
    /// What it needs, in the order of the index.
    pub dependencies: Vec<ReleaseDep>,
    /// The SHA-256 of its `.crate` file, in hexadecimal.
    pub checksum: String,
}

/// One dependency of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseDep {
    /// The package's real name.
    pub name: String,
    /// The name its features and code use, when it differs from the package's.
    pub alias: Option<String>,
    /// The version requirement as written.
    pub requirement: String,
    /// When it is needed.
    pub kind: DepKind,
    /// Whether a feature must ask for it.
    pub optional: bool,
    /// The features it turns on.
    pub features: Vec<String>,
    /// Whether it keeps the default features.
    pub default_features: bool,
    /// The target or `cfg(...)` it is for.
    pub target: Option<String>,
}

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepKind {
    /// By the crate itself.
    #[default]
    Normal,
    /// By its build script.
    Build,
    /// By its own tests only.
    Dev,
}

/// What one line says at a glance, without its features and dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// The version on the line.
    pub version: Version,
    /// When it was published, if the line says so.
    pub published: Option<Instant>,
    /// The oldest Rust it says it builds with, as written.
    pub rust_version: Option<String>,
}

/// What a plan needs to know of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// Its version, with build metadata if it has any.
    pub version: Version,
    /// Withdrawn: no new lock may take it.
    pub yanked: bool,
    /// The oldest Rust it says it builds with, as written.
    pub rust_version: Option<String>,
    /// When it was published, if the registry says so.
    pub published: Option<Instant>,
    /// Which of the features asked about it does not have, sorted.
    pub lacks: Vec<String>,
}

#[derive(Deserialize)]
struct BriefLine<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
    yanked: Option<bool>,
    #[serde(borrow)]
    rust_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pubtime: Option<Cow<'a, str>>,
    v: Option<u32>,
}

#[derive(Deserialize)]
struct ShortLine<'a> {
    #[serde(borrow)]
    vers: Cow<'a, str>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    rust_version: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct FullLine {
    vers: String,
    #[serde(default)]
    deps: Vec<LineDep>,
    #[serde(default)]
    cksum: String,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
    features2: Option<BTreeMap<String, Vec<String>>>,
    yanked: Option<bool>,
    rust_version: Option<String>,
    pubtime: Option<String>,
    links: Option<String>,
    v: Option<u32>,
}

#[derive(Deserialize)]
struct LineDep {
    name: String,
    package: Option<String>,
    req: String,
    kind: Option<DepKind>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default = "yes")]
    default_features: bool,
    target: Option<String>,
}

fn yes() -> bool {
    true
}

/// The lines of a body, each with what it says at a glance; `None` for a line that cannot be read.
pub fn glances(body: &[u8]) -> impl Iterator<Item = (&[u8], Option<Glance>)> {
    lines(body).map(|line| (line, glance(line)))
}

/// All releases of a body, lowest version first. Lines that cannot be read are left out, as cargo does.
#[must_use]
pub fn releases(body: &[u8]) -> Vec<Release> {
    let mut releases: Vec<Release> = lines(body).filter_map(release).collect();
    releases.sort_by(|a, b| a.version.cmp(&b.version));
    releases
}

/// The release of one version, lines about others unread; its build metadata do not count.
#[must_use]
pub fn release_of(body: &[u8], version: &Version) -> Option<Release> {
    let bare = Version { build: semver::BuildMetadata::EMPTY, ..version.clone() }.to_string();
    let telling = lines(body).filter(|line| may_be_about(line, bare.as_bytes()));
    telling.filter_map(release).find(|release| release.version.cmp_precedence(version).is_eq())
}

/// Whether a line is worth reading whole: it says no version early on, as registries write their lines, or this one.
fn may_be_about(line: &[u8], bare: &[u8]) -> bool {
    const KEY: &[u8] = b"\"vers\":\"";
    const EARLY: usize = 160;
    let head = &line[..line.len().min(EARLY)];
    let Some(at) = head.windows(KEY.len()).position(|part| part == KEY) else { return true };
    line[at + KEY.len()..].strip_prefix(bare).is_some_and(|rest| rest.starts_with(b"\"") || rest.starts_with(b"+"))
}

/// All releases of a body in brief, lowest version first. Features are looked into only where some are asked about:
/// they and the dependencies are nine tenths of a line.
#[must_use]
pub fn briefs(body: &[u8], features: &BTreeSet<String>) -> Vec<Brief> {
    let asked: Vec<&String> = features.iter().filter(|feature| *feature != "default").collect();
    let mut briefs: Vec<Brief> = lines(body).filter_map(|line| brief(line, &asked)).collect();
    briefs.sort_by(|a, b| a.version.cmp(&b.version));
    briefs
}

fn brief(line: &[u8], asked: &[&String]) -> Option<Brief> {
    let short: BriefLine = serde_json::from_slice(line).ok()?;
    if short.v.is_some_and(|format| format > NEWEST_FORMAT) {
        return None;
    }
    let lacks = match asked {
        [] => Vec::new(),
        asked => {
            let whole = release(line)?;
            asked.iter().filter(|feature| !whole.has_feature(feature)).map(|feature| (*feature).clone()).collect()
        }
    };
    Some(Brief {
        version: Version::parse(&short.vers).ok()?,
        yanked: short.yanked.unwrap_or(false),
        rust_version: short.rust_version.map(Cow::into_owned),
        published: short.pubtime.as_deref().and_then(instant),
        lacks,
    })
}

impl Release {
    /// Whether it has a feature: a named one, or an optional dependency that no `dep:` hides (the Cargo book, "Features").
    #[must_use]
    pub fn has_feature(&self, feature: &str) -> bool {
        if feature == "default" || self.features.contains_key(feature) {
            return true;
        }
        let hidden = format!("dep:{feature}");
        let is_hidden = self.features.values().flatten().any(|value| *value == hidden);
        let named = |one: &ReleaseDep| one.alias.as_deref().unwrap_or(&one.name) == feature;
        !is_hidden && self.dependencies.iter().any(|one| one.optional && named(one))
    }
}

/// Whether a body is an index file at all: one line of it can be read. A login page is not.
#[must_use]
pub fn is_index_file(body: &[u8]) -> bool {
    lines(body).any(|line| glance(line).is_some())
}

/// Whether a registry's `config.json` says `auth-required`.
#[must_use]
pub fn wants_credentials(config: &[u8]) -> bool {
    let config: Option<serde_json::Value> = serde_json::from_slice(config).ok();
    config.is_some_and(|config| config["auth-required"] == true)
}

/// The lines of a body that are not blank. Index files of all locked packages are some 50 MB, and `skip_until` looks for
/// the end of a line many bytes at once.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    let next = move || {
        let line = rest;
        // Reading from memory does not fail.
        let length = rest.skip_until(b'\n').unwrap_or(0);
        (length > 0).then(|| line[..length].strip_suffix(b"\n").unwrap_or(&line[..length]))
    };
    std::iter::from_fn(next).filter(|line| !line.trim_ascii().is_empty())
}

fn glance(line: &[u8]) -> Option<Glance> {
    let line: ShortLine = serde_json::from_slice(line).ok()?;
    Some(Glance {
        version: Version::parse(&line.vers).ok()?,
        published: line.pubtime.as_deref().and_then(instant),
        rust_version: line.rust_version.map(Cow::into_owned),
    })
}

fn release(line: &[u8]) -> Option<Release> {
    let line: FullLine = serde_json::from_slice(line).ok()?;
    if line.v.is_some_and(|format| format > NEWEST_FORMAT) {
        return None;
    }
    let mut features = line.features;
    features.extend(line.features2.unwrap_or_default());
    Some(Release {
        version: Version::parse(&line.vers).ok()?,
        yanked: line.yanked.unwrap_or(false),
        rust_version: line.rust_version,
        published: line.pubtime.as_deref().and_then(instant),
        features,
        links: line.links,
        dependencies: line.deps.into_iter().map(dependency).collect(),
        checksum: line.cksum,
    })
}

fn dependency(dep: LineDep) -> ReleaseDep {
    let (name, alias) = match dep.package {
        Some(package) => (package, Some(dep.name)),
        None => (dep.name, None),
    };
    ReleaseDep {
        name,
        alias,
        requirement: dep.req,
        kind: dep.kind.unwrap_or_default(),
        optional: dep.optional,
        features: dep.features,
        default_features: dep.default_features,
        target: dep.target,
    }
}

/// A time that cannot be read counts as not given: its age is unknown, which the rules provide for.
fn instant(text: &str) -> Option<Instant> {
    Instant::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_version_the_line_is_read_whatever_the_others_say() {
        let body = b"no line at all\n\
            {\"vers\":\"1.0.0\",\"deps\":[{\"name\":\"x\",\"req\":\"1.0.1\"}]}\n\
            {\"vers\":\"1.0.10\"}\n\
            {\"vers\": \"1.0.1+more\",\"yanked\":true}\n";
        let found = release_of(body, &Version::new(1, 0, 1)).unwrap();
        assert_eq!((found.version.to_string().as_str(), found.yanked), ("1.0.1+more", true));
        assert_eq!(release_of(body, &Version::new(1, 0, 0)).unwrap().dependencies.len(), 1);
        assert!(release_of(body, &Version::new(1, 1, 0)).is_none());
    }
}
