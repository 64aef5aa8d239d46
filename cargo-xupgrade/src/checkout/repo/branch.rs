//! Which branch name a run may write: a free one, or one on which every commit is ours. A name that somebody else's work,
//! a tag or a folder of refs stands in the way of gets a number, or dashes for its slashes.

use anyhow::{Result, bail};

use super::{Base, Repo, Standing};

/// Whether a branch name may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchState {
    /// No such branch.
    Free,
    /// Every commit on it since the base is ours.
    Ours,
    /// It holds somebody's commits, stands elsewhere, is checked out, or a tag of the same name would hide it.
    Taken,
    /// A branch has the name of one of its folders, so that git cannot make it.
    Blocked,
}

impl Repo {
    /// What stands at a branch name.
    ///
    /// # Errors
    /// When its commits cannot be read.
    pub fn branch_state(&self, branch: &str, base: &Base) -> Result<BranchState> {
        let mut folders = branch.match_indices('/').map(|(at, _)| &branch[..at]);
        if folders.any(|folder| self.stands(&format!("refs/heads/{folder}")) != Standing::Nowhere) {
            return Ok(BranchState::Blocked);
        }
        // `git merge NAME` would take the tag, and a branch below this one leaves it no place.
        let below = self.git().args(["for-each-ref", "--count=1"]).arg(format!("refs/heads/{branch}/")).line()?;
        if !below.is_empty() || self.stands(&format!("refs/tags/{branch}")) != Standing::Nowhere {
            return Ok(BranchState::Taken);
        }
        let name = format!("refs/heads/{branch}");
        match self.stands(&name) {
            Standing::Nowhere => return Ok(BranchState::Free),
            // A name for another branch: what is written to it lands there.
            Standing::ForAnother => return Ok(BranchState::Taken),
            Standing::AtCommit => {}
        }
        let is_ours = |message: &String| message.contains("\nXupgrade-Base: ");
        let ours = self.messages_since(&name, base)?.is_some_and(|messages| messages.iter().all(is_ours));
        Ok(if ours && !self.is_checked_out(branch)? { BranchState::Ours } else { BranchState::Taken })
    }

    /// In this work tree or in another one of the same repository.
    fn is_checked_out(&self, branch: &str) -> Result<bool> {
        let format = ["for-each-ref", "--format=%(HEAD)%(worktreepath)"];
        let place = self.git().args(format).arg(format!("refs/heads/{branch}")).line()?;
        Ok(!place.trim().is_empty())
    }

    /// Gives an existing branch name of ours, or the next free one with a number behind it.
    ///
    /// # Errors
    /// When the branches cannot be read.
    pub fn free_branch(&self, wanted: &str, base: &Base) -> Result<String> {
        let flat = wanted.replace('/', "-");
        let stem = if self.branch_state(wanted, base)? == BranchState::Blocked { &flat } else { wanted };
        for number in 1..1000 {
            let name = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
            if matches!(self.branch_state(&name, base)?, BranchState::Free | BranchState::Ours) {
                return Ok(name);
            }
        }
        bail!("every name from `{stem}` to `{stem}-999` is taken; name another one with `--branch`")
    }
}
