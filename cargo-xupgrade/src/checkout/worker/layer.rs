//! One git work tree below a worker's tree: the repository itself, or a submodule in it. The git folder that the tool
//! trusts lies elsewhere; in the tree lies a twin of it for the code under trial. Paths are bytes: not every name is UTF-8.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use crate::machine::command::{Tool, git};
use crate::machine::disk::remove;

/// A filter that failed in the clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedFilter {
    /// Its name in `.gitattributes`.
    pub name: String,
    /// Its own words, or git's about it.
    pub said: String,
    /// The files that it is for, from the root of its layer.
    pub files: Vec<PathBuf>,
}

/// The state of the filters after a checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filters {
    /// The filters work, but for those that are off already.
    Work,
    /// A filter failed, and is off from now on.
    Fail,
}

/// A work tree with its trusted git folder.
#[derive(Debug)]
pub struct Layer {
    /// The trusted git folder.
    pub control: PathBuf,
    /// The folder of its files.
    pub tree: PathBuf,
    /// Its commit, at which the code under trial finds it.
    pub commit: String,
    /// What the index holds where nothing was upgraded: the commit, or its tree with lockfiles that git does not track.
    pub ground: String,
    /// The user's settings that shape a checkout.
    pub shape: Vec<(String, String)>,
    /// Files that differ from the index as soon as they are checked out, because their filter does not give back what
    /// it got: nobody changed them.
    pub unsteady: Vec<PathBuf>,
    /// The tracked files that say how others are checked out.
    pub attributes: Vec<PathBuf>,
    /// Filters that failed here and are turned off.
    pub failed: Vec<FailedFilter>,
}

impl Layer {
    /// Puts the files of the ground into the tree for the first time; `more` are settings for this once.
    pub fn unpack(&mut self, more: &[(String, String)]) -> Result<()> {
        self.check_out(more)?;
        self.unsteady = self.differing()?;
        let tracked = paths(&self.git().args(["ls-files", "-z"]).run()?);
        self.attributes = tracked.into_iter().filter(|path| path.ends_with(".gitattributes")).collect();
        self.place_twin()
    }

    /// Checks out the ground; a filter that fails is turned off, and all is checked out afresh without it.
    fn check_out(&mut self, more: &[(String, String)]) -> Result<()> {
        loop {
            // Not checkout-index: this one fetches all absent objects of a partial clone at once.
            let words = ["read-tree", "--reset", "-u", &self.ground];
            let tried = self.git().settings(more).args(words).output()?;
            let mut said = String::from_utf8_lossy(&tried.stderr).into_owned();
            if tried.status.success() {
                said.push_str(&self.try_cleaning()?);
            }
            match self.turn_off_failed(&said)? {
                Filters::Work if tried.status.success() => return Ok(()),
                Filters::Work => {
                    let what = "cannot check out the files of the base commit (objects that are absent here?)";
                    return Err(anyhow!("{}", said.trim()).context(what));
                }
                // By its time stamps git would take for sound what a filter wrote that is off now.
                Filters::Fail => remove(&self.control.join("index"))?,
            }
        }
    }

    /// Puts a tree into the index.
    pub fn read(&self, treeish: &str) -> Result<()> {
        self.git().args(["read-tree", treeish]).run()?;
        Ok(())
    }

    /// Sees to it that the folder of the files is a folder, and no link to elsewhere.
    pub fn hold_place(&self) -> Result<()> {
        if !self.tree.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            remove(&self.tree)?;
            std::fs::create_dir_all(&self.tree)?;
        }
        Ok(())
    }

    /// Writes every file that is not as the index has it; gives those that somebody changed, from the layer's root.
    pub fn put_back(&self) -> Result<Vec<PathBuf>> {
        let mut changed = self.differing()?;
        if !changed.is_empty() {
            self.git().args(["checkout-index", "--all", "--force", "--index"]).run()?;
        }
        changed.retain(|path| !self.unsteady.contains(path));
        Ok(changed)
    }

    fn differing(&self) -> Result<Vec<PathBuf>> {
        self.refresh()?;
        // Not into submodules: git would obey the settings that the code under trial can write there.
        Ok(paths(&self.git().args(["diff-files", "--ignore-submodules=all", "--name-only", "-z"]).run()?))
    }

    /// Has git look at files with another time stamp: those with the same content did not change.
    pub fn refresh(&self) -> Result<()> {
        self.git().args(["update-index", "-q", "--really-refresh"]).output().map(drop)
    }

    /// Puts back the files that say how others are checked out, before anything is compared or checked out by them;
    /// gives those that had changed.
    pub fn restore_attributes(&self) -> Result<Vec<PathBuf>> {
        if self.attributes.is_empty() {
            return Ok(Vec::new());
        }
        let words = ["diff-files", "--ignore-submodules=all", "--name-only", "-z", "--"];
        let suspects = paths(&self.git().args(words).args(&self.attributes).run()?);
        self.git().args(["checkout-index", "--force", "--index", "--"]).args(&self.attributes).run()?;
        Ok(suspects.into_iter().filter(|path| !self.unsteady.contains(path)).collect())
    }

    /// Files that the index does not have, whole folders by their name; first what no rule ignores, then the rest.
    pub fn strange(&self) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        let list = |words: &[&str]| -> Result<Vec<PathBuf>> {
            Ok(paths(&self.git().args(["ls-files", "--others", "--directory", "-z"]).args(words).run()?))
        };
        if list(&[])?.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        Ok((list(&["--exclude-standard"])?, list(&["--exclude-standard", "--ignored"])?))
    }

    /// Git on this layer, with the user's settings that shape a checkout.
    pub fn git(&self) -> Tool {
        git()
            .args(["-c", "core.safecrlf=false", "-c", "submodule.recurse=false"])
            .arg("--git-dir")
            .arg(&self.control)
            .arg("--work-tree")
            .arg(&self.tree)
            .dir(&self.tree)
            .settings(&self.shape)
    }
}

/// The paths of a list that git wrote with `-z`, without what is in the git folder.
pub fn paths(bytes: &[u8]) -> Vec<PathBuf> {
    let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| Path::new(OsStr::from_bytes(name)).to_owned()).filter(|path| !path.starts_with(".git")).collect()
}
