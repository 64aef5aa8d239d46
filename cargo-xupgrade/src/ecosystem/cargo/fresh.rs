//! A lockfile for a project that keeps none in git (libraries often do): resolved afresh from the base commit through
//! the views of the registries, so that it depends on nothing that lies in a user's checkout. Baseline and trials use
//! it; it is never committed, and so an upgrade has to be written into a manifest.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::lock::{Lock, read};
use super::manifest::{self, Manifest};
use super::registries::Young;
use super::relock::Pen;
use super::requirement::Raise;
use super::workspace::{join, one_line};
use super::{Cargo, relock};
use crate::candidate::{Dependency, Place, Reason, ReasonKind, Version};
use crate::digest::sha256_hex;
use crate::event::Event;
use crate::machine::command::TimedOut;
use crate::phrases::{self, git};
use crate::project::{OwnLock, Project};

/// Gives the project a lockfile, or the reason why it can have none.
pub fn lock(cargo: &Cargo<'_>, root: &Path, project: &mut Project) -> Result<()> {
    let path = join(&project.path, "Cargo.lock");
    project.obstacle = None;
    match resolve(cargo, root, project)? {
        Ok(()) => {
            let bytes = fs::read(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
            let floating = read(&String::from_utf8_lossy(&bytes)).map(|lock| floating(&lock)).unwrap_or_default();
            project.lock = Some(OwnLock { tracked: false, sha256: sha256_hex(&bytes), floating });
            project.lockfile = Some(path);
        }
        Err(reason) => project.obstacle = Some(reason),
    }
    Ok(())
}

/// The packages from git repositories whose requirement does not say the very commit.
fn floating(lock: &Lock) -> Vec<(String, Version)> {
    let floats = |source: &str| {
        let (address, commit) = source.split_once('#').unwrap_or((source, ""));
        address.starts_with("git+") && (commit.is_empty() || !address.ends_with(&format!("rev={commit}")))
    };
    let packages = lock.packages.iter().filter(|package| package.source.as_deref().is_some_and(floats));
    packages.map(|package| (package.name.clone(), package.version.clone().into())).collect()
}

/// With nothing locked no version is exempt from the cooldown, so it may leave no solution. Then the base gets what a
/// lockfile in git could hold as well: releases of any age.
fn resolve(cargo: &Cargo<'_>, root: &Path, project: &Project) -> Result<Result<(), Reason>> {
    let first = attempt(cargo, root, project, Young::Hidden)?;
    if !matches!(&first, Err(failure) if failure.hidden == Hidden::Some) {
        return Ok(first.map_err(|failure| failure.reason));
    }
    let second = attempt(cargo, root, project, Young::Shown)?;
    if second.is_ok() {
        let text = format!(
            "{}: its Cargo.lock is not in git, and without releases that are too young or of unknown age none can be \
             resolved, so it is tested with such ones; to decide which, commit one",
            project.id()
        );
        cargo.listener.tell(&Event::Warned { text });
    }
    Ok(second.map_err(|failure| failure.reason))
}

/// Why one resolve made no lockfile.
struct Failure {
    reason: Reason,
    hidden: Hidden,
}

/// Whether the views hid a release from a resolve that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Some,
    None,
}

fn attempt(cargo: &Cargo<'_>, root: &Path, project: &Project, young: Young) -> Result<Result<(), Failure>> {
    let none = |kind, words: &str, hidden| {
        let text = format!("its Cargo.lock is not in git, and none can be resolved: {words}; commit one");
        Ok(Err(Failure { reason: Reason::new(kind, text), hidden }))
    };
    let registries = match cargo.unlocked_registries(root, project, young) {
        Ok(registries) => registries,
        Err(error) => return none(ReasonKind::RegistryUnreachable, &format!("{error:#}"), Hidden::None),
    };
    let output = relock::through_view(cargo, &registries, root, project, "generate-lockfile").output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.is::<TimedOut>() => {
            return none(ReasonKind::RegistryUnreachable, &error.to_string(), Hidden::None);
        }
        Err(error) => return Err(error),
    };
    if output.status.success() {
        return Ok(Ok(()));
    }
    // A plan names no folder of one machine.
    let words = String::from_utf8_lossy(&output.stderr).replace(&format!("{}/", root.display()), "");
    let words = words.replace(&format!(" ({})", root.display()), "");
    let words = one_line(&words.replace(&cargo.resolve_home.display().to_string(), "CARGO_HOME"));
    if git::is_shut_off(&words) {
        let asked = phrases::cargo::unreachable_source(&words).unwrap_or("one");
        let words = format!("it takes a package from the git repository {asked}, which cannot be asked offline");
        return none(ReasonKind::NotCached, &words, Hidden::None);
    }
    let silent = registries.refused().iter().any(|(_, error)| error.is_passing());
    let hidden = registries.hidden_met();
    let is_named = |name: &str| words.contains(&format!("`{name}`")) || words.contains(&format!("`{name} "));
    let named: Vec<String> =
        hidden.iter().filter(|(name, _)| is_named(name)).map(|(name, version)| format!("{name} {version}")).collect();
    match &named[..] {
        _ if silent => none(ReasonKind::RegistryUnreachable, &words, Hidden::None),
        [] if hidden.is_empty() => none(ReasonKind::NoLockfile, &words, Hidden::None),
        [] => none(ReasonKind::NoLockfile, &words, Hidden::Some),
        named => {
            let words = format!("{words} (hidden, for it came out too late: {})", named.join(", "));
            none(ReasonKind::TooYoung, &words, Hidden::Some)
        }
    }
}

/// Marks the releases that the manifests admit as they are: no file in git would record such an upgrade.
pub fn mark_unrecorded<'a>(
    dependency: &mut Dependency,
    pen: Pen<'_>,
    manifest_of: impl Fn(&str) -> Option<&'a Manifest>,
) {
    let text_at = |place: &Place| {
        let spot = manifest::Place { table: place.table.clone(), key: place.key.clone() };
        let entry = manifest_of(&place.manifest)?.entries.iter().find(|entry| entry.place == spot)?;
        entry.requirement.clone()
    };
    let requirements: Vec<(&Place, String)> =
        dependency.id.places.iter().filter_map(|place| Some((place, text_at(place)?))).collect();
    for release in &mut dependency.releases {
        let unwritten = |(place, text): &(&Place, String)| {
            matches!(pen.raised(place, text, release.version.semver()), Raise::AlreadyAdmits)
        };
        if requirements.iter().all(unwritten) {
            release.unfit.get_or_insert_with(|| {
                let text = match requirements.len() {
                    0 => "only Cargo.lock has it, and no Cargo.lock in git would record it; commit the lockfile".into(),
                    _ => format!(
                        "its requirement admits {} already, and no Cargo.lock in git would record it; \
                         commit the lockfile, or pass `--manifest always`",
                        release.version
                    ),
                };
                Reason::new(ReasonKind::NoLockfile, text)
            });
        }
    }
}
