//! Advice on a check that fails before any upgrade: gathers what differs between clone and checkout (files that git ignores,
//! variables, the target directory, rights) and asks [`hint`] what of it the check's log tells. Reads only.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::hint;
use crate::checkout::outside::cargo_config;
use crate::checkout::repo::Repo;
use crate::engine::executor::local::Place;
use crate::machine::command::git;
use crate::machine::supervisor::is_root;
use crate::plan::Plan;
use crate::trial::CellReport;

/// The first part of a log, which is looked through for names of files, in bytes.
const LOG: usize = 1 << 20;

/// The advice on the log in `out` of a check that fails in the clone and may pass in the checkout, if there is any.
#[must_use]
pub fn find(repo: &Repo, place: &Place<'_>, plan: &Plan, cell: &CellReport, out: &Path) -> Option<String> {
    let log = fs::read(out.join(&cell.log)).ok()?;
    let output = String::from_utf8_lossy(&log[..log.len().min(LOG)]);
    // The path of the checks' own target directory is no place that a test names.
    let output = output.replace(&*place.worker.target().to_string_lossy(), "");
    let project = plan.projects.iter().find(|project| project.id() == cell.cell.project)?;
    let of = |manifest: &String| manifest.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut folders: BTreeSet<String> = project.manifests.iter().map(of).collect();
    folders.extend([String::new(), cell.cell.check.dir.clone()]);
    let tree = place.worker.tree();
    let withheld = withheld(place, cell);
    let target = target_dir(&tree);
    let in_sources = |words: &[String]| having(&tree, words);
    let places = hint::Places {
        clone: &tree,
        checkout: repo.root(),
        folders: &folders,
        strangers: &repo.strangers().ok()?,
        exists: &|path| path.exists(),
        around: hint::Surroundings { withheld: &withheld, target: &target, in_sources: &in_sources },
    };
    let account = is_root().then(|| place.environment.account());
    hint::advice(&output, &places)
        .or_else(|| hint::of_no_package(&output, project))
        .or_else(|| hint::of_rights(&output, account?))
        .or_else(|| hint::of_member(&output, project))
}

/// The variables that the caller has set and this check does not see, by name.
fn withheld(place: &Place<'_>, cell: &CellReport) -> Vec<String> {
    let seen = place.environment.of(&cell.cell.check.env);
    let is_name = |name: &String| {
        name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    let names = std::env::vars_os().filter(|(name, _)| !seen.contains_key(name));
    let names: BTreeSet<String> = names.filter_map(|(name, _)| name.into_string().ok()).filter(is_name).collect();
    names.into_iter().collect()
}

/// The words out of these that tracked files have, each as a whole.
fn having(tree: &Path, words: &[String]) -> Vec<String> {
    let patterns = words.iter().flat_map(|word| ["-e", word]);
    let grep = git().args(["grep", "--only-matching", "-h", "-I", "--word-regexp", "--fixed-strings"]).args(patterns);
    // It ends with an error where there is none.
    let found = grep.dir(tree).run().unwrap_or_default();
    let found: BTreeSet<String> = String::from_utf8_lossy(&found).lines().map(str::to_owned).collect();
    found.into_iter().collect()
}

/// The folder, from the root, that cargo builds into in a checkout.
fn target_dir(tree: &Path) -> String {
    let table = cargo_config::file_in(&tree.join(".cargo")).and_then(|file| cargo_config::read(&file).ok());
    let said = table.and_then(|table| Some(table.get("build")?.get("target-dir")?.as_str()?.to_owned()));
    let below = said.and_then(|said| Some(Path::new(&said).strip_prefix(tree).ok()?.to_str()?.to_owned()));
    below.unwrap_or_else(|| "target".to_owned())
}
