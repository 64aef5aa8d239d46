//! Tests that fail at times: in the base, and because of an upgrade.

use crate::measure::{Settled, aim, heading, mean, row, settle, share};
use xupgrade_search::sim::{Dice, Known, Rung, draw};
use xupgrade_search::{Options, Permille};

/// What came of many worlds.
struct Cell {
    trials: f64,
    again: f64,
    full: f64,
    clean: f64,
    held: f64,
    kept: f64,
}

fn cell(worlds: usize, flake: Permille, known: Known, kind: Rung, verify_runs: u32) -> Cell {
    let mut dice = Dice(42);
    let settled: Vec<Settled> = (0..worlds).map(|_| one(flake, known, kind, verify_runs, &mut dice)).collect();
    let count = |is: &dyn Fn(&Settled) -> bool| share(settled.iter().filter(|settled| is(settled)).count(), worlds);
    Cell {
        trials: mean(settled.iter().map(|settled| settled.took.search)),
        again: mean(settled.iter().map(|settled| settled.took.again)),
        full: mean(settled.iter().map(|settled| settled.took.full)),
        clean: count(&Settled::is_clean),
        held: count(&|settled| settled.wrongly_held() > 0),
        kept: mean(settled.iter().map(good)) / 47.0,
    }
}

/// How many good atoms would be published.
fn good(settled: &Settled) -> usize {
    settled.published().iter().filter(|pick| settled.world.rungs[pick.atom][pick.rung] == Rung::Good).count()
}

fn one(flake: Permille, known: Known, kind: Rung, verify_runs: u32, dice: &mut Dice) -> Settled {
    let risks = draw::risks(50, dice);
    let bad = draw::exactly(3, &risks, draw::Odds::Prior, dice);
    let mut world = draw::world(50, &bad, kind);
    world.flaky = draw::flaky(flake, known);
    world.dice = Dice(dice.roll(1 << 30));
    settle(&draw::atoms(&risks, 1000), world, &Options { flake, verify_runs, ..Options::default() }, 1)
}

fn show(cells: &[Cell]) {
    let line = |name: &str, show: &dyn Fn(&Cell) -> String| row(name, &cells.iter().map(show).collect::<Vec<_>>());
    line("  trials", &|cell| format!("{:.1}", cell.trials));
    line("  failed tests again", &|cell| format!("{:.1}", cell.again));
    line("  whole matrix", &|cell| format!("{:.1}", cell.full));
    line("  good ones published", &|cell| format!("{:.1} %", cell.kept * 100.0));
    line("  worlds with a clean final set", &|cell| format!("{:.1} %", cell.clean * 100.0));
    line("  worlds that hold a good one", &|cell| format!("{:.1} %", cell.held * 100.0));
}

const RATES: [Permille; 5] = [0, 20, 50, 100, 200];

/// Table 3: flaky tests in the base, breakers that fail a test every time.
pub fn flakes(worlds: usize) {
    let names: Vec<String> = RATES.iter().map(|rate| format!("f={}%", rate / 10)).collect();
    heading(&format!("Table 3: flaky tests, N=50, k=3 ({worlds} worlds)"), &names);
    for (name, known) in [("half of the flaky tests are known", Known::Yes), ("none of them is known", Known::No)] {
        println!("{name}");
        let cells: Vec<Cell> = RATES.iter().map(|&rate| cell(worlds, rate, known, Rung::Red, 2)).collect();
        show(&cells);
        aims(&cells);
    }
}

/// Table 4: breakers whose test passes at times, 2 to 20 % flakes beside them.
pub fn shaky(worlds: usize) {
    // An aim of 99 % wants more than a few hundred.
    let worlds = 5 * worlds;
    let chances: [Permille; 4] = [0, 100, 300, 500];
    let names: Vec<String> = chances.iter().map(|chance| format!("g=.{}", chance / 100)).collect();
    heading(
        &format!("Table 4: upgrades that break a test at times, N=50, k=3, 3 verify runs ({worlds} worlds)"),
        &names,
    );
    for flake in [50, 200] {
        println!("flaky tests in {} % of the runs, half of them known", flake / 10);
        let cells: Vec<Cell> =
            chances.iter().map(|&chance| cell(worlds, flake, Known::Yes, Rung::Shaky(chance), 3)).collect();
        show(&cells);
        println!("  (published, f=5%: clean in 100, 100, 99, 68 %)");
        aims(&cells[..3]);
        aim("g=.5: a clean final set in more worlds than published", cells[3].clean > 0.68);
    }
}

fn aims(cells: &[Cell]) {
    aim("the final set is clean in 99 % of the worlds", cells.iter().all(|cell| cell.clean >= 0.99));
    aim("no good one is held wrongly in 97 % of the worlds", cells.iter().all(|cell| cell.held <= 0.03));
}
