//! Which upgrades of a set are one commit: those that were proved only as a pair, those that the package manager takes
//! only together, and those after which the tree fails, land in one commit with the others or not at all. Pure.

use xupgrade_search::Why;

use super::Found;
use super::outcome::trial_of;
use crate::executor::together::label;
use crate::plan::Plan;

/// The positions in the published set, in commit order, each commit's together. What stands between two that belong
/// together goes with them, for its tree has the first of them in it.
pub fn units(plan: &Plan, found: &Found) -> Vec<Vec<usize>> {
    let atoms = &found.checkpoint.atoms;
    let proof = |position: usize| {
        let trial = trial_of(found, &atoms[position]).filter(|trial| trial.why == Some(Why::Pair))?;
        Some(trial.id.clone())
    };
    let applied = found.checkpoint.trial.map(|trial| found.trials[trial].report.applied.as_slice()).unwrap_or_default();
    let with = |position: usize| applied.get(position).map(|one| one.with.as_slice()).unwrap_or_default();
    let belongs = |first: usize, second: usize| {
        proof(first).is_some_and(|trial| proof(second) == Some(trial))
            || with(first).contains(&label(plan, &atoms[second]))
            || (second == first + 1 && found.open.contains(&first))
    };
    joined(atoms.len(), belongs)
}

/// The positions below `length`, cut wherever nothing on one side belongs to anything on the other.
fn joined(length: usize, belongs: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut end = 0;
    for position in 0..length {
        if position >= end {
            units.push(Vec::new());
        }
        if let Some(unit) = units.last_mut() {
            unit.push(position);
        }
        let last = (position + 1..length).rev().find(|later| belongs(position, *later)).unwrap_or(position);
        end = end.max(last + 1);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::joined;

    fn units(length: usize, pairs: &[(usize, usize)]) -> Vec<Vec<usize>> {
        joined(length, |first, second| pairs.contains(&(first, second)))
    }

    #[test]
    fn each_upgrade_is_a_commit_where_nothing_belongs_together() {
        assert_eq!(units(3, &[]), [[0], [1], [2]]);
        assert_eq!(units(0, &[]), [[0; 0]; 0]);
    }

    #[test]
    fn a_pair_is_one_commit_with_what_stands_between_its_parts() {
        assert_eq!(units(4, &[(1, 2)]), [vec![0], vec![1, 2], vec![3]]);
        assert_eq!(units(5, &[(0, 2)]), [vec![0, 1, 2], vec![3], vec![4]]);
    }

    #[test]
    fn pairs_that_overlap_are_one_commit() {
        assert_eq!(units(5, &[(0, 2), (1, 3)]), [vec![0, 1, 2, 3], vec![4]]);
        assert_eq!(units(4, &[(0, 1), (2, 3)]), [[0, 1], [2, 3]]);
    }
}
