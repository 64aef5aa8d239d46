//! Somewhere trials run. Submitting never blocks on the trial; polling hands back what has finished.
//! Two implementations, `local` and `process`; others come behind the same trait and the same conformance test.

#[cfg(test)]
pub mod conformance;
#[cfg(test)]
pub mod fake;
pub mod local;
pub mod process;

use anyhow::Result;

use crate::candidate::Version;
use crate::project::Move;
use crate::rules::Copies;
pub use crate::trial::Order;
use crate::trial::TrialReport;
use crate::verdict::Baseline;

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

    /// Takes what is known by now of the untouched base: its flaky and its red tests, the time that its cells take. Trials
    /// that begin later heed it; before there is any, a cell may take an hour.
    fn learn(&mut self, known: &Baseline);

    /// Takes a trial.
    ///
    /// # Errors
    /// When it cannot take any.
    fn submit(&mut self, order: Order) -> Result<()>;

    /// Takes trials of the same cells whose tests are to begin together: two suites that clash would else show it only by
    /// luck. There must be a free place for each; an executor whose places share no machine need not wait.
    ///
    /// # Errors
    /// A refusal to take one of them.
    fn submit_abreast(&mut self, orders: Vec<Order>) -> Result<()> {
        orders.into_iter().try_for_each(|order| self.submit(order))
    }

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
            && match one.ecosystem.facts().copies {
                // An upgrade before it may have brought the package half of the way.
                Copies::Several => starts || ends,
                Copies::One => starts && ends,
            }
    };
    moves.iter().filter(|one| !itself(one)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;

    #[test]
    fn another_version_of_the_same_crate_is_another_package() {
        let moved = |from: Option<&str>, to: Option<&str>| Move {
            ecosystem: EcosystemKind::Cargo,
            name: "x".into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            lockfile: None,
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
            lockfile: None,
        };
        let version = |text| Version::parse(text).unwrap();
        let all = [moved("v1.0.0"), moved("v1.5.0")];
        assert_eq!(others(&all, "ex.com/x", &version("v1.0.0"), &version("v1.6.0")), all[1..]);
    }
}
