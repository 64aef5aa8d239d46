//! Commits: the trees that the confirmed trial wrote become a chain of commits in the clone, and one fetch brings the
//! chain into the user's repository as a branch. Upgrades that belong together are one commit. No tree is made here.

use anyhow::{Result, anyhow};

use super::opened::Opened;
use super::{Found, outcome};
use crate::checkout::worker::{OUT, Signs};
use crate::machine::command::Failed;
use crate::machine::failure::Unpublishable;
use crate::message::{self, Proven, Spread};
use crate::phrases;
use crate::report::Upgrade;
use crate::trial::members;

/// A branch that stands in the user's repository.
pub struct Written {
    pub branch: String,
    /// The commit of each atom; those that were verified as a group have the same one.
    pub commits: Vec<String>,
}

/// A commit that nobody will see, made before anything runs: where git knows no author, or has no key to sign with, all trials
/// would be for nothing.
///
/// # Errors
/// [`Unpublishable`], with git's own words.
pub fn rehearse(opened: &Opened<'_>) -> Result<()> {
    let base = &opened.base;
    let made =
        opened.worker.commit(&opened.repo.commit_settings(), signs(opened), &base.tree, &base.commit, "Rehearsal");
    made.map(drop).map_err(|error| {
        let words = complaint(&error);
        // Without an identity git does not come as far as the signature.
        let next = if signs(opened) == Signs::Yes && !phrases::git::is_identity_missing(&words) {
            "see to the key (`git config user.signingKey`), or turn signing off here (`git config commit.gpgSign false`)"
        } else {
            "tell git who you are (`git config user.name NAME` and `git config user.email ADDRESS`)"
        };
        Unpublishable { words, next }.into()
    })
}

/// The lines in which git says why it makes no commit, without its advice on how to set an identity.
fn complaint(error: &anyhow::Error) -> String {
    let Some(Failed { said, .. }) = error.downcast_ref() else { return format!("{error:#}") };
    let lines: Vec<&str> =
        said.lines().filter(|line| line.starts_with("fatal: ") || line.starts_with("error: ")).collect();
    if lines.is_empty() { said.clone() } else { lines.join("; ") }
}

fn signs(opened: &Opened<'_>) -> Signs {
    if opened.repo.signs() { Signs::Yes } else { Signs::No }
}

/// Writes the branch.
pub fn branch(opened: &Opened<'_>, wanted: Option<&str>, upgrades: &[Upgrade], found: &Found) -> Result<Written> {
    let trial = found.checkpoint.trial.ok_or_else(|| anyhow!("nothing was proved, so nothing is committed"))?;
    let steps = &found.trials[trial].report.steps;
    let usual = format!("xupgrade/{}", crate::machine::now::now().date());
    let branch = opened.repo.free_branch(wanted.unwrap_or(&usual), &opened.base)?;
    let settings = opened.repo.commit_settings();
    let signs = signs(opened);
    let style = opened.repo.style(&opened.base);
    let spread = Spread::of(upgrades);
    let mut parent = opened.base.commit.clone();
    let mut commits = Vec::new();
    for unit in &found.chain.units {
        let last = unit.positions.clone().last().and_then(|last| steps.get(last));
        let last = last.ok_or_else(|| anyhow!("a trial that passed wrote fewer trees than it has upgrades"))?;
        let its = members(&found.checkpoint.atoms[unit.positions.clone()]);
        let rest = &upgrades[members(&found.checkpoint.atoms[..unit.positions.start]).count()..];
        let proven = |(member, upgrade)| Proven { upgrade, group: outcome::group_of(found, member) };
        let all: Vec<Proven<'_>> = its.zip(rest).map(proven).collect();
        let text = message::commit(style, &all, &spread, &unit.bars, &opened.base.commit);
        parent = opened.worker.commit(&settings, signs, &last.tree, &parent, &text)?;
        commits.extend(unit.positions.clone().map(|_| parent.clone()));
    }
    opened.worker.offer(&parent)?;
    opened.repo.fetch_branch(&opened.worker.control(), OUT, &branch)?;
    Ok(Written { branch, commits })
}
