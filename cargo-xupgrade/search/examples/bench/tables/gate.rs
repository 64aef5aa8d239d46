//! A cheap gate that sees a part of the breakers: cost in whole tests.

use crate::measure::{Settled, heading, mean, numbers, settle};
use xupgrade_search::sim::{Dice, Rung, draw};
use xupgrade_search::{Options, Permille};

/// The columns of the research's table 7: N, k, which share of the breakers the gate sees, what it costs.
const PUBLISHED: [(usize, usize, Permille, Permille); 4] =
    [(50, 3, 800, 250), (50, 3, 800, 100), (50, 3, 500, 250), (100, 10, 800, 250)];

/// Where it may not pay: nothing to find, little to find, a blind gate, few atoms.
const ELSEWHERE: [(usize, usize, Permille, Permille); 11] = [
    (50, 0, 800, 250),
    (50, 0, 800, 100),
    (50, 1, 800, 250),
    (50, 1, 800, 100),
    (50, 3, 200, 100),
    (50, 3, 200, 250),
    (50, 3, 800, 400),
    (50, 1, 800, 400),
    (50, 3, 800, 300),
    (20, 3, 800, 250),
    (20, 1, 800, 100),
];

/// The dearest gate that is tried first: dearer ones are told to be this cheap, to show what the bound is good for.
const CHEAP: Permille = 300;

/// Table 7: what the gate sees, and what it costs.
pub fn print(worlds: usize) {
    let names = |columns: &[(usize, usize, Permille, Permille)]| -> Vec<String> {
        columns.iter().map(|(n, k, seen, cost)| format!("{n},{k},{seen},{cost}")).collect()
    };
    heading(
        &format!("Table 7: N, k, share of breakers that the gate sees, its cost; in whole tests ({worlds} worlds)"),
        &names(&PUBLISHED),
    );
    numbers("published, gate first", &[8.6, 6.0, 13.1, 23.3]);
    numbers("published, gate inside", &[11.9, 9.7, 13.6, 29.2]);
    rows(worlds, &PUBLISHED);
    heading("Elsewhere", &names(&ELSEWHERE));
    rows(worlds, &ELSEWHERE);
}

fn rows(worlds: usize, columns: &[(usize, usize, Permille, Permille)]) {
    for (name, told) in [("split, told what the gate costs", true), ("split, not told", false)] {
        let cost =
            |&(n, k, seen, cost): &_| cell(worlds, (n, k), seen, cost, if told { cost.min(CHEAP) } else { 1000 });
        numbers(name, &columns.iter().map(cost).collect::<Vec<_>>());
    }
}

fn cell(worlds: usize, (n, k): (usize, usize), seen: Permille, cost: Permille, told: Permille) -> f64 {
    let mut dice = Dice(42);
    let settled: Vec<Settled> = (0..worlds).map(|_| one(n, k, seen, told, &mut dice)).collect();
    mean(settled.iter().map(|settled| thousandths(settled, cost))) / 1000.0
}

/// A trial that passes its gate pays for its tests, too; one that fails there has paid for the gate.
fn thousandths(settled: &Settled, cost: Permille) -> usize {
    let whole = settled.took.search - settled.stopped;
    let gates = settled.took.gate + settled.stopped;
    whole * 1000 + gates * usize::from(cost)
}

fn one(n: usize, k: usize, seen: Permille, told: Permille, dice: &mut Dice) -> Settled {
    let risks = draw::risks(n, dice);
    let bad = draw::exactly(k, &risks, draw::Odds::Prior, dice);
    let mut world = draw::world(n, &bad, Rung::Red);
    for &atom in &bad {
        if dice.happens(seen) {
            world.rungs[atom][0] = Rung::Bad;
        }
    }
    settle(&draw::atoms(&risks, 1000), world, &Options { gate_cost: told, ..Options::default() }, 1)
}
