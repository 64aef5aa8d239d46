//! A guess at what a run takes, from the seconds of the baseline and the number of candidates. Pure.

use crate::plan::Plan;
use crate::verdict::{Baseline, CellBaseline};

/// The guess.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    /// Number of trials.
    pub trials: usize,
    /// Seconds of all of them.
    pub seconds: f64,
}

/// The guess at a run with these candidates.
#[must_use]
pub fn forecast(plan: &Plan, baseline: &Baseline) -> Forecast {
    let expected: f64 = baseline.cells.values().map(CellBaseline::expected_seconds).sum();
    let trials = expected_trials(plan.candidates.len());
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = expected * (trials + 1) as f64;
    Forecast { trials, seconds }
}

/// A rough number of trials: a group test for each four of a hundred that fail, and one for good measure.
fn expected_trials(candidates: usize) -> usize {
    let bits = usize::try_from(candidates.max(1).ilog2()).unwrap_or(0) + 1;
    1 + candidates.div_ceil(16) * bits
}
