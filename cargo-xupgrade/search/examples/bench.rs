//! Prints the mean number of trials of each strategy in worlds with exactly k independent breakers.
//! The worlds are those of the research: half the atoms patches (risk 0.01), 35 % minors (0.04), 15 %
//! majors (0.30), breakers drawn by these odds; also with breakers drawn evenly, where the priors are wrong.

use xupgrade_search::sim::{Dice, Rung, World, drive};
use xupgrade_search::{AtomSpec, Break, Depth, Options, RungSpec, Search, Strategy};

const WORLDS: usize = 300;

fn main() {
    println!(
        "{:<12} {:<8} {:>4} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "strategy", "breakers", "N", "k=0", "k=1", "k=3", "k=5", "k=10"
    );
    for (name, strategy) in [("split", Strategy::Split), ("one-by-one", Strategy::OneByOne)] {
        for drawn in [Drawn::ByPrior, Drawn::Evenly] {
            for n in [20, 50, 100] {
                print!("{name:<12} {:<8} {n:>4}", format!("{drawn:?}"));
                for k in [0, 1, 3, 5, 10] {
                    print!(" {:>7.1}", mean(strategy, n, k, drawn));
                }
                println!();
            }
        }
    }
}

/// How the breakers are drawn.
#[derive(Debug, Clone, Copy)]
enum Drawn {
    ByPrior,
    Evenly,
}

fn mean(strategy: Strategy, n: usize, k: usize, drawn: Drawn) -> f64 {
    let mut dice = Dice(42);
    let total: usize = (0..WORLDS).map(|_| trials(strategy, n, k, drawn, &mut dice)).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand trials, shown with one digit")]
    let mean = total as f64 / WORLDS as f64;
    mean
}

fn trials(strategy: Strategy, n: usize, k: usize, drawn: Drawn, dice: &mut Dice) -> usize {
    let risk = |roll| {
        if roll < 50 {
            10
        } else if roll < 85 {
            40
        } else {
            300
        }
    };
    let risks: Vec<u16> = (0..n).map(|_| risk(dice.roll(100))).collect();
    let mut bad = vec![Rung::Good; n];
    while bad.iter().filter(|rung| **rung == Rung::Bad).count() < k {
        let atom = usize::try_from(dice.roll(n as u64)).expect("a place in a short list");
        let odds = match drawn {
            Drawn::ByPrior => u64::from(risks[atom]) * 1000 / (1000 - u64::from(risks[atom])),
            Drawn::Evenly => 1000,
        };
        if dice.roll(1000) < odds {
            bad[atom] = Rung::Bad;
        }
    }
    let spec = |&risk: &u16| AtomSpec {
        rungs: vec![RungSpec { risk, breaking: Break::Compatible, depth: Depth::Rung }],
        kin: 0,
    };
    let atoms: Vec<AtomSpec> = risks.iter().map(spec).collect();
    let mut world = World::independent(bad.iter().map(|&rung| vec![rung]).collect());
    let run = drive(&mut Search::new(&atoms, &Options { strategy, ..Options::default() }), 10_000, |proposal| {
        world.answer(proposal)
    });
    assert!(run.solution.is_some(), "a world of {n} with {k} breakers ends");
    run.trials.len()
}
