//! A guess at what a run takes, from the seconds of the baseline and the number of candidates. Pure.

use std::collections::BTreeSet;

use super::often::START;
use crate::plan::Plan;
use crate::trial::narrow::{is_doc, package};
use crate::trial::{Cell, Extent};
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

/// The seconds that the cells of a trial take, about. A check that runs whole builds some things anew the first time; one that runs
/// in part takes as long as its units did on the base.
#[must_use]
pub fn seconds(cells: &[Cell], baseline: &Baseline) -> f64 {
    let mut built = BTreeSet::new();
    let of_one = |cell: &Cell| {
        let known = baseline.cells.get(&cell.key())?;
        if cell.extent != Extent::Whole {
            return Some((START + of_units(&cell.extent, known)).min(known.warm_seconds));
        }
        Some(if built.insert(cell.key()) { known.expected_seconds() } else { known.warm_seconds })
    };
    cells.iter().filter_map(of_one).sum()
}

/// The seconds of the units that run in a check or a part of it.
fn of_units(extent: &Extent, known: &CellBaseline) -> f64 {
    let runs = |unit: &String| match extent {
        Extent::Whole => true,
        Extent::Programs => !is_doc(unit),
        Extent::Packages(packages) => packages.contains(package(unit)),
        Extent::Units(units) => units.contains(unit),
        Extent::Amid(tests) => tests.iter().any(|test| test.unit == *unit),
        // One test is over before its program could be timed.
        Extent::Tests(_) => false,
    };
    known.unit_seconds.iter().filter(|(unit, _)| runs(unit)).map(|(_, seconds)| seconds).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Phase, TestName};

    #[test]
    fn a_check_that_runs_again_and_again_in_part_is_no_whole_trial_each_time() {
        let whole = Cell::of("test", Phase::Test);
        let units = [("app src/lib.rs", 2.0), ("app tests/it.rs", 20.0)].map(|(unit, took)| (unit.to_owned(), took));
        let known =
            CellBaseline { seconds: 400.0, warm_seconds: 30.0, unit_seconds: units.into(), ..CellBaseline::default() };
        let baseline = Baseline { cells: [(whole.key(), known)].into(), ..Baseline::default() };
        let part = |extent| vec![Cell { extent, ..whole.clone() }; 10];
        let lib: BTreeSet<String> = ["app src/lib.rs".to_owned()].into();
        let test = TestName { unit: "app src/lib.rs".into(), name: "a".into() };
        let told: Vec<String> = [vec![whole.clone(); 2], part(Extent::Units(lib)), part(Extent::Tests([test].into()))]
            .iter()
            .map(|cells| format!("{:.0}", seconds(cells, &baseline)))
            .collect();
        assert_eq!(told, ["245", "22", "2"]);
    }
}
