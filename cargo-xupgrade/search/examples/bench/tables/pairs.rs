//! Interactions: pairs that clash, pairs that only pass together, one that needs another.

use crate::measure::{Settled, aim, heading, mean, numbers, row, settle, share};
use crate::published;
use xupgrade_search::Options;
use xupgrade_search::sim::{Dice, Reveal, Rung, World, draw};

/// Table 2: N = 50, 3 breakers, and pairs among the good ones.
pub fn print(worlds: usize) {
    let names: Vec<String> = published::PAIRS.iter().map(|(c, l, r)| format!("{c}/{l}/{r}")).collect();
    heading(&format!("Table 2: N=50, k=3 and conflict / lockstep / requires pairs ({worlds} worlds)"), &names);
    numbers("published, with guided rescue", &published::RESCUE);
    for (name, reveal) in [("named by the failure", Reveal::Partners), ("not named", Reveal::Nothing)] {
        let cells: Vec<Cell> = published::PAIRS.iter().map(|&pairs| cell(worlds, pairs, reveal)).collect();
        numbers(&format!("{name}: trials"), &cells.iter().map(|cell| cell.trials).collect::<Vec<_>>());
        numbers("  second looks beside these", &cells.iter().map(|cell| cell.looks).collect::<Vec<_>>());
        row(
            "  of the best set kept",
            &cells.iter().map(|cell| format!("{:.1} %", cell.kept * 100.0)).collect::<Vec<_>>(),
        );
        aim(&format!("{name}: the final set passes in every world"), cells.iter().all(|cell| cell.clean));
        if reveal == Reveal::Partners {
            aim("named by the failure: the best set is kept whole", cells.iter().all(|cell| cell.kept > 0.9999));
            let near = cells.iter().zip(published::RESCUE).all(|(cell, there)| cell.trials <= there * 1.03);
            aim("named by the failure: trials within 3 % of the published row or better", near);
        }
    }
}

struct Cell {
    trials: f64,
    looks: f64,
    kept: f64,
    clean: bool,
}

fn cell(worlds: usize, pairs: (usize, usize, usize), reveal: Reveal) -> Cell {
    let mut dice = Dice(42);
    let settled: Vec<Settled> = (0..worlds).map(|_| one(pairs, reveal, &mut dice)).collect();
    let kept: usize = settled.iter().map(|settled| settled.solution.accepted.len()).sum();
    Cell {
        trials: mean(settled.iter().map(|settled| settled.took.searching() + settled.took.pairs)),
        looks: mean(settled.iter().map(|settled| settled.took.looks)),
        kept: share(kept, worlds * (50 - 3 - pairs.0)),
        clean: settled.iter().all(Settled::is_clean),
    }
}

fn one((conflicts, lockstep, requires): (usize, usize, usize), reveal: Reveal, dice: &mut Dice) -> Settled {
    let risks = draw::risks(50, dice);
    let mut taken = draw::exactly(3, &risks, draw::Odds::Prior, dice);
    let mut world: World = draw::world(50, &taken, Rung::Bad);
    world.reveal = reveal;
    world.conflicts = draw::pairs(conflicts, 50, &mut taken, dice);
    for (one, other) in draw::pairs(lockstep, 50, &mut taken, dice) {
        world.requires.extend([(one, other), (other, one)]);
    }
    world.requires.extend(draw::pairs(requires, 50, &mut taken, dice));
    settle(&draw::atoms(&risks, 1000), world, &Options::default(), 1)
}
