//! The lockfiles that git does not track, kept beside the report.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Session;
use super::opened::Opened;
use crate::candidate::ProjectId;
use crate::digest::sha256_hex;
use crate::report::TestedLock;
use crate::state::journal::Journal;

/// Keeps the lockfiles that git does not track beside the report: that of the baseline, and that of the tested upgrades.
pub fn keep(session: &Session, opened: &Opened<'_>, journal: &Journal) -> Result<BTreeMap<ProjectId, TestedLock>> {
    let confirmed = session.found.as_ref().and_then(|found| found.checkpoint.trial.map(|at| &found.trials[at].report));
    let tree = confirmed.and_then(|report| report.tested.as_deref());
    let mut kept = BTreeMap::new();
    for project in session.plan.projects.iter().filter(|project| project.lock.is_some()) {
        let Some(path) = &project.lockfile else { continue };
        let (base, tested) = (opened.worker.file_in(None, path)?, opened.worker.file_in(tree, path)?);
        let (base_file, file) = (format!("lock/base/{path}"), format!("lock/tested/{path}"));
        journal.keep(&base_file, &base)?;
        journal.keep(&file, &tested)?;
        kept.insert(project.id(), TestedLock { sha256: sha256_hex(&tested), file, base_file });
    }
    Ok(kept)
}
