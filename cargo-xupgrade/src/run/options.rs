//! What the search is told beside the atoms: how to choose, and what the baseline taught about costs. Pure.
//! Measured seconds are rounded roughly, so that the same run on the same machine chooses the same trials again.

use std::collections::BTreeMap;

use xupgrade_search::{Options, Permille};

use crate::engine::forecast::forecast;
use crate::engine::often;
use crate::input::cli::SearchArgs;
use crate::plan::Plan;
use crate::trial::{Cell, CellKey, Phase, Turn};
use crate::verdict::{Baseline, CellBaseline};

/// The options of a search over this matrix.
pub fn options(
    args: &SearchArgs,
    cells: &[Cell],
    baseline: &Baseline,
    often: &BTreeMap<CellKey, often::Runs>,
) -> Options {
    Options {
        strategy: args.strategy.into(),
        below: args.depth.into(),
        verify_runs: args.verify_runs.get(),
        more_runs: often.values().map(often::most).max().unwrap_or(0),
        runs_of_units: often::runs_of_units(cells, baseline),
        gate_cost: gate_cost(cells, baseline),
        ..Options::default()
    }
}

/// The further runs of each check with tests before anything is published.
pub fn often(args: &SearchArgs, plan: &Plan, baseline: &Baseline) -> BTreeMap<CellKey, often::Runs> {
    let seconds = args.flake_budget.unwrap_or_default().seconds(forecast(plan, baseline).seconds);
    often::runs(&plan.cells, baseline, args.verify_runs.get(), seconds)
}

/// What the gates cost of a trial, in 1/1000, in steps of a tenth; 1000 where nothing was measured, and where there is no
/// gate: what would run nothing is no cheaper way to look.
fn gate_cost(cells: &[Cell], baseline: &Baseline) -> Permille {
    let seconds = |wanted: fn(&Cell) -> bool| -> f64 {
        let cells = cells.iter().filter(|cell| cell.check.turn == Turn::Always && wanted(cell));
        cells.filter_map(|cell| baseline.cells.get(&cell.key())).map(CellBaseline::expected_seconds).sum()
    };
    let all = seconds(|_| true);
    if all <= 0.0 || !cells.iter().any(|cell| (cell.check.turn, cell.check.phase) == (Turn::Always, Phase::Gate)) {
        return 1000;
    }
    let share = seconds(|cell| cell.check.phase == Phase::Gate) / all;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a tenth of 0 to 10")]
    let tenths = (share * 10.0).round().clamp(1.0, 10.0) as Permille;
    tenths * 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(seconds: &[(&str, f64)]) -> Baseline {
        let one = |(name, seconds): &(&str, f64)| {
            let known = CellBaseline { seconds: *seconds, warm_seconds: *seconds, ..CellBaseline::default() };
            (CellKey::of(name), known)
        };
        Baseline { cells: seconds.iter().map(one).collect(), ..Baseline::default() }
    }

    #[test]
    fn the_share_of_the_gates_is_rounded_so_that_a_slow_second_changes_nothing() {
        let cells = [Cell::of("gate", Phase::Gate), Cell::of("test", Phase::Test)];
        assert_eq!(gate_cost(&cells, &baseline(&[("gate", 2.0), ("test", 8.0)])), 200);
        assert_eq!(gate_cost(&cells, &baseline(&[("gate", 2.2), ("test", 8.1)])), 200);
        assert_eq!(gate_cost(&cells, &baseline(&[("gate", 0.0), ("test", 9.0)])), 100, "never for nothing");
        assert_eq!(gate_cost(&cells, &Baseline::default()), 1000);
    }

    #[test]
    fn where_no_check_is_a_gate_none_is_asked_first() {
        let cells = [Cell::of("test", Phase::Test)];
        assert_eq!(gate_cost(&cells, &baseline(&[("test", 9.0)])), 1000);
    }
}
