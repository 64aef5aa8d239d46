//! Lists the dependencies of a workspace: every requirement of every manifest, grouped by crate and locked version,
//! with the releases of the registry, the least `rust-version` of the members that use it, and what stands in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use semver::Version;

use super::index::{self, IndexError};
use super::manifest::{self, Entry, Inheritable, Manifest, Origin};
use super::requirement::{Form, admits, form};
use super::{Cargo, fresh, lock, relock, transitive};
use crate::candidate::{self, Dependency, EcosystemKind, Pinned, Place, Reason, ReasonKind, Release, Role};
use crate::ecosystem::{Project, Survey};
use crate::event::Event;
use crate::policy::toolchain_exceeds;

/// Where crates of the default registry say that they come from in a lockfile.
const DEFAULT_SOURCES: &[&str] =
    &["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// Surveys a workspace; a file that cannot be read holds it whole.
pub fn survey(cargo: &Cargo<'_>, root: &Path, project: &Project) -> Result<Survey> {
    let manifests = match read_manifests(root, project)? {
        Ok(manifests) => manifests,
        Err(reason) => return Ok(Err(reason)),
    };
    if project.obstacle.is_some() {
        return Ok(Ok(named_only(project, &manifests)));
    }
    let locked = match relock::read_lock(root, project) {
        Ok(locked) => locked,
        Err(error) => return Ok(Err(Reason::new(ReasonKind::BrokenProject, format!("{error:#}")))),
    };
    let mut groups = group(project, &manifests, &locked);
    keep_apart(&mut groups);
    let registry = match cargo.registry(root, project) {
        Ok(registry) => registry,
        Err(error) => return Ok(Err(Reason::new(ReasonKind::RegistryUnreachable, format!("{error:#}")))),
    };
    let mut enabled: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in groups.values().filter(|one| one.obstacle.is_none()) {
        enabled.entry(one.name.clone()).or_default().extend(one.features.iter().cloned());
    }
    let what = format!("surveying {}", project.label());
    let tell = |done, total| cargo.listener.tell(&Event::Progressed { what: what.clone(), done, total });
    // One round for everything: yanks show only in the index, so that of each locked package is needed anyhow.
    let entries = registry.index.entries(&asked(enabled.keys(), &locked), &tell);
    let releases = registry.index.briefs(&enabled, &|_, _| {});
    let indirect = transitive::find(&locked, &members(&manifests));
    let wanted = transitive::wanted(&indirect, &entries, cargo.outlook.transitive);
    let others = registry.index.releases(&wanted.into_iter().collect::<Vec<_>>(), &|_, _| {});
    let others = transitive::dependencies(project, &indirect, &entries, &others);
    for (path, manifest) in &manifests {
        for marker in &manifest.loose_markers {
            let text = format!(
                "{path}:{}: the comment `{}` holds nothing; put it beside a requirement",
                marker.line, marker.text
            );
            cargo.listener.tell(&Event::Warned { text });
        }
    }
    for trouble in registry.index.troubles() {
        cargo.listener.tell(&Event::Warned { text: trouble });
    }
    if let Some((names, error)) = transitive::unknown(&indirect, &entries) {
        let text = format!("whether {} is yanked is not known: {error}", some(&names));
        cargo.listener.tell(&Event::Warned { text });
    }
    let direct = groups.into_values().map(|one| finish(one, &releases));
    let mut dependencies: Vec<Dependency> = direct.chain(others).collect();
    if project.lock.is_some() {
        for dependency in &mut dependencies {
            fresh::mark_unrecorded(dependency, cargo.manifest, |path| manifests.get(path));
        }
    }
    Ok(Ok(dependencies))
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

/// The crates to read in one round: the direct ones and every locked package of the default registry.
fn asked<'a>(direct: impl Iterator<Item = &'a String>, locked: &lock::Lock) -> BTreeMap<String, BTreeSet<Version>> {
    let mut asked: BTreeMap<String, BTreeSet<Version>> = direct.map(|name| (name.clone(), BTreeSet::new())).collect();
    for package in locked.packages.iter().filter(|one| is_default(one.source.as_deref())) {
        asked.entry(package.name.clone()).or_default().insert(package.version.clone());
    }
    asked
}

/// The packages that have a manifest here, each with its `rust-version`.
fn members(manifests: &Manifests) -> BTreeMap<String, Option<String>> {
    let named = |one: &Manifest| Some((one.package_name.clone()?, rust_version(one, manifests)));
    manifests.values().filter_map(named).collect()
}

/// Whether a package's source in a lockfile is the default registry.
pub fn is_default(source: Option<&str>) -> bool {
    source.is_some_and(|source| DEFAULT_SOURCES.contains(&source))
}

/// The dependencies of a project that is held whole: their names and places, so that none of them vanishes.
fn named_only(project: &Project, manifests: &Manifests) -> Vec<Dependency> {
    let nothing = lock::Lock { version: 4, packages: Vec::new(), unused_patches: Vec::new() };
    group(project, manifests, &nothing).into_values().map(|one| one.dependency).collect()
}

/// The manifests by path from the root; the error is the reason to hold the project.
type Manifests = BTreeMap<String, Manifest>;

/// Reads the manifests of a project.
pub fn read_manifests(root: &Path, project: &Project) -> Result<Result<Manifests, Reason>> {
    let mut manifests = BTreeMap::new();
    for path in &project.manifests {
        let bytes = std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        match manifest::read(&bytes) {
            Ok(manifest) => manifests.insert(path.clone(), manifest),
            Err(error) => return Ok(Err(Reason::new(ReasonKind::BrokenProject, format!("{path}: {error}")))),
        };
    }
    Ok(Ok(manifests))
}

/// One dependency in the making.
struct Group {
    dependency: Dependency,
    features: BTreeSet<String>,
    /// Why it may not leave its line.
    kept_apart: Option<String>,
}

impl std::ops::Deref for Group {
    type Target = Dependency;
    fn deref(&self) -> &Dependency {
        &self.dependency
    }
}

/// Crate, locked version and kind of source: what makes two entries one dependency.
type GroupKey = (String, Option<String>, String);

fn group(project: &Project, manifests: &Manifests, locked: &lock::Lock) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for (path, manifest) in manifests {
        for entry in manifest.entries.iter().filter(|entry| entry.origin != Origin::Inherited) {
            let users = users(path, manifest, entry, manifests);
            let at = locked_version(entry, &users, locked);
            let key = (entry.package.clone(), at.as_ref().map(ToString::to_string), source_name(&entry.origin));
            let group = groups.entry(key).or_insert_with(|| new_group(project, entry, at.clone()));
            add(group, path, entry, &users, manifests);
            if let Some(obstacle) = unlocked(entry, at.as_ref()) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
            if let Some(obstacle) = patched(entry, at.as_ref(), locked, manifests) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
        }
    }
    groups
}

fn source_name(origin: &Origin) -> String {
    match origin {
        Origin::Registry { registry } => registry.clone().unwrap_or_default(),
        Origin::Git => "git".into(),
        Origin::Path => "path".into(),
        Origin::Inherited => "workspace".into(),
    }
}

/// The members whose build an entry shapes: the manifest's own package, or all that inherit it.
fn users<'a>(path: &str, manifest: &'a Manifest, entry: &Entry, manifests: &'a Manifests) -> Vec<&'a Manifest> {
    if entry.kind != manifest::Kind::Workspace {
        return vec![manifest];
    }
    let _ = path;
    let inherits =
        |other: &&Manifest| other.entries.iter().any(|one| one.origin == Origin::Inherited && one.name == entry.name);
    manifests.values().filter(inherits).collect()
}

/// The version that an entry stands at in the lockfile.
fn locked_version(entry: &Entry, users: &[&Manifest], locked: &lock::Lock) -> Option<Version> {
    let requirement = entry.requirement.as_deref().unwrap_or("*");
    let names: Vec<&String> = users.iter().filter_map(|manifest| manifest.package_name.as_ref()).collect();
    let members = lock::members(locked).into_iter().filter(|member| names.contains(&&member.name));
    let mut found: Vec<&Version> = members
        .flat_map(|member| &member.dependencies)
        .filter(|one| {
            one.name == entry.package
                && (entry.origin == Origin::Path || entry.origin == Origin::Git || admits(requirement, &one.version))
        })
        .map(|one| &one.version)
        .collect();
    found.sort();
    found.first().map(|version| (*version).clone())
}

fn new_group(project: &Project, entry: &Entry, at: Option<Version>) -> Group {
    let dependency = Dependency {
        ecosystem: EcosystemKind::Cargo,
        project: project.path.clone(),
        name: entry.package.clone(),
        role: Role::Direct,
        at: at.map(Into::into),
        places: Vec::new(),
        releases: Vec::new(),
        toolchain: None,
        urgent: None,
        pinned: Pinned::No,
        switch: None,
        obstacle: source_obstacle(&entry.origin),
    };
    Group { dependency, features: BTreeSet::new(), kept_apart: None }
}

fn source_obstacle(origin: &Origin) -> Option<Reason> {
    match origin {
        Origin::Git => Some(Reason::new(ReasonKind::GitSource, "it comes from a git repository, not from a registry")),
        Origin::Path => Some(Reason::new(ReasonKind::PathSource, "it comes from a folder, not from a registry")),
        Origin::Registry { registry: Some(name) } => {
            let text = format!("it comes from the registry `{name}`; only the default one is handled yet");
            Some(Reason::new(ReasonKind::OtherRegistry, text))
        }
        Origin::Registry { registry: None } | Origin::Inherited => None,
    }
}

/// A member's requirement that the lockfile has no version for: cargo would write one, unless told `--locked`.
fn unlocked(entry: &Entry, at: Option<&Version>) -> Option<Reason> {
    let of_a_member = entry.kind != manifest::Kind::Workspace && matches!(entry.origin, Origin::Registry { .. });
    (of_a_member && at.is_none()).then(|| {
        let text = "Cargo.lock has no version of it, so `--locked` fails before any upgrade; \
                    run `cargo update --workspace` and commit the lockfile";
        Reason::new(ReasonKind::BaselineRed, text)
    })
}

/// A crate that the lockfile takes from elsewhere than the requirement says: `[patch]` decides, and a raise does nothing.
fn patched(entry: &Entry, at: Option<&Version>, locked: &lock::Lock, manifests: &Manifests) -> Option<Reason> {
    if !matches!(entry.origin, Origin::Registry { registry: None }) {
        return None;
    }
    let package = locked.packages.iter().find(|one| one.name == entry.package && Some(&one.version) == at)?;
    let table = manifests.iter().find_map(|(path, manifest)| Some((path, manifest.patches.get(&entry.package)?)));
    let who = match table {
        Some((path, table)) => format!("`{table}` in {path}"),
        None => "a `[patch]` of cargo's configuration".to_owned(),
    };
    let text = format!(
        "{who} decides where it comes from; a raise would change nothing or leave that behind, so change it by hand"
    );
    (!is_default(package.source.as_deref())).then(|| Reason::new(ReasonKind::Replaced, text))
}

/// Two keys of one manifest that name two lines of one crate do so on purpose: the older one stays in its line. Without
/// this it would climb until both are the same version, which cargo resolves and the build refuses, or which is simply not
/// what the alias was made for.
fn keep_apart(groups: &mut BTreeMap<GroupKey, Group>) {
    let keys: Vec<GroupKey> = groups.keys().cloned().collect();
    for lower in &keys {
        let newer = keys.iter().find_map(|upper| alias_of(&groups[lower], &groups[upper]));
        if let (Some(text), Some(group)) = (newer, groups.get_mut(lower)) {
            group.kept_apart = Some(text);
        }
    }
}

/// What to say of the lower of two groups that are aliases of one crate.
fn alias_of(lower: &Group, upper: &Group) -> Option<String> {
    let (low, high) = (lower.at.as_ref()?, upper.at.as_ref()?);
    if lower.name != upper.name || low >= high || candidate::compatible(EcosystemKind::Cargo, low, high) {
        return None;
    }
    let pairs = lower.places.iter().flat_map(|a| upper.places.iter().map(move |b| (a, b)));
    let (a, b) = pairs.into_iter().find(|(a, b)| a.manifest == b.manifest && a.key != b.key)?;
    let (a, b, manifest) = (&a.key, &b.key, &a.manifest);
    Some(format!("`{a}` and `{b}` in {manifest} keep two lines of it apart; change `{a}` by hand if that is over"))
}

fn add(group: &mut Group, path: &str, entry: &Entry, users: &[&Manifest], manifests: &Manifests) {
    let place = Place { manifest: path.to_owned(), table: entry.place.table.clone(), key: entry.place.key.clone() };
    let dependency = &mut group.dependency;
    if dependency.places.is_empty() && entry.optional {
        let features: Vec<String> = entry.switches.iter().map(|feature| format!("`{feature}`")).collect();
        dependency.switch = Some(format!("feature {}", features.join(" or ")));
    } else if !entry.optional {
        dependency.switch = None;
    }
    dependency.places.push(place);
    group.features.extend(entry.features.iter().chain(&entry.forwarded).cloned());
    for user in users {
        let inherited = user.entries.iter().filter(|one| one.origin == Origin::Inherited && one.name == entry.name);
        group.features.extend(inherited.flat_map(|one| one.features.iter().chain(&one.forwarded).cloned()));
        lower(&mut dependency.toolchain, rust_version(user, manifests));
    }
    if entry.requirement.as_deref().is_some_and(|text| form(text).is_ok_and(|form| form == Form::Exact)) {
        dependency.pinned = Pinned::Yes;
    }
    let mut inherited_hold = users
        .iter()
        .flat_map(|user| &user.entries)
        .filter(|one| one.origin == Origin::Inherited && one.name == entry.name);
    let hold = entry.hold.as_ref().or_else(|| inherited_hold.find_map(|one| one.hold.as_ref()));
    if let Some(hold) = hold {
        let text = format!(
            "a comment in {path} holds it: {}",
            if hold.reason.is_empty() { "no reason given" } else { &hold.reason }
        );
        dependency.obstacle.get_or_insert(Reason::new(ReasonKind::HeldByUser, text));
    }
}

/// What a member's `rust-version` says, inherited or its own.
pub fn rust_version(member: &Manifest, manifests: &Manifests) -> Option<String> {
    match member.rust_version.as_ref()? {
        Inheritable::Explicit(version) => Some(version.clone()),
        Inheritable::Inherited => manifests.values().find_map(|one| one.workspace_rust_version.clone()),
    }
}

/// Keeps the lower of two `rust-version`s; none is no limit.
pub fn lower(least: &mut Option<String>, other: Option<String>) {
    let Some(other) = other else { return };
    if least.as_ref().is_none_or(|known| toolchain_exceeds(EcosystemKind::Cargo, known, &other)) {
        *least = Some(other);
    }
}

/// What the registry said of the direct crates.
type Answers = BTreeMap<String, Result<Vec<index::Brief>, IndexError>>;

fn finish(group: Group, answers: &Answers) -> Dependency {
    let Group { mut dependency, features, kept_apart } = group;
    match answers.get(&dependency.name) {
        _ if dependency.obstacle.is_some() => {}
        Some(Ok(releases)) => {
            dependency.releases = releases.iter().map(|release| known(release, &features)).collect();
            if let Some(text) = kept_apart {
                keep_in_line(&mut dependency, &text);
            }
            dependency.urgent = urgent(&dependency, releases);
        }
        Some(Err(error)) => dependency.obstacle = Some(registry_obstacle(error)),
        None => {}
    }
    dependency.places.sort();
    dependency
}

/// The releases of other lines are none for it.
fn keep_in_line(dependency: &mut Dependency, text: &str) {
    let Some(at) = dependency.at.clone() else { return };
    let elsewhere = |release: &&mut Release| !candidate::compatible(EcosystemKind::Cargo, &at, &release.version);
    for release in dependency.releases.iter_mut().filter(elsewhere) {
        release.unfit.get_or_insert_with(|| Reason::new(ReasonKind::Aliased, text));
    }
}

fn urgent(dependency: &Dependency, releases: &[index::Brief]) -> Option<String> {
    let at = dependency.at.as_ref()?;
    let yanked =
        releases.iter().any(|release| release.yanked && candidate::Version::from(release.version.clone()) == *at);
    yanked.then(|| format!("{} {at} is yanked", dependency.name))
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

/// Why a crate is held that the registry does not tell about.
pub fn registry_obstacle(error: &IndexError) -> Reason {
    let kind = match error {
        IndexError::NotCached(_) => ReasonKind::NotCached,
        IndexError::Refused { .. } | IndexError::NotFound { .. } | IndexError::BadName(_) => {
            ReasonKind::RegistryRefused
        }
        _ => ReasonKind::RegistryUnreachable,
    };
    Reason::new(kind, error.to_string())
}
