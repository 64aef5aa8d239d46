//! Partners: which packages the words of a failed trial name as those that do not fit together, so that the search tries
//! two of them as one. Beside that, what words say of who is to blame: which package does not compile, and what the code
//! that does not names. Pure: words in, names out; a name too many costs one trial, and never a verdict.

use std::collections::BTreeSet;

use crate::phrases::cargo::{self, crate_name, resolver};
use crate::phrases::{go, quoted, rustc};

/// The packages that the words of a failure name as those that do not fit together, in the order in which they are named.
/// What is no candidate may be among them.
#[must_use]
pub fn named(lines: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let copies = lines.iter().any(|line| rustc::tells_of_copies(line));
    for line in lines {
        if is_resolver(line) {
            found.extend(quoted(line, '`').filter_map(crate_name).map(str::to_owned));
            found.extend(modules(line));
        } else if copies {
            found.extend(rustc::copies(line).into_iter().map(str::to_owned));
        } else if let Some(module) = two_paths(line) {
            found.extend(qualifiers(line));
            found.push(module);
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|name| seen.insert(name.clone()));
    found
}

/// The words of a resolver that finds no solution: cargo's, and the go command's.
fn is_resolver(line: &str) -> bool {
    resolver::is_of_conflict(line) || go::is_conflict(line)
}

/// Paths in words of the go command: with a dot in the first element, without version and punctuation.
fn modules(line: &str) -> Vec<String> {
    line.split_whitespace().filter_map(module).collect()
}

fn module(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let path = word.split('@').next()?;
    let (first, rest) = path.split_once('/')?;
    (first.contains('.') && !first.starts_with('.') && !rest.is_empty()).then(|| path.to_owned())
}

/// The module that a type error of Go's names twice, each time at another major version:
/// `value of struct type "ex.com/m/v2".T) as "ex.com/m".T value`.
fn two_paths(line: &str) -> Option<String> {
    let paths: Vec<String> = quoted(line, '"').filter_map(module).collect();
    let twice = |one: &&String| paths.iter().any(|other| other != *one && without_major(other) == without_major(one));
    paths.iter().find(twice).map(|path| without_major(path).to_owned())
}

/// A module path without its `/v2`.
#[must_use]
pub fn without_major(path: &str) -> &str {
    match path.rsplit_once("/v") {
        Some((base, major)) if !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => path,
    }
}

/// The names before a dot, as of `codec` in `codec.Take`: packages that the failing line uses.
fn qualifiers(line: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in line.match_indices('.') {
        let before = line[..at].rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
        let after = line[at + 1..].chars().next().unwrap_or(' ');
        if after.is_ascii_uppercase() && !before.is_empty() {
            found.push(before.to_owned());
        }
    }
    found
}

/// The package that a line of cargo's or the go command's says does not compile.
#[must_use]
pub fn broken(line: &str) -> Option<&str> {
    cargo::not_compiled(line.trim()).or_else(|| go::not_compiled(line.trim()))
}

/// What the code in a compiler's errors names, crates and packages among it: a hint who is to blame, no more.
#[must_use]
pub fn code(lines: &[String]) -> Vec<String> {
    let errors = lines.iter().filter(|line| rustc::is_error(line) || go::is_place(line));
    let names = |line: &String| {
        let heads = quoted(line, '`').filter_map(|code| code.trim_start_matches('&').split("::").next());
        heads.filter_map(crate_name).map(str::to_owned).chain(qualifiers(line)).collect::<Vec<_>>()
    };
    errors.flat_map(names).collect()
}

#[cfg(test)]
mod tests;
