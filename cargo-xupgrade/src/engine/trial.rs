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
    /// Its atoms, in commit order: as they were written, then those that were not.
    pub atoms: Vec<Atom>,
    /// The number of the last ones that hold something new.
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
