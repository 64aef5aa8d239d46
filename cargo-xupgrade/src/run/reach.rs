//! Which files of a project an upgrade may write: those that git tracks, at their own place. A lockfile that git does not
//! track is written all the same, is never published, and is kept beside the report.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Session;
use super::scene::Scene;
use crate::candidate::{Dependency, EcosystemKind, Reason, ReasonKind};
use crate::digest::sha256_hex;
use crate::ecosystem::Project;
use crate::journal::Journal;
use crate::report::TestedLock;
use crate::worker::{Tracked, Worker};

/// Holds projects of which an upgrade writes a file that is reached by a symbolic link: what is written there ends up
/// elsewhere, perhaps outside, and the tree that is tested is not what git sees.
pub fn refuse_links(projects: &mut [Project], tracked: &Tracked) {
    hold(projects, |file| {
        let link = tracked.link_in(file)?;
        Some(format!("{file} is reached by the symbolic link {link}, which is not written through; put a file there"))
    });
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

/// The files that an upgrade of a project may write: its own, and those of the projects that follow it (of a Cargo
/// workspace the lockfile, of a Go module everything).
fn written<'a>(project: &'a Project, all: &'a [Project]) -> Vec<&'a String> {
    let follows = |other: &&Project| other.ecosystem == project.ecosystem && project.dependents.contains(&other.path);
    let edited = |other: &&Project| other.ecosystem == EcosystemKind::Go;
    let followers = || all.iter().filter(follows);
    let own = project.manifests.iter().chain(&project.lockfile);
    own.chain(followers().filter(edited).flat_map(|other| &other.manifests))
        .chain(followers().filter_map(|other| other.lockfile.as_ref()))
        .collect()
}

/// Holds what is required in a manifest of another repository: no commit of this one could raise it.
pub fn refuse_foreign(dependencies: &mut [Dependency], tracked: &Tracked) {
    for dependency in dependencies {
        let foreign = dependency.places.iter().find(|place| !tracked.has(&place.manifest));
        if let Some(place) = foreign {
            let text = format!("{} is not in git here, perhaps in a submodule; upgrade it there", place.manifest);
            dependency.obstacle.get_or_insert(Reason::new(ReasonKind::UnsupportedProject, text));
        }
    }
}

/// The lockfiles that were resolved for this run, because git tracks none.
pub fn own_lockfiles(projects: &[Project]) -> Vec<String> {
    projects.iter().filter(|project| project.lock.is_some()).filter_map(|project| project.lockfile.clone()).collect()
}

/// Keeps the lockfiles that git does not track beside the report: that of the baseline, and that of the tested upgrades.
pub fn keep_locks(session: &Session, scene: &Scene<'_>, journal: &Journal) -> Result<BTreeMap<String, TestedLock>> {
    let confirmed = session.found.as_ref().and_then(|found| found.checkpoint.trial.map(|at| &found.trials[at].report));
    let tree = confirmed.and_then(|report| report.tested.as_deref());
    let mut kept = BTreeMap::new();
    for project in session.plan.projects.iter().filter(|project| project.lock.is_some()) {
        let Some(path) = &project.lockfile else { continue };
        let (base, tested) = (scene.worker.file_in(None, path)?, scene.worker.file_in(tree, path)?);
        let (base_file, file) = (format!("lock/base/{path}"), format!("lock/tested/{path}"));
        journal.keep(&base_file, &base)?;
        journal.keep(&file, &tested)?;
        kept.insert(project.label(), TestedLock { sha256: sha256_hex(&tested), file, base_file });
    }
    Ok(kept)
}
