//! The files of a project that an upgrade may write: those that git tracks, at their own place. A lockfile that git does not
//! track is written all the same, and is never published.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::candidate::{Dependency, Reason, ReasonKind};
use crate::checkout::worker::{Tracked, Worker};
use crate::project::Project;
use crate::rules::{Edits, Followers};

/// Holds projects of which an upgrade may write a file that is reached by a symbolic link: what is written there ends up
/// elsewhere, perhaps outside, and the tree that is tested is not what git sees.
pub fn refuse_links(projects: &mut [Project], tracked: &Tracked) {
    hold(projects, |file| linked(file, tracked));
}

/// Closes manifests that not every upgrade writes and that are reached by a symbolic link, or that belong to another repository: the
/// lockfile alone may move what they require.
pub fn close(projects: &mut [Project], tracked: &Tracked) {
    for project in projects.iter_mut().filter(|project| project.ecosystem.facts().edits == Edits::WhereNeeded) {
        let wrong = |file: &String| Some((file.clone(), linked(file, tracked).or_else(|| foreign(file, tracked))?));
        project.closed = project.manifests.iter().filter_map(wrong).collect();
    }
}

fn linked(file: &str, tracked: &Tracked) -> Option<String> {
    let link = tracked.link_in(file)?;
    Some(format!("{file} is reached by the symbolic link {link}, which is not written through; put a file there"))
}

/// A file of another repository: no commit of this one could change it.
fn foreign(file: &str, tracked: &Tracked) -> Option<String> {
    let is_ours = tracked.has(file);
    (!is_ours).then(|| format!("{file} is not in git here, perhaps in a submodule; upgrade it there"))
}

/// Holds projects of which an upgrade writes a file that git would not store as it lies in the base commit (an attribute
/// that came later): the first commit would change every line of it.
pub fn refuse_unsteady(projects: &mut [Project], tracked: &Tracked, worker: &Worker) -> Result<()> {
    let files: BTreeSet<String> = projects
        .iter()
        .flat_map(|project| written(project, projects))
        .filter(|file| tracked.has(file) && tracked.link_in(file).is_none())
        .cloned()
        .collect();
    let unsteady = worker.renormalised(&files)?;
    hold(projects, |file| {
        let text = format!(
            "git would store {file} otherwise than it lies in the commit (line ends, or a filter); \
             renormalise it first: `git add --renormalize {file}`, and commit"
        );
        unsteady.contains(file).then_some(text)
    });
    Ok(())
}

/// Holds projects for what is wrong with a file that an upgrade of theirs writes.
fn hold(projects: &mut [Project], wrong: impl Fn(&str) -> Option<String>) {
    let texts: Vec<Option<String>> =
        projects.iter().map(|project| written(project, projects).into_iter().find_map(|file| wrong(file))).collect();
    for (project, text) in projects.iter_mut().zip(texts) {
        if let Some(text) = text {
            project.obstacle.get_or_insert(Reason::new(ReasonKind::UnsupportedProject, text));
        }
    }
}

/// The files that an upgrade of a project may write: its own but for those that are closed, and those of the projects that
/// follow it (of those with a lockfile of their own that, else everything).
fn written<'a>(project: &'a Project, all: &'a [Project]) -> Vec<&'a String> {
    let follows = |other: &&Project| other.ecosystem == project.ecosystem && project.dependents.contains(&other.path);
    let edited = |other: &&Project| other.ecosystem.facts().followers == Followers::SameVersions;
    let followers = || all.iter().filter(follows);
    let open = project.manifests.iter().filter(|file| !project.closed.contains_key(*file));
    open.chain(&project.lockfile)
        .chain(followers().filter(edited).flat_map(|other| &other.manifests))
        .chain(followers().filter_map(|other| other.lockfile.as_ref()))
        .collect()
}

/// Holds requirements in a manifest of another repository, where each upgrade writes it.
pub fn refuse_foreign(dependencies: &mut [Dependency], tracked: &Tracked) {
    for dependency in dependencies.iter_mut().filter(|one| one.id.project.ecosystem.facts().edits == Edits::Always) {
        if let Some(text) = dependency.id.places.iter().find_map(|place| foreign(&place.manifest, tracked)) {
            dependency.obstacle.get_or_insert(Reason::new(ReasonKind::UnsupportedProject, text));
        }
    }
}

/// The lockfiles that were resolved for this run, because git tracks none.
pub fn own_lockfiles(projects: &[Project]) -> Vec<String> {
    projects.iter().filter(|project| project.lock.is_some()).filter_map(|project| project.lockfile.clone()).collect()
}
