//! Which files of the base commit discovery may see. Pure: paths in, paths out.
//!
//! Test data is full of manifests that are no projects (cargo's own repository holds six hundred): below `testdata/` and
//! `vendor/` nothing is seen, as the go command does it, and a `Cargo.toml` deep in `tests/` or `fixtures/` is a project only
//! where a workspace counts it among its members, or the configuration asks for it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::input::config::Config;
use crate::machine::failure::Usage;
use crate::project::CONFIG_FILE;
use crate::project::Project;

/// Folders that hold test data, but for the projects that stand right in them (`tests/Cargo.toml`).
const TESTS: &[&str] = &["tests", "test", "testsuite", "fixtures", "__fixtures__", "test-data", "test_data"];

/// Lockfiles. They are no projects, and whether git has one beside a manifest is a fact that no rule may hide: one that
/// is taken for absent would be resolved afresh, and missing in what is published.
const LOCKS: &[&str] = &["Cargo.lock", "go.sum"];

/// What discovery sees, and what it passes by.
#[derive(Debug, Default)]
pub struct Sight {
    /// The files to discover projects in, sorted.
    pub files: Vec<String>,
    /// Manifests that lie among test data.
    doubtful: Vec<String>,
}

impl Sight {
    /// Sorts the tracked files of the base commit.
    ///
    /// # Errors
    /// When a glob of the configuration is none.
    pub fn new(files: Vec<String>, config: &Config) -> Result<Self> {
        let (included, excluded) = (globs("include", &config.include)?, globs("exclude", &config.exclude)?);
        let mut sight = Self::default();
        for file in files {
            if file.rsplit('/').next().is_some_and(|name| LOCKS.contains(&name)) {
                sight.files.push(file);
                continue;
            }
            let asked = hits(&included, &file);
            if hits(&excluded, &file) || (!asked && is_below(&file, &["testdata", "vendor"])) {
                continue;
            }
            let doubtful = !asked && file.ends_with("/Cargo.toml") && is_deep_in(&file, TESTS);
            if doubtful { sight.doubtful.push(file) } else { sight.files.push(file) }
        }
        Ok(sight)
    }

    /// The manifests passed by, less those that a project owns after all.
    #[must_use]
    pub fn set_aside(&self, projects: &[Project]) -> Vec<String> {
        let owned: BTreeSet<&String> = projects.iter().flat_map(|project| &project.manifests).collect();
        self.doubtful.iter().filter(|file| !owned.contains(file)).cloned().collect()
    }
}

/// Whether a file lies in a folder of such a name, or below one.
fn is_below(file: &str, names: &[&str]) -> bool {
    file.split('/').rev().skip(1).any(|folder| names.contains(&folder))
}

/// Whether a manifest's folder lies below a folder of such a name.
fn is_deep_in(file: &str, names: &[&str]) -> bool {
    file.rsplit_once('/').is_some_and(|(folder, _)| is_below(folder, names))
}

/// A glob hits a file, or a folder above it.
fn hits(globs: &GlobSet, file: &str) -> bool {
    Path::new(file).ancestors().any(|path| globs.is_match(path))
}

fn globs(key: &str, patterns: &[String]) -> Result<GlobSet> {
    let wrong = |error: globset::Error| Usage(format!("{CONFIG_FILE}: `{key}`: {error}"));
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern.trim_end_matches('/')).map_err(wrong)?);
    }
    builder.build().map_err(|error| wrong(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(files: &[&str], include: &[&str]) -> (Vec<String>, Vec<String>) {
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let config = Config { include: strings(include), ..Config::default() };
        let sight = Sight::new(strings(files), &config).unwrap();
        let aside = sight.set_aside(&[]);
        (sight.files, aside)
    }

    #[test]
    fn a_manifest_deep_in_tests_is_set_aside_and_one_right_in_it_is_not() {
        let (files, aside) =
            seen(&["tests/Cargo.toml", "tests/data/Cargo.toml", "fuzz/Cargo.toml", "tests/go.mod"], &[]);
        assert_eq!((files.len(), aside.len()), (3, 1), "{files:?} {aside:?}");
        assert_eq!(aside, ["tests/data/Cargo.toml"]);
    }

    #[test]
    fn a_go_module_deep_in_tests_is_a_project() {
        assert_eq!(seen(&["tests/robustness/tools/go.mod"], &[]).0, ["tests/robustness/tools/go.mod"]);
    }

    #[test]
    fn what_the_configuration_includes_is_seen() {
        let (files, aside) =
            seen(&["a/tests/b/Cargo.toml", "a/testdata/c/Cargo.toml"], &["a/tests/b", "a/testdata/**"]);
        assert_eq!((files.len(), aside.len()), (2, 0), "{files:?} {aside:?}");
    }

    #[test]
    fn lockfiles_are_seen_wherever_they_are() {
        let locks = ["testdata/p/Cargo.lock", "vendor/go.sum"];
        assert_eq!(seen(&locks, &[]).0, locks);
        assert_eq!(seen(&["testdata/Cargo.lock.orig"], &[]).0, [""; 0]);
    }

    #[test]
    fn nothing_below_testdata_and_vendor_is_seen() {
        assert_eq!(seen(&["x/testdata/go.mod", "vendor/y/go.mod"], &[]), (vec![], vec![]));
    }
}
