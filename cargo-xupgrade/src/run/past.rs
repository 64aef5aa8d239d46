//! A run that is over, read from its output folder: its report, or, where it was killed, what its plan and its journal say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::cache::cache_root;
use crate::candidate::Named;
use crate::checkout::repo::Repo;
use crate::lineage;
use crate::machine::failure::Usage;
use crate::report::{
    CommitTrials, Ended, PLAN_SCHEMA, Past, PlanReport, ProjectSummary, Report, SCHEMA, TrialSummary, round,
};
use crate::state::journal::{self, FOLDER};

/// Reads the last run of a repository, or the one in an output folder.
///
/// # Errors
/// When there is none, or its files cannot be read.
pub fn past(repo: Option<&Path>, out: Option<&Path>) -> Result<Past> {
    let folder = folder(repo, out)?;
    let mut past = match read(&folder, "report.json")? {
        Some(text) => Past { report: report(&text, &folder.join("report.json"))?, ended: Ended::Yes },
        None => Past { report: so_far(&folder)?, ended: Ended::No },
    };
    tell_trees(&mut past.report, repo);
    lineage::link(&mut past.report.trials);
    past.report.folder = folder;
    Ok(past)
}

/// A journal does not say the tree of a trial that wrote nothing: it is that of the base, if the repository is at hand.
fn tell_trees(report: &mut Report, repo: Option<&Path>) {
    let here = repo.map_or_else(std::env::current_dir, |folder| Ok(folder.to_owned()));
    let base = here.ok().and_then(|here| Repo::discover(&here).ok()?.base(Some(&report.base)).ok());
    let Some(base) = base else { return };
    for trial in report.trials.iter_mut().filter(|trial| trial.tree.is_empty()) {
        trial.tree.clone_from(&base.tree);
    }
}

/// The output folder: as named, at the root of the repository, or in the cache, as for a run.
fn folder(repo: Option<&Path>, out: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = out {
        return std::path::absolute(named).context("cannot tell the output folder");
    }
    let here = match repo {
        Some(folder) => folder.to_owned(),
        None => std::env::current_dir().context("cannot tell the current folder")?,
    };
    let repo = Repo::discover(&here)?;
    let at_root = repo.root().join(FOLDER);
    let in_cache = cache_root().join(repo.cache_key()).join("out");
    let is_in_cache = repo.is_bare() || (!at_root.join("plan.json").exists() && in_cache.join("plan.json").exists());
    Ok(if is_in_cache { in_cache } else { at_root })
}

/// A file of the folder; none where it is not there.
fn read(folder: &Path, name: &str) -> Result<Option<String>> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn report(text: &str, path: &Path) -> Result<Report> {
    of_schema(text, path, SCHEMA)
}

/// A file of ours in the one format that this version knows.
fn of_schema<T: serde::de::DeserializeOwned>(text: &str, path: &Path, schema: &str) -> Result<T> {
    let unreadable = || format!("cannot read {}", path.display());
    let value: Value = serde_json::from_str(text).with_context(unreadable)?;
    let found = value["schema"].as_str().unwrap_or("no format at all");
    if found != schema {
        let text = format!("{} is of the format `{found}`, and this version reads `{schema}`", path.display());
        return Err(Usage(text).into());
    }
    serde_json::from_value(value).with_context(unreadable)
}

/// What a run without a report had found: its plan, and the trials in its journal.
fn so_far(folder: &Path) -> Result<Report> {
    let Some(text) = read(folder, "plan.json")? else {
        let text = format!("there is no run to report in {}; `--out` names another folder", folder.display());
        return Err(Usage(text).into());
    };
    let plan: PlanReport = of_schema(&text, &folder.join("plan.json"), PLAN_SCHEMA)?;
    let trials = journal::Past::read(folder).map(|past| past.trials).unwrap_or_default();
    Ok(unfinished(plan, trials))
}

/// Nothing is published before the end, so that every candidate is untried as far as the user's repository goes.
fn unfinished(plan: PlanReport, trials: Vec<TrialSummary>) -> Report {
    let summary = |project| ProjectSummary {
        project,
        checks: Vec::new(),
        baseline_seconds: None,
        tested_lock: None,
        left_out: Vec::new(),
        flaky: Vec::new(),
    };
    Report {
        schema: SCHEMA.to_owned(),
        base: plan.base,
        branch: None,
        tip: None,
        tip_tree: None,
        tested_tree: None,
        as_of: plan.as_of,
        min_age: 0,
        cooldowns: plan.cooldowns,
        upgrades: Vec::new(),
        commits: Vec::new(),
        commit_trials: CommitTrials::default(),
        held: plan.held,
        untried: plan.candidates.iter().map(crate::plan::named).collect::<Vec<Named>>(),
        newest: plan.newest,
        seconds: round(trials.iter().map(|trial| trial.seconds).sum()),
        trials,
        projects: plan.projects.into_iter().map(summary).collect(),
        candidates: plan.candidates.len(),
        containment: None,
        interrupted: true,
        budget: None,
        steady: vec![],
        flapped: Vec::new(),
        folder: PathBuf::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_refused_in_one_line() {
        let error = report(r#"{"schema":"cargo-xupgrade/report/9"}"#, Path::new("x.json")).unwrap_err();
        let expected =
            "x.json is of the format `cargo-xupgrade/report/9`, and this version reads `cargo-xupgrade/report/1`";
        assert_eq!(error.to_string(), expected);
    }
}
