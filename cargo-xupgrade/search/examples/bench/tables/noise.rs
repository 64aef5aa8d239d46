//! Tests that fail at times: in the base, and because of an upgrade.

use crate::measure::{Settled, aim, heading, mean, row, settle, settle_with, share};
use xupgrade_search::sim::{Dice, FlakyTest, Known, Rung, World, draw};
use xupgrade_search::{Options, Permille, Scope};

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
    settle(&draw::atoms(&risks, 1000), world, &Options { verify_runs, ..Options::default() }, 1)
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

/// Table 5: the error rates of the sequential rule, with the baseline as a run makes it: ten or fifty tests that fail on the base, or
/// one upgrade of twelve that makes a test fail.
pub fn rates(worlds: usize) {
    let worlds = 10 * worlds;
    let names = |rates: &[Permille]| -> Vec<String> { rates.iter().map(|rate| format!("{} %", rate / 10)).collect() };
    let base: [Permille; 6] = [20, 50, 100, 200, 300, 400];
    heading(&format!("Table 5a: ten tests that fail on the base, 12 good upgrades ({worlds} worlds)"), &names(&base));
    let all = base.map(|rate| rated(worlds, &|dice| of_the_base(10, rate, dice)));
    lines(&all);
    aim("a good one stays out in at most 0.5 % of the runs", all.iter().all(|one| one.held <= 0.005));
    let few: [Permille; 3] = [10, 20, 50];
    heading(&format!("Table 5c: fifty tests that fail on the base, 12 good upgrades ({worlds} worlds)"), &names(&few));
    let all = few.map(|rate| rated(worlds, &|dice| of_the_base(50, rate, dice)));
    lines(&all);
    aim(
        "the same, up to 2 %: at 5 % the suite is red in 92 % of its runs",
        all[..2].iter().all(|one| one.held <= 0.005),
    );
    let makers: [Permille; 4] = [100, 200, 300, 400];
    heading(&format!("Table 5b: one of 12 upgrades makes a test fail ({worlds} worlds)"), &names(&makers));
    let all = makers.map(|rate| rated(worlds, &|dice| with_one(Rung::Shaky(1000 - rate), dice)));
    lines(&all);
    aim("one of 20 % and more is published in at most 1 % of the runs", all[1..].iter().all(|one| one.wrong <= 0.01));
    let clashes: [Permille; 4] = [200, 400, 700, 1000];
    heading(
        &format!("Table 5d: one of 12 makes tests clash, each time others, and never by name ({worlds} worlds)"),
        &names(&clashes),
    );
    let all = clashes.map(|rate| rated(worlds, &|dice| with_one(Rung::Clash(rate), dice)));
    lines(&all);
    aim("one of 40 % and more is published in at most 1 % of the runs", all[1..].iter().all(|one| one.wrong <= 0.01));
}

/// The shares and means of many worlds: those that publish what is bad, those that do not publish all that is good, those that publish
/// nothing, trials and runs by name.
struct Rated {
    wrong: f64,
    held: f64,
    empty: f64,
    again: f64,
    by_name: f64,
}

fn rated(worlds: usize, draw: &dyn Fn(&mut Dice) -> World) -> Rated {
    let mut dice = Dice(42);
    let options = Options { verify_runs: 2, more_runs: MORE, ..Options::default() };
    let (mut wrong, mut held, mut empty, mut again, mut by_name) = (0, 0, 0, Vec::new(), 0);
    for _ in 0..worlds {
        let world = draw(&mut dice);
        let atoms = draw::atoms(&vec![50; world.rungs.len()], 1000);
        let mut runs = 0;
        let settled = settle_with(&atoms, world, &options, 1, |proposal| {
            runs += if let Scope::Again { runs, .. } = proposal.scope { runs as usize } else { 0 };
        });
        wrong += usize::from(!settled.is_clean());
        held += usize::from(good(&settled) < settled.world.rungs.iter().filter(|rungs| rungs[0] == Rung::Good).count());
        empty += usize::from(settled.published().is_empty());
        again.push(settled.took.again);
        by_name += runs;
    }
    Rated {
        wrong: share(wrong, worlds),
        held: share(held, worlds),
        empty: share(empty, worlds),
        again: mean(again),
        by_name: share(by_name, worlds),
    }
}

/// The runs beside the trial of the search and the two of the whole matrix: 21 in all.
const MORE: u32 = 18;

/// A world of good upgrades whose base has `tests` tests that fail at this rate: known to be flaky, or set aside, as two runs of the
/// base and, of what is red in both, three by name show them.
fn of_the_base(tests: usize, rate: Permille, dice: &mut Dice) -> World {
    let mut world = World::independent(vec![vec![Rung::Good]; 12]);
    for _ in 0..tests {
        let red = (0..2).filter(|_| dice.happens(rate)).count();
        let alone = (0..3).filter(|_| dice.happens(rate)).count();
        let known = match (red, alone) {
            (0, _) => Known::No,
            (2, 3) => continue, // set aside
            _ => Known::Yes,
        };
        world.flaky.push(FlakyTest { rate, known });
    }
    world.dice = Dice(dice.roll(1 << 30));
    world
}

/// One of twelve upgrades that is not good.
fn with_one(rung: Rung, dice: &mut Dice) -> World {
    let mut world = World::independent(vec![vec![Rung::Good]; 12]);
    world.rungs[dice.place(12)] = vec![rung];
    world.dice = Dice(dice.roll(1 << 30));
    world
}

fn lines(all: &[Rated]) {
    let line = |name: &str, show: &dyn Fn(&Rated) -> String| row(name, &all.iter().map(show).collect::<Vec<_>>());
    line("  what is bad is published", &|one| format!("{:.2} %", one.wrong * 100.0));
    line("  a good one stays out", &|one| format!("{:.2} %", one.held * 100.0));
    line("  nothing is published", &|one| format!("{:.2} %", one.empty * 100.0));
    line("  trials of tests by name", &|one| format!("{:.1}", one.again));
    line("  runs by name at most", &|one| format!("{:.0}", one.by_name));
}

fn aims(cells: &[Cell]) {
    aim("the final set is clean in 99 % of the worlds", cells.iter().all(|cell| cell.clean >= 0.99));
    aim("no good one is held wrongly in 97 % of the worlds", cells.iter().all(|cell| cell.held <= 0.03));
}
