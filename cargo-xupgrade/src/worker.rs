//! A worker: one slot in the cache directory with a private shared clone, a target directory, a HOME and a TMPDIR,
//! always at the same absolute paths (built artefacts carry them), never shared with another worker.
//!
//! The git folder that the tool trusts (`control.git`) lies beside the tree and not in it: code under trial that
//! calls `git tag`, `git config` or `git stash` meets a clone made for it, and cannot reach ours by accident.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::{Tool, git};
use crate::repo::{Base, Repo};

/// The ref in the clone under which finished commits wait to be fetched.
pub const OUT: &str = "refs/xupgrade/out";

/// One worker's folders and clone.
#[derive(Debug)]
pub struct Worker {
    home: PathBuf,
    base: String,
    /// Files that the set-up made: they stay when everything else is cleaned.
    kept: BTreeSet<String>,
}

impl Worker {
    /// Makes the folders and a fresh clone at the base commit. The target directory of earlier runs stays.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn prepare(repo: &Repo, base: &Base, cache: &Path, slot: usize) -> Result<Self> {
        let home = cache.join(format!("w{slot}"));
        let worker = Self { home, base: base.commit.clone(), kept: BTreeSet::new() };
        for stale in [worker.tree(), worker.control(), worker.temporary()] {
            remove(&stale)?;
        }
        for folder in [worker.tree(), worker.target(), worker.home(), worker.temporary()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        clone(repo.git_dir(), &worker.control())?;
        worker.git().args(["read-tree", &base.commit]).run()?;
        worker.checkout()?;
        worker.place_decoy()?;
        Ok(worker)
    }

    /// The work tree that trials edit and test.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.home.join("tree")
    }

    /// The one target directory of this worker.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.home.join("target")
    }

    /// The HOME of the code under trial.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.home.join("home")
    }

    /// The TMPDIR of the code under trial.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// The git folder that the tool trusts.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.home.join("control.git")
    }

    /// Brings the tree back to the base commit, for the next trial.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn reset(&self) -> Result<()> {
        self.git().args(["read-tree", &self.base]).run()?;
        self.restore()?;
        remove(&self.temporary())?;
        fs::create_dir_all(self.temporary())?;
        self.place_decoy()
    }

    /// Takes the untracked files that the set-up left as given: they stay between cells and trials.
    ///
    /// # Errors
    /// When git refuses.
    pub fn keep_untracked(&mut self) -> Result<()> {
        self.kept = self.ignored()?.into_iter().chain(self.untracked()?).collect();
        Ok(())
    }

    /// Writes a tree from the index after taking in the named files.
    ///
    /// # Errors
    /// When git refuses.
    pub fn snapshot(&self, files: &[String]) -> Result<String> {
        if !files.is_empty() {
            self.git().args(["add", "--force", "--all", "--"]).args(files).run()?;
        }
        self.git().arg("write-tree").line()
    }

    /// Undoes every change that is not in the index, and tells which there were.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn restore(&self) -> Result<Vec<String>> {
        let mut dirtied = self.changed()?;
        self.checkout()?;
        let new = |paths: Vec<String>| -> Vec<String> {
            paths.into_iter().filter(|path| !self.kept.contains(path)).collect()
        };
        let (strange, ignored) = (new(self.untracked()?), new(self.ignored()?));
        for path in strange.iter().chain(&ignored) {
            remove(&self.tree().join(path))?;
        }
        dirtied.extend(strange);
        dirtied.sort();
        dirtied.dedup();
        Ok(dirtied)
    }

    /// Writes a commit object in the clone.
    ///
    /// # Errors
    /// When git refuses (no author is known, the signing key is not at hand).
    pub fn commit(&self, settings: &[String], signs: Signs, tree: &str, parent: &str, message: &str) -> Result<String> {
        let mut tool = git().args(settings).arg("--git-dir").arg(self.control()).arg("commit-tree");
        if signs == Signs::Yes {
            tool = tool.arg("-S");
        }
        tool.args([tree, "-p", parent, "-m", message]).line()
    }

    /// Points the ref that is fetched at a commit.
    ///
    /// # Errors
    /// When git refuses.
    pub fn offer(&self, commit: &str) -> Result<()> {
        self.git().args(["update-ref", OUT, commit]).run()?;
        Ok(())
    }

    /// Puts the tree of a commit or tree id into index and work tree.
    ///
    /// # Errors
    /// When git refuses.
    pub fn show(&self, treeish: &str) -> Result<()> {
        self.git().args(["read-tree", treeish]).run()?;
        self.restore()?;
        Ok(())
    }

    fn checkout(&self) -> Result<()> {
        self.git().args(["checkout-index", "--all", "--force", "--index"]).run()?;
        Ok(())
    }

    fn changed(&self) -> Result<Vec<String>> {
        // A refresh first: files with the same content and another time stamp did not change.
        self.git().args(["update-index", "-q", "--really-refresh"]).output()?;
        let names = self.git().args(["diff-files", "--name-only", "-z"]).run()?;
        Ok(split(&names))
    }

    fn untracked(&self) -> Result<Vec<String>> {
        let names = self.git().args(["ls-files", "--others", "--exclude-standard", "--directory", "-z"]).run()?;
        Ok(split(&names))
    }

    fn ignored(&self) -> Result<Vec<String>> {
        let args = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
        Ok(split(&self.git().args(args).run()?))
    }

    /// The repository that code under trial finds in its tree: a clone of its own, at the base commit.
    fn place_decoy(&self) -> Result<()> {
        let decoy = self.tree().join(".git");
        remove(&decoy)?;
        clone(&self.control(), &decoy)?;
        git().arg("--git-dir").arg(&decoy).args(["update-ref", "--no-deref", "HEAD", &self.base]).run()?;
        git().arg("--git-dir").arg(&decoy).arg("--work-tree").arg(self.tree()).args(["read-tree", "HEAD"]).run()?;
        Ok(())
    }

    fn git(&self) -> Tool {
        git().arg("--git-dir").arg(self.control()).arg("--work-tree").arg(self.tree()).dir(&self.tree())
    }
}

/// Whether commits are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// With the user's key.
    Yes,
    /// No.
    No,
}

/// A shared clone without remotes and without a work tree of its own: it borrows objects and gives none back.
fn clone(source: &Path, target: &Path) -> Result<()> {
    git().args(["clone", "--quiet", "--shared", "--bare", "--template="]).arg(source).arg(target).run()?;
    let settings = [("core.bare", "false"), ("gc.auto", "0"), ("core.logAllRefUpdates", "false")];
    for (key, value) in settings {
        git().arg("--git-dir").arg(target).args(["config", key, value]).run()?;
    }
    git().arg("--git-dir").arg(target).args(["remote", "remove", "origin"]).run()?;
    Ok(())
}

fn split(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split('\0').filter(|name| !name.is_empty() && !name.starts_with(".git/")).map(str::to_owned).collect()
}

/// Removes a file or a folder, also one that somebody made read-only; nothing there is fine.
///
/// # Errors
/// When the disk refuses.
pub fn remove(path: &Path) -> Result<()> {
    let Ok(data) = fs::symlink_metadata(path) else { return Ok(()) };
    if !data.is_dir() {
        return fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()));
    }
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    make_writable(path);
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) => bail!("cannot remove {}: {error}", path.display()),
    }
}

fn make_writable(folder: &Path) {
    let Ok(data) = fs::metadata(folder) else { return };
    let mut mode = data.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a folder of our own cache that is about to be removed")]
    mode.set_readonly(false);
    let _ = fs::set_permissions(folder, mode);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
