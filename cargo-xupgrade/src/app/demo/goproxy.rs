//! A static Go module proxy from `modules/<path>/<version>/...` of an archive, for `GOPROXY=file://...`
//! (the protocol: go.dev/ref/mod#goproxy-protocol). Writes only below the folder it is given.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::json;

use super::archive::Archive;
use super::{pack, write_file};
use crate::digest;
use crate::machine::toml_text;

/// The two hashes that go.sum keeps of a module release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Of all its files.
    pub zip: String,
    /// Of its go.mod alone.
    pub go_mod: String,
}

/// The hashes of each release by module path and version.
pub type ModuleSums = BTreeMap<(String, String), Sums>;

/// When a release without a `.release` file was published.
const PUBLISHED: &str = "2025-01-01T00:00:00Z";

/// `modules/<path>/<version>/.release`: what the proxy says of a release beside its files.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    published: Option<String>,
}

/// Writes every module of the archive into `folder` and says their hashes.
///
/// A file `modules/<path>/.list` is served as the version list in place of the real one.
///
/// # Errors
/// A `.release` file cannot be read, or the folder cannot be written.
pub fn write(archive: &Archive, folder: &Path) -> Result<ModuleSums> {
    let mut sums = ModuleSums::new();
    let mut lists: BTreeMap<String, String> = BTreeMap::new();
    for ((path, version), files) in releases(archive) {
        let at = folder.join(escape(&path)).join("@v");
        let sum =
            release(&at, &path, &version, files).with_context(|| format!("modules/{path}/{version} of the archive"))?;
        let list = lists.entry(path.clone()).or_default();
        if !is_pseudo_version(&version) {
            *list = format!("{list}{version}\n");
        }
        sums.insert((path, version), sum);
    }
    for (file, text) in archive.below("modules") {
        if let Some(path) = file.strip_suffix("/.list") {
            lists.insert(path.to_owned(), text.to_owned());
        }
    }
    for (path, version, info) in newest_commits(&sums, folder)? {
        // Without any tag the newest commit is what a proxy calls the latest version.
        if lists.get(&path).is_none_or(String::is_empty) {
            write_file(&folder.join(escape(&path)).join("@latest"), &info)
                .with_context(|| format!("modules/{path}/{version}"))?;
        }
    }
    for (path, list) in &lists {
        write_file(&folder.join(escape(path)).join("@v/list"), list.as_bytes())?;
    }
    Ok(sums)
}

/// Of each module the highest version that names a commit, with what the proxy says of it.
fn newest_commits(sums: &ModuleSums, folder: &Path) -> Result<Vec<(String, String, Vec<u8>)>> {
    let mut newest: BTreeMap<&String, &String> = BTreeMap::new();
    for (path, version) in sums.keys().filter(|(_, version)| is_pseudo_version(version)) {
        newest.insert(path, version);
    }
    let info = |(path, version): (&String, &String)| {
        let file = folder.join(escape(path)).join("@v").join(format!("{version}.info"));
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok((path.clone(), version.clone(), bytes))
    };
    newest.into_iter().map(info).collect()
}

/// Puts the real hashes where a go.sum says `h1:@`; every other byte stays.
#[must_use]
pub fn fill_sum(go_sum: &str, sums: &ModuleSums) -> String {
    go_sum.split_inclusive('\n').map(|line| fill_line(line, sums).unwrap_or_else(|| line.to_owned())).collect()
}

fn fill_line(line: &str, sums: &ModuleSums) -> Option<String> {
    let mut words = line.split_whitespace();
    let (path, version, hash) = (words.next()?, words.next()?, words.next()?);
    let of_go_mod = version.strip_suffix("/go.mod");
    let sum = sums.get(&(path.to_owned(), of_go_mod.unwrap_or(version).to_owned()))?;
    let real = if of_go_mod.is_some() { &sum.go_mod } else { &sum.zip };
    (hash == "h1:@").then(|| line.replacen("h1:@", real, 1))
}

type Files = BTreeMap<String, String>;

fn releases(archive: &Archive) -> BTreeMap<(String, String), Files> {
    let mut releases: BTreeMap<_, Files> = BTreeMap::new();
    for (file, text) in archive.below("modules") {
        let mut at = 0;
        for part in file.split('/') {
            if is_version(part) && at > 0 {
                let key = (file[..at - 1].to_owned(), part.to_owned());
                let inside = file.get(at + part.len() + 1..).unwrap_or_default();
                releases.entry(key).or_default().insert(inside.to_owned(), text.to_owned());
                break;
            }
            at += part.len() + 1;
        }
    }
    releases
}

fn release(at: &Path, path: &str, version: &str, mut files: Files) -> Result<Sums> {
    let said: Release = toml_text::from_str(&files.remove(".release").unwrap_or_default()).context(".release")?;
    let published = said.published.as_deref().unwrap_or(PUBLISHED);
    if !version.ends_with("+incompatible") {
        files.entry("go.mod".to_owned()).or_insert_with(|| format!("module {path}\n\ngo 1.21\n"));
    }
    // A module from before go.mod is served with a made-up one: just its path.
    let go_mod = files.get("go.mod").cloned().unwrap_or_else(|| format!("module {path}\n"));
    let inside: BTreeMap<_, _> =
        files.iter().map(|(file, text)| (format!("{path}@{version}/{file}"), text.as_bytes().to_vec())).collect();
    let info = json!({ "Version": version, "Time": published });
    let escaped = escape(version);
    write_file(&at.join(format!("{escaped}.info")), info.to_string().as_bytes())?;
    write_file(&at.join(format!("{escaped}.mod")), go_mod.as_bytes())?;
    write_file(&at.join(format!("{escaped}.zip")), &pack::module_zip(&inside)?)?;
    let go_mod_alone = [("go.mod".to_owned(), go_mod.into_bytes())].into();
    Ok(Sums { zip: digest::go_h1(&inside), go_mod: digest::go_h1(&go_mod_alone) })
}

/// Whether a folder's name is a full version (`v1.2.3`, perhaps with more behind), not a major's suffix (`v2`).
fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|version| semver::Version::parse(version).is_ok())
}

/// Whether a version names a commit (`v0.0.0-20250101000000-0123456789ab`): no proxy lists those
/// (golang.org/x/mod/module, `IsPseudoVersion`).
fn is_pseudo_version(version: &str) -> bool {
    let mut parts = version.rsplit('-');
    let (commit, time) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let stamp = time.rsplit('.').next().unwrap_or_default();
    commit.len() == 12
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        && stamp.len() == 14
        && stamp.bytes().all(|byte| byte.is_ascii_digit())
}

/// A capital letter is `!` and the small one, for file systems that do not tell them apart
/// (golang.org/x/mod/module, `EscapePath`).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(letter.to_ascii_lowercase());
    }
    escaped
}

#[cfg(test)]
mod tests;
