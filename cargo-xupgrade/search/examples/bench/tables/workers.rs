//! Several workers: rounds are what a person waits, trials what the machine does.

use crate::measure::{Settled, aim, heading, mean, numbers, settle};
use crate::published;
use xupgrade_search::Options;
use xupgrade_search::sim::{Dice, Rung, draw};

const COLUMNS: [(usize, usize); 6] = [(20, 1), (50, 0), (50, 3), (50, 10), (100, 5), (200, 10)];

/// Table 5: rounds and trials of W workers.
pub fn print(worlds: usize) {
    let names: Vec<String> = COLUMNS.iter().map(|(n, k)| format!("{n},k={k}")).collect();
    heading(&format!("Table 5: W workers, rounds / trials ({worlds} worlds)"), &names);
    for (workers, published) in [1, 2, 4, 8, 16].into_iter().zip(published::ROUNDS) {
        let cells = COLUMNS.map(|(n, k)| cell(worlds, n, k, workers));
        numbers(&format!("W={workers}: rounds"), &cells.map(|cell| cell.0));
        numbers("  published rounds", &published);
        numbers("  trials", &cells.map(|cell| cell.1));
        if workers == 4 || workers == 8 {
            let what = format!("{} rounds at N=100, k=5, W={workers}", published[4]);
            aim(&what, cells[4].0 < published[4] + 0.05);
        }
    }
}

fn cell(worlds: usize, n: usize, k: usize, workers: usize) -> (f64, f64) {
    let mut dice = Dice(42);
    let settled: Vec<Settled> = (0..worlds).map(|_| one(n, k, workers, &mut dice)).collect();
    let rounds = mean(settled.iter().map(|settled| settled.took.rounds));
    (rounds, mean(settled.iter().map(|settled| settled.took.searching())))
}

fn one(n: usize, k: usize, workers: usize, dice: &mut Dice) -> Settled {
    let risks = draw::risks(n, dice);
    let bad = draw::exactly(k, &risks, draw::Odds::Prior, dice);
    let world = draw::world(n, &bad, Rung::Bad);
    let settled = settle(&draw::atoms(&risks, 1000), world, &Options::default(), workers);
    assert_eq!(settled.solution.accepted.len(), n - bad.len(), "any number of workers finds the truth");
    settled
}
