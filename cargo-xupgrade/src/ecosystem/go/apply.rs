//! Writes one upgrade: the companion raises and tidies, this judges what it did, and refuses what the policy does not
//! allow. A refusal leaves every byte as it was.

mod files;
mod judge;
mod work_sums;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::companion::Unanswered;
use super::protocol::{EditParams, Edited, Failure, ModuleVersion, ProbeParams, Probed, View};
use super::{Go, Known, folder, reason, words};
use crate::candidate::Reason;
use crate::ecosystem::{Change, Outlook, Resolution, UnknownAge};
use crate::machine::mutex::lock;
use crate::phrases;
use crate::project::{Network, Project};
use files::Originals;
use judge::{Asked, Raise};

/// What a plain `go mod tidy` changes on the base, so that no upgrade is blamed for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Untidy {
    /// Requirements that nothing needs.
    pub unused: BTreeSet<String>,
    /// Lines of go.sum files that nothing needs, by the file's path from the root. They are kept: one of them may be the
    /// only witness that a module was changed behind its version.
    pub sums: BTreeMap<String, Vec<String>>,
    /// Why the base cannot be tidied at all: then nothing can be raised in it either.
    pub broken: Option<Reason>,
}

/// Writes one upgrade, or nothing.
pub fn apply(go: &Go<'_>, root: &Path, change: &Change<'_>) -> Result<Resolution> {
    let originals = Originals::take(root, change.project, &go.known(change.project))?;
    let known = with_preflight(go, root, change.project, &originals)?;
    if let Some(reason) = known.untidy.as_ref().and_then(|untidy| untidy.broken.clone()) {
        return Ok(Resolution::Refused(reason));
    }
    if let Err(failure) = work_sums::listen(go, root, &known)? {
        return refused(change, &failure);
    }
    let outcome = write(go, root, change, &known, &originals);
    if !matches!(outcome, Ok(Resolution::Applied(_))) {
        originals.put_back()?;
    }
    outcome
}

/// The changes that a plain tidy of the untouched base would make, or why it makes none. Asked first there, and known from then on;
/// where it cannot be known now, it is asked once more.
pub fn untidy(go: &Go<'_>, root: &Path, project: &Project) -> Result<Untidy> {
    let originals = Originals::take(root, project, &go.known(project))?;
    let known = with_preflight(go, root, project, &originals)?;
    let _ = work_sums::listen(go, root, &known)?;
    Ok(known.untidy.unwrap_or_default())
}

/// What is known of a module, with what a plain tidy of it would change.
fn with_preflight(go: &Go<'_>, root: &Path, project: &Project, originals: &Originals) -> Result<Known> {
    let mut known = go.known(project);
    if known.untidy.is_none() {
        known.untidy = preflight(go, root, project, &known, originals)?;
        go.learn(project, |here| here.untidy.clone_from(&known.untidy));
    }
    Ok(known)
}

/// Tidies without any raise, looks what that changes, and puts it back. `None` when it cannot be known now.
fn preflight(
    go: &Go<'_>,
    root: &Path,
    project: &Project,
    known: &Known,
    originals: &Originals,
) -> Result<Option<Untidy>> {
    let edited = edit(go, root, project, known, Vec::new());
    let dropped = originals.dropped_sums();
    originals.put_back()?;
    Ok(match edited {
        Ok(edited) => Some(Untidy { unused: judge::removed(&edited), sums: dropped?, broken: None }),
        Err(Unanswered::Failed(failure)) if is_passing(&failure) => None,
        Err(Unanswered::Failed(failure)) => Some(Untidy { broken: Some(broken(&failure)?), ..Untidy::default() }),
        Err(Unanswered::Broken(error)) => return Err(error),
    })
}

fn write(go: &Go<'_>, root: &Path, change: &Change<'_>, known: &Known, originals: &Originals) -> Result<Resolution> {
    let all: Vec<&Change<'_>> = std::iter::once(change).chain(change.with).collect();
    let raise = |one: &&Change<'_>| ModuleVersion { path: one.name.to_owned(), version: one.to.plain().to_owned() };
    let mut edited = match edit(go, root, change.project, known, all.iter().map(raise).collect()) {
        Ok(edited) => edited,
        Err(Unanswered::Failed(failure)) => return refused(change, &failure),
        Err(Unanswered::Broken(error)) => return Err(error),
    };
    let raises: Vec<Raise<'_>> = all.iter().map(|one| Raise { name: one.name, to: one.to }).collect();
    if let Err(failure) = date(go, &mut edited, &raises)? {
        return refused(change, &failure);
    }
    let untidy = known.untidy.clone().unwrap_or_default();
    let (project, outlook, held) = (change.project, go.outlook, held(go, change.project, known));
    let asked = Asked { raises: &raises, project, outlook, untidy: &untidy, held: &held };
    let mut applied = match judge::judge(&asked, &edited) {
        Ok(applied) => applied,
        Err(reason) => return Ok(Resolution::Refused(*reason)),
    };
    originals.keep_sums(&untidy)?;
    if let Err(failure) = work_sums::complete(go, root, known)? {
        return refused(change, &failure);
    }
    applied.files = originals.changed()?;
    Ok(Resolution::Applied(applied))
}

/// What comments hold in the go.mod files that an edit may change: the folder, and the module.
fn held(go: &Go<'_>, project: &Project, known: &Known) -> BTreeSet<(String, String)> {
    let all = lock(&go.known);
    let dirs = std::iter::once(&project.path).chain(&known.tidied);
    let marks = dirs.filter_map(|dir| Some((dir, &all.get(dir)?.held)));
    marks.flat_map(|(dir, held)| held.iter().map(|path| (dir.clone(), path.clone()))).collect()
}

fn edit(
    go: &Go<'_>,
    root: &Path,
    project: &Project,
    known: &Known,
    raises: Vec<ModuleVersion>,
) -> Result<Edited, Unanswered> {
    let what = match raises.first() {
        Some(raise) => format!("raising {} to {} in {}", raise.path, raise.version, project.id()),
        None => format!("tidying {}", project.id()),
    };
    let params = params(go.outlook, root, project, known, raises).map_err(Unanswered::Broken)?;
    go.ask("edit", &params, &what)
}

fn params(
    outlook: Outlook,
    root: &Path,
    project: &Project,
    known: &Known,
    raises: Vec<ModuleVersion>,
) -> Result<EditParams> {
    let dependents = known.tidied.iter().map(|dir| folder(root, dir)).collect::<Result<_>>()?;
    let work = known.work.as_ref().map(|work| folder(root, work)).transpose()?.unwrap_or_default();
    let view = View {
        as_of: outlook.as_of.to_string(),
        cutoff: outlook.cutoff.to_string(),
        hide_undated: outlook.unknown_age == UnknownAge::TooYoung,
    };
    Ok(EditParams { dir: folder(root, &project.path)?, root: folder(root, ".")?, raises, dependents, work, view })
}

/// Looks up when the modules came out that a raise brought along, where the answer does not say.
fn date(go: &Go<'_>, edited: &mut Edited, raises: &[Raise<'_>]) -> Result<Result<(), Box<Failure>>> {
    let versions = judge::undated(edited, raises);
    if versions.is_empty() {
        return Ok(Ok(()));
    }
    let params = ProbeParams { versions, offline: go.outlook.network == Network::Offline };
    match go.ask::<_, Probed>("probe", &params, "asking for the age of what comes along") {
        Ok(probed) => judge::set_dates(edited, &probed),
        Err(Unanswered::Failed(failure)) => return Ok(Err(failure)),
        Err(Unanswered::Broken(error)) => return Err(error),
    }
    Ok(Ok(()))
}

/// What a failed edit means.
fn refused(change: &Change<'_>, failure: &Failure) -> Result<Resolution> {
    if is_passing(failure) {
        return Ok(Resolution::Noise(words(failure)));
    }
    let Reason { kind, text, .. } = told(failure)?;
    let all = std::iter::once(change).chain(change.with).map(|one| format!("{} {}", one.name, one.to));
    let all = all.collect::<Vec<_>>().join(" with ");
    Ok(Resolution::Refused(Reason::new(kind, format!("go does not take {all}: {text}"))))
}

fn broken(failure: &Failure) -> Result<Reason> {
    let Reason { kind, text, .. } = told(failure)?;
    Ok(Reason::new(kind, format!("`go mod tidy` fails before any upgrade: {text}")))
}

/// Whether the same edit may well succeed a minute later.
fn is_passing(failure: &Failure) -> bool {
    failure.retryable || failure.code == "cancelled" || phrases::go::is_disk_full(&failure.message)
}

/// The reason in a failed edit. The companion has put the files back, unless it says otherwise.
fn told(failure: &Failure) -> Result<Reason> {
    if failure.code == "internal" && failure.message.contains("putting the files back failed") {
        return Err(anyhow!("{}", words(failure))).context("the clone is not what it should be");
    }
    Ok(reason(failure))
}
