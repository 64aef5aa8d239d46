//! Runs of the tests before anything is published: how often each check runs again within a budget of seconds, and the
//! share of failing runs that so many passes exclude. Pure; the seconds are those that the baseline measured, so that a
//! resumed run asks the same questions.

use std::collections::BTreeMap;

use crate::report::Steady;
use crate::trial::narrow::{is_doc, narrow};
use crate::trial::{Cell, CellKey, Extent, Phase, Turn};
use crate::verdict::{Baseline, CellBaseline};

/// The number of runs in all of the tests of what is published, the trial of the search and the verification included.
pub const RUNS: u32 = 21;

/// The number of further runs of each check with tests, the quickest first, until the seconds are used up.
#[must_use]
pub fn runs(cells: &[Cell], baseline: &Baseline, verify_runs: u32, seconds: f64) -> BTreeMap<CellKey, u32> {
    let wanted = RUNS.saturating_sub(verify_runs + 1);
    let known = |cell: &Cell| Some((cell.key(), cost(baseline.cells.get(&cell.key())?)));
    let mut costs: Vec<(CellKey, f64)> = tests(cells).filter_map(known).collect();
    costs.sort_by(|(one, cost), (other, than)| cost.total_cmp(than).then_with(|| one.cmp(other)));
    let mut left = seconds;
    let mut runs = BTreeMap::new();
    for (key, cost) in costs {
        let count = (1..=wanted).rev().find(|count| f64::from(*count) * cost <= left).unwrap_or(0);
        left -= f64::from(count) * cost;
        runs.insert(key, count);
    }
    runs.retain(|_, count| *count > 0);
    runs
}

fn tests(cells: &[Cell]) -> impl Iterator<Item = &Cell> {
    cells.iter().filter(|cell| (cell.check.phase, cell.check.turn) == (Phase::Test, Turn::Always))
}

/// The seconds of one more run: nothing is built, and documentation tests take no part. Nothing is quicker than the start of
/// the tools.
fn cost(known: &CellBaseline) -> f64 {
    const START: f64 = 0.2;
    (known.warm_seconds - known.doc_seconds).max(START)
}

/// The cells of these runs, round by round; without documentation tests, where the command can be told so. First the gates of
/// their projects, which build nothing any more and say what each test program is.
#[must_use]
pub fn cells(all: &[Cell], baseline: &Baseline, runs: &BTreeMap<CellKey, u32>) -> Vec<Cell> {
    let is_gate = |cell: &&Cell| (cell.check.phase, cell.check.turn) == (Phase::Gate, Turn::Always);
    let gates = all.iter().filter(is_gate).filter(|gate| runs.keys().any(|(project, _)| *project == gate.project));
    let rounds = runs.values().copied().max().unwrap_or(0);
    let of = |cell: &Cell| runs.get(&cell.key()).copied().unwrap_or(0);
    let round = |round: u32| tests(all).filter(move |cell| round < of(cell));
    let rounds = (0..rounds).flat_map(round).flat_map(|cell| without_doc(cell, baseline));
    gates.cloned().chain(rounds).collect()
}

fn without_doc(cell: &Cell, baseline: &Baseline) -> Vec<Cell> {
    let known = baseline.cells.get(&cell.key());
    let has_doc = known.is_some_and(|known| known.names.iter().any(|name| is_doc(&name.unit)));
    let narrowed = narrow(cell, &Extent::Programs, &BTreeMap::new()).filter(|_| has_doc);
    narrowed.unwrap_or_else(|| vec![cell.clone()])
}

/// The share of failing runs that so many passes in a row exclude, with 99 % certainty: where a test failed in this share of
/// its runs, all of them would pass in one of a hundred cases (1 - 0.01^(1/n)).
#[must_use]
pub fn excluded(passes: u32) -> f64 {
    if passes == 0 { 1.0 } else { 1.0 - 0.01_f64.powf(1.0 / f64::from(passes)) }
}

/// The statement about a check whose tests passed so often.
#[must_use]
pub fn steady((project, check): CellKey, runs: u32) -> Steady {
    Steady { project, check, runs, excluded: (excluded(runs) * 100.0).ceil() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Reader, TestName};

    fn known(seconds: f64, doc: f64) -> CellBaseline {
        let names = vec![TestName { unit: "app doc".into(), name: "src/lib.rs - f (line 3)".into() }];
        CellBaseline { warm_seconds: seconds, doc_seconds: doc, names, ..CellBaseline::default() }
    }

    fn stage(all: &[(&str, f64, f64)]) -> (Vec<Cell>, Baseline) {
        let cell = |name: &str| {
            let mut cell = Cell::of(name, Phase::Test);
            cell.check.argv = ["cargo", "test", "--workspace"].map(str::to_owned).to_vec();
            cell.check.reader = Reader::Libtest;
            cell
        };
        let cells: Vec<Cell> = all.iter().map(|(name, _, _)| cell(name)).collect();
        let known =
            cells.iter().zip(all).map(|(cell, (_, seconds, doc))| (cell.key(), known(*seconds, *doc))).collect();
        (cells, Baseline { cells: known, ..Baseline::default() })
    }

    #[test]
    fn the_quickest_check_has_all_its_runs_before_a_slow_one_has_any() {
        let (cells, baseline) = stage(&[("slow", 20.0, 0.0), ("quick", 1.0, 0.0), ("endless", 400.0, 0.0)]);
        let runs = runs(&cells, &baseline, 2, 60.0);
        let told: Vec<(&str, u32)> = runs.iter().map(|((_, check), count)| (check.as_str(), *count)).collect();
        assert_eq!(told, [("quick", 18), ("slow", 2)]);
    }

    #[test]
    fn the_gates_of_what_runs_again_come_first_once_as_they_say_what_each_test_program_is() {
        let (mut cells, baseline) = stage(&[("test", 1.0, 0.0)]);
        cells
            .extend([Cell::of("gate", Phase::Gate), Cell { project: "go svc".into(), ..Cell::of("vet", Phase::Gate) }]);
        let runs = runs(&cells, &baseline, 2, 2.0);
        let names: Vec<String> =
            super::cells(&cells, &baseline, &runs).into_iter().map(|cell| cell.check.name).collect();
        assert_eq!(names, ["gate", "test", "test"]);
    }

    #[test]
    fn documentation_tests_cost_nothing_as_they_do_not_run_again() {
        let (cells, baseline) = stage(&[("test", 31.0, 30.0)]);
        let runs = runs(&cells, &baseline, 2, 9.5);
        assert_eq!(runs.values().collect::<Vec<_>>(), [&9]);
        let commands: Vec<String> =
            super::cells(&cells, &baseline, &runs).iter().map(|cell| cell.check.argv.join(" ")).collect();
        assert_eq!(commands, vec!["cargo test --workspace --tests"; 9]);
    }

    #[test]
    fn so_many_passes_exclude_the_shares_that_the_readme_states() {
        let shares: Vec<String> = [2, 5, 10, 21].map(|runs| format!("{:.0} %", excluded(runs) * 100.0)).to_vec();
        assert_eq!(shares, ["90 %", "60 %", "37 %", "20 %"]);
    }

    #[test]
    fn without_seconds_nothing_runs_again() {
        let (cells, baseline) = stage(&[("test", 0.1, 0.0)]);
        assert!(runs(&cells, &baseline, 2, 0.0).is_empty());
    }
}
