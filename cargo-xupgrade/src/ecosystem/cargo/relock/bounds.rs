//! The bounds of one resolve: which Rust a release may need, and towards which lockfile it goes. Turns them into the
//! limits that the view of each registry keeps to. Reads manifests, writes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use semver::Version;

use super::super::index::RegistryKey;
use super::super::lock::{self, Lock};
use super::super::registries::of_registry;
use super::super::requirement::{compatible, same_version};
use super::super::view::{Limits, Line, Versions};
use super::super::{Cargo, project_files};
use super::subject::Subject;
use crate::ecosystem::Others;
use crate::project::Project;

/// A crate of a registry at a version.
pub type Direct = (RegistryKey, String, Version);

/// The aims of all upgrades of a project together.
#[derive(Debug, Clone, Default)]
pub struct Aims {
    /// The lockfile that they lead to, where cargo finds one.
    pub target: Option<Arc<Lock>>,
    /// Dependencies that manifests name and of which no upgrade is tried, where they stand on the base.
    pub settled: Arc<Vec<Direct>>,
    /// Dependencies that manifests name and that have upgrades of their own, where they stand on the base.
    pub rising: Arc<Vec<Direct>>,
}

impl Aims {
    /// The dependencies that stay in the upgrade of another one.
    pub(super) fn fixed(&self, others: Others) -> Arc<Vec<Direct>> {
        match others {
            Others::MayMove => Arc::clone(&self.settled),
            Others::Stay => Arc::new(self.settled.iter().chain(self.rising.iter()).cloned().collect()),
        }
    }
}

/// The bounds of one resolve.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    /// The newest Rust that a release may need.
    pub(super) rust: Option<String>,
    /// The lockfile that all upgrades together lead to: no other versions are shown, but for the locked ones.
    pub(super) target: Option<Arc<Lock>>,
    /// Crates of which only certain versions of a line are shown.
    pub(super) lines: Vec<(RegistryKey, String, Line)>,
    /// The crates that are raised, each with its wanted version: none above it is shown but those of the target (it may
    /// require one of its own successors), and none beside it that is compatible with it.
    pub(super) raised: Vec<Direct>,
    /// Crates that stay where they are locked, unless they are raised.
    pub(super) fixed: Arc<Vec<Direct>>,
}

impl Bounds {
    /// Nothing but what is locked, and what a lockfile has.
    pub(super) fn towards(target: &Arc<Lock>) -> Self {
        Self { target: Some(Arc::clone(target)), ..Self::default() }
    }

    /// With one crate raised to a version.
    pub(super) fn raising(mut self, subject: &Subject<'_>, version: &Version) -> Self {
        self.raised.push((subject.key.clone(), subject.name.to_owned(), version.clone()));
        self
    }

    /// The limits for one registry, while these versions are locked.
    pub(super) fn limits(&self, key: &RegistryKey, locked: &Lock) -> Limits {
        let locked = versions(locked, key);
        let of_it = |all: &'_ [Direct]| -> Vec<(String, Version)> {
            let own = all.iter().filter(|(of, ..)| of == key);
            own.map(|(_, name, version)| (name.to_ascii_lowercase(), version.clone())).collect()
        };
        let raised = of_it(&self.raised);
        let only = |(name, version): &(String, Version)| (name.clone(), Line::only(version));
        let stays = |(name, version): (String, Version)| {
            let shown = locked.get(&name).cloned().unwrap_or_default();
            (name, Line { with: version, shown })
        };
        let moves = |name: &str, at: &Version| {
            raised.iter().any(|(one, to)| one == name && (same_version(at, to) || compatible(at, to)))
        };
        let fixed = of_it(&self.fixed).into_iter().filter(|(name, at)| !moves(name, at));
        let given = self.lines.iter().filter(|(of, ..)| of == key);
        let given = given.map(|(_, name, line)| (name.to_ascii_lowercase(), line.clone()));
        let mut lines: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for (name, line) in raised.iter().map(only).chain(given).chain(fixed.map(stays)) {
            lines.entry(name).or_default().push(line);
        }
        let mut tops: BTreeMap<String, Version> = BTreeMap::new();
        for (name, to) in &raised {
            let top = tops.entry(name.clone()).or_insert_with(|| to.clone());
            *top = to.max(top).clone();
        }
        let only = self.target.as_ref().map(|target| versions(target, key));
        Limits { rust: self.rust.clone(), only, lines, tops, locked }
    }
}

fn versions(lock: &Lock, key: &RegistryKey) -> Versions {
    let mut versions = Versions::new();
    for (name, version) in of_registry(lock, key) {
        versions.entry(name.to_ascii_lowercase()).or_default().insert(version);
    }
    versions
}

/// The least `rust-version` of the members that need a package, directly or through others; where none of them states
/// one, the Rust that the checks run with.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn rust_of_users(
    cargo: &Cargo<'_>,
    root: &Path,
    project: &Project,
    lock: &Lock,
    name: &str,
    version: &Version,
) -> Result<Option<String>> {
    let is_user = |member: &str| lock::reaches(lock, member, name, version);
    least_rust(cargo, root, project, &is_user)
}

/// The least `rust-version` of all members; where none states one, the Rust that the checks run with.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn rust_of_workspace(cargo: &Cargo<'_>, root: &Path, project: &Project) -> Result<Option<String>> {
    least_rust(cargo, root, project, &|_| true)
}

fn least_rust(
    cargo: &Cargo<'_>,
    root: &Path,
    project: &Project,
    counts: &dyn Fn(&str) -> bool,
) -> Result<Option<String>> {
    let manifests = project_files::read_manifests(root, project)?.map_err(|reason| anyhow!(reason.text))?;
    let mut least = None;
    for member in manifests.values() {
        if member.package_name.as_deref().is_some_and(counts) {
            project_files::lower(&mut least, project_files::rust_version(member, &manifests));
        }
    }
    Ok(least.or_else(|| cargo.rust_of_checks(root, project)))
}
