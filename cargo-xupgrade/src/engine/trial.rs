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
