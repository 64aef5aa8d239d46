//! Groups the requirements of a workspace into dependencies: one for each crate, locked version and source, with the
//! places that require it, what its users enable of it and can build, and what stands in the way before any registry is
//! asked. Looks at what was read, asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::super::index::{IndexError, RegistryKey};
use super::super::lock;
use super::super::manifest::{Entry, Kind, Manifest, Origin};
use super::super::project_files::{Manifests, lower, rust_version};
use super::super::requirement::{Form, admits, form};
use crate::candidate::{self, Dependency, DependencyRef, Pinned, Place, Promise, Reason, ReasonKind, Role};
use crate::project::Project;

/// One dependency in the making.
pub(super) struct Group {
    /// All that is known before the registries are asked.
    pub(super) dependency: Dependency,
    /// The features that the project enables of it.
    pub(super) features: BTreeSet<String>,
    /// Why it may not leave its line.
    pub(super) kept_apart: Option<String>,
    /// The registry as the first of its requirements writes it; none for crates-io.
    pub(super) registry: Option<String>,
}

/// Crate, locked version and source: what makes two entries one dependency.
pub(super) type GroupKey = (String, Option<String>, Source);

/// Where an entry's crate comes from, however it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
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
pub(super) type Keys<'a> = &'a dyn Fn(Option<&str>) -> Result<RegistryKey, IndexError>;

/// The dependencies that the manifests require, each with what stands in its way so far.
pub(super) fn group(
    project: &Project,
    manifests: &Manifests,
    locked: &lock::Lock,
    keys: Keys<'_>,
) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for (path, manifest) in manifests {
        for entry in manifest.entries.iter().filter(|entry| entry.origin != Origin::Inherited) {
            let users = users(manifest, entry, manifests);
            let source = source(&entry.origin, keys);
            let edges = edges(entry, &source, &users, locked);
            let at = edges.iter().map(|edge| &edge.version).min().cloned();
            let key = (entry.package.clone(), at.as_ref().map(ToString::to_string), source.clone());
            let group = groups.entry(key).or_insert_with(|| new_group(project, entry, at.clone()));
            group.dependency.over.extend(at.iter().flat_map(|at| lock::required_by(locked, &entry.package, at)));
            add(group, path, entry, &users, manifests);
            if let Some(obstacle) = unlocked(entry, at.as_ref()) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
            if let Some(obstacle) = patched(entry, &source, at.as_ref(), &edges, locked, manifests) {
                group.dependency.obstacle.get_or_insert(obstacle);
            }
        }
    }
    groups
}

/// Two keys of one manifest that name two lines of one crate do so on purpose: the older one stays in its line. Without
/// this it would climb until both are the same version, which cargo resolves and the build refuses, or which is simply
/// not what the alias was made for.
pub(super) fn keep_apart(groups: &mut BTreeMap<GroupKey, Group>) {
    let keys: Vec<GroupKey> = groups.keys().cloned().collect();
    for lower in &keys {
        let newer = keys.iter().find_map(|upper| alias_of(&groups[lower], &groups[upper]));
        if let (Some(text), Some(group)) = (newer, groups.get_mut(lower)) {
            group.kept_apart = Some(text);
        }
    }
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
fn users<'a>(manifest: &'a Manifest, entry: &Entry, manifests: &'a Manifests) -> Vec<&'a Manifest> {
    if entry.kind != Kind::Workspace {
        return vec![manifest];
    }
    let inherits =
        |other: &&Manifest| other.entries.iter().any(|one| one.origin == Origin::Inherited && one.name == entry.name);
    manifests.values().filter(inherits).collect()
}

/// The edges of the lockfile that an entry may mean; it stands at the lowest of their versions. A crate of the same name from another registry is another crate; one
/// from git or a folder is this one, patched, unless there is an edge to the registry, too.
fn edges<'a>(
    entry: &Entry,
    source: &Source,
    users: &[&Manifest],
    locked: &'a lock::Lock,
) -> Vec<&'a lock::LockedDependency> {
    let requirement = entry.requirement.as_deref().unwrap_or("*");
    let names: Vec<&String> = users.iter().filter_map(|manifest| manifest.package_name.as_ref()).collect();
    let members = lock::members(locked).into_iter().filter(|member| names.contains(&&member.name));
    let from_elsewhere = |one: &lock::LockedDependency| {
        let registry = one.source.as_deref().and_then(RegistryKey::of_lock);
        registry.is_some_and(|registry| *source != Source::Registry(registry))
    };
    let mut found: Vec<&lock::LockedDependency> = members
        .flat_map(|member| &member.dependencies)
        .filter(|one| one.name == entry.package && !from_elsewhere(one))
        .filter(|one| matches!(source, Source::Path | Source::Git) || admits(requirement, &one.version))
        .collect();
    if found.iter().any(|one| leads_to(one, source)) {
        found.retain(|one| leads_to(one, source));
    }
    found
}

/// True for an edge to the very registry that a requirement means.
fn leads_to(edge: &lock::LockedDependency, source: &Source) -> bool {
    let registry = edge.source.as_deref().and_then(RegistryKey::of_lock);
    registry.is_some_and(|registry| *source == Source::Registry(registry))
}

fn new_group(project: &Project, entry: &Entry, at: Option<Version>) -> Group {
    let dependency = Dependency {
        id: DependencyRef {
            project: project.id(),
            name: entry.package.clone(),
            role: Role::Direct,
            places: Vec::new(),
        },
        at: at.map(Into::into),
        over: BTreeSet::new(),
        releases: Vec::new(),
        toolchain: None,
        urgent: None,
        pinned: Pinned::No,
        switch: None,
        cooldown: None,
        newest_unknown: None,
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
    let of_a_member = entry.kind != Kind::Workspace && matches!(entry.origin, Origin::Registry { .. });
    (of_a_member && at.is_none()).then(|| {
        let text = "Cargo.lock has no version of it, so `--locked` fails before any upgrade; \
                    run `cargo update --workspace` and commit the lockfile";
        Reason::new(ReasonKind::BaselineRed, text)
    })
}

/// A crate that the lockfile takes from elsewhere than the requirement says: `[patch]` decides, and a raise does nothing.
/// A package of the workspace with its name and version does not count where the edges lead past that one.
fn patched(
    entry: &Entry,
    source: &Source,
    at: Option<&Version>,
    edges: &[&lock::LockedDependency],
    locked: &lock::Lock,
    manifests: &Manifests,
) -> Option<Reason> {
    let Source::Registry(key) = source else { return None };
    let here = |one: &&lock::LockedPackage| one.name == entry.package && Some(&one.version) == at;
    let registry = |one: &lock::LockedPackage| one.source.as_deref().and_then(RegistryKey::of_lock);
    let from: Vec<Option<RegistryKey>> = locked.packages.iter().filter(here).map(registry).collect();
    // What `[replace]` exchanges stays in the lockfile, beside what stands for it.
    if at.is_none() || (from.iter().all(Option::is_some) && from.iter().flatten().any(|one| one == key)) {
        return None;
    }
    let named = |manifest: &Manifest| manifest.patches.contains_key(&entry.package);
    if edges.iter().any(|edge| leads_to(edge, source)) && !manifests.values().any(named) {
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

/// What to say of the lower of two groups that are aliases of one crate.
fn alias_of(lower: &Group, upper: &Group) -> Option<String> {
    if lower.registry != upper.registry {
        return None;
    }
    let (lower, upper) = (&lower.dependency, &upper.dependency);
    let (low, high) = (lower.at.as_ref()?, upper.at.as_ref()?);
    if lower.id.name != upper.id.name || low >= high || candidate::compatible(Promise::LeftmostNumber, low, high) {
        return None;
    }
    let pairs = lower.id.places.iter().flat_map(|a| upper.id.places.iter().map(move |b| (a, b)));
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
    if dependency.id.places.is_empty() && entry.optional {
        let features: Vec<String> = entry.switches.iter().map(|feature| format!("`{feature}`")).collect();
        dependency.switch = Some(format!("feature {}", features.join(" or ")));
    } else if !entry.optional {
        dependency.switch = None;
    }
    dependency.id.places.push(place);
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
