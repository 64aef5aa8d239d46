//! Members of a workspace as `cargo metadata --no-deps` tells of them: names, features, dependencies, and which of them a
//! plain `cargo build` takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::lock::{self, Lock};
use crate::machine::command::Tool;
use crate::trial::reading::selector_of;

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
    /// Its targets.
    #[serde(default)]
    targets: Vec<Target>,
}

/// A library, program, test, example or benchmark of a member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    /// False where a plain `cargo test` passes it by.
    #[serde(default = "usually")]
    test: bool,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// One requirement of a member.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Required {
    /// The package.
    pub name: String,
    /// The name that the manifest gives it, where that is another one.
    pub rename: Option<String>,
    /// `dev` or `build`; none for a normal dependency.
    #[serde(default)]
    kind: Option<String>,
    /// The features that it asks for by name.
    #[serde(default)]
    features: BTreeSet<String>,
    /// The package's default features are asked for, too.
    #[serde(default = "usually")]
    uses_default_features: bool,
}

fn usually() -> bool {
    true
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

impl Members {
    /// The packages for which another member asks for a feature that this one does not: by itself it may get less of them,
    /// if not of the version in use, then of a later one that has that feature.
    pub fn fuller_for_others(&self, member: &Member) -> BTreeSet<&str> {
        let others = self.all.iter().filter(|other| other.id != member.id).flat_map(Member::built_with);
        let own: BTreeSet<(&str, &str)> = member.built_with().collect();
        let names: BTreeSet<&str> =
            member.dependencies.iter().filter(|one| one.is_built()).map(|one| &*one.name).collect();
        others.filter(|one| names.contains(one.0) && !own.contains(one)).map(|(name, _)| name).collect()
    }
}

impl Members {
    /// The words that select targets of `cargo test` (`--lib`, `--test it`) and would select one that a plain run passes by, or
    /// for which a feature is missing: with these words cargo may fail where a plain run does not.
    pub fn reaching_beyond(&self) -> BTreeSet<Vec<String>> {
        let is_beyond = |target: &&Target| !target.test || !target.required_features.is_empty();
        let targets = self.all.iter().flat_map(|member| &member.targets).filter(is_beyond);
        targets.filter_map(|target| Some(selector_of(target.kind.first()?, &target.name))).collect()
    }
}

impl Required {
    /// A requirement of a plain build, and not of tests only.
    fn is_built(&self) -> bool {
        self.kind.as_deref() != Some("dev")
    }
}

impl Member {
    /// The features that its plain build asks for, each with its package.
    fn built_with(&self) -> impl Iterator<Item = (&str, &str)> {
        self.dependencies.iter().filter(|one| one.is_built()).flat_map(|one| {
            let default = one.uses_default_features.then_some("default");
            one.features.iter().map(String::as_str).chain(default).map(|feature| (one.name.as_str(), feature))
        })
    }

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
    fn a_neighbour_that_asks_for_more_of_a_package_is_seen_by_the_manifests_alone() {
        let one = |name: &str, dependency: &str| -> Member {
            let text = format!(
                "{{\"id\": \"{name}\", \"name\": \"{name}\", \"version\": \"0.1.0\", \"dependencies\": [{dependency}]}}"
            );
            serde_json::from_str(&text).unwrap()
        };
        let (bare, rich) = (r#"{"name": "x", "uses_default_features": false}"#, r#"{"name": "x", "features": ["y"]}"#);
        let fuller = |own: &str, other: &str| -> Vec<String> {
            let members = Members { all: vec![one("a", own), one("b", other)], ..Members::default() };
            members.fuller_for_others(&members.all[0]).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(fuller(bare, r#"{"name": "x"}"#), ["x"]);
        assert_eq!(fuller(r#"{"name": "x"}"#, rich), ["x"]);
        assert_eq!(fuller(rich, bare), [""; 0]);
        assert_eq!(fuller(bare, r#"{"name": "x", "kind": "dev"}"#), [""; 0]);
        assert_eq!(fuller(r#"{"name": "z"}"#, rich), [""; 0]);
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
