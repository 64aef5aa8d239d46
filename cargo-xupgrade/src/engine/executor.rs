//! Somewhere trials run. Submitting never blocks on the trial; polling hands back what has finished.
//! One implementation, `local`; others come behind the same trait and the same conformance test.

#[cfg(test)]
pub mod conformance;
#[cfg(test)]
pub mod fake;
pub mod local;
pub mod together;

use std::time::Instant;

use anyhow::Result;
use xupgrade_search::Until;

use crate::candidate::{EcosystemKind, Version};
use crate::project::Move;
use crate::trial::narrow::Breadth;
use crate::trial::{Cell, Freshness, TrialKind, TrialReport};
use crate::verdict::Baseline;

/// One upgrade of a trial: which candidate, to which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// The position of the candidate in the plan.
    pub candidate: usize,
    /// The position of the rung in its ladder.
    pub rung: usize,
}

/// A trial to run: base + atoms in commit order, on some cells.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its kind.
    pub kind: TrialKind,
    /// Its name.
    pub id: String,
    /// The atoms, in commit order.
    pub atoms: Vec<Atom>,
    /// The cells to run, gates first.
    pub cells: Vec<Cell>,
    /// Whether cached results count.
    pub freshness: Freshness,
    /// How much of each cell runs.
    pub breadth: Breadth,
    /// The end of an order that goes on, behind its gates, whatever fails. None: it ends at the first cell that fails.
    pub goes_on: Option<Until>,
    /// The moment at which the budget ends what still runs; that is no answer, and no verdict on slowness.
    pub until: Option<Instant>,
}

/// A trial that has finished.
#[derive(Debug)]
pub struct Finished {
    /// The name of the order.
    pub id: String,
    /// What happened.
    pub report: TrialReport,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Somewhere trials run.
pub trait Executor {
    /// How many trials it can take at once.
    fn capacity(&self) -> usize;

    /// Takes what is known by now of the untouched base, such as its flaky tests; trials that begin later heed it.
    fn learn(&mut self, known: &Baseline);

    /// Takes a trial.
    ///
    /// # Errors
    /// When it cannot take any.
    fn submit(&mut self, order: Order) -> Result<()>;

    /// Waits for the next finished trial; `None` when none is under way.
    ///
    /// # Errors
    /// When the state of the workers is unknown.
    fn poll(&mut self) -> Result<Option<Finished>>;

    /// Ends a trial whose answer no longer matters: it still comes back from [`Executor::poll`], as noise. A name that is
    /// not under way is no mistake.
    fn cancel(&mut self, id: &str);
}

/// The moves of an edit as a reader wants them: without the upgrade itself. Another version of the same crate is another
/// package; so is another version of the same module in the go.mod of a dependent, which may end at the same one.
#[must_use]
pub fn others(moves: &[Move], name: &str, from: &Version, to: &Version) -> Vec<Move> {
    let itself = |one: &Move| {
        let is = |end: &Option<String>, version: &Version| {
            end.as_deref().and_then(|text| Version::parse(text).ok()).is_some_and(|end| end == *version)
        };
        let (starts, ends) = (is(&one.from, from), is(&one.to, to));
        one.name == name
            && match one.ecosystem {
                // An upgrade before it may have brought the crate half of the way.
                EcosystemKind::Cargo => starts || ends,
                EcosystemKind::Go => starts && ends,
            }
    };
    moves.iter().filter(|one| !itself(one)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_of_the_same_crate_is_another_package() {
        let moved = |from: Option<&str>, to: Option<&str>| Move {
            ecosystem: EcosystemKind::Cargo,
            name: "x".into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let version = |text| Version::parse(text).unwrap();
        let all = [moved(Some("1.0.0"), Some("1.1.0+build")), moved(None, Some("1.1.0")), moved(Some("0.9.0"), None)];
        assert_eq!(others(&all, "x", &version("1.0.0"), &version("1.1.0")), all[2..]);
    }

    #[test]
    fn a_dependent_that_came_from_another_version_is_listed_and_one_that_came_along_is_not() {
        let moved = |from: &str| Move {
            ecosystem: EcosystemKind::Go,
            name: "ex.com/x".into(),
            from: Some(from.into()),
            to: Some("v1.6.0".into()),
        };
        let version = |text| Version::parse(text).unwrap();
        let all = [moved("v1.0.0"), moved("v1.5.0")];
        assert_eq!(others(&all, "ex.com/x", &version("v1.0.0"), &version("v1.6.0")), all[1..]);
    }
}
