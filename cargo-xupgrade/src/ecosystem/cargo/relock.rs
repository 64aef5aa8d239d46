//! Writes one upgrade: splices the requirements that do not admit it, relocks with the least change through the index
//! view, then reads the lockfile back and refuses what the policy does not allow. A refusal leaves every byte as it was.

mod follow;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use semver::Version;

use super::index::RegistryKey;
use super::lock::{self, Lock, LockDiff};
use super::manifest;
use super::registries::Registries;
use super::requirement::{Raise, compatible, raise, raise_floor, same_version};
use super::workspace::one_line;
use super::{Cargo, fresh, survey};
use crate::candidate::{self, EcosystemKind, Reason, ReasonKind};
use crate::cli::ManifestRule;
use crate::command::Tool;
use crate::ecosystem::{Applied, Change, Move, Project, Resolution};
use crate::policy::toolchain_exceeds;

/// Reads the lockfile of a project.
pub fn read_lock(root: &Path, project: &Project) -> Result<Lock> {
    let path = project.lockfile.as_deref().ok_or_else(|| anyhow!("{} has no lockfile", project.label()))?;
    let text = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    lock::read(&text).with_context(|| format!("in {path}"))
}

/// Writes one upgrade, or nothing.
pub fn apply(cargo: &Cargo<'_>, root: &Path, change: &Change<'_>) -> Result<Resolution> {
    let originals = originals(root, change.project)?;
    let outcome = write(cargo, root, change, &originals);
    if !matches!(outcome, Ok(Resolution::Applied(_))) {
        for (path, bytes) in &originals {
            fs::write(root.join(path), bytes).with_context(|| format!("cannot put back {path}"))?;
        }
    }
    outcome
}

type Originals = BTreeMap<String, Vec<u8>>;

fn originals(root: &Path, project: &Project) -> Result<Originals> {
    let paths = project.manifests.iter().chain(&project.lockfile).cloned().chain(follow::lockfiles(project));
    paths
        .map(|path| Ok((path.clone(), fs::read(root.join(&path)).with_context(|| format!("cannot read {path}"))?)))
        .collect()
}

fn write(cargo: &Cargo<'_>, root: &Path, change: &Change<'_>, originals: &Originals) -> Result<Resolution> {
    let registries = cargo.registries(root, change.project)?;
    let subject =
        Subject { registries: &registries, key: registries.key(written_registry(change))?, name: change.name };
    let all_before = read_lock(root, change.project)?;
    let before = subject.own(&all_before);
    let change = &match standing(&before, change) {
        Standing::At(version) => (change.clone(), version),
        Standing::Reached => {
            let notes = vec!["an upgrade before it brought it along".to_owned()];
            return Ok(Resolution::Applied(Applied { notes, ..Applied::default() }));
        }
        Standing::Beyond(version) => {
            let text = format!("an upgrade before it brought {} to {version} already", change.name);
            return Ok(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text)));
        }
        Standing::Gone => {
            let text = format!("nothing uses {} {} any more after the upgrades before it", change.name, change.from);
            return Ok(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text)));
        }
    };
    let (change, from) = (&change.0, &change.1);
    let edited = match edit(cargo, root, change, originals)? {
        Ok(edited) => edited,
        Err(reason) => return Ok(Resolution::Refused(reason)),
    };
    if let Some(end) = relock(cargo, &subject, root, change, (&before, from), Extent::of(&edited))? {
        return Ok(end);
    }
    keep_format(root, change.project, originals)?;
    let all_after = read_lock(root, change.project)?;
    let after = subject.own(&all_after);
    let diff = lock::diff(&all_before, &all_after);
    if let Some(reason) = objection(change, &after, &diff) {
        return Ok(Resolution::Refused(reason));
    }
    let brought = arrivals(&all_before, &all_after);
    if let Some(reason) =
        unseen(change, &registries, &brought).or(too_new_for_members(root, change, &registries, &all_after, &brought)?)
    {
        return Ok(Resolution::Refused(reason));
    }
    let (mut notes, mut also_moved) = (notes(change, &after, &diff), moves(&diff));
    let mut files = edited;
    if !files.is_empty() {
        match follow::follow(cargo, root, change, originals, &subject.key)? {
            follow::Followed::Locks(moved) => {
                notes.extend(moved.iter().map(|(lock, diff)| format!("{lock} follows: {}", follow::told(diff))));
                also_moved.extend(moved.values().flat_map(moves));
                files.extend(moved.into_keys());
            }
            follow::Followed::End(end) => return Ok(end),
        }
    }
    files.extend(change.project.lockfile.clone());
    files.sort();
    also_moved.sort();
    also_moved.dedup();
    Ok(Resolution::Applied(Applied { files, also_moved, notes }))
}

/// Writes the lockfile in the format in which it was before the relock.
fn keep_format(root: &Path, project: &Project, originals: &Originals) -> Result<()> {
    let Some(path) = &project.lockfile else { return Ok(()) };
    let Some(before) = originals.get(path) else { return Ok(()) };
    let after = fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let kept = lock::in_format_of(&String::from_utf8_lossy(before), &after).with_context(|| format!("in {path}"))?;
    if kept == after {
        Ok(())
    } else {
        fs::write(root.join(path), kept).with_context(|| format!("cannot write {path}"))
    }
}

/// The crate that is raised: its name, and the registry that it comes from.
struct Subject<'a> {
    registries: &'a Registries,
    key: RegistryKey,
    name: &'a str,
}

impl Subject<'_> {
    /// A lockfile without crates of the same name from other registries.
    fn own(&self, lock: &Lock) -> Lock {
        let is_other = |source: &str| RegistryKey::of_lock(source).is_some_and(|key| key != self.key);
        lock::without_namesakes(lock, self.name, is_other)
    }

    /// The package as `cargo update -p` takes it: by name and version, and by its source, too, where another registry has
    /// the same version of a crate of this name (older cargos do not know the long form).
    fn spec(&self, lock: &Lock, version: &Version) -> String {
        let is_it = |one: &&lock::LockedPackage| one.name == self.name && same_version(&one.version, version);
        let found: Vec<&lock::LockedPackage> = lock.packages.iter().filter(is_it).collect();
        let own = found.iter().find_map(|one| {
            let source = one.source.as_deref()?;
            (RegistryKey::of_lock(source).as_ref() == Some(&self.key)).then_some(source)
        });
        match own {
            Some(source) if found.len() > 1 => format!("{source}#{}@{version}", self.name),
            _ => format!("{}@{version}", self.name),
        }
    }

    /// The words that move one locked version to the wanted one: the name alone is ambiguous where two versions are
    /// locked, and `--precise` takes a version without its build metadata.
    fn precise(&self, lock: &Lock, version: &Version, to: &candidate::Version) -> [String; 4] {
        ["-p".to_owned(), self.spec(lock, version), "--precise".to_owned(), to.plain().to_owned()]
    }
}

/// The registry of a change, as its first requirement writes it; all of them mean the same one.
fn written_registry<'a>(change: &Change<'a>) -> Option<&'a str> {
    change.places.first().and_then(|place| place.registry.as_deref())
}

/// The packages that a relock brought.
fn arrivals<'l>(before: &Lock, after: &'l Lock) -> Vec<&'l lock::LockedPackage> {
    let known = |one: &lock::LockedPackage| {
        let same = |old: &lock::LockedPackage| {
            (&old.name, &old.version, &old.source) == (&one.name, &one.version, &one.source)
        };
        before.packages.iter().any(same)
    };
    after.packages.iter().filter(|one| !known(one)).collect()
}

/// A package from a registry that no view stands for: nobody looked at its age.
fn unseen(change: &Change<'_>, registries: &Registries, brought: &[&lock::LockedPackage]) -> Option<Reason> {
    let is_unseen = |one: &&&lock::LockedPackage| {
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

fn is_there(lock: &Lock, name: &str, version: &Version) -> bool {
    lock.packages.iter().any(|one| one.name == name && same_version(&one.version, version))
}

fn is_from_registry(lock: &Lock, name: &str, version: &Version) -> bool {
    let of_it = lock.packages.iter().filter(|one| one.name == name && same_version(&one.version, version));
    of_it.filter_map(|one| one.source.as_deref()).any(|source| !source.starts_with("git+"))
}

/// Where a dependency stands in the lockfile, after the upgrades before it.
enum Standing {
    /// At this version: the one of the base commit, or one that an upgrade before it brought.
    At(Version),
    /// At the wanted version.
    Reached,
    /// Above it.
    Beyond(Version),
    /// Nothing uses it any more.
    Gone,
}

fn standing(before: &Lock, change: &Change<'_>) -> Standing {
    let (from, to) = (change.from.semver(), change.to.semver());
    if is_there(before, change.name, from) {
        return Standing::At(from.clone());
    }
    let brought = lock::package_versions(before, change.name)
        .into_iter()
        .filter(|version| version > from && compatible(from, version));
    match brought.max() {
        Some(version) if same_version(&version, to) => Standing::Reached,
        Some(version) if version > *to => Standing::Beyond(version),
        Some(version) => Standing::At(version),
        // What a manifest requires is somewhere in the lockfile; the others may go with whoever used them.
        None if change.places.is_empty() => Standing::Gone,
        None => Standing::At(from.clone()),
    }
}

/// Splices the requirements; gives the manifests that changed.
fn edit(
    cargo: &Cargo<'_>,
    root: &Path,
    change: &Change<'_>,
    originals: &Originals,
) -> Result<Result<Vec<String>, Reason>> {
    let mut edited: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for place in change.places {
        let bytes = edited.get(&place.manifest).or_else(|| originals.get(&place.manifest));
        let bytes = bytes.ok_or_else(|| anyhow!("{} is no manifest of {}", place.manifest, change.project.label()))?;
        let spot = manifest::Place { table: place.table.clone(), key: place.key.clone() };
        let entry = manifest::read(bytes)?.entries.into_iter().find(|entry| entry.place == spot);
        let Some(text) = entry.and_then(|entry| entry.requirement) else { continue };
        let raised = match cargo.manifest {
            ManifestRule::Needed => raise(&text, change.to.semver()),
            ManifestRule::Always => raise_floor(&text, change.to.semver()),
        };
        match raised {
            Raise::AlreadyAdmits => {}
            Raise::To(new) => {
                let bytes =
                    manifest::set_requirement(bytes, &spot, &new).with_context(|| format!("in {}", place.manifest))?;
                edited.insert(place.manifest.clone(), bytes);
            }
            Raise::Refused(why) => {
                return Ok(Err(Reason::new(ReasonKind::ResolveRefused, format!("{}: {why}", place.manifest))));
            }
        }
    }
    for (path, bytes) in &edited {
        fs::write(root.join(path), bytes).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(Ok(edited.into_keys().collect()))
}

/// What a relock has to take in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// No requirement changed.
    LockOnly,
    /// Some requirement did.
    Requirements,
}

impl Extent {
    fn of(edited: &[String]) -> Self {
        if edited.is_empty() { Self::LockOnly } else { Self::Requirements }
    }
}

/// Relocks; `Some` is an end that is no success.
fn relock(
    cargo: &Cargo<'_>,
    subject: &Subject<'_>,
    root: &Path,
    change: &Change<'_>,
    (before, from): (&Lock, &Version),
    extent: Extent,
) -> Result<Option<Resolution>> {
    let run = |args: &[String]| update(cargo, subject.registries, root, change, args);
    if extent == Extent::LockOnly {
        return run(&subject.precise(&read_lock(root, change.project)?, from, change.to));
    }
    // `--precise` on the version in use would drag every other user of it along; a workspace update moves only the
    // edges whose requirement changed.
    if let Some(end) = run(&["--workspace".to_owned()])? {
        return Ok(Some(end));
    }
    let all_after = read_lock(root, change.project)?;
    let after = subject.own(&all_after);
    if is_there(&after, change.name, change.to.semver()) {
        return Ok(None);
    }
    let known = lock::package_versions(before, change.name);
    let new = lock::package_versions(&after, change.name).into_iter().find(|version| !known.contains(version));
    match new {
        Some(version) => run(&subject.precise(&all_after, &version, change.to)),
        None => run(&subject.precise(&all_after, from, change.to)),
    }
}

/// A command of cargo's that resolves a project through the views.
pub fn through_view(cargo: &Cargo<'_>, registries: &Registries, root: &Path, project: &Project, command: &str) -> Tool {
    let tool = cargo.tool().arg(command).args(registries.cargo_args());
    let tool = tool.env("CARGO_HOME", &cargo.resolve_home).dir(&root.join(&project.path));
    registries.warm();
    super::view::cargo_env().into_iter().fold(tool, |tool, (key, value)| tool.env(key, value))
}

/// One `cargo update` through the view.
fn update(
    cargo: &Cargo<'_>,
    registries: &Registries,
    root: &Path,
    change: &Change<'_>,
    args: &[String],
) -> Result<Option<Resolution>> {
    let tool = through_view(cargo, registries, root, change.project, "update").args(args);
    let silent_before = registries.refused();
    let output = tool.output()?;
    if output.status.success() {
        return Ok(None);
    }
    let words = one_line(&String::from_utf8_lossy(&output.stderr));
    let silent = registries.refused().into_iter().filter(|(name, _)| !silent_before.contains_key(name));
    if let Some((name, error)) = silent.into_iter().find(|(_, error)| error.is_passing()) {
        return Ok(Some(Resolution::Noise(format!("the registry did not answer for `{name}`: {error}"))));
    }
    if words.contains("No space left") {
        return Ok(Some(Resolution::Noise(words)));
    }
    let hidden: Vec<String> = registries
        .hidden_met()
        .iter()
        .filter(|(name, _)| words.contains(&format!("`{name}")))
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let mut text = format!("cargo finds no solution with {} {}: {}", change.name, change.to, without_updating(&words));
    if !hidden.is_empty() {
        let _ = write!(text, " (hidden as too young: {})", hidden.join(", "));
    }
    Ok(Some(Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text))))
}

/// Cargo's words without its talk about the index.
fn without_updating(words: &str) -> String {
    let parts: Vec<&str> =
        words.split("; ").filter(|part| !part.starts_with("Updating ") && !part.starts_with("Locking ")).collect();
    parts.join("; ")
}

/// What the policy says to the new lockfile.
fn objection(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Option<Reason> {
    let (name, to) = (change.name, change.to);
    if !is_there(after, name, to.semver()) {
        let at = lock::package_versions(after, name).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text = format!("after the relock {name} is at {at} and not at {to}");
        return Some(Reason::new(ReasonKind::ResolveRefused, text));
    }
    if !is_from_registry(after, name, to.semver()) {
        let text = format!("{name} {to} would come from a `[patch]` and not from the registry; change the patch");
        return Some(Reason::new(ReasonKind::Replaced, text));
    }
    downward(name, to, diff)
}

/// A package that ends lower, or a lockfile that ends in another format.
fn downward(name: &str, to: &candidate::Version, diff: &LockDiff) -> Option<Reason> {
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

/// Every package that the relock brought must fit the `rust-version` of the members that use it: cargo's own fallback
/// is soft and takes a newer one where none fits.
fn too_new_for_members(
    root: &Path,
    change: &Change<'_>,
    registries: &Registries,
    after: &Lock,
    brought: &[&lock::LockedPackage],
) -> Result<Option<Reason>> {
    let manifests = survey::read_manifests(root, change.project)?.map_err(|reason| anyhow!(reason.text))?;
    for lock::LockedPackage { name, version, source, .. } in brought {
        let Some(registry) = registries.of_lock(source.as_deref()) else { continue };
        let Ok(body) = registry.index.raw(name) else { continue };
        let releases = super::index::releases(&body);
        let Some(needs) =
            releases.iter().find(|one| same_version(&one.version, version)).and_then(|one| one.rust_version.clone())
        else {
            continue;
        };
        for member in manifests.values() {
            let Some(package) = &member.package_name else { continue };
            let Some(has) = survey::rust_version(member, &manifests) else { continue };
            if toolchain_exceeds(EcosystemKind::Cargo, &needs, &has) && lock::reaches(after, package, name, version) {
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

fn moves(diff: &LockDiff) -> Vec<Move> {
    let make = |name: &str, from: Option<&Version>, to: Option<&Version>| Move {
        ecosystem: EcosystemKind::Cargo,
        name: name.to_owned(),
        from: from.map(ToString::to_string),
        to: to.map(ToString::to_string),
    };
    let raised = diff.raised.iter().map(|one| make(&one.name, Some(&one.from), Some(&one.to)));
    let added = diff.added.iter().map(|(name, version)| make(name, None, Some(version)));
    let removed = diff.removed.iter().map(|(name, version)| make(name, Some(version), None));
    let mut moves: Vec<Move> = raised.chain(added).chain(removed).collect();
    moves.sort();
    moves
}

fn notes(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Vec<String> {
    let members: Vec<_> = lock::members(after).into_iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    // That the members use the version which was asked for is no news.
    let asked = |flip: &lock::EdgeFlip| flip.dependency == change.name && members.contains(&flip.user);
    let mut notes: Vec<String> = diff
        .flipped
        .iter()
        .filter(|flip| !asked(flip))
        .map(|flip| {
            format!("{} {} now uses {} {} (before: {})", flip.user.0, flip.user.1, flip.dependency, flip.to, flip.from)
        })
        .collect();
    if change.project.lock.is_some() {
        notes.push(fresh::NOTE.to_owned());
    }
    let from = change.from.semver();
    if is_there(after, change.name, from) {
        let users: Vec<String> =
            lock::users_of(after, change.name, from).iter().map(|(name, _)| name.clone()).collect();
        notes.push(format!("{} {from} stays beside it for {}", change.name, users.join(", ")));
    }
    notes.extend(second_copies(change, after, diff));
    let asleep = diff.patches_left_unused.iter();
    notes.extend(asleep.map(|(name, version)| format!("nothing uses the patch of {name} ({version}) any more")));
    notes
}

/// Direct dependencies of which there are two versions now: where their types meet, the two belong together.
fn second_copies(change: &Change<'_>, after: &Lock, diff: &LockDiff) -> Vec<String> {
    let members = lock::members(after);
    let direct = |name: &str| members.iter().any(|member| member.dependencies.iter().any(|one| one.name == name));
    let new = diff.added.iter().filter(|(name, _)| name != change.name && direct(name));
    new.filter_map(|(name, version)| {
        let older = lock::package_versions(after, name).into_iter().find(|other| other < version)?;
        let users = |version: &Version| {
            let names = lock::users_of(after, name, version).into_iter().map(|(name, _)| name);
            names.collect::<Vec<_>>().join(", ")
        };
        let (old_users, new_users) = (users(&older), users(version));
        Some(format!("there are two copies of {name} now: {older} for {old_users}, {version} for {new_users}"))
    })
    .collect()
}
