//! The files of a project, read: its manifests and its lockfile.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::lock::{self, Lock};
use super::manifest::{self, Inheritable, Manifest};
use crate::candidate::{Reason, ReasonKind, toolchain_exceeds};
use crate::project::Project;

/// The manifests of a project by path from the root.
pub type Manifests = BTreeMap<String, Manifest>;

/// Reads the manifests of a project; the inner error is the reason to hold it.
pub fn read_manifests(root: &Path, project: &Project) -> Result<Result<Manifests, Reason>> {
    let mut manifests = BTreeMap::new();
    for path in &project.manifests {
        let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        match manifest::read(&bytes) {
            Ok(manifest) => manifests.insert(path.clone(), manifest),
            Err(error) => return Ok(Err(Reason::new(ReasonKind::BrokenProject, format!("{path}: {error}")))),
        };
    }
    Ok(Ok(manifests))
}

/// The `rust-version` of a member, inherited or its own.
pub fn rust_version(member: &Manifest, manifests: &Manifests) -> Option<String> {
    match member.rust_version.as_ref()? {
        Inheritable::Explicit(version) => Some(version.clone()),
        Inheritable::Inherited => manifests.values().find_map(|one| one.workspace_rust_version.clone()),
    }
}

/// Keeps the lower of two `rust-version`s; none is no limit.
pub fn lower(least: &mut Option<String>, other: Option<String>) {
    let Some(other) = other else { return };
    if least.as_ref().is_none_or(|known| toolchain_exceeds(known, &other)) {
        *least = Some(other);
    }
}

/// Reads the lockfile of a project.
pub fn read_lock(root: &Path, project: &Project) -> Result<Lock> {
    let path = project.lockfile.as_deref().ok_or_else(|| anyhow!("{} has no lockfile", project.id()))?;
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    lock::read(&text).with_context(|| format!("in {path}"))
}
