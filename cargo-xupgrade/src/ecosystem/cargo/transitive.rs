//! Packages of Cargo.lock that no manifest requires: who requires them, what those admit, and the least `rust-version`
//! that they reach. Those of crates-io only: other registries are asked about direct dependencies alone. A yanked one
//! becomes a dependency of its own that only the lockfile can move; with `--transitive` all do. Pure: lockfile and
//! index entries in, dependencies out.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{DepKind, IndexError, RegistryKey, Release, ReleaseDep};
use super::lock::{Lock, LockedDependency, LockedPackage};
use super::project_files::lower;
use super::requirement::{admits, compatible, same_version};
use crate::candidate::{self, Dependency, DependencyRef, Pinned, Reason, ReasonKind, Role};
use crate::project::Project;
use crate::project::TransitiveRule;

/// A crate: its registry and its name.
pub type Crate = (RegistryKey, String);

/// What the indexes say of the locked versions of each crate.
pub type Entries = BTreeMap<Crate, Result<Vec<Release>, IndexError>>;

/// All releases of some crates.
pub type Answers = BTreeMap<Crate, Result<Vec<Release>, IndexError>>;

/// A package that only other packages require.
#[derive(Debug)]
pub struct Indirect<'a> {
    package: &'a LockedPackage,
    /// The registry that it comes from.
    pub registry: RegistryKey,
    users: Vec<&'a LockedPackage>,
    /// The least `rust-version` of the members that reach it.
    toolchain: Option<String>,
}

impl Indirect<'_> {
    /// The crate's name.
    pub fn name(&self) -> &str {
        &self.package.name
    }

    fn id(&self) -> Crate {
        (self.registry.clone(), self.package.name.clone())
    }
}

/// The packages of registries that no member requires itself, in the lockfile's order. `members` are the names
/// of the packages that have a manifest in the project, each with its `rust-version`.
pub fn find<'a>(locked: &'a Lock, members: &BTreeMap<String, Option<String>>) -> Vec<Indirect<'a>> {
    let graph = Graph::of(locked);
    let is_member = |package: &LockedPackage| package.source.is_none() && members.contains_key(&package.name);
    let toolchains = graph.toolchains(|package| members.get(&package.name).filter(|_| is_member(package))?.clone());
    let mut found = Vec::new();
    for (at, package) in locked.packages.iter().enumerate() {
        let Some(registry) = registry(package) else { continue };
        let users: Vec<&LockedPackage> = graph.users[at].iter().map(|user| &locked.packages[*user]).collect();
        if !users.iter().any(|user| is_member(user)) {
            found.push(Indirect { package, registry, users, toolchain: toolchains[at].clone() });
        }
    }
    found
}

/// The registry that a locked package comes from.
fn registry(package: &LockedPackage) -> Option<RegistryKey> {
    package.source.as_deref().and_then(RegistryKey::of_lock)
}

/// Who uses whom, by position in the lockfile: asked once for hundreds of packages.
struct Graph<'a> {
    packages: &'a [LockedPackage],
    uses: Vec<Vec<usize>>,
    users: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn of(locked: &'a Lock) -> Self {
        let packages = &locked.packages[..];
        let mut graph =
            Self { packages, uses: vec![Vec::new(); packages.len()], users: vec![Vec::new(); packages.len()] };
        for (at, package) in packages.iter().enumerate() {
            for to in package.dependencies.iter().filter_map(|edge| position(packages, edge)) {
                graph.uses[at].push(to);
                graph.users[to].push(at);
            }
        }
        graph
    }

    /// For each package the least toolchain that `of` says of the packages that reach it.
    fn toolchains(&self, of: impl Fn(&LockedPackage) -> Option<String>) -> Vec<Option<String>> {
        let mut starts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, package) in self.packages.iter().enumerate() {
            if let Some(version) = of(package) {
                starts.entry(version).or_default().push(at);
            }
        }
        let mut least = vec![None; self.packages.len()];
        for (version, from) in starts {
            let (mut seen, mut waiting): (BTreeSet<usize>, Vec<usize>) = (from.iter().copied().collect(), from);
            while let Some(at) = waiting.pop() {
                lower(&mut least[at], Some(version.clone()));
                waiting.extend(self.uses[at].iter().copied().filter(|next| seen.insert(*next)));
            }
        }
        least
    }
}

/// Where the far end of an edge stands; packages are sorted by name.
fn position(packages: &[LockedPackage], edge: &LockedDependency) -> Option<usize> {
    let first = packages.partition_point(|one| one.name < edge.name);
    let here = packages[first..].iter().take_while(|one| one.name == edge.name);
    let fits = here.enumerate().filter(|(_, one)| same_version(&one.version, &edge.version));
    fits.max_by_key(|(_, one)| one.source == edge.source).map(|(at, _)| first + at)
}

/// Dependencies out of the packages: what has to move or was asked for gets its releases, the others are only named, so
/// that a hold can name them.
pub fn dependencies(
    project: &Project,
    found: &[Indirect<'_>],
    entries: &Entries,
    answers: &Answers,
) -> Vec<Dependency> {
    found.iter().map(|one| dependency(project, one, entries, answers)).collect()
}

/// The crates whose releases are needed: of those that are yanked, or of all.
pub fn wanted(found: &[Indirect<'_>], entries: &Entries, rule: TransitiveRule) -> BTreeSet<Crate> {
    let wanted = found.iter().filter(|one| rule == TransitiveRule::All || is_yanked(one, entries));
    wanted.map(Indirect::id).collect()
}

/// The packages of which nobody can tell now whether they are yanked, with one reason that stands for all.
pub fn unknown<'a>(found: &'a [Indirect<'_>], entries: &'a Entries) -> Option<(Vec<&'a str>, &'a IndexError)> {
    let failed = |one: &Indirect<'_>| entries.get(&one.id()).and_then(|entry| entry.as_ref().err());
    let names: BTreeSet<&str> = found.iter().filter(|one| failed(one).is_some()).map(Indirect::name).collect();
    let first = found.iter().find_map(failed)?;
    Some((names.into_iter().collect(), first))
}

fn is_yanked(one: &Indirect<'_>, entries: &Entries) -> bool {
    entry(one.package, entries).is_some_and(|release| release.yanked)
}

fn entry<'a>(package: &LockedPackage, entries: &'a Entries) -> Option<&'a Release> {
    let known = entries.get(&(registry(package)?, package.name.clone()))?.as_ref().ok()?;
    known.iter().find(|release| same_version(&release.version, &package.version))
}

fn dependency(project: &Project, one: &Indirect<'_>, entries: &Entries, answers: &Answers) -> Dependency {
    let package = one.package;
    let demands = demands(one, entries);
    let at = candidate::Version::from(package.version.clone());
    let releases = match answers.get(&one.id()) {
        Some(Ok(releases)) => releases.iter().map(|release| judged(package, release, &demands)).collect(),
        _ => Vec::new(),
    };
    Dependency {
        id: DependencyRef {
            project: project.id(),
            name: package.name.clone(),
            role: Role::Transitive,
            places: Vec::new(),
        },
        urgent: is_yanked(one, entries).then(|| format!("{} {at} is yanked", package.name)),
        at: Some(at),
        over: package.dependencies.iter().map(|used| used.name.clone()).collect(),
        releases,
        toolchain: one.toolchain.clone(),
        pinned: Pinned::No,
        switch: None,
        cooldown: None,
        newest_unknown: None,
        obstacle: entries.get(&one.id()).and_then(|known| known.as_ref().err()).map(Reason::from),
    }
}

/// What a package that uses another one asks of it.
struct Demand<'a> {
    user: &'a LockedPackage,
    /// Its entries that the locked version fulfils; none where the registry does not tell (a git source, a folder).
    asks: Vec<&'a ReleaseDep>,
}

fn demands<'a>(one: &Indirect<'a>, entries: &'a Entries) -> Vec<Demand<'a>> {
    let asks = |user: &LockedPackage| {
        let release = entry(user, entries);
        let fulfilled = |ask: &&ReleaseDep| {
            ask.kind != DepKind::Dev && ask.name == one.package.name && admits(&ask.requirement, &one.package.version)
        };
        let all: Vec<&ReleaseDep> =
            release.into_iter().flat_map(|known| &known.dependencies).filter(fulfilled).collect();
        // Which optional ones are turned on, the lockfile does not say; the others always count.
        let needed: Vec<&ReleaseDep> = all.iter().copied().filter(|ask| !ask.optional).collect();
        if needed.is_empty() { all } else { needed }
    };
    one.users.iter().map(|user| Demand { user, asks: asks(user) }).collect()
}

/// A release, with what makes it no rung: a package that requires this one does not admit it.
fn judged(package: &LockedPackage, release: &Release, demands: &[Demand<'_>]) -> candidate::Release {
    let higher = release.version > package.version;
    let objection = demands.iter().filter(|_| higher).find_map(|demand| objection(package, release, demand));
    candidate::Release {
        version: release.version.clone().into(),
        published: release.published,
        withdrawn: release.yanked,
        needs: release.rust_version.clone(),
        unfit: objection.map(|text| Reason::new(ReasonKind::ResolveRefused, text)),
    }
}

fn objection(package: &LockedPackage, release: &Release, demand: &Demand<'_>) -> Option<String> {
    let (version, user) = (&release.version, format!("{} {}", demand.user.name, demand.user.version));
    if demand.asks.is_empty() {
        let text = || format!("{version} is a breaking release, and what {user} admits is not known");
        return (!compatible(&package.version, version)).then(text);
    }
    if let Some(ask) = demand.asks.iter().find(|ask| !admits(&ask.requirement, version)) {
        let text = format!(
            "{user} requires `{} = \"{}\"`, which does not admit {version}; only another release of {} can change that",
            package.name, ask.requirement, demand.user.name
        );
        return Some(text);
    }
    let mut features = demand.asks.iter().flat_map(|ask| &ask.features);
    let gone = features.find(|feature| !release.has_feature(feature))?;
    Some(format!("{version} has no feature `{gone}`, which {user} enables"))
}

#[cfg(test)]
mod tests;
