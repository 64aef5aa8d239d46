//! go.work.sum, the lockfile of a workspace: an upgrade adds to it what its members need to be built at the versions that the
//! workspace selects, in the same commit. Every go command would write these lines, also under trial, and a build that cannot
//! ask the checksum database fails without them. What leaves the file alone on the base leaves it alone after an upgrade;
//! of what writes there anyway nothing is promised.

use std::path::Path;

use anyhow::Result;

use super::super::companion::Unanswered;
use super::super::protocol::{Failure, WorkLoad, WorkSums, WorkSumsParams};
use super::super::{Go, Known, WorkSum, folder};
use crate::machine::mutex::lock;

/// Finds out what leaves the go.work.sum over a module alone, once for each workspace: asked first on the untouched base.
pub fn listen(go: &Go<'_>, root: &Path, known: &Known) -> Result<Result<(), Box<Failure>>> {
    let Some(work) = to_keep(known).filter(|work| !lock(&go.quiet).contains_key(*work)) else { return Ok(Ok(())) };
    let what = format!("asking what writes {work}.sum before any upgrade");
    match ask(go, root, work, None, &what)? {
        Ok(answer) => {
            lock(&go.quiet).insert(work.to_owned(), answer.quiet);
            Ok(Ok(()))
        }
        Err(failure) => Ok(Err(failure)),
    }
}

/// Adds to the go.work.sum over a module what an upgrade makes necessary. Lines are only added.
pub fn complete(go: &Go<'_>, root: &Path, known: &Known) -> Result<Result<(), Box<Failure>>> {
    let Some(work) = to_keep(known) else { return Ok(Ok(())) };
    let quiet = lock(&go.quiet).get(work).cloned().unwrap_or_default();
    if quiet.is_empty() {
        return Ok(Ok(()));
    }
    let what = format!("completing {work}.sum");
    Ok(ask(go, root, work, Some(&quiet), &what)?.map(drop))
}

/// The workspace file whose go.work.sum a commit can hold.
fn to_keep(known: &Known) -> Option<&str> {
    known.work.as_deref().filter(|_| known.work_sum == WorkSum::Kept)
}

fn ask(
    go: &Go<'_>,
    root: &Path,
    work: &str,
    quiet: Option<&[WorkLoad]>,
    what: &str,
) -> Result<Result<WorkSums, Box<Failure>>> {
    let params = WorkSumsParams { work: folder(root, work)?, quiet };
    match go.ask("worksums", &params, what) {
        Ok(answer) => Ok(Ok(answer)),
        Err(Unanswered::Failed(failure)) => Ok(Err(failure)),
        Err(Unanswered::Broken(error)) => Err(error),
    }
}
