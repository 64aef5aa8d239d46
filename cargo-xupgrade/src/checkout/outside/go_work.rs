//! The Go workspace that a module is built in, where it lies outside of the repository: a `go.work` above it, or one that
//! `GOWORK` names. Laid into the slot, its folders leading into the clone where they led into the repository; modules
//! beside the repository are taken as they are. What edits go.work files is the go command.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{clean, seen_from};
use crate::machine::command::Tool;
use crate::machine::disk::remove;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// What was passed on, as a person in the repository would say it.
    pub read: Option<String>,
    /// The value of `GOWORK` where the user has set it, for the clone.
    pub variable: Option<String>,
    /// What could not be passed on, and what to do.
    pub warnings: Vec<String>,
}

/// Passes on the workspace of `repository`, if it is none of its own; its base commit lies in `tree`, below `slot`.
///
/// # Errors
/// When the disk refuses.
pub fn pass_on(repository: &Path, tree: &Path, slot: &Path) -> Result<Work> {
    let laid = slot.join("go.work");
    for stale in [laid.clone(), slot.join("go.work.sum")] {
        remove(&stale)?;
    }
    // Go believes an inherited PWD that names the same folder, and answers with the links that led the user there.
    let ask = |folder: &Path| go().args(["env", "GOWORK"]).dir(folder).env("PWD", folder).line().unwrap_or_default();
    let (named, here) = (ask(&std::env::temp_dir()), ask(repository));
    let mut work = Work::default();
    if named == "off" {
        work.variable = Some(named);
        return Ok(work);
    }
    let file = &in_real_folder(Path::new(&here));
    if !file.is_file() {
        return Ok(work);
    }
    if let Ok(below) = file.strip_prefix(repository) {
        let there = tree.join(below);
        if !named.is_empty() && there.is_file() {
            work.variable = Some(there.display().to_string());
        } else if !named.is_empty() {
            let text = format!("GOWORK names {}, which is not in git, so it takes no part", below.display());
            work.warnings.push(text);
            work.variable = Some(String::new());
        }
        return Ok(work);
    }
    let neighbours = match lay(file, &laid, repository, tree, &mut work.warnings) {
        Ok(neighbours) => neighbours,
        Err(error) => {
            remove(&laid)?;
            work.warnings.push(format!("{} cannot be passed on to the clone: {error:#}", seen_from(repository, file)));
            return Ok(work);
        }
    };
    if !named.is_empty() {
        work.variable = Some(laid.display().to_string());
    }
    let seen: Vec<String> = neighbours.iter().map(|folder| seen_from(repository, folder)).collect();
    let with = if seen.is_empty() { String::new() } else { format!(" (with {} as it is now)", seen.join(", ")) };
    work.read = Some(format!("{}{with}", seen_from(repository, file)));
    Ok(work)
}

/// A file with the links in its folder's path resolved. A link in its own place stays: its folders are counted from there.
fn in_real_folder(file: &Path) -> PathBuf {
    let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(file.file_name()).map_or_else(|| file.to_owned(), |(folder, name)| folder.join(name))
}

/// Where a folder lies in the repository, if it does, also where links lead into it from outside.
fn below(repository: &Path, folder: &Path) -> Option<PathBuf> {
    let real = folder.canonicalize().ok();
    let found = folder.strip_prefix(repository).ok().or_else(|| real.as_deref()?.strip_prefix(repository).ok());
    found.map(Path::to_owned)
}

fn go() -> Tool {
    Tool::new("go").env("GOTOOLCHAIN", "local")
}

/// What `go work edit -json` prints (`go help work edit`), as far as it names folders.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    #[serde(default, rename = "Use")]
    uses: Option<Vec<Use>>,
    #[serde(default)]
    replace: Option<Vec<Replace>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Use {
    disk_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replace {
    old: Module,
    new: Module,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Module {
    path: String,
    #[serde(default)]
    version: String,
}

impl Module {
    fn spec(&self) -> String {
        if self.version.is_empty() { self.path.clone() } else { format!("{}@{}", self.path, self.version) }
    }
}

/// Copies a workspace file with its folders made absolute; gives the folders that lie outside of the repository.
fn lay(file: &Path, laid: &Path, repository: &Path, tree: &Path, warnings: &mut Vec<String>) -> Result<Vec<PathBuf>> {
    let folder = file.parent().unwrap_or(file);
    let json = go().args(["work", "edit", "-json"]).arg(file).dir(folder).run()?;
    let found: File = serde_json::from_slice(&json).context("cannot read what `go work edit -json` says")?;
    copy(file, laid)?;
    let mut edit = go().args(["work", "edit"]).dir(laid.parent().unwrap_or(laid));
    let mut neighbours = Vec::new();
    for one in found.uses.into_iter().flatten() {
        let real = clean(&folder.join(&one.disk_path));
        edit = edit.arg(format!("-dropuse={}", one.disk_path));
        match below(repository, &real).map(|below| tree.join(below)) {
            Some(there) if there.is_dir() => edit = edit.arg(format!("-use={}", there.display())),
            Some(_) => warnings.push(format!(
                "{} uses {}, which is not in the base commit; it is left out",
                seen_from(repository, file),
                seen_from(repository, &real)
            )),
            None => {
                edit = edit.arg(format!("-use={}", real.display()));
                neighbours.push(real);
            }
        }
    }
    for one in found.replace.into_iter().flatten().filter(|one| one.new.version.is_empty()) {
        let real = clean(&folder.join(&one.new.path));
        let there = below(repository, &real).map_or_else(|| real.clone(), |below| tree.join(below));
        edit = edit.arg(format!("-replace={}={}", one.old.spec(), there.display()));
    }
    edit.arg(laid).run()?;
    Ok(neighbours)
}

fn copy(file: &Path, laid: &Path) -> Result<()> {
    std::fs::copy(file, laid).with_context(|| format!("cannot copy {}", file.display()))?;
    let sums = file.with_extension("work.sum");
    if sums.is_file() {
        std::fs::copy(&sums, laid.with_extension("work.sum"))
            .with_context(|| format!("cannot copy {}", sums.display()))?;
    }
    Ok(())
}
