//! The house rules that a machine can check: file headers and lengths, one outside crate in one module, pure modules
//! without effects, no traces of this machine. Reads the repository's files, runs nothing but git.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod circles;
mod wording;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The files below the folders that are ours, by path from the root.
fn files(extension: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in ["cargo-xupgrade", "tests", "fixtures", "scripts", ".ci"] {
        collect(&root(), &root().join(folder), extension, &mut found);
    }
    assert!(!found.is_empty(), "no file of this kind: {extension}");
    found
}

fn collect(root: &Path, folder: &Path, extension: &str, found: &mut BTreeMap<String, String>) {
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["vendor", "target", "node_modules"].contains(&name) {
            collect(root, &path, extension, found);
        } else if path.extension().is_some_and(|one| one == extension) {
            let from_root = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(from_root, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn rust() -> BTreeMap<String, String> {
    files("rs")
}

/// The roots of the product's crates.
const CRATES: [&str; 3] = ["cargo-xupgrade/src/", "cargo-xupgrade/core/src/", "cargo-xupgrade/search/src/"];

/// The product's own sources, without what only tests see.
fn sources() -> BTreeMap<String, String> {
    rust()
        .into_iter()
        .filter(|(path, _)| CRATES.iter().any(|root| path.starts_with(root)))
        .filter(|(path, _)| !is_for_tests(path))
        .map(|(path, text)| {
            let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            (path, product)
        })
        .collect()
}

fn is_for_tests(path: &str) -> bool {
    let stems = ["tests", "fake", "stories", "sim", "conformance"];
    path.split('/').any(|part| stems.contains(&part.trim_end_matches(".rs")))
}

/// Lines of code with their numbers, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Every line of code that has one of these words.
fn with_words(files: &BTreeMap<String, String>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        for (number, line) in code(text).filter(|(_, line)| words.iter().any(|word| line.contains(word))) {
            found.push(format!("{path}:{number}: {}", line.trim()));
        }
    }
    found
}

#[test]
fn every_rust_file_says_first_what_it_is_for() {
    let silent: Vec<String> =
        rust().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert_none("no header", &silent);
}

#[test]
fn no_file_is_too_long() {
    let limit = |path: &str| if path.starts_with("tests/") || is_for_tests(path) { 800 } else { 500 };
    let long: Vec<String> = rust()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > limit(path))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_none("too long", &long);
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut long = Vec::new();
    for (path, text) in rust() {
        for (name, line, length) in functions(&text).into_iter().filter(|(_, _, length)| *length > 80) {
            long.push(format!("{path}:{line}: {name} has {length} lines"));
        }
    }
    assert_none("too long", &long);
}

/// Functions with their first line and their length: from `fn` to the brace in the same column.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let words = bare.split("fn ").next().unwrap_or_default();
        let is_head = bare.contains("fn ")
            && words
                .split_whitespace()
                .all(|word| ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"].contains(&word));
        let has_body = lines[index..].iter().take(15).any(|line| line.ends_with('{'));
        if !is_head || !has_body || bare.ends_with('}') || bare.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - bare.len()]);
        let length = lines[index..].iter().position(|line| *line == end).map_or(0, |last| last + 1);
        let name = bare.split("fn ").nth(1).unwrap_or_default().split(['(', '<']).next().unwrap_or_default();
        found.push((name.to_owned(), index + 1, length));
    }
    found
}

#[test]
fn the_scan_for_long_functions_sees_long_functions() {
    let long = format!("pub fn long(\n    x: u8,\n) -> u8 {{\n{}}}\n", "    x;\n".repeat(90));
    assert_eq!(functions(&long), [("long".to_owned(), 1, 94)]);
}

#[test]
fn every_outside_crate_is_named_in_one_module() {
    // Errors, serde and versions are words of the language here; the search is ours; clap's derive marks what its
    // configuration shares with the command line.
    const EVERYWHERE: &[&str] =
        &["anyhow", "thiserror", "serde", "serde_json", "semver", "xupgrade-core", "xupgrade-search", "clap"];
    let mut names = BTreeSet::new();
    for manifest in ["cargo-xupgrade/Cargo.toml", "cargo-xupgrade/core/Cargo.toml"] {
        let table: toml_edit::DocumentMut = std::fs::read_to_string(root().join(manifest)).unwrap().parse().unwrap();
        names.extend(table["dependencies"].as_table().unwrap().iter().map(|(name, _)| name.to_owned()));
    }
    let mut wrong = Vec::new();
    for name in names.iter().filter(|name| !EVERYWHERE.contains(&name.as_str())) {
        let users = users_of(&name.replace('-', "_"));
        if users.len() != 1 {
            wrong.push(format!("{name} is named in {users:?}"));
        }
    }
    assert_none("a crate has one module", &wrong);
}

/// The files of the product that name a crate in a path.
fn users_of(krate: &str) -> BTreeSet<String> {
    let names = |line: &str| {
        line.match_indices(krate).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + krate.len()..];
            let starts = before.is_none_or(|c| !c.is_alphanumeric() && !['_', ':', '.', '"', '/', '-'].contains(&c));
            starts && (after.starts_with("::") || (after.starts_with(';') && line.trim_start().starts_with("use ")))
        })
    };
    let users = sources().into_iter().filter(|(_, text)| code(text).any(|(_, line)| names(line)));
    users.map(|(path, _)| path).collect()
}

#[test]
fn the_product_never_unwraps_and_leaves_nothing_to_do() {
    assert_none(
        "not in the product",
        &with_words(&sources(), &[".unwrap()", "unwrap_unchecked", "todo!(", "unimplemented!(", "dbg!("]),
    );
}

#[test]
fn no_test_is_ignored() {
    let ignored = format!("#[{}", "ignore");
    assert_none("a test that does not run is no test", &with_words(&rust(), &[&ignored]));
}

#[test]
fn every_allowed_lint_has_a_reason() {
    let mut bare = Vec::new();
    for (path, text) in rust() {
        for marker in ["#[allow(", "#[expect(", "#![allow(", "#![expect("] {
            for (at, _) in text.match_indices(marker) {
                let attribute = text[at..].split(")]").next().unwrap_or_default();
                let is_code = text[..at].lines().last().is_none_or(|line| line.trim().is_empty());
                if is_code && !attribute.contains("reason") {
                    bare.push(format!("{path}: {attribute})]"));
                }
            }
        }
    }
    assert_none("no reason", &bare);
}

/// The rooms of the product that decide and have no effects, as the fast tier of `scripts/check` lists them.
fn pure() -> Vec<String> {
    let script = std::fs::read_to_string(root().join("scripts/check")).unwrap();
    let list = script.split_once("\npure=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn pure_modules_have_no_effects() {
    let src = "cargo-xupgrade/src/";
    let pure = pure();
    let chosen: BTreeMap<String, String> = sources()
        .into_iter()
        .filter(|(path, _)| {
            let module = path.trim_start_matches(src).trim_end_matches(".rs");
            let is_pure = || pure.iter().any(|one| module == one || module.starts_with(&format!("{one}/")));
            path.starts_with("cargo-xupgrade/core/") || (path.starts_with(src) && is_pure())
        })
        .collect();
    assert!(pure.contains(&"run/hint".to_owned()), "the list of the pure rooms was not found: {pure:?}");
    for one in &pure {
        assert!(chosen.contains_key(&format!("{src}{one}.rs")), "{one} is not there");
    }
    let effects = [
        "std::fs",
        "std::process",
        "std::net",
        "std::time",
        "std::env",
        "fs::",
        "Command::new",
        "println!",
        "eprintln!",
    ];
    assert_none("effects", &with_words(&chosen, &effects));
}

/// Those that still ask which ecosystem a project belongs to: both want something of Go's toolchain.
const ASKING: [&str; 2] = ["cargo-xupgrade/src/run/resume.rs", "cargo-xupgrade/src/run/workers.rs"];

#[test]
fn nothing_but_an_ecosystem_and_its_rules_asks_which_one_it_is() {
    let homes = ["cargo-xupgrade/core/src/rules", "cargo-xupgrade/src/ecosystem"];
    let mut others = sources();
    others.retain(|path, _| !homes.iter().any(|home| path.starts_with(home)));
    let found = with_words(&others, &["EcosystemKind::"]);
    let (known, new): (Vec<String>, Vec<String>) =
        found.into_iter().partition(|line| ASKING.iter().any(|path| line.starts_with(path)));
    assert_none("matches on the kind of an ecosystem; its rules decide (core/rules.rs)", &new);
    assert_eq!(known.len(), ASKING.len(), "{known:?}");
}

#[test]
fn every_fixture_says_its_purpose_and_is_used() {
    let tests: String =
        rust().into_iter().filter(|(path, _)| path.starts_with("tests/")).map(|(_, text)| text).collect();
    let mut wrong = Vec::new();
    for (path, text) in files("txtar").into_iter().filter(|(path, _)| path.starts_with("fixtures/")) {
        let name = path.trim_start_matches("fixtures/").trim_end_matches(".txtar");
        if !tests.contains(&format!("\"{name}\"")) {
            wrong.push(format!("{path} is in no test"));
        }
        if !text.lines().next().is_some_and(|line| line.contains("Expected: ")) {
            wrong.push(format!("{path} does not say what is expected"));
        }
    }
    assert_none("fixtures", &wrong);
}

#[test]
fn the_changelog_has_a_place_for_what_comes_next() {
    let text = std::fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md is there");
    assert!(text.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased")), "{text}");
}

/// The path of a source by which the code map of DESIGN.md lists it; the search is in no map.
fn in_map(path: &str) -> Option<String> {
    let core = || Some(format!("core/{}", path.strip_prefix("cargo-xupgrade/core/src/")?));
    path.strip_prefix("cargo-xupgrade/src/").map(str::to_owned).or_else(core)
}

#[test]
fn the_code_map_lists_exactly_the_files_that_are_there() {
    let text = std::fs::read_to_string(root().join("DESIGN.md")).expect("DESIGN.md is there");
    let listed: BTreeSet<String> = text
        .lines()
        .filter(|line| line.contains(".rs`"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs"))
        .map(str::to_owned)
        .collect();
    let there: BTreeSet<String> = sources().into_keys().filter_map(|path| in_map(&path)).collect();
    let missing: Vec<String> = there.difference(&listed).cloned().collect();
    assert_none("not in the code map of DESIGN.md", &missing);
    let gone: Vec<String> = listed.difference(&there).filter(|path| !path.contains(' ')).cloned().collect();
    assert_none("in the code map of DESIGN.md, but not there", &gone);
}

#[test]
fn the_code_map_lists_each_file_once_and_with_the_words_of_its_header() {
    let text = std::fs::read_to_string(root().join("DESIGN.md")).expect("DESIGN.md is there");
    let entries = text.lines().filter_map(|line| line.strip_prefix("- `")?.split_once(".rs`: "));
    let sources = sources().into_iter().filter_map(|(path, text)| Some((in_map(&path)?, text)));
    let sources: BTreeMap<String, String> = sources.collect();
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (module, words) in entries {
        if !seen.insert(module) {
            wrong.push(format!("{module}.rs is there twice"));
        }
        let file = sources.get(&format!("{module}.rs")).map(String::as_str).unwrap_or_default();
        if !header(file).starts_with(words) {
            wrong.push(format!("{module}.rs does not begin with: {words}"));
        }
    }
    assert!(seen.contains("core/policy"), "the map was not found");
    assert_none("in the code map of DESIGN.md", &wrong);
}

/// The header of a file, on one line.
fn header(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn no_file_names_this_machine() {
    // Written in two parts, so that this file does not find itself.
    let marks = [["/ro", "ot/"], ["/wo", "rk/"], ["/ho", "me/"], ["/tmp/", "helpers"]].map(|parts| parts.concat());
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.contains("DESIGN.md"), "git does not list the repository's files");
    let mut found = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty() && !name.contains("/vendor/")) {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        for (index, line) in text.lines().enumerate() {
            let leaks = |mark: &String| {
                let at = line.find(mark.as_str());
                at.is_some_and(|at| {
                    line[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|c| !c.is_alphanumeric() && !['_', '-', '.', '}', '/'].contains(&c))
                })
            };
            if marks.iter().any(leaks) {
                found.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none("a path of one machine", &found);
}

#[test]
fn the_lockfile_names_no_registry_but_the_public_one() {
    let text = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("source = ")).collect();
    assert_eq!(sources, BTreeSet::from(["source = \"registry+https://github.com/rust-lang/crates.io-index\""]));
}

#[test]
fn every_case_of_the_tables_names_a_fixture_and_a_test_that_are_there() {
    let sources = rust();
    let mut wrong = Vec::new();
    for (table, text) in files("toml").into_iter().filter(|(path, _)| path.starts_with("fixtures/cases/")) {
        let parsed: toml_edit::DocumentMut = text.parse().unwrap();
        let mut ids = BTreeSet::new();
        for case in parsed["case"].as_array_of_tables().unwrap() {
            let word = |key: &str| case.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let id = word("id");
            let empty = ["id", "what", "peers", "ours"].into_iter().filter(|key| word(key).is_empty());
            wrong.extend(empty.map(|key| format!("{table} {id}: no `{key}`")));
            if !root().join(format!("fixtures/{}.txtar", word("fixture"))).is_file() {
                wrong.push(format!("{table} {id}: no fixture `{}`", word("fixture")));
            }
            if !is_a_test(&sources, &word("test")) {
                wrong.push(format!("{table} {id}: no test `{}`", word("test")));
            }
            if !ids.insert(id.clone()) {
                wrong.push(format!("{table}: `{id}` twice"));
            }
        }
        assert!(!ids.is_empty(), "{table} has no case");
    }
    assert_none("cases", &wrong);
}

/// Whether `module::function` is a test function of a file of that name, in `tests/` or in the product (or of one below a
/// folder of that name).
fn is_a_test(sources: &BTreeMap<String, String>, test: &str) -> bool {
    let Some((module, function)) = test.rsplit_once("::") else { return false };
    let module = module.rsplit("::").next().unwrap_or(module);
    let of_it = |path: &str| path.split('/').any(|part| part.trim_end_matches(".rs") == module);
    let head = format!("fn {function}(");
    sources.iter().filter(|(path, _)| of_it(path)).any(|(_, text)| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let found = lines.iter().position(|line| line.starts_with(&head));
        found.is_some_and(|at| {
            lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]")
        })
    })
}

#[test]
fn a_test_that_is_not_there_is_not_found() {
    let sources = BTreeMap::from([("tests/x.rs".to_owned(), "#[test]\nfn yes() {}\nfn no() {}\n".to_owned())]);
    assert!(is_a_test(&sources, "x::yes"));
    assert!(!is_a_test(&sources, "x::no") && !is_a_test(&sources, "y::yes") && !is_a_test(&sources, "yes"));
}
