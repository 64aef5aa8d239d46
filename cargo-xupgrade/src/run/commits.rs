//! The commits of a run as its report tells them: what is in each, what its tree passed, and the seconds of their trials. Pure.

use xupgrade_search::Why;

use super::Found;
use crate::candidate::UpgradeName;
use crate::engine::Trial;
use crate::engine::ends::{Proof, Unit};
use crate::plan::Plan;
use crate::report::{Commit, CommitTrials, Verified, round};
use crate::trial::members;

/// The commits of the branch; none where none was written.
pub fn commits(plan: &Plan, found: &Found) -> Vec<Commit> {
    let Some(trial) = found.checkpoint.trial.filter(|_| found.branch.is_some()) else { return Vec::new() };
    found.chain.units.iter().filter_map(|unit| commit(plan, found, trial, unit)).collect()
}

fn commit(plan: &Plan, found: &Found, tested: usize, unit: &Unit) -> Option<Commit> {
    let last = unit.positions.end.checked_sub(1)?;
    let its = members(found.checkpoint.atoms.get(unit.positions.clone())?);
    let atoms: Vec<UpgradeName> = its.map(|member| plan.name(member)).collect();
    let (verified, trial) = match &unit.proof {
        Proof::Tip => (Verified::Matrix, Some(found.trials[tested].id.clone())),
        Proof::Search(trial) => (in_the_search(found, trial), Some(trial.clone())),
        // Only gates have a limit of time.
        Proof::Own(trial) if found.chain.limit.is_some() => (Verified::Gates, Some(trial.clone())),
        Proof::Own(trial) => (Verified::Matrix, Some(trial.clone())),
        Proof::Untried => (Verified::No, None),
    };
    Some(Commit {
        id: found.commits.get(last)?.clone(),
        tree: found.trials[tested].report.steps.get(last)?.tree.clone(),
        group: unit.is_group().then_some(atoms.len()),
        atoms,
        verified,
        trial,
    })
}

fn in_the_search(found: &Found, trial: &str) -> Verified {
    let is_full = found.trials.iter().any(|one| one.id == *trial && one.why == Some(Why::Verify));
    if is_full { Verified::Matrix } else { Verified::Search }
}

/// The cost of trying commits by themselves; cells that are known from an interrupted run took their time there.
pub fn trials(found: &Found) -> CommitTrials {
    let took = |trial: &Trial| trial.seconds.max(trial.report.cells.iter().map(|cell| cell.seconds).sum());
    let own: Vec<f64> = found.trials.iter().filter(|trial| trial.why.is_none()).map(took).collect();
    CommitTrials {
        count: own.len(),
        seconds: round(own.iter().sum()),
        limit: found.chain.limit.map(|limit| round(limit.as_secs_f64())),
    }
}
