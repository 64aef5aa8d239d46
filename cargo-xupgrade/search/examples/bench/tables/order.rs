//! Whether several workers end where one does, in worlds full of clashes and needs on ladders.

use crate::measure::{aim, heading, row, share};
use xupgrade_search::sim::{Dice, Reveal, Run, World, draw, drive, drive_shuffled};
use xupgrade_search::{AtomSpec, Options, Pick, Search};

const MOST: usize = 100_000;

/// How many of 10 times as many worlds end the same; answers come in any order.
pub fn print(worlds: usize) {
    let rooms = [2, 4, 8];
    let names: Vec<String> = rooms.iter().map(|room| format!("W={room}")).collect();
    let worlds = worlds * 10;
    heading(
        &format!("Same end as one worker: 12 ladders, twice the risk, 2 clashes, 2 needs ({worlds} worlds)"),
        &names,
    );
    let mut least = 1.0;
    for (name, reveal) in [("nothing named", Reveal::Nothing), ("partners named", Reveal::Partners)] {
        let same = rooms.map(|room| share(same(worlds, reveal, room), worlds));
        row(name, &same.map(|share| format!("{:.2} %", share * 100.0)));
        least = same.into_iter().fold(least, f64::min);
    }
    aim("the same in 99 % of such worlds (without needs it is all of them: tests/properties.rs)", least >= 0.99);
}

fn same(worlds: usize, reveal: Reveal, room: usize) -> usize {
    let mut dice = Dice(42);
    let mut one = |seed| {
        let (atoms, mut world) = draw::ladders(12, 2000, &mut dice);
        let mut taken = Vec::new();
        world.reveal = reveal;
        world.conflicts = draw::pairs(2, 12, &mut taken, &mut dice);
        taken.truncate(2); // one of those that clash may be needed, too
        world.requires = draw::pairs(2, 12, &mut taken, &mut dice);
        ends(&atoms, &world, None) == ends(&atoms, &world, Some((room, seed)))
    };
    (0..worlds as u64).filter(|&seed| one(seed)).count()
}

fn ends(atoms: &[AtomSpec], world: &World, wide: Option<(usize, u64)>) -> Option<Vec<Pick>> {
    let (mut world, mut search) = (world.clone(), Search::new(atoms, &Options::default()));
    let run: Run = match wide {
        None => drive(&mut search, MOST, |proposal| world.answer(proposal)),
        Some((room, seed)) => {
            drive_shuffled(&mut search, room, MOST, &mut Dice(seed), |proposal| world.answer(proposal))
        }
    };
    let mut picks = run.solution?.picks();
    picks.sort_unstable();
    Some(picks)
}
