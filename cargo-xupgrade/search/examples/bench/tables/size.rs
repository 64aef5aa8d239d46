//! Ten thousand atoms: the longest step and the memory.

use std::time::{Duration, Instant};

use crate::measure::aim;
use xupgrade_search::sim::{Dice, Rung, World, draw};
use xupgrade_search::{AtomSpec, Options, Search, Step};

const ATOMS: usize = 10_000;
/// So many members there are, and so many of them stand on each atom.
const THINGS: usize = 500;
/// See [`THINGS`].
const BUILT: usize = 20;

/// One world of 10,000 atoms with as many breakers as the priors say, one worker. The search makes the same steps each
/// time, so that of three runs the quickest of each step shows what it costs when the machine does nothing else.
pub fn print(_worlds: usize) {
    let mut dice = Dice(42);
    let risks = draw::risks(ATOMS, &mut dice);
    let bad = draw::naturally(&risks, &mut dice);
    let mut atoms = draw::atoms(&risks, 1000);
    for atom in &mut atoms {
        atom.builds = (0..BUILT).map(|_| dice.place(THINGS)).collect();
        atom.builds.sort_unstable();
    }
    let mut world = draw::world(ATOMS, &bad, Rung::Red);
    world.stands = atoms.iter().map(|atom| atom.builds.clone()).collect();
    let before = resident("VmRSS");
    println!("\n{ATOMS} atoms, {} breakers, one worker", bad.len());
    let mut steps = run(&atoms, world.clone(), ATOMS - bad.len());
    for _ in 0..2 {
        let again = run(&atoms, world.clone(), ATOMS - bad.len());
        assert_eq!(steps.len(), again.len(), "the same steps each time");
        steps = steps.into_iter().zip(again).map(|(one, other)| one.min(other)).collect();
    }
    let worst = steps.iter().max().copied().unwrap_or_default();
    let all: Duration = steps.iter().sum();
    println!(
        "{} trials, {:.2} s in the search, worst step {:.2} ms",
        steps.len() - 1,
        all.as_secs_f64(),
        worst.as_secs_f64() * 1000.0
    );
    println!("memory: {before} KiB before, {} KiB at its peak (of this process)", resident("VmHWM"));
    aim("a step under 10 ms", worst < Duration::from_millis(10));
}

/// How long each step took: the construction, then each trial's proposal and record.
fn run(atoms: &[AtomSpec], mut world: World, good: usize) -> Vec<Duration> {
    let began = Instant::now();
    let mut search = Search::new(atoms, &Options::default());
    let mut steps = vec![began.elapsed()];
    loop {
        let began = Instant::now();
        let step = search.next(1);
        let mut took = began.elapsed();
        match step {
            Step::Done(solution) => {
                assert_eq!(solution.accepted.len(), good, "the truth is found");
                return steps;
            }
            Step::Wait => panic!("a search that waits for nothing"),
            Step::Try(proposals) => {
                for proposal in proposals {
                    let outcome = world.answer(&proposal);
                    let began = Instant::now();
                    search.record(proposal.ticket, outcome);
                    took += began.elapsed();
                }
                steps.push(took);
            }
        }
    }
}

/// A line of this process's status, in KiB; 0 where there is none to read.
fn resident(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|number| number.parse().ok()).unwrap_or_default()
}
