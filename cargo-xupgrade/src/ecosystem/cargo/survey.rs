//! Lists the dependencies of a workspace: every requirement of every manifest, grouped by crate and locked version,
//! with the releases of its registry, the least `rust-version` of the members that use it, and what stands in the way.

mod group;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use semver::Version;

use super::index::{self, IndexError, RegistryKey};
use super::manifest::Manifest;
use super::project_files::{self, Manifests, read_manifests, rust_version};
use super::registries::Registries;
use super::{Cargo, fresh, lock, relock, transitive};
use crate::candidate::toolchain_exceeds;
use crate::candidate::{self, Dependency, Promise, Reason, ReasonKind, Release};
use crate::ecosystem::{HeldWhole, Survey};
use crate::event::Event;
use crate::project::Project;
use group::{Group, group, keep_apart};
use relock::Pen;

/// Surveys a workspace; a file that cannot be read holds it whole.
pub fn survey(cargo: &Cargo<'_>, root: &Path, project: &Project) -> Result<Survey> {
    let manifests = match read_manifests(root, project)? {
        Ok(manifests) => manifests,
        Err(reason) => return Ok(Err(HeldWhole { reason, dependencies: Vec::new() })),
    };
    let whole = |kind, error| HeldWhole {
        reason: Reason::new(kind, format!("{error:#}")),
        dependencies: named_only(project, &manifests),
    };
    if project.obstacle.is_some() {
        return Ok(Ok(named_only(project, &manifests)));
    }
    let locked = match project_files::read_lock(root, project) {
        Ok(locked) => locked,
        Err(error) => return Ok(Err(whole(ReasonKind::BrokenProject, error))),
    };
    let registries = match cargo.registries(root, project) {
        Ok(registries) => registries,
        Err(error) => return Ok(Err(whole(ReasonKind::RegistryUnreachable, error))),
    };
    let mut groups = group(project, &manifests, &locked, &|written| registries.key(written));
    keep_apart(&mut groups);
    let wanted = wanted(&registries, groups.values_mut());
    let what = format!("surveying {}", project.id());
    let tell = |done, total| cargo.listener.tell(&Event::Progressed { what: what.clone(), done, total });
    let entries = entries(&registries, &asked(&registries, &wanted, &locked), &tell);
    let releases = ask(&registries, &wanted);
    let indirect = transitive::find(&locked, &members(&manifests));
    let others = ask_all(&registries, transitive::wanted(&indirect, &entries, cargo.outlook.transitive));
    let mut others = transitive::dependencies(project, &indirect, &entries, &others);
    for (other, known) in others.iter_mut().zip(&indirect) {
        other.cooldown = registries.of_key(&known.registry).ok().and_then(|one| one.cooldown.clone());
    }
    for (path, manifest) in &manifests {
        for marker in &manifest.loose_markers {
            let text = format!(
                "{path}:{}: the comment `{}` holds nothing; put it beside a requirement",
                marker.line, marker.text
            );
            cargo.listener.tell(&Event::Warned { text });
        }
    }
    let troubles: BTreeSet<String> = registries.all().flat_map(|one| one.index.troubles()).collect();
    for text in troubles {
        cargo.listener.tell(&Event::Warned { text });
    }
    if let Some((names, error)) = transitive::unknown(&indirect, &entries) {
        let text = format!("whether {} is yanked is not known: {error}", some(&names));
        cargo.listener.tell(&Event::Warned { text });
    }
    let direct = groups.into_values().map(|one| finish(one, &releases));
    let mut dependencies: Vec<Dependency> = direct.chain(others).collect();
    let pen = Pen { rule: cargo.manifest, closed: &project.closed };
    for dependency in &mut dependencies {
        relock::mark_unwritable(dependency, pen, |path| manifests.get(path));
        mark_namesakes(dependency, &locked);
        mark_beyond_checks(dependency, || cargo.rust_of_checks(root, project));
    }
    if project.lock.is_some() {
        for dependency in &mut dependencies {
            fresh::mark_unrecorded(dependency, pen, |path| manifests.get(path));
        }
    }
    Ok(Ok(dependencies))
}

/// Marks the releases that a package in a folder here has the name and version of: what a check compiles is known by these.
fn mark_namesakes(dependency: &mut Dependency, locked: &lock::Lock) {
    let local: Vec<&lock::LockedPackage> =
        lock::members(locked).into_iter().filter(|package| package.name == dependency.id.name).collect();
    for release in &mut dependency.releases {
        if local.iter().any(|package| package.version == *release.version.semver()) {
            let text = format!(
                "a package in a folder here is called {} {}, too, so no check could tell which of them it compiled; \
                 give that one another version",
                dependency.id.name, release.version
            );
            release.unfit.get_or_insert_with(|| Reason::new(ReasonKind::UnsupportedProject, text));
        }
    }
}

/// Marks the releases that the Rust of the checks cannot build, where no member states a `rust-version`: no check could
/// prove them.
fn mark_beyond_checks(dependency: &mut Dependency, rust_of_checks: impl Fn() -> Option<String>) {
    if dependency.toolchain.is_some() || dependency.releases.iter().all(|one| one.needs.is_none()) {
        return;
    }
    let Some(has) = rust_of_checks() else { return };
    for release in &mut dependency.releases {
        let Some(needs) = release.needs.as_ref() else { continue };
        if toolchain_exceeds(needs, &has) {
            let text = format!("{} needs Rust {needs}, and the checks run with Rust {has}", release.version);
            release.unfit.get_or_insert_with(|| Reason::new(ReasonKind::Msrv, text));
        }
    }
}

/// A few names, and how many more there are.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} or one of {more} more packages of Cargo.lock"),
    }
}

/// Crates and the locked versions of each, by registry.
type Asked = BTreeMap<RegistryKey, BTreeMap<String, BTreeSet<Version>>>;

/// The crates to read in one round from each registry: the direct ones and every locked package, for yanks show only in the
/// index.
fn asked(registries: &Registries, wanted: &Wanted, locked: &lock::Lock) -> Asked {
    let mut asked = Asked::new();
    for (written, names) in wanted {
        let Ok(key) = registries.key(written.as_deref()) else { continue };
        asked.entry(key).or_default().extend(names.keys().map(|name| (name.clone(), BTreeSet::new())));
    }
    for package in &locked.packages {
        let Some(key) = package.source.as_deref().and_then(RegistryKey::of_lock) else { continue };
        let of_it = asked.entry(key).or_default();
        of_it.entry(package.name.clone()).or_default().insert(package.version.clone());
    }
    asked
}

/// What each registry says of the locked versions of its crates; one that cannot be listed says nothing.
fn entries(registries: &Registries, asked: &Asked, tell: &dyn Fn(usize, usize)) -> transitive::Entries {
    let mut entries = transitive::Entries::new();
    for (key, versions) in asked {
        let Ok(registry) = registries.of_key(key) else { continue };
        let answers = registry.index.entries(versions, tell).into_iter();
        entries.extend(answers.map(|(name, answer)| ((key.clone(), name), answer)));
    }
    entries
}

/// All releases of crates that only others require.
fn ask_all(registries: &Registries, crates: BTreeSet<transitive::Crate>) -> transitive::Answers {
    let mut names: BTreeMap<RegistryKey, Vec<String>> = BTreeMap::new();
    for (key, name) in crates {
        names.entry(key).or_default().push(name);
    }
    let mut answers = transitive::Answers::new();
    for (key, names) in names {
        let Ok(registry) = registries.of_key(&key) else { continue };
        let of_it = registry.index.releases(&names, &|_, _| {}).into_iter();
        answers.extend(of_it.map(|(name, answer)| ((key.clone(), name), answer)));
    }
    answers
}

/// The packages that have a manifest here, each with its `rust-version`.
fn members(manifests: &Manifests) -> BTreeMap<String, Option<String>> {
    let named = |one: &Manifest| Some((one.package_name.clone()?, rust_version(one, manifests)));
    manifests.values().filter_map(named).collect()
}

/// The crates to ask each registry for, by what is written of it; a registry that cannot be asked holds its own.
fn wanted<'g>(registries: &Registries, groups: impl Iterator<Item = &'g mut Group>) -> Wanted {
    let mut wanted = Wanted::new();
    for group in groups.filter(|one| one.dependency.obstacle.is_none()) {
        match registries.find(group.registry.as_deref()) {
            Ok(registry) => {
                group.dependency.cooldown.clone_from(&registry.cooldown);
                let of_it = wanted.entry(group.registry.clone()).or_default();
                of_it.entry(group.dependency.id.name.clone()).or_default().extend(group.features.iter().cloned());
            }
            Err(error) => group.dependency.obstacle = Some(Reason::from(&error)),
        }
    }
    wanted
}

/// Asks each registry for the releases of its direct crates, whose files were read and counted with the locked ones.
fn ask(registries: &Registries, wanted: &Wanted) -> Answers {
    let of_one = |(written, names): (&Option<String>, &BTreeMap<String, BTreeSet<String>>)| {
        let registry = registries.find(written.as_deref()).ok()?;
        Some((written.clone(), registry.index.briefs(names, &|_, _| {})))
    };
    wanted.iter().filter_map(of_one).collect()
}

/// Crates and the features that the project enables of each, by registry as it is written; none for crates-io.
type Wanted = BTreeMap<Option<String>, BTreeMap<String, BTreeSet<String>>>;

/// What each registry said of its direct crates.
type Answers = BTreeMap<Option<String>, BTreeMap<String, Result<Vec<index::Brief>, IndexError>>>;

/// The dependencies of a project that is held whole: their names and places, so that none of them vanishes.
fn named_only(project: &Project, manifests: &Manifests) -> Vec<Dependency> {
    let nothing = lock::Lock { version: 4, packages: Vec::new(), unused_patches: Vec::new() };
    let key = |written: Option<&str>| Ok(written.map_or_else(RegistryKey::crates_io, RegistryKey::of_index));
    group(project, manifests, &nothing, &key).into_values().map(|one| one.dependency).collect()
}

fn finish(group: Group, answers: &Answers) -> Dependency {
    let Group { mut dependency, features, kept_apart, registry } = group;
    match answers.get(&registry).and_then(|of_it| of_it.get(&dependency.id.name)) {
        _ if dependency.obstacle.is_some() => {}
        Some(Ok(releases)) => {
            dependency.releases = releases.iter().map(|release| known(release, &features)).collect();
            if let Some(text) = kept_apart {
                keep_in_line(&mut dependency, &text);
            }
            dependency.urgent = urgent(&dependency, releases);
        }
        Some(Err(error)) => dependency.obstacle = Some(Reason::from(error)),
        None => {}
    }
    dependency.id.places.sort();
    dependency
}

/// The releases of other lines are none for it.
fn keep_in_line(dependency: &mut Dependency, text: &str) {
    let Some(at) = dependency.at.clone() else { return };
    let elsewhere = |release: &&mut Release| !candidate::compatible(Promise::LeftmostNumber, &at, &release.version);
    for release in dependency.releases.iter_mut().filter(elsewhere) {
        release.unfit.get_or_insert_with(|| Reason::new(ReasonKind::Aliased, text));
    }
}

fn urgent(dependency: &Dependency, releases: &[index::Brief]) -> Option<String> {
    let at = dependency.at.as_ref()?;
    let yanked =
        releases.iter().any(|release| release.yanked && candidate::Version::from(release.version.clone()) == *at);
    yanked.then(|| format!("{} {at} is yanked", dependency.id.name))
}

fn known(release: &index::Brief, features: &BTreeSet<String>) -> Release {
    let gone: Vec<&str> = release.lacks.iter().filter(|one| features.contains(*one)).map(String::as_str).collect();
    let unfit = (!gone.is_empty()).then(|| {
        let text = format!("{} has no feature `{}`, which the project enables", release.version, gone.join("`, `"));
        Reason::new(ReasonKind::FeatureGone, text)
    });
    Release {
        version: release.version.clone().into(),
        published: release.published,
        withdrawn: release.yanked,
        needs: release.rust_version.clone(),
        unfit,
    }
}
