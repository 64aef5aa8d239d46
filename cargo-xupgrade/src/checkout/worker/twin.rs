//! The repository that code under trial finds in its tree: a clone made anew for each trial, that looks as if what is tried
//! had been committed. Its HEAD and index are a commit of the tree under trial, one step after the base commit and with
//! that one's author, dates and words, so that equal trees have equal ids; without an upgrade it is the base commit itself.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::Worker;
use super::borrow::twin;
use super::layer::Layer;
use crate::machine::command::git;
use crate::machine::disk::remove;

/// The parts of the base commit that its twin repeats; the others (parents, a signature) speak of that commit alone.
const KEPT: [&[u8]; 3] = [b"author ", b"committer ", b"encoding "];

impl Worker {
    /// Lets the code under trial find a commit of this tree, one to publish; without one, the base commit.
    ///
    /// # Errors
    /// When git or the disk refuses.
    pub fn stand_on(&self, tree: Option<&str>) -> Result<()> {
        let (layer, commit) = (self.layer(), self.commit_to_find(tree)?);
        let place = layer.twin();
        let write = |file: &str, text: String| {
            fs::write(place.join(file), text).with_context(|| format!("cannot write {}", place.join(file).display()))
        };
        write("HEAD", format!("{commit}\n"))?;
        layer.copy_index()?;
        if self.adopted().is_empty() {
            return Ok(());
        }
        // Git tracks them nowhere: the twin ignores them, as the user's own rules or `git status` would have it.
        fs::create_dir_all(place.join("info"))?;
        let patterns: Vec<String> = self.adopted().iter().map(|path| literally(path)).collect();
        write("info/exclude", format!("/{}\n", patterns.join("\n/")))?;
        let tool = git().arg("--git-dir").arg(&place).arg("--work-tree").arg(&layer.tree).dir(&layer.tree);
        tool.args(["update-index", "--force-remove", "--"]).args(self.adopted()).run()?;
        Ok(())
    }

    /// The commit of a tree as the code under trial finds it.
    fn commit_to_find(&self, tree: Option<&str>) -> Result<String> {
        let base = &self.layer().commit;
        let Some(tree) = tree else { return Ok(base.clone()) };
        let written = self.git().args(["cat-file", "commit", base]).run()?;
        if written.starts_with(format!("tree {tree}\n").as_bytes()) {
            return Ok(base.clone());
        }
        let file = self.control().join("commit-to-find");
        fs::write(&file, successor(&written, base, tree))
            .with_context(|| format!("cannot write {}", file.display()))?;
        // Not `commit-tree`, which has rules of its own on names and dates; nor is every old commit to the taste of today.
        self.git().args(["hash-object", "-t", "commit", "-w", "--literally", "--no-filters"]).arg(&file).line()
    }
}

impl Layer {
    /// The twin's place.
    fn twin(&self) -> PathBuf {
        self.tree.join(".git")
    }

    /// Makes the twin anew, at the layer's commit.
    pub fn place_twin(&self) -> Result<()> {
        let place = self.twin();
        remove(&place)?;
        twin(&self.control, &place, &self.commit)?;
        self.copy_index()
    }

    /// Gives the twin the index of the trusted git folder, which knows the files in the tree by their time stamps: nothing is
    /// read again, and nothing looks changed.
    fn copy_index(&self) -> Result<()> {
        let (from, to) = (self.control.join("index"), self.twin().join("index"));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    }
}

/// The bytes of a commit of a tree after the base commit, whose bytes are `base`.
fn successor(base: &[u8], parent: &str, tree: &str) -> Vec<u8> {
    let end = base.windows(2).position(|pair| pair == b"\n\n").map_or(base.len(), |at| at + 1);
    let (head, words) = base.split_at(end);
    let mut commit = format!("tree {tree}\nparent {parent}\n").into_bytes();
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if KEPT.iter().any(|name| line.starts_with(name)) {
            commit.extend(line);
        }
    }
    commit.extend(words);
    commit
}

/// A path as a pattern that means this path only (gitignore).
fn literally(path: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | '\\' | ' ');
    path.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_to_find_has_the_author_the_dates_and_the_words_of_the_base_and_nothing_else() {
        let base = b"tree 1\nparent 2\nparent 3\nauthor A \xe9 <a@x> 5 +0100\ncommitter C <> 6 +0000\ngpgsig -----\n \n author \
            no\n -----\nencoding latin1\n\nSubject\n\nauthor me\n";
        let wanted = b"tree 9\nparent 4\nauthor A \xe9 <a@x> 5 +0100\ncommitter C <> 6 +0000\nencoding latin1\n\nSubject\n\nauthor \
            me\n";
        assert_eq!(successor(base, "4", "9"), wanted.to_vec());
    }

    #[test]
    fn a_commit_without_words_stays_one() {
        let base = b"tree 1\nauthor A <> 5 +0100\ncommitter C <> 6 +0000\n";
        assert_eq!(successor(base, "4", "9"), b"tree 9\nparent 4\nauthor A <> 5 +0100\ncommitter C <> 6 +0000\n");
    }

    #[test]
    fn a_path_with_signs_of_a_pattern_means_itself() {
        assert_eq!(literally("a [b]/*.lock"), "a\\ \\[b]/\\*.lock");
    }
}
