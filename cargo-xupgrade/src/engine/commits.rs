//! The commits below the tip, each by itself: which of them do not pass, so that they are one commit with what follows.
//! Asked of every commit where the user wants it, else only of those in doubt: upgrades that passed as a group, where one
//! brings a second copy of a package and a later one takes the first copy away.

use std::collections::BTreeSet;

use anyhow::{Result, anyhow};
use xupgrade_search::{Fate, Ticket};

use super::{Checkpoint, Engine, Searched, Trial};
use crate::cli::VerifyCommits;
use crate::ecosystem::Applied;
use crate::event::Event;
use crate::executor::{Executor, Order};
use crate::interrupt::Level;
use crate::partner::without_major;
use crate::trial::narrow::Breadth;
use crate::trial::{Cell, Check, Freshness, Phase, Turn};
use crate::verdict::{Verdict, judge};

impl Engine<'_> {
    /// Tries commits below the tip by themselves: their gates, or the whole matrix. Gives the positions of the upgrades
    /// after which no commit may end, as what stands there fails. What gave no answer is no evidence.
    ///
    /// # Errors
    /// When the executor's state is unknown.
    pub fn verify_commits(
        &mut self,
        executor: &mut dyn Executor,
        searched: &Searched,
        checkpoint: &Checkpoint,
        how: VerifyCommits,
    ) -> Result<BTreeSet<usize>> {
        let mut cells = self.plan.cells.clone();
        let is_gate = |check: &Check| check.phase == Phase::Gate && check.turn == Turn::Always;
        cells.retain(|cell| how == VerifyCommits::Full || is_gate(&cell.check));
        let mut ask: BTreeSet<usize> = match how {
            // A budget has no time for what nobody asked for.
            VerifyCommits::No if searched.spent.is_some() => BTreeSet::new(),
            VerifyCommits::No => self.doubtful(searched, checkpoint),
            VerifyCommits::Gate | VerifyCommits::Full => (1..checkpoint.atoms.len()).collect(),
        };
        let mut open = BTreeSet::new();
        while let Some(length) = ask.pop_first() {
            if self.stop.requested() > Level::None {
                break;
            }
            if let Verdict::Failed(_) = self.try_commit(executor, checkpoint, length, &cells)? {
                open.insert(length - 1);
                ask.extend(Some(length + 1).filter(|next| *next < checkpoint.atoms.len()));
            }
        }
        Ok(open)
    }

    fn try_commit(
        &mut self,
        executor: &mut dyn Executor,
        checkpoint: &Checkpoint,
        length: usize,
        cells: &[Cell],
    ) -> Result<Verdict> {
        let atoms = checkpoint.atoms[..length].to_vec();
        let (id, cells) = (format!("commit-{length}"), cells.to_vec());
        self.listener.tell(&Event::TrialBegan {
            trial: id.clone(),
            why: Some(crate::why::Why::Commit),
            of: None,
            fresh: atoms.last().map(|atom| self.step_of(atom)).into_iter().collect(),
            accepted: length - 1,
            remaining: 0,
            seconds_left: Some(self.time_of(&cells).as_secs()),
        });
        let breadth = Breadth::Whole;
        executor.submit(Order {
            id,
            atoms: atoms.clone(),
            cells,
            freshness: Freshness::Cached,
            breadth,
            until: None,
        })?;
        let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost a trial"))?;
        let verdict = judge(&finished.report, &self.baseline, &[], self.unexercised);
        let (id, report, seconds) = (finished.id, finished.report, finished.seconds);
        self.keep(Trial { id, why: None, of: None, atoms, fresh: 0, report, verdict: verdict.clone(), seconds })?;
        Ok(verdict)
    }

    /// The lengths at which a commit is in doubt.
    fn doubtful(&self, searched: &Searched, checkpoint: &Checkpoint) -> BTreeSet<usize> {
        let proof = |atom: usize| match &searched.solution.fates[atom] {
            Fate::Accepted { ticket, .. } => Some(*ticket),
            _ => None,
        };
        let proofs: Vec<Option<Ticket>> = checkpoint.atoms.iter().map(|atom| proof(atom.candidate)).collect();
        let applied = checkpoint.trial.map(|trial| self.trials[trial].report.applied.as_slice()).unwrap_or_default();
        let all: Vec<(Option<Ticket>, &Applied)> = proofs.into_iter().zip(applied).collect();
        let is_doubtful = |length: &usize| {
            let (proof, first) = all[length - 1];
            let mut group = all[*length..].iter().filter(|(other, _)| proof.is_some() && *other == proof);
            group.any(|(_, later)| hands_over(first, later))
        };
        (1..all.len()).filter(is_doubtful).collect()
    }
}

/// Whether one upgrade brings a second copy of a package, and a later one takes the first copy away: in between, the two
/// may speak of different types.
fn hands_over(first: &Applied, later: &Applied) -> bool {
    let brought = first.also_moved.iter().filter(|one| one.from.is_none() && one.to.is_some());
    let taken = |name: &str| {
        let mut gone = later.also_moved.iter().filter(|one| one.from.is_some() && one.to.is_none());
        gone.any(|one| without_major(&one.name) == without_major(name))
    };
    brought.into_iter().any(|one| taken(&one.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::ecosystem::Move;

    fn moves(moved: &[(&str, Option<&str>, Option<&str>)]) -> Applied {
        let one = |(name, from, to): &(&str, Option<&str>, Option<&str>)| Move {
            ecosystem: EcosystemKind::Cargo,
            name: (*name).into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        Applied { also_moved: moved.iter().map(one).collect(), ..Applied::default() }
    }

    #[test]
    fn a_second_copy_that_stays_until_a_later_upgrade_takes_the_first_one_away_is_handed_over() {
        let brings = moves(&[("message", None, Some("2.0.0"))]);
        let takes = moves(&[("message", Some("1.0.0"), None)]);
        assert!(hands_over(&brings, &takes));
        assert!(!hands_over(&takes, &brings), "the other way round there never were two");
        assert!(!hands_over(&brings, &moves(&[("other", Some("1.0.0"), None)])));
        assert!(!hands_over(&brings, &moves(&[("message", Some("2.0.0"), Some("2.0.1"))])));
    }

    #[test]
    fn two_majors_of_a_module_are_copies_of_it() {
        let brings = moves(&[("demo.test/message/v2", None, Some("v2.0.0"))]);
        assert!(hands_over(&brings, &moves(&[("demo.test/message", Some("v1.0.0"), None)])));
    }
}
