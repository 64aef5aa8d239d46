//! Writes one upgrade: splices the requirements that do not admit it, relocks with the least change through the views
//! of the registries, then reads the lockfile back and refuses what the policy does not allow. A refusal leaves every
//! byte as it was.

mod bounds;
mod edit;
mod follow;
mod joint;
mod judge;
mod notes;
mod put_back;
mod subject;
mod unlock;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use semver::Version;

use super::Cargo;
use super::index::RegistryKey;
use super::lock::{self, Lock, LockDiff};
use super::project_files::read_lock;
use super::registries::Registries;
use super::requirement::{compatible, same_version};
use crate::candidate::{Reason, ReasonKind, toolchain_exceeds};
use crate::ecosystem::{Change, Resolution};
use crate::project::{Applied, Move, Project};
pub use bounds::Aims;
use bounds::{Bounds, rust_of_users, rust_of_workspace};
use edit::edit;
pub use edit::{Pen, mark_unwritable};
pub use joint::resolve_all;
use judge::{arrivals, objection, too_new_for_members, unseen};
use notes::{moves, notes};
use put_back::put_back;
use subject::{Step, Subject};
pub use unlock::in_conflict;
use unlock::{Extent, relock};
use update::ProjectResolver;
pub use update::through_view;

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
    let before = read_lock(root, change.project)?;
    let (mut steps, mut moving, mut there) = (Vec::new(), Vec::new(), Vec::new());
    for one in std::iter::once(change).chain(change.with) {
        let subject = Subject { key: registry_of(&registries, &before, one)?, name: one.name };
        match standing(&subject.own(&before), one) {
            Standing::At(from) => {
                steps.push(Step { subject, to: one.to, from });
                moving.push(Change { with: &[], ..one.clone() });
            }
            Standing::Reached => there.push((subject, one)),
            elsewhere => return Ok(elsewhere.end(one)),
        }
    }
    let Some((first, with)) = moving.split_first() else { return Ok(Standing::Reached.end(change)) };
    let change = &Change { with, others: change.others, ..first.clone() };
    let edited = match edit(cargo, root, change, originals)? {
        Ok(edited) => edited,
        Err(reason) => return Ok(Resolution::Refused(reason)),
    };
    let resolver = ProjectResolver { cargo, registries: &registries, root, project: change.project };
    Work { resolver, change, steps: &steps, there: &there, before: &before, originals, edited: &edited }.resolve()
}

/// One upgrade at work, or several that move in the same resolve, the requirements spliced.
struct Work<'a> {
    resolver: ProjectResolver<'a>,
    change: &'a Change<'a>,
    /// The crates to raise; the first one is that of the change.
    steps: &'a [Step<'a>],
    /// The crates that stand where they are to go already.
    there: &'a [(Subject<'a>, &'a Change<'a>)],
    before: &'a Lock,
    originals: &'a Originals,
    /// The manifests that changed.
    edited: &'a [String],
}

impl Work<'_> {
    /// Resolves within one bounds after another, the closest first, until cargo and the policy take what comes of it.
    fn resolve(&self) -> Result<Resolution> {
        let ProjectResolver { cargo, root, project, .. } = self.resolver;
        let aims = cargo.aims(project);
        let rust = self.rust()?;
        let fixed = aims.fixed(self.change.others);
        if let Some(target) = &aims.target {
            let end = self.attempt(&Bounds { fixed: fixed.clone(), ..Bounds::towards(target) })?;
            if !matches!(end, Resolution::Refused(_)) {
                return Ok(end);
            }
            self.put_back_locks()?;
        }
        let end = self.attempt(&Bounds { rust: rust.clone(), fixed: fixed.clone(), ..Bounds::default() })?;
        let least = rust_of_workspace(cargo, root, project)?;
        match &end {
            // Other members may need what came along, too.
            Resolution::Refused(reason) if reason.kind == ReasonKind::Msrv && least != rust => {}
            _ => return Ok(end),
        }
        self.put_back_locks()?;
        self.attempt(&Bounds { rust: least, fixed, ..Bounds::default() })
    }

    /// The newest Rust that all users of one of the crates support, of that for which it is highest: each release is judged by its
    /// own users afterwards.
    fn rust(&self) -> Result<Option<String>> {
        let ProjectResolver { cargo, root, project, .. } = self.resolver;
        let of = |step: &Step<'_>| rust_of_users(cargo, root, project, self.before, step.subject.name, &step.from);
        let all = self.steps.iter().map(of).collect::<Result<Vec<_>>>()?;
        // Without a bound nothing is higher.
        let Some(bounds) = all.into_iter().collect::<Option<Vec<String>>>() else { return Ok(None) };
        Ok(bounds.into_iter().reduce(|one, other| if toolchain_exceeds(&other, &one) { other } else { one }))
    }

    fn put_back_locks(&self) -> Result<()> {
        let locks = self.change.project.lockfile.iter().cloned().chain(follow::lockfiles(self.change.project));
        for path in locks {
            let Some(bytes) = self.originals.get(&path) else { continue };
            fs::write(self.resolver.root.join(&path), bytes).with_context(|| format!("cannot put back {path}"))?;
        }
        Ok(())
    }

    fn attempt(&self, bounds: &Bounds) -> Result<Resolution> {
        let resolver = self.resolver;
        if let Some(end) = relock(resolver, self.steps, Extent::of(self.edited), bounds)? {
            return Ok(end);
        }
        let keep: Vec<&str> = self.steps.iter().map(|one| one.subject.name).collect();
        put_back(resolver, self.before, &keep)?;
        keep_format(resolver.root, self.change.project, self.originals)?;
        self.judge(bounds)
    }

    /// Judges the lockfile as it stands now, and has the lockfiles of dependent workspaces follow.
    fn judge(&self, bounds: &Bounds) -> Result<Resolution> {
        let Self { resolver, change, .. } = *self;
        let all_after = resolver.lock()?;
        let diff = lock::diff(self.before, &all_after);
        let mut said = Vec::new();
        for (one, step) in std::iter::once(change).chain(change.with).zip(self.steps) {
            let after = step.subject.own(&all_after);
            if let Some(reason) = objection(one, &after, &diff) {
                return Ok(Resolution::Refused(reason));
            }
            said.extend(notes(one, &after, &diff));
        }
        for (subject, change) in self.there {
            if let Some(reason) = objection(change, &subject.own(&all_after), &diff) {
                return Ok(Resolution::Refused(reason));
            }
        }
        let mut told = BTreeSet::new();
        said.retain(|note| told.insert(note.clone()));
        let brought = arrivals(self.before, &all_after);
        let unseen = unseen(change, resolver.registries, &brought);
        let rejected = match unseen {
            Some(reason) => Some(reason),
            None => too_new_for_members(resolver.root, change, resolver.registries, &all_after, &brought)?,
        };
        if let Some(reason) = rejected {
            return Ok(Resolution::Refused(reason));
        }
        let applied = self.applied(said, moves(&diff), &diff);
        if self.edited.is_empty() { Ok(Resolution::Applied(applied)) } else { self.with_followers(applied, bounds) }
    }

    fn applied(&self, notes: Vec<String>, also_moved: Vec<Move>, diff: &LockDiff) -> Applied {
        let files = self.edited.iter().cloned().chain(self.change.project.lockfile.clone());
        let rewired: BTreeSet<String> = diff.flipped.iter().map(|flip| flip.user.0.clone()).collect();
        let rewired = rewired.into_iter().collect();
        sorted(Applied { files: files.collect(), also_moved, rewired, notes })
    }

    /// With the lockfiles of the workspaces that use the project by path.
    fn with_followers(&self, mut applied: Applied, bounds: &Bounds) -> Result<Resolution> {
        let Self { resolver, change, originals, .. } = *self;
        match follow::follow(resolver.cargo, resolver.root, change, originals, self.steps, bounds)? {
            follow::Followed::Locks(moved) => {
                applied
                    .notes
                    .extend(moved.iter().map(|(lock, diff)| format!("{lock} follows: {}", follow::told(diff))));
                let there = |(lock, diff): (&String, &LockDiff)| {
                    let lockfile = Some(lock.clone());
                    moves(diff)
                        .into_iter()
                        .map(move |one| Move { lockfile: lockfile.clone(), ..one })
                        .collect::<Vec<_>>()
                };
                applied.also_moved.extend(moved.iter().flat_map(there));
                applied.files.extend(moved.into_keys());
                Ok(Resolution::Applied(sorted(applied)))
            }
            follow::Followed::End(end) => Ok(end),
        }
    }
}

fn sorted(mut applied: Applied) -> Applied {
    applied.files.sort();
    applied.also_moved.sort();
    applied.also_moved.dedup();
    applied
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

/// The registry of the crate that is raised: as its requirement writes it, and where only other packages require it, as
/// the lockfile has it.
fn registry_of(registries: &Registries, locked: &Lock, change: &Change<'_>) -> Result<RegistryKey> {
    if let Some(place) = change.places.first() {
        return Ok(registries.key(place.registry.as_deref())?);
    }
    let of_name = locked.packages.iter().filter(|one| one.name == change.name);
    let mut found: Vec<(bool, RegistryKey)> = of_name
        .filter_map(|one| {
            let key = RegistryKey::of_lock(one.source.as_deref()?)?;
            Some((!same_version(&one.version, change.from.semver()), key))
        })
        .collect();
    // The one that stands where it stood at the base comes first; an upgrade before it may have moved it.
    found.sort();
    Ok(found.into_iter().next().map_or_else(RegistryKey::crates_io, |(_, key)| key))
}

/// Whether a version of a crate is locked.
fn is_there(lock: &Lock, name: &str, version: &Version) -> bool {
    lock.packages.iter().any(|one| one.name == name && same_version(&one.version, version))
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

impl Standing {
    /// The end of a change for which nothing is to be done, or can be.
    fn end(self, change: &Change<'_>) -> Resolution {
        let refused = |text: String| Resolution::Refused(Reason::new(ReasonKind::ResolveRefused, text));
        match self {
            Self::At(_) | Self::Reached => {
                let notes = vec!["an upgrade before it brought it along".to_owned()];
                Resolution::Applied(Applied { notes, ..Applied::default() })
            }
            Self::Beyond(version) => {
                refused(format!("an upgrade before it brought {} to {version} already", change.name))
            }
            Self::Gone => {
                refused(format!("nothing uses {} {} any more after the upgrades before it", change.name, change.from))
            }
        }
    }
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
