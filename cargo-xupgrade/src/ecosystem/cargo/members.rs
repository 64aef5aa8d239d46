//! Members of a workspace as `cargo metadata --no-deps` tells of them: names, features, dependencies, and which of them a
//! plain `cargo build` takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::lock::{self, Lock};
use crate::command::Tool;

/// The members of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Members {
    /// All of them.
    #[serde(rename = "packages")]
    pub all: Vec<Member>,
    /// The identities of those that a plain `cargo build` takes.
    #[serde(default)]
    workspace_default_members: BTreeSet<String>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Its identity, in cargo's own words.
    id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its features, each with what it turns on.
    #[serde(default)]
    pub features: BTreeMap<String, Vec<String>>,
    /// The requirements of its manifest.
    #[serde(default)]
    pub dependencies: Vec<Required>,
}

/// One requirement of a member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Required {
    /// The package.
    pub name: String,
    /// The name that the manifest gives it, where that is another one.
    pub rename: Option<String>,
}

impl Members {
    /// Asks cargo; none where it does not say.
    pub fn ask(cargo: &dyn Fn() -> Tool, folder: &Path) -> Self {
        let args = ["metadata", "--no-deps", "--format-version=1", "--locked", "--offline"];
        let said = cargo().args(args).dir(folder).run().unwrap_or_default();
        serde_json::from_slice(&said).unwrap_or_default()
    }

    /// The names of those that a plain `cargo build` passes by.
    pub fn spare(&self) -> BTreeSet<String> {
        let is_spare = |member: &&Member| !self.workspace_default_members.contains(&member.id);
        // A cargo before 1.71 does not say.
        let said = !self.workspace_default_members.is_empty();
        self.all.iter().filter(|member| said && is_spare(member)).map(|member| member.name.clone()).collect()
    }

    /// The members that need this package, as the lockfile has it, where a plain `cargo build` passes all of them by; none
    /// where it does not.
    pub fn spare_over(&self, locked: &Lock, package: &str) -> BTreeSet<String> {
        let needs = |name: &str| {
            let versions = lock::package_versions(locked, name).into_iter();
            let roots: Vec<lock::Named> = versions.map(|version| (name.to_owned(), version)).collect();
            package == name || lock::reachable_from(locked, &roots).iter().any(|(one, _)| one == package)
        };
        let over: BTreeSet<String> =
            self.all.iter().filter(|one| needs(&one.name)).map(|one| one.name.clone()).collect();
        if over.is_subset(&self.spare()) { over } else { BTreeSet::new() }
    }
}

impl Member {
    /// The packages that one of its features asks for, itself or by way of others.
    pub fn asked_by(&self, feature: &str) -> BTreeSet<&str> {
        let (mut seen, mut waiting, mut keys) = (BTreeSet::new(), vec![feature], BTreeSet::new());
        while let Some(feature) = waiting.pop() {
            let values = self.features.get(feature).filter(|_| seen.insert(feature));
            for value in values.into_iter().flatten() {
                match (value.strip_prefix("dep:"), value.split_once('/')) {
                    (Some(key), _) => drop(keys.insert(key)),
                    (_, Some((key, _))) => drop(keys.insert(key.trim_end_matches('?'))),
                    _ => waiting.push(value),
                }
            }
        }
        let key = |one: &Required| one.rename.clone().unwrap_or_else(|| one.name.clone());
        self.dependencies.iter().filter(|one| keys.contains(key(one).as_str())).map(|one| one.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        let text = r#"{"id": "x", "name": "x", "version": "0.1.0",
            "features": {"all": ["net", "art"], "art": ["dep:paint"], "net": ["wire/tls", "clock?/utc"], "none": []},
            "dependencies": [{"name": "paint"}, {"name": "wire-rs", "rename": "wire"}, {"name": "clock"}, {"name": "log"}]}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_feature_asks_for_what_it_names_and_for_what_those_it_turns_on_name() {
        let member = member();
        assert_eq!(member.asked_by("art"), BTreeSet::from(["paint"]));
        assert_eq!(member.asked_by("all"), BTreeSet::from(["clock", "paint", "wire-rs"]));
        assert_eq!(member.asked_by("none"), BTreeSet::new());
    }

    #[test]
    fn the_members_that_a_plain_build_passes_by_are_known_only_where_cargo_names_the_others() {
        let one = |name: &str| Member { id: name.into(), name: name.into(), ..member() };
        let mut members = Members { all: vec![one("a"), one("b")], ..Members::default() };
        assert_eq!(members.spare(), BTreeSet::new());
        members.workspace_default_members.insert("a".into());
        assert_eq!(members.spare(), BTreeSet::from(["b".into()]));
    }
}
