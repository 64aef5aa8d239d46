//! Cargo's configuration files: which ones cargo reads in a folder, and their content as one table that means the same
//! wherever it is laid. Formats and rules: <https://doc.rust-lang.org/cargo/reference/config.html>.
//! Reads files, writes nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use crate::machine::toml_text::Table;
use crate::machine::toml_text::{self, Value};

/// The files that cargo reads in a folder, nearest first: those of its ancestors, then `CARGO_HOME`'s unless the walk has
/// met that folder already.
#[must_use]
pub fn chain(folder: &Path, cargo_home: &Path) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let folders = folder.ancestors().map(|folder| folder.join(".cargo")).chain([cargo_home.to_owned()]);
    folders.filter(|folder| seen.insert(real(folder))).filter_map(|folder| file_in(&folder)).collect()
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The configuration file of a folder; where both spellings exist cargo reads the old one.
#[must_use]
pub fn file_in(folder: &Path) -> Option<PathBuf> {
    ["config", "config.toml"].map(|name| folder.join(name)).into_iter().find(|file| file.is_file())
}

/// Reads a file with what it includes; paths that are relative to it become absolute.
///
/// # Errors
/// A file that cannot be read or is no TOML, in words that name it.
pub fn read(file: &Path) -> Result<Table, String> {
    read_once(file, &mut BTreeSet::new())
}

fn read_once(file: &Path, met: &mut BTreeSet<PathBuf>) -> Result<Table, String> {
    if !met.insert(file.to_owned()) {
        return Err(format!("{} includes itself", file.display()));
    }
    let text = std::fs::read_to_string(file).map_err(|why| format!("cannot read {}: {why}", file.display()))?;
    let mut table = toml_text::parse(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    let named = includes(table.remove("include").as_ref());
    // A relative path starts from the folder that holds `.cargo`, an included file's from beside itself.
    let folder = file.parent().unwrap_or(file);
    anchor(&mut table, folder.parent().unwrap_or(folder));
    for (name, must_exist) in named.into_iter().rev() {
        let included = folder.join(name);
        if must_exist || included.is_file() {
            merge(&mut table, read_once(&included, met)?);
        }
    }
    met.remove(file);
    Ok(table)
}

/// The files named by `include`, with whether each must exist: paths, or tables with `path` and `optional`.
fn includes(include: Option<&Value>) -> Vec<(String, bool)> {
    let one = |value: &Value| {
        let path = value.as_str().or_else(|| value.get("path")?.as_str())?;
        let optional = value.get("optional").and_then(Value::as_bool);
        Some((path.to_owned(), optional != Some(true)))
    };
    match include {
        Some(Value::Array(list)) => list.iter().filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Lists that cargo does not join: the nearer one counts alone.
const WHOLE_LISTS: &[&str] =
    &["registries.*.credential-provider", "target.*.runner", "credential-alias.*", "doc.browser"];

/// Lays a file below another, as cargo does: tables are joined, of lists the nearer one stands behind, else the nearer
/// value wins.
pub fn merge(nearer: &mut Table, farther: Table) {
    join(nearer, farther, &mut Vec::new());
}

fn join(nearer: &mut Table, farther: Table, key: &mut Vec<String>) {
    for (name, value) in farther {
        key.push(name.clone());
        match (nearer.get_mut(&name), value) {
            (None, value) => {
                nearer.insert(name, value);
            }
            (Some(Value::Table(near)), Value::Table(far)) => join(near, far, key),
            (Some(Value::Array(near)), Value::Array(mut far)) if !fits_any(WHOLE_LISTS, key) => {
                far.append(near);
                *near = far;
            }
            _ => {}
        }
        key.pop();
    }
}

fn fits_any(patterns: &[&str], key: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        let parts: Vec<&str> = pattern.split('.').collect();
        parts.len() == key.len() && parts.iter().zip(key).all(|(part, name)| *part == "*" || part == name)
    })
}

/// Keys whose value is a path.
const PATHS: &[&str] = &[
    "build.build-dir",
    "build.dep-info-basedir",
    "build.target-dir",
    "http.cainfo",
    "http.proxy-cainfo",
    "install.root",
    "patch.*.*.path",
    "paths",
    "resolver.lockfile-path",
    "source.*.directory",
    "source.*.local-registry",
];
/// Keys whose value is a program: a bare name is looked for on the PATH, anything with a slash is a path. In a list the
/// other words are its arguments.
const PROGRAMS: &[&str] = &[
    "build.rustc",
    "build.rustc-workspace-wrapper",
    "build.rustc-wrapper",
    "build.rustdoc",
    "host.linker",
    "host.runner",
    "target.*.ar",
    "target.*.linker",
    "target.*.runner",
];

/// Makes the relative paths of a table absolute.
fn anchor(table: &mut Table, base: &Path) {
    let change = |text: &str| base.join(text).display().to_string();
    change_paths(table, &change, &mut Vec::new());
    for (_, value) in table.get_mut("env").and_then(Value::as_table_mut).into_iter().flatten() {
        anchor_variable(value, &change);
    }
}

/// Leads the absolute paths of a table that lie in `from`, those of `[env]` among them, to the same places in `to`.
pub fn lead(table: &mut Table, from: &Path, to: &Path) {
    let change = |text: &str| match super::clean(Path::new(text)).strip_prefix(from) {
        Ok(below) => to.join(below).display().to_string(),
        Err(_) => text.to_owned(),
    };
    change_paths(table, &change, &mut Vec::new());
    for (_, value) in table.get_mut("env").and_then(Value::as_table_mut).into_iter().flatten() {
        match value.get_mut("value") {
            Some(path) => each(path, |_| true, &change),
            None => each(value, |_| true, &change),
        }
    }
}

/// What [`lead`] changes in a table, without the rest: laid nearer than the table it outranks that. Lists are left out,
/// for cargo would join them with those that they should replace.
#[must_use]
pub fn led(table: &Table, from: &Path, to: &Path) -> Table {
    let mut led = table.clone();
    lead(&mut led, from, to);
    keep_changes(&mut led, table);
    led
}

fn keep_changes(changed: &mut Table, before: &Table) {
    changed.retain(|key, value| match (value, before.get(key)) {
        (Value::Table(inner), Some(Value::Table(before))) => {
            keep_changes(inner, before);
            !inner.is_empty()
        }
        (Value::Array(_), _) => false,
        (value, before) => before != Some(value),
    });
}

/// How a path is exchanged for another.
type Change<'a> = &'a dyn Fn(&str) -> String;

fn change_paths(table: &mut Table, change: Change<'_>, key: &mut Vec<String>) {
    for (name, value) in table.iter_mut() {
        key.push(name.clone());
        if fits_any(PATHS, key) {
            each(value, |text| !text.starts_with('{'), change);
        } else if fits_any(PROGRAMS, key) {
            match value {
                Value::Array(words) => words.iter_mut().take(1).for_each(|word| each(word, has_slash, change)),
                word => each(word, has_slash, change),
            }
        } else if *key == ["build", "target"] {
            each(value, |text| Path::new(text).extension().is_some_and(|ending| ending == "json"), change);
        } else if let Some(inner) = value.as_table_mut() {
            change_paths(inner, change, key);
        }
        key.pop();
    }
}

fn has_slash(text: &str) -> bool {
    text.split(' ').next().is_some_and(|program| program.contains('/'))
}

fn each(value: &mut Value, is_path: impl Fn(&str) -> bool + Copy, change: Change<'_>) {
    match value {
        Value::String(text) if is_path(text) => *text = change(text),
        Value::Array(list) => list.iter_mut().for_each(|one| each(one, is_path, change)),
        _ => {}
    }
}

/// `[env]`: `NAME = { value = "path", relative = true }`.
fn anchor_variable(value: &mut Value, change: Change<'_>) {
    let Some(table) = value.as_table_mut() else { return };
    if table.get("relative").and_then(Value::as_bool) == Some(true) {
        table.remove("relative");
        if let Some(path) = table.get_mut("value") {
            each(path, |_| true, change);
        }
    }
}

/// Keys that open a registry, in `[registry]` and `[registries.*]`.
const SECRETS: &[&str] =
    &["token", "secret-key", "secret-key-subject", "credential-provider", "global-credential-providers"];

/// Takes out whatever opens a registry.
pub fn strip(table: &mut Table) {
    for section in ["registry", "registries"] {
        if let Some(value) = table.get_mut(section) {
            strip_below(value);
        }
    }
    table.remove("credential-alias");
}

fn strip_below(value: &mut Value) {
    let Some(table) = value.as_table_mut() else { return };
    table.retain(|key, _| !SECRETS.contains(&key));
    table.iter_mut().for_each(|(_, inner)| strip_below(inner));
}

/// What [`strip`] takes out, as the variables that cargo reads in its place.
#[must_use]
pub fn credentials(table: &Table) -> Vec<(String, String)> {
    let mut found = of_section("CARGO_REGISTRY", table.get("registry"));
    for (name, registry) in table.get("registries").and_then(Value::as_table).into_iter().flatten() {
        let name = name.to_uppercase().replace('-', "_");
        found.extend(of_section(&format!("CARGO_REGISTRIES_{name}"), Some(registry)));
    }
    found
}

fn of_section(prefix: &str, section: Option<&Value>) -> Vec<(String, String)> {
    let variable = |key: &&str| {
        let words = match section?.get(*key)? {
            Value::String(text) => text.clone(),
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            _ => return None,
        };
        Some((format!("{prefix}_{}", key.to_uppercase().replace('-', "_")), words))
    };
    SECRETS.iter().filter_map(variable).collect()
}
