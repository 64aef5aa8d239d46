//! Puts a lockfile that cargo wrote back into the format of the one before it. Whenever cargo writes a lockfile it moves it to
//! the newest format that the members' `rust-version` allows, and without one to its own newest (cargo's `ops/lockfile.rs`,
//! `write_pkg_lockfile`): an upgrade would shut older toolchains out, which nobody asked for. Pure: text in, text out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, LockError, LockedPackage, read, without_commit};

/// The text of `after` in the format that `before` is in; `after` itself where it is in no newer one.
///
/// # Errors
/// When one of the two is no lockfile.
pub fn in_format_of(before: &str, after: &str) -> Result<String, LockError> {
    let (old, new) = (read(before)?, read(after)?);
    if new.version <= old.version {
        return Ok(after.to_owned());
    }
    let text = with_old_head(&with_old_sources(before, after), old.version);
    if old.version == 1 { Ok(as_first_format(&text)?) } else { Ok(text) }
}

/// The line that names the format says the old one; formats 1 and 2 have none.
fn with_old_head(text: &str, version: u32) -> String {
    let Some(line) = text.lines().find(|line| line.starts_with("version = ")) else { return text.to_owned() };
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let head = if version > 2 { format!("version = {version}{end}{end}") } else { String::new() };
    text.replacen(&format!("{line}{end}{end}"), &head, 1)
}

/// Git sources as the old lockfile spells them: format 4 escapes what formats 1 to 3 write plainly, and formats 1 and 2 do
/// not name the branch `master`. No upgrade brings a git source, so each is known by its old spelling.
fn with_old_sources(before: &str, after: &str) -> String {
    let spelled: BTreeMap<String, &str> = sources(before).into_iter().map(|source| (meant(source), source)).collect();
    let mut text = after.to_owned();
    for source in sources(after) {
        if let Some(spelling) = spelled.get(&meant(source)).filter(|spelling| **spelling != source) {
            for end in ['#', ')'] {
                text = text.replace(&format!("{source}{end}"), &format!("{spelling}{end}"));
            }
        }
    }
    text
}

/// The git sources of a lockfile, as it spells them, without the commits.
fn sources(text: &str) -> BTreeSet<&str> {
    let values = text.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
    values.filter(|source| source.starts_with("git+")).map(without_commit).collect()
}

/// What a git source means, however a format spells it.
fn meant(source: &str) -> String {
    let plain = unescaped(source);
    plain.strip_suffix("?branch=master").map(str::to_owned).unwrap_or(plain)
}

/// The text with `%2F` and its like as the characters that they stand for.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend([byte].iter().chain(&part.as_bytes()[2..])),
            None => bytes.extend(b"%".iter().chain(part.as_bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Format 1: every edge names version and source, and the checksums stand in a table at the end.
fn as_first_format(text: &str) -> Result<String, LockError> {
    let lock = read(text)?;
    let edge = |line: &str| Some(line.strip_prefix(" \"")?.strip_suffix("\",")?.to_owned());
    let packages = text.lines().filter(|line| !line.starts_with("checksum = ")).map(|line| {
        let package = edge(line).and_then(|edge| target(&lock, &edge));
        package.map_or_else(|| line.to_owned(), |package| format!(" \"{}\",", spelled_out(package)))
    });
    let sourced = lock.packages.iter().filter(|package| package.source.is_some());
    let sums = sourced.map(|package| {
        let sum = package.checksum.as_deref().unwrap_or("<none>");
        format!("\"checksum {}\" = \"{sum}\"", spelled_out(package))
    });
    let lines = packages.chain([String::new(), "[metadata]".to_owned()]).chain(sums);
    Ok(lines.map(|line| line + "\n").collect())
}

/// The package that an edge of the newer formats means: `name`, `name version` or `name version (source)`, as far as needed.
fn target<'a>(lock: &'a Lock, edge: &str) -> Option<&'a LockedPackage> {
    let mut words = edge.splitn(3, ' ');
    let (name, version, source) = (words.next()?, words.next(), words.next());
    let source = source.map(|source| source.trim_start_matches('(').trim_end_matches(')'));
    lock.packages.iter().find(|package| {
        package.name == name
            && version.is_none_or(|version| package.version.to_string() == version)
            && source.is_none_or(|source| package.source.as_deref().map(without_commit) == Some(without_commit(source)))
    })
}

fn spelled_out(package: &LockedPackage) -> String {
    match &package.source {
        Some(source) => format!("{} {} ({source})", package.name, package.version),
        None => format!("{} {}", package.name, package.version),
    }
}
