//! A static crate registry from `crates/<name>/<version>/...` of an archive: cargo's *local registry*
//! (index files and `.crate` files in one folder; doc.rust-lang.org/cargo/reference/source-replacement.html).
//! Writes only below the folder it is given.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::archive::Archive;
use super::{pack, write_file};
use crate::digest;
use crate::machine::toml_text::{self, Table, Value};

/// The SHA-256 of each `.crate`, in hexadecimal, by name and version.
pub type Checksums = BTreeMap<(String, String), String>;

/// When a release without a `.release` file was published.
const PUBLISHED: &str = "2025-01-01T00:00:00Z";

/// `crates/<name>/<version>/.release`: what the index says of a release beside its manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    published: Option<String>,
    #[serde(default)]
    yanked: bool,
    /// A checksum to claim in the index in place of the real one.
    checksum: Option<String>,
}

/// Writes every crate of the archive into `folder` and says their checksums.
///
/// # Errors
/// A manifest or `.release` file cannot be read, or the folder cannot be written.
pub fn write(archive: &Archive, folder: &Path) -> Result<Checksums> {
    let mut checksums = Checksums::new();
    let mut index: BTreeMap<String, String> = BTreeMap::new();
    for ((name, version), files) in releases(archive) {
        let what = || format!("crates/{name}/{version} of the archive");
        let (line, bytes) = release(&name, &version, files).with_context(what)?;
        write_file(&folder.join(format!("{name}-{version}.crate")), &bytes)?;
        let entry = index.entry(name.clone()).or_default();
        *entry = format!("{entry}{line}\n");
        checksums.insert((name, version), digest::sha256_hex(&bytes));
    }
    for (name, lines) in &index {
        write_file(&folder.join("index").join(index_path(name)), lines.as_bytes())?;
    }
    Ok(checksums)
}

/// Puts the real checksums where a Cargo.lock says `checksum = "@"` (in its first format:
/// `"checksum name version (source)" = "@"`); every other byte stays, so a lockfile that is wrong or torn by a merge stays so.
#[must_use]
pub fn fill_lock(lock: &str, checksums: &Checksums) -> String {
    let (mut name, mut version) = (String::new(), String::new());
    let mut filled = String::with_capacity(lock.len());
    for line in lock.split_inclusive('\n') {
        if let Some(value) = quoted(line, "name") {
            value.clone_into(&mut name);
        } else if let Some(value) = quoted(line, "version") {
            value.clone_into(&mut version);
        }
        if let Some((of, rest)) = line.strip_prefix("\"checksum ").and_then(|rest| rest.split_once(" (")) {
            let (of_name, of_version) = of.split_once(' ').unwrap_or((of, ""));
            let sum = checksums.get(&(of_name.to_owned(), of_version.to_owned()));
            let of_this = sum.filter(|_| rest.trim_end().ends_with("= \"@\""));
            filled.push_str(&of_this.map_or_else(|| line.to_owned(), |sum| line.replacen('@', sum, 1)));
            continue;
        }
        match (quoted(line, "checksum"), checksums.get(&(name.clone(), version.clone()))) {
            (Some("@"), Some(sum)) => filled.push_str(&line.replacen('@', sum, 1)),
            _ => filled.push_str(line),
        }
    }
    filled
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.trim().strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

type Files = BTreeMap<String, String>;

fn releases(archive: &Archive) -> BTreeMap<(String, String), Files> {
    let mut releases: BTreeMap<_, Files> = BTreeMap::new();
    for (path, text) in archive.below("crates") {
        let mut parts = path.splitn(3, '/');
        if let (Some(name), Some(version), Some(file)) = (parts.next(), parts.next(), parts.next()) {
            releases.entry((name.to_owned(), version.to_owned())).or_default().insert(file.to_owned(), text.to_owned());
        }
    }
    releases
}

/// The index line and the packed bytes of one release. What an archive leaves out is made up: a manifest (or just its
/// `[package]` table) and an empty library.
fn release(name: &str, version: &str, mut files: Files) -> Result<(Json, Vec<u8>)> {
    let said: Release = toml_text::from_str(&files.remove(".release").unwrap_or_default()).context(".release")?;
    let plain = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    files.entry("src/lib.rs".to_owned()).or_insert_with(|| "//! A crate with nothing in it.\n".to_owned());
    let text = files.entry("Cargo.toml".to_owned()).or_default();
    if !text.lines().any(|line| line == "[package]") {
        text.insert_str(0, &plain);
    }
    let manifest = toml_text::parse(text).context("Cargo.toml")?;
    let inside =
        files.iter().map(|(file, text)| (format!("{name}-{version}/{file}"), text.as_bytes().to_vec())).collect();
    let bytes = pack::crate_file(&inside)?;
    let checksum = said.checksum.clone().unwrap_or_else(|| digest::sha256_hex(&bytes));
    Ok((index_line(name, version, &manifest, &said, &checksum), bytes))
}

/// One line of an index file (doc.rust-lang.org/cargo/reference/registry-index.html#json-schema).
fn index_line(name: &str, version: &str, manifest: &Table, said: &Release, checksum: &str) -> Json {
    let package = |key: &str| manifest.get("package").and_then(|package| package.get(key)).map_or(Json::Null, json_of);
    let (features, features2) = features(manifest);
    let mut line = json!({
        "name": name,
        "vers": version,
        "deps": dependencies(manifest),
        "cksum": checksum,
        "features": features,
        "yanked": said.yanked,
        "pubtime": said.published.as_deref().unwrap_or(PUBLISHED),
    });
    for (key, value) in [("links", package("links")), ("rust_version", package("rust-version"))] {
        if !value.is_null() {
            line[key] = value;
        }
    }
    if !features2.is_empty() {
        line["features2"] = json!(features2);
        line["v"] = json!(2);
    }
    line
}

type Features = BTreeMap<String, Json>;

/// Features, and apart from them those in the newer syntax, which an index keeps in `features2`.
fn features(manifest: &Table) -> (Features, Features) {
    let table = manifest.get("features").and_then(Value::as_table).cloned().unwrap_or_default();
    let newer = |value: &Json| value.to_string().contains("\"dep:") || value.to_string().contains("?/");
    table.into_iter().map(|(key, value)| (key, json_of(&value))).partition(|(_, value)| !newer(value))
}

fn dependencies(manifest: &Table) -> Vec<Json> {
    let mut found = dependencies_of(manifest, None);
    for (target, table) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        found.extend(table.as_table().into_iter().flat_map(|table| dependencies_of(table, Some(target))));
    }
    found
}

fn dependencies_of(table: &Table, target: Option<&str>) -> Vec<Json> {
    let kinds = [("dependencies", "normal"), ("dev-dependencies", "dev"), ("build-dependencies", "build")];
    let mut found = Vec::new();
    for (key, kind) in kinds {
        for (name, value) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
            found.push(dependency(name, value, kind, target));
        }
    }
    found
}

fn dependency(name: &str, value: &Value, kind: &str, target: Option<&str>) -> Json {
    let field = |key: &str, default: Json| value.get(key).map_or(default, json_of);
    let requirement = value.as_str().map_or_else(|| field("version", json!("*")), |text| json!(text));
    let mut line = json!({
        "name": name,
        "req": requirement,
        "features": field("features", json!([])),
        "optional": field("optional", json!(false)),
        "default_features": field("default-features", json!(true)),
        "target": target,
        "kind": kind,
        "package": field("package", Json::Null),
    });
    // Without one it comes from the registry that has this line.
    if let Some(index) = value.get("registry-index") {
        line["registry"] = json_of(index);
    }
    line
}

fn json_of(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// Where an index keeps a crate (doc.rust-lang.org/cargo/reference/registry-index.html#index-files).
fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        length @ (1 | 2) => format!("{length}/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

#[cfg(test)]
mod tests;
