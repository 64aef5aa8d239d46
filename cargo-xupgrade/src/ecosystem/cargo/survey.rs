//! Lists the dependencies of a workspace: every requirement of every manifest, grouped by crate and locked version,
//! with the releases of the registry, the least `rust-version` of the members that use it, and what stands in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use semver::Version;

use super::index::{self, IndexError, RegistryKey};
use super::manifest::{self, Entry, Inheritable, Manifest, Origin};
use super::registries::Registries;
use super::requirement::{Form, admits, form};
use super::{Cargo, fresh, lock, relock, transitive};
use crate::candidate::{self, Dependency, EcosystemKind, Pinned, Place, Reason, ReasonKind, Release, Role};
use crate::ecosystem::{Project, Survey};
use crate::event::Event;
use crate::policy::toolchain_exceeds;

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
    let registries = match cargo.registries(root, project) {
        Ok(registries) => registries,
        Err(error) => return Ok(Err(Reason::new(ReasonKind::RegistryUnreachable, format!("{error:#}")))),
    };
    let mut groups = group(project, &manifests, &locked, &|written| registries.key(written));
    keep_apart(&mut groups);
    let wanted = wanted(&registries, groups.values_mut());
    let what = format!("surveying {}", project.label());
    let tell = |done, total| cargo.listener.tell(&Event::Progressed { what: what.clone(), done, total });
    let usual = registries.find(None).ok();
    // One round for everything: yanks show only in the index, so that of each locked package is needed anyhow.
    let direct = wanted.get(&None).into_iter().flat_map(BTreeMap::keys);
    let entries = usual.map(|one| one.index.entries(&asked(direct, &locked), &tell)).unwrap_or_default();
    let releases = ask(&registries, &wanted, &tell);
    let indirect = transitive::find(&locked, &members(&manifests));
    let others: Vec<String> = transitive::wanted(&indirect, &entries, cargo.outlook.transitive).into_iter().collect();
    let others = usual.map(|one| one.index.releases(&others, &|_, _| {})).unwrap_or_default();
    let mut others = transitive::dependencies(project, &indirect, &entries, &others);
    for other in &mut others {
        other.cooldown = usual.and_then(|one| one.cooldown.clone());
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
    source.and_then(RegistryKey::of_lock) == Some(RegistryKey::crates_io())
}

/// The crates to ask each registry for, by what is written of it; a registry that cannot be asked holds its own.
fn wanted<'g>(registries: &Registries, groups: impl Iterator<Item = &'g mut Group>) -> Wanted {
    let mut wanted = Wanted::new();
    for group in groups.filter(|one| one.dependency.obstacle.is_none()) {
        match registries.find(group.registry.as_deref()) {
            Ok(registry) => {
                group.dependency.cooldown.clone_from(&registry.cooldown);
                let of_it = wanted.entry(group.registry.clone()).or_default();
                of_it.entry(group.dependency.name.clone()).or_default().extend(group.features.iter().cloned());
            }
            Err(error) => group.dependency.obstacle = Some(registry_obstacle(&error)),
        }
    }
    wanted
}

/// Asks each registry for the releases of its crates.
fn ask(registries: &Registries, wanted: &Wanted, tell: &dyn Fn(usize, usize)) -> Answers {
    let of_one = |(written, names): (&Option<String>, &BTreeMap<String, BTreeSet<String>>)| {
        let registry = registries.find(written.as_deref()).ok()?;
        // What the usual one is asked for was counted already.
        let answers = match written {
            Some(_) => registry.index.briefs(names, tell),
            None => registry.index.briefs(names, &|_, _| {}),
        };
        Some((written.clone(), answers))
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
    /// The registry as the first of its requirements writes it; none for crates-io.
    registry: Option<String>,
}

/// Crate, locked version and source: what makes two entries one dependency.
type GroupKey = (String, Option<String>, Source);

/// Where an entry's crate comes from, however it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A registry.
    Registry(RegistryKey),
    /// A registry that no configuration knows.
    Unknown(String),
    /// A git repository.
    Git,
    /// A folder.
    Path,
}

/// What tells the registry of a requirement from others.
type Keys<'a> = &'a dyn Fn(Option<&str>) -> Result<RegistryKey, IndexError>;

fn group(project: &Project, manifests: &Manifests, locked: &lock::Lock, keys: Keys<'_>) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for (path, manifest) in manifests {
        for entry in manifest.entries.iter().filter(|entry| entry.origin != Origin::Inherited) {
            let users = users(path, manifest, entry, manifests);
            let source = source(&entry.origin, keys);
            let at = locked_version(entry, &source, &users, locked);
            let key = (entry.package.clone(), at.as_ref().map(ToString::to_string), source.clone());
            let group = groups.entry(key).or_insert_with(|| new_group(project, entry, at.clone()));
            add(group, path, entry, &users, manifests);
            if let Some(obstacle) = unlocked(entry, at.as_ref()) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
            if let Some(obstacle) = patched(entry, &source, at.as_ref(), locked, manifests) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
        }
    }
    groups
}

fn source(origin: &Origin, keys: Keys<'_>) -> Source {
    match origin {
        Origin::Registry { registry } => match keys(registry.as_deref()) {
            Ok(key) => Source::Registry(key),
            Err(_) => Source::Unknown(registry.clone().unwrap_or_default()),
        },
        Origin::Git => Source::Git,
        Origin::Path | Origin::Inherited => Source::Path,
    }
}

/// The registry that an entry names; none for crates-io and for what comes from no registry.
fn registry_of(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Registry { registry } => registry.clone().filter(|name| name != "crates-io"),
        _ => None,
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

/// The version that an entry stands at in the lockfile. A crate of the same name from another registry is another crate;
/// one from git or a folder is this one, patched.
fn locked_version(entry: &Entry, source: &Source, users: &[&Manifest], locked: &lock::Lock) -> Option<Version> {
    let requirement = entry.requirement.as_deref().unwrap_or("*");
    let names: Vec<&String> = users.iter().filter_map(|manifest| manifest.package_name.as_ref()).collect();
    let members = lock::members(locked).into_iter().filter(|member| names.contains(&&member.name));
    let from_elsewhere = |one: &lock::LockedDependency| {
        let registry = one.source.as_deref().and_then(RegistryKey::of_lock);
        registry.is_some_and(|registry| *source != Source::Registry(registry))
    };
    let mut found: Vec<&Version> = members
        .flat_map(|member| &member.dependencies)
        .filter(|one| one.name == entry.package && !from_elsewhere(one))
        .filter(|one| matches!(source, Source::Path | Source::Git) || admits(requirement, &one.version))
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
        cooldown: None,
        obstacle: source_obstacle(&entry.origin),
    };
    Group { dependency, features: BTreeSet::new(), kept_apart: None, registry: registry_of(&entry.origin) }
}

fn source_obstacle(origin: &Origin) -> Option<Reason> {
    match origin {
        Origin::Git => Some(Reason::new(ReasonKind::GitSource, "it comes from a git repository, not from a registry")),
        Origin::Path => Some(Reason::new(ReasonKind::PathSource, "it comes from a folder, not from a registry")),
        Origin::Registry { .. } | Origin::Inherited => None,
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
fn patched(
    entry: &Entry,
    source: &Source,
    at: Option<&Version>,
    locked: &lock::Lock,
    manifests: &Manifests,
) -> Option<Reason> {
    let Source::Registry(key) = source else { return None };
    let mut packages = locked.packages.iter().filter(|one| one.name == entry.package && Some(&one.version) == at);
    let is_it = |one: &lock::LockedPackage| one.source.as_deref().and_then(RegistryKey::of_lock).as_ref() == Some(key);
    if at.is_none() || packages.any(is_it) {
        return None;
    }
    let table = manifests.iter().find_map(|(path, manifest)| Some((path, manifest.patches.get(&entry.package)?)));
    let who = match table {
        Some((path, table)) => format!("`{table}` in {path}"),
        None => "a `[patch]` of cargo's configuration".to_owned(),
    };
    let text = format!(
        "{who} decides where it comes from; a raise would change nothing or leave that behind, so change it by hand"
    );
    Some(Reason::new(ReasonKind::Replaced, text))
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
    if lower.registry != upper.registry {
        return None;
    }
    let (lower, upper) = (&lower.dependency, &upper.dependency);
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
    let place = Place {
        manifest: path.to_owned(),
        table: entry.place.table.clone(),
        key: entry.place.key.clone(),
        registry: registry_of(&entry.origin),
    };
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

fn finish(group: Group, answers: &Answers) -> Dependency {
    let Group { mut dependency, features, kept_apart, registry } = group;
    match answers.get(&registry).and_then(|of_it| of_it.get(&dependency.name)) {
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
        IndexError::Refused { .. }
        | IndexError::WantsCredentials { .. }
        | IndexError::NotFound { .. }
        | IndexError::BadName(_) => ReasonKind::RegistryRefused,
        IndexError::Unsupported(_) => ReasonKind::OtherRegistry,
        _ => ReasonKind::RegistryUnreachable,
    };
    Reason::new(kind, error.to_string())
}
