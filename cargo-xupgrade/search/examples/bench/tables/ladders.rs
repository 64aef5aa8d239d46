//! Ladders: the highest version that passes, over rungs and over the releases between them.

use crate::measure::{Settled, aim, heading, mean, numbers, row, settle, share};
use crate::published;
use xupgrade_search::sim::{Dice, Rung, World, draw};
use xupgrade_search::{AtomSpec, Below, Fate, Options};

/// The highest rung that is good by itself.
fn best(truth: &[Rung]) -> Option<usize> {
    truth.iter().rposition(|&rung| rung == Rung::Good)
}

fn landed(fate: &Fate) -> Option<usize> {
    match fate {
        Fate::Accepted { rung, .. } => Some(*rung),
        _ => None,
    }
}

fn run(worlds: usize, options: &Options, draw: impl Fn(&mut Dice) -> (Vec<AtomSpec>, World)) -> Vec<Settled> {
    let mut dice = Dice(42);
    let mut one = || {
        let (atoms, world) = draw(&mut dice);
        settle(&atoms, world, options, 1)
    };
    (0..worlds).map(|_| one()).collect()
}

/// The share of atoms for which `is` holds, of their best and their landing rung.
fn count(settled: &[Settled], is: impl Fn(Option<usize>, Option<usize>) -> bool) -> f64 {
    let pairs = settled.iter().flat_map(|settled| settled.world.rungs.iter().zip(&settled.solution.fates));
    let (mut yes, mut all) = (0, 0);
    for (truth, fate) in pairs {
        all += 1;
        yes += usize::from(is(best(truth), landed(fate)));
    }
    share(yes, all)
}

/// The share of atoms whose highest rung is good by itself: the worlds are like the research's if it is the same there.
fn newest_passes(settled: &[Settled]) -> f64 {
    let tops: Vec<&Rung> =
        settled.iter().flat_map(|settled| settled.world.rungs.iter().filter_map(|truth| truth.last())).collect();
    share(tops.iter().filter(|&&&top| top == Rung::Good).count(), tops.len())
}

fn percents(name: &str, shares: &[f64]) {
    row(name, &shares.iter().map(|share| format!("{:.1} %", share * 100.0)).collect::<Vec<_>>());
}

/// Table 6: patch, minor and major rungs.
pub fn ladders(worlds: usize) {
    let columns = [(50, 1000), (50, 2000), (100, 1000)];
    let names = columns.map(|(n, scale)| format!("{n},x{}", scale / 1000));
    heading(&format!("Table 6: ladders of patch, minor and major rungs, N and risk ({worlds} worlds)"), &names);
    let settled = columns.map(|(n, scale)| run(worlds, &Options::default(), |dice| draw::ladders(n, scale, dice)));
    numbers("published, highest non-major first", &published::LADDERS);
    let trials = settled.each_ref().map(|cell| mean(cell.iter().map(|settled| settled.took.searching())));
    numbers("split", &trials);
    let newest = settled.each_ref().map(|cell| newest_passes(cell));
    percents("  newest passes alone (published 88, 77, 89)", &newest);
    percents("  atoms moved", &settled.each_ref().map(|cell| count(cell, |_, landed| landed.is_some())));
    let right = settled.each_ref().map(|cell| count(cell, |best, landed| best == landed));
    percents("  on their highest passing rung", &right);
    aim("every atom ends on its highest passing rung", right.iter().all(|&share| share > 0.9999));
    aim(
        "trials within 3 % of the published row or better",
        trials.iter().zip(published::LADDERS).all(|(here, there)| *here <= there * 1.03),
    );
}

/// Releases between the rungs: what a bisection costs and finds.
pub fn below(worlds: usize) {
    let columns = [(20, 0, 0), (20, 150, 0), (20, 150, 300), (50, 150, 0), (50, 150, 300)];
    let names = columns.map(|(n, broken, mended)| format!("{n},{}/{}", broken / 10, mended / 10));
    let title = "12 releases below the newest one: N, % of ladders whose newest fails / % of failing releases mended";
    heading(&format!("{title} ({worlds} worlds)"), &names);
    for (name, below) in [("rungs only", Below::Rungs), ("bisected", Below::Bisect)] {
        let options = Options { below, ..Options::default() };
        let settled = columns
            .map(|(n, broken, mended)| run(worlds, &options, |dice| draw::releases(n, 12, broken, mended, dice)));
        numbers(name, &settled.each_ref().map(|cell| mean(cell.iter().map(|settled| settled.took.searching()))));
        percents("  atoms moved", &settled.each_ref().map(|cell| count(cell, |_, landed| landed.is_some())));
        percents(
            "  on their highest passing release",
            &settled.each_ref().map(|cell| count(cell, |best, landed| best == landed)),
        );
    }
}
