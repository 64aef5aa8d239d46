//! Which files of a project an upgrade may write: those that git tracks, at their own place. A lockfile that git does not
//! track is written all the same, is never published, and is kept beside the report.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Session;
use super::scene::Scene;
use crate::candidate::{Dependency, Reason, ReasonKind};
use crate::digest::sha256_hex;
use crate::ecosystem::Project;
use crate::journal::Journal;
use crate::report::TestedLock;
use crate::worker::Tracked;

/// Holds a project of which a file is reached by a symbolic link: what is written there ends up elsewhere, perhaps
/// outside, and the tree that is tested is not what git sees.
pub fn refuse_links(project: &mut Project, tracked: &Tracked) {
    let mut files = project.manifests.iter().chain(&project.lockfile);
    let Some((file, link)) = files.find_map(|file| tracked.link_in(file).map(|link| (file, link))) else { return };
    let text = format!("{file} is reached by the symbolic link {link}, which is not written through; put a file there");
    project.obstacle.get_or_insert(Reason::new(ReasonKind::UnsupportedProject, text));
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
