//! A trial of a run, with its verdict.

use xupgrade_search::Why;

use crate::trial::{Atom, TrialReport};
use crate::verdict::Verdict;

/// A trial that was run and judged.
#[derive(Debug)]
pub struct Trial {
    /// Its name.
    pub id: String,
    /// The reason for which it was run; `None` for one that is no part of the search.
    pub why: Option<Why>,
    /// The trial that it looks at again.
    pub of: Option<String>,
    /// The atoms that it was asked for, in commit order.
    pub asked: Vec<Atom>,
    /// The number of the last of those that were new.
    pub fresh: usize,
    /// The report on it.
    pub report: TrialReport,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Tests that failed in it and were not known to when it ended. Where it counts as passed all the same, no upgrade is to blame,
    /// and each test passed in as many runs of the same as are needed.
    pub red: Vec<String>,
    /// Seconds that it took.
    pub seconds: f64,
}

impl Trial {
    /// Its atoms, in commit order: as they were written, then those that were not.
    #[must_use]
    pub fn atoms(&self) -> Vec<Atom> {
        self.report.atoms(&self.asked)
    }

    /// The atoms that were new, as they were asked for.
    #[must_use]
    pub fn new_ones(&self) -> &[Atom] {
        &self.asked[self.asked.len() - self.fresh..]
    }
}

/// The verdict on a run of the whole matrix, beside those before it on the same atoms: a pass counts for the tree of the last
/// one, or for none. What is resolved once more may end elsewhere.
pub(super) fn of_the_same_tree(
    before: &[Trial],
    why: Why,
    asked: &[Atom],
    report: &TrialReport,
    verdict: Verdict,
) -> Verdict {
    let is_whole = |why: Why| matches!(why, Why::Verify | Why::Often);
    let is_run = |trial: &&Trial| trial.why.is_some_and(is_whole) && trial.report.noise().is_none();
    let mut runs = before.iter().rev().filter(is_run).filter(|trial| trial.atoms() == report.atoms(asked));
    match runs.next().filter(|_| is_whole(why) && verdict == Verdict::Passed) {
        Some(last) if last.report.tested != report.tested => {
            Verdict::Inconclusive(format!("it was resolved to another tree than in {}", last.id))
        }
        _ => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_of_the_whole_matrix_on_another_tree_than_before_is_no_answer() {
        let report = |tree: &str| TrialReport { tested: Some(tree.into()), ..TrialReport::default() };
        let first = Trial {
            id: "full-1".into(),
            why: Some(Why::Verify),
            of: None,
            asked: vec![],
            fresh: 0,
            report: report("a"),
            verdict: Verdict::Passed,
            red: vec![],
            seconds: 1.0,
        };
        let judged =
            |why, tree: &str| of_the_same_tree(std::slice::from_ref(&first), why, &[], &report(tree), Verdict::Passed);
        assert_eq!((judged(Why::Verify, "a"), judged(Why::Leaf, "b")), (Verdict::Passed, Verdict::Passed));
        for why in [Why::Verify, Why::Often] {
            assert!(matches!(judged(why, "b"), Verdict::Inconclusive(_)));
        }
    }
}
