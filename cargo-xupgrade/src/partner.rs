//! Partners: which packages the words of a failed trial name as those that do not fit together, so that the search tries
//! two of them as one. Beside that, what words say of who is to blame: which package does not compile, and what the code
//! that does not names. Pure: words in, names out; a name too many costs one trial, and never a verdict.

use std::collections::BTreeSet;

/// rustc's words for two copies of one crate (tests/ui/traits/similarly-named-trait-from-different-crates in rust-lang/rust);
/// until 1.83 they were others.
const TWO_COPIES: &[&str] =
    &["there are multiple different versions of crate `", "perhaps two different versions of crate `"];

/// Whether a line of a compiler says that two copies of a package meet, or who brings one of them.
#[must_use]
pub fn is_telling(line: &str) -> bool {
    TWO_COPIES.iter().any(|words| line.contains(words)) || line.contains("as a dependency of crate `")
}

/// The packages that the words of a failure name as those that do not fit together, in the order in which they are named.
/// What is no candidate may be among them.
#[must_use]
pub fn named(lines: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let copies = lines.iter().any(|line| is_telling(line));
    for line in lines {
        if is_resolver(line) {
            found.extend(quoted(line, '`').filter_map(crate_name));
            found.extend(modules(line));
        } else if copies {
            found.extend(of_rustc(line));
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
    const CARGO: &[&str] =
        &["failed to select a version for", "previously selected package", "links to the native library"];
    const GO: &[&str] = &["ambiguous import: found package", " is requested"];
    CARGO.iter().chain(GO).any(|words| line.contains(words)) || (line.contains(" requires ") && line.contains(", not "))
}

/// What stands between two marks of a kind.
fn quoted(line: &str, mark: char) -> impl Iterator<Item = &str> {
    line.split(mark).skip(1).step_by(2)
}

/// `name`, `name v1.0.0`, `name v1.0.0 (/path)` and `name = "^1"` all begin with a crate's name.
fn crate_name(quoted: &str) -> Option<String> {
    let name = quoted.split([' ', '@']).next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then(|| name.to_owned())
}

/// The crates that a line of rustc's names: in its note, and as `.../registry/src/<registry>/<name>-<version>/...` where
/// it points to the sources of one.
fn of_rustc(line: &str) -> Vec<String> {
    if is_telling(line) {
        return quoted(line, '`').filter_map(crate_name).collect();
    }
    let folder = line.split_once("/registry/src/").and_then(|(_, rest)| rest.split('/').nth(1));
    let name = folder.and_then(|folder| {
        let ends = folder.match_indices('-').map(|(at, _)| at);
        // A name may have a dash, and so may a version; the version is the first part that begins with a digit.
        let end = ends.into_iter().find(|at| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
        Some(folder[..end].to_owned())
    });
    name.into_iter().collect()
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
    match line.trim().strip_prefix("error: could not compile `") {
        Some(rest) => rest.split(['`', ' ']).next(),
        // `# ex.com/app [ex.com/app.test]`
        None => line.trim().strip_prefix("# ")?.split(' ').next(),
    }
}

/// What the code in a compiler's errors names, crates and packages among it: a hint who is to blame, no more.
#[must_use]
pub fn code(lines: &[String]) -> Vec<String> {
    let errors = lines.iter().filter(|line| line.starts_with("error[") || line.contains(".go:"));
    let names = |line: &String| {
        let heads = quoted(line, '`').filter_map(|code| code.trim_start_matches('&').split("::").next());
        heads.filter_map(crate_name).chain(qualifiers(line)).collect::<Vec<_>>()
    };
    errors.flat_map(names).collect()
}

#[cfg(test)]
mod tests;
