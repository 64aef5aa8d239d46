//! Judges what a relock did, against the policy: whether the upgrade is reached, and from its registry, what ends
//! lower, and what came along from registries that nobody watches or for a Rust that a member does not support. Reads
//! manifests and index files, writes nothing.

use std::path::Path;

use anyhow::{Result, anyhow};
use semver::Version;

use super::super::index::{self, RegistryKey};
use super::super::lock::{self, Lock, LockDiff, LockedPackage};
use super::super::project_files;
use super::super::registries::Registries;
use super::super::requirement::same_version;
use super::is_there;
use crate::candidate::toolchain_exceeds;
use crate::candidate::{self, Reason, ReasonKind};
use crate::ecosystem::Change;

/// What the policy says to the new lockfile.
pub(super) fn objection(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Option<Reason> {
    let (name, to) = (change.name, change.to);
    if !is_there(after, name, to.semver()) {
        let at = lock::package_versions(after, name).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let end = if at.is_empty() { "in the lockfile no more".to_owned() } else { format!("at {at} and not at {to}") };
        return Some(Reason::new(ReasonKind::ResolveRefused, format!("after the relock {name} is {end}")));
    }
    if !is_from_registry(after, name, to.semver()) {
        let text = format!("{name} {to} would come from a `[patch]` and not from the registry; change the patch");
        return Some(Reason::new(ReasonKind::Replaced, text));
    }
    downward(name, to, diff)
}

fn is_from_registry(lock: &Lock, name: &str, version: &Version) -> bool {
    let of_it = lock.packages.iter().filter(|one| one.name == name && same_version(&one.version, version));
    of_it.filter_map(|one| one.source.as_deref()).any(|source| !source.starts_with("git+"))
}

/// A package that ends lower, or a lockfile that ends in another format.
pub(super) fn downward(name: &str, to: &candidate::Version, diff: &LockDiff) -> Option<Reason> {
    if let Some(moved) = diff.lowered.first() {
        let text = format!("{name} {to} would lower {} from {} to {}", moved.name, moved.from, moved.to);
        return Some(Reason::new(ReasonKind::WouldLower, text));
    }
    if let Some((from, into)) = diff.format_changed {
        let text =
            format!("cargo would change the lockfile's format from {from} to {into}; use the toolchain that wrote it");
        return Some(Reason::new(ReasonKind::ResolveRefused, text));
    }
    None
}

/// The packages that a relock brought.
pub(super) fn arrivals<'l>(before: &Lock, after: &'l Lock) -> Vec<&'l LockedPackage> {
    let known = |one: &LockedPackage| {
        let same =
            |old: &LockedPackage| (&old.name, &old.version, &old.source) == (&one.name, &one.version, &one.source);
        before.packages.iter().any(same)
    };
    after.packages.iter().filter(|one| !known(one)).collect()
}

/// A package from a registry that no view stands for: nobody looked at its age.
pub(super) fn unseen(change: &Change<'_>, registries: &Registries, brought: &[&LockedPackage]) -> Option<Reason> {
    let is_unseen = |one: &&&LockedPackage| {
        let source = one.source.as_deref();
        source.and_then(RegistryKey::of_lock).is_some() && registries.of_lock(source).is_none()
    };
    let package = brought.iter().find(is_unseen)?;
    let text = format!(
        "{} {} brings {} {} from {}, which no cargo configuration names; name that registry in `[registries]`",
        change.name,
        change.to,
        package.name,
        package.version,
        package.source.as_deref().unwrap_or_default()
    );
    Some(Reason::new(ReasonKind::ResolveRefused, text))
}

/// Every package that the relock brought must fit the `rust-version` of the members that use it: cargo's own fallback
/// is soft and takes a newer one where none fits.
pub(super) fn too_new_for_members(
    root: &Path,
    change: &Change<'_>,
    registries: &Registries,
    after: &Lock,
    brought: &[&LockedPackage],
) -> Result<Option<Reason>> {
    let manifests = project_files::read_manifests(root, change.project)?.map_err(|reason| anyhow!(reason.text))?;
    for LockedPackage { name, version, source, .. } in brought {
        let Some(registry) = registries.of_lock(source.as_deref()) else { continue };
        let Ok(body) = registry.index.raw(name) else { continue };
        let releases = index::releases(&body);
        let Some(needs) =
            releases.iter().find(|one| same_version(&one.version, version)).and_then(|one| one.rust_version.clone())
        else {
            continue;
        };
        for member in manifests.values() {
            let Some(package) = &member.package_name else { continue };
            let Some(has) = project_files::rust_version(member, &manifests) else { continue };
            if toolchain_exceeds(&needs, &has) && lock::reaches(after, package, name, version) {
                let text = format!(
                    "{} {} brings {name} {version}, which needs Rust {needs}; `{package}` supports Rust {has}",
                    change.name, change.to
                );
                return Ok(Some(Reason::new(ReasonKind::Msrv, text)));
            }
        }
    }
    Ok(None)
}
