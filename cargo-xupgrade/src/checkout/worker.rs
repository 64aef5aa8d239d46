//! A worker: one slot in the cache directory with a private shared clone, a target directory, a HOME, a TMPDIR and an
//! `XDG_RUNTIME_DIR`, always at the same absolute paths (built artefacts carry them), never shared with another worker.
//!
//! The git folder that the tool trusts (`control.git`) lies beside the tree and not in it: code under trial that
//! calls `git tag`, `git config` or `git stash` meets a clone made for it, and cannot reach ours by accident.

mod borrow;
mod filters;
mod kept;
mod layer;
mod objects;
pub mod submodule;
mod tracked;
mod twin;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::checkout::repo::Repo;
use crate::machine::command::{Tool, git};
use crate::machine::disk::remove;
use crate::project::Base;
use crate::trial::Undone;
use borrow::{borrow, share_objects};
use kept::Kept;
use layer::Layer;
pub use tracked::Tracked;

/// The ref in the clone under which finished commits wait to be fetched.
pub const OUT: &str = "refs/xupgrade/out";

/// One worker's folders and clone.
#[derive(Debug)]
pub struct Worker {
    /// Its number, from 0.
    number: usize,
    home: PathBuf,
    /// The repository, then its submodules, outer ones first; never empty.
    layers: Vec<Layer>,
    /// Lockfiles that git does not track, from the root: in our index, so that they are restored as any other file, and
    /// in no tree that is published.
    unpublished: Vec<String>,
    /// What the set-up made: it stays when everything else is cleaned, as it was.
    kept: Kept,
}

impl Worker {
    /// Makes the folders and a fresh clone at the base commit. Of earlier runs only the target directory stays: what their
    /// tests did to HOME must not reach this one.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn prepare(repo: &Repo, base: &Base, cache: &Path, slot: usize) -> Result<Self> {
        let mut worker = Self {
            number: slot,
            home: cache.join(format!("w{slot}")),
            layers: Vec::new(),
            unpublished: Vec::new(),
            kept: Kept::default(),
        };
        for stale in [worker.tree(), worker.control(), worker.home(), worker.copies()] {
            remove(&stale)?;
        }
        for folder in [worker.tree(), worker.target(), worker.home()] {
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        worker.empty_folders()?;
        borrow(repo.git_dir(), &worker.control(), &base.commit)?;
        if slot > 0 {
            // One store of objects for all of them: a tree written in one slot is shown in another, and published.
            share_objects(&cache.join("w0/control.git"), &worker.control())?;
        }
        let settings = repo.settings();
        let mut layer = Layer {
            control: worker.control(),
            tree: worker.tree(),
            commit: base.commit.clone(),
            ground: base.commit.clone(),
            shape: settings.shape(),
            unsteady: Vec::new(),
            attributes: Vec::new(),
            failed: Vec::new(),
        };
        layer.unpack(&settings.access(repo.root()))?;
        worker.layers.push(layer);
        Ok(worker)
    }

    /// Its number, from 0: the first one publishes.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The lockfiles that git does not track and that every trial starts from.
    #[must_use]
    pub fn adopted(&self) -> &[String] {
        &self.unpublished
    }

    /// The folder of everything that is this worker's.
    #[must_use]
    pub fn slot(&self) -> &Path {
        &self.home
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

    /// The `XDG_RUNTIME_DIR` of the code under trial.
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        self.home.join("runtime")
    }

    /// Makes TMPDIR and `XDG_RUNTIME_DIR` anew and empty; the second is for this user only, as the XDG Base Directory
    /// Specification wants it.
    fn empty_folders(&self) -> Result<()> {
        for (folder, mode) in [(self.temporary(), 0o777), (self.runtime(), 0o700)] {
            remove(&folder)?;
            let made = DirBuilder::new().mode(mode).create(&folder);
            made.with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// The git folder that the tool trusts.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.home.join("control.git")
    }

    /// The copies of what the set-up made.
    fn copies(&self) -> PathBuf {
        self.home.join("kept")
    }

    /// Brings the tree to a tree id for the next trial; without one, back to the base commit. Files that are the same there
    /// keep their time stamps, so that a second run on a tree builds nothing.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn start_from(&self, tree: Option<&str>) -> Result<()> {
        for layer in &self.layers {
            layer.read(&layer.ground)?;
        }
        if let Some(tree) = tree {
            self.layer().read(tree)?;
        }
        self.restore()?;
        self.empty_folders()?;
        self.layers.iter().try_for_each(Layer::place_twin)
    }

    /// Takes the untracked files that the set-up left as given: they stay between cells and trials, and are put back
    /// where a check changes them.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn keep_untracked(&mut self) -> Result<()> {
        let mut roots = kept::repositories(&self.tree(), &self.twins());
        for layer in &self.layers {
            let (strange, ignored) = layer.strange()?;
            roots.extend(strange.iter().chain(&ignored).map(|path| layer.tree.join(path)));
        }
        self.kept = Kept::take(&self.tree(), &self.copies(), &roots)?;
        Ok(())
    }

    /// Takes lockfiles that git does not track into the ground of every trial.
    ///
    /// # Errors
    /// When git refuses, or tracks one of them: it would be missing in every tree that is published.
    pub fn adopt(&mut self, lockfiles: Vec<String>) -> Result<()> {
        if lockfiles.is_empty() {
            return Ok(());
        }
        let words = ["ls-tree", "-z", "--name-only", &self.layer().commit, "--"];
        let recorded = layer::paths(&self.git().args(words).args(&lockfiles).run()?);
        if let Some(path) = recorded.first() {
            bail!("{} is in git, yet another one was resolved in its place; please report this", path.display());
        }
        self.layers[0].ground = self.snapshot(&lockfiles)?;
        self.unpublished = lockfiles;
        Ok(())
    }

    /// The bytes of a file in a tree that was tested; without a tree, in the ground of every trial.
    ///
    /// # Errors
    /// When git refuses.
    pub fn file_in(&self, tree: Option<&str>, path: &str) -> Result<Vec<u8>> {
        let tree = tree.unwrap_or(&self.layer().ground);
        self.git().args(["cat-file", "blob"]).arg(format!("{tree}:{path}")).run()
    }

    /// The tree to publish for one that was tested: without the lockfiles that git does not track.
    ///
    /// # Errors
    /// When git refuses.
    pub fn published(&self, tree: &str) -> Result<String> {
        if self.unpublished.is_empty() {
            return Ok(tree.to_owned());
        }
        let index = self.control().join("index.published");
        let git = || self.git().env("GIT_INDEX_FILE", &index);
        git().args(["read-tree", tree]).run()?;
        git().args(["update-index", "--force-remove", "--"]).args(&self.unpublished).run()?;
        git().arg("write-tree").line()
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

    /// Which of these files git would store otherwise than they are in the base commit, though nobody changed them.
    ///
    /// # Errors
    /// When git refuses.
    pub fn renormalised(&self, files: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        if files.is_empty() {
            return Ok(BTreeSet::new());
        }
        // An index without time stamps: with them, git takes a file for unchanged before it looks at its bytes.
        let index = self.control().join("index.afresh");
        let git = || self.git().arg("--literal-pathspecs").env("GIT_INDEX_FILE", &index);
        let commit = &self.layer().commit;
        git().args(["read-tree", commit]).run()?;
        git().args(["add", "--force", "--"]).args(files).run()?;
        let changed = git().args(["diff-index", "--cached", "--name-only", "-z", commit, "--"]).args(files).run()?;
        Ok(layer::paths(&changed).iter().map(|path| path.display().to_string()).collect())
    }

    /// Which of these paths, where nothing lies, git would ignore a file at.
    ///
    /// # Errors
    /// When git refuses.
    pub fn ignored(&self, paths: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        let mut ignored = BTreeSet::new();
        for path in paths {
            let output = self.git().args(["--no-literal-pathspecs", "check-ignore", "--quiet", "--", path]).output()?;
            match output.status.code() {
                Some(0) => drop(ignored.insert(path.clone())),
                Some(1) => {}
                _ => bail!("git does not say whether it ignores {path}: {}", String::from_utf8_lossy(&output.stderr)),
            }
        }
        Ok(ignored)
    }

    /// Undoes every change that is not in the index, and tells which there were.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn restore(&self) -> Result<Undone> {
        let (mut left, mut ignored, mut changed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for layer in &self.layers {
            layer.hold_place()?;
            self.clear(layer, &mut left, &mut ignored)?;
            let buried = self.clear_repositories(layer)?;
            if !buried.is_empty() {
                // Git may have passed by what lies in a repository of somebody else.
                self.clear(layer, &mut left, &mut ignored)?;
            }
            left.extend(buried);
            // What is strange goes first: a new attributes file would shape what is put back.
            let mut here = layer.restore_attributes()?;
            here.extend(layer.put_back()?);
            changed.extend(here.iter().map(|path| layer.tree.join(path)));
        }
        self.put_back_kept()?;
        let told = |paths| self.below_the_root(paths);
        Ok(Undone { changed: told(&changed), left: told(&left), ignored: told(&ignored) })
    }

    /// Makes every tracked file look new, so that a build begins from the sources again. A build script that writes into
    /// the tree does so when it runs, and the outcome in the target directory keeps it from running once more: the next
    /// build would find a tracked file as git has it, and no generated one at all.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn renew(&self) -> Result<()> {
        let now = fs::FileTimes::new().set_modified(SystemTime::now());
        for layer in &self.layers {
            let listed = layer::paths(&layer.git().args(["ls-files", "-z"]).run()?);
            let files = listed.into_iter().map(|path| layer.tree.join(path));
            for file in files.filter(|file| file.symlink_metadata().is_ok_and(|meta| meta.is_file())) {
                let renewed = File::open(&file).and_then(|file| file.set_times(now));
                renewed.with_context(|| format!("cannot touch {}", file.display()))?;
            }
            layer.refresh()?;
        }
        Ok(())
    }

    fn below_the_root(&self, paths: &BTreeSet<PathBuf>) -> Vec<String> {
        let tree = self.tree();
        paths.iter().map(|path| path.strip_prefix(&tree).unwrap_or(path).display().to_string()).collect()
    }

    /// Removes what a layer's index does not have and the set-up did not make: what no rule ignores, and the rest.
    fn clear(&self, layer: &Layer, left: &mut BTreeSet<PathBuf>, ignored: &mut BTreeSet<PathBuf>) -> Result<()> {
        let (strange, hidden) = layer.strange()?;
        for (paths, gone) in [(strange, left), (hidden, ignored)] {
            for path in paths {
                gone.extend(self.kept.prune(&layer.tree.join(path))?);
            }
        }
        Ok(())
    }

    fn put_back_kept(&self) -> Result<()> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let mut recorded = BTreeSet::new();
        for layer in &self.layers {
            let listed = layer::paths(&layer.git().args(["ls-files", "-z"]).run()?);
            recorded.extend(listed.into_iter().map(|path| layer.tree.join(path)));
        }
        self.kept.put_back(&recorded)
    }

    /// Removes git folders that are nobody's whom we know.
    fn clear_repositories(&self, layer: &Layer) -> Result<Vec<PathBuf>> {
        let mut gone = Vec::new();
        for path in kept::repositories(&layer.tree, &self.twins()) {
            gone.extend(self.kept.prune(&path)?);
        }
        Ok(gone)
    }

    /// The git folders in the tree that are ours.
    fn twins(&self) -> BTreeSet<PathBuf> {
        self.layers.iter().map(|layer| layer.tree.join(".git")).collect()
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

    fn layer(&self) -> &Layer {
        &self.layers[0]
    }

    fn git(&self) -> Tool {
        self.layer().git()
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

#[cfg(test)]
mod tests;
