//! What trials cost in a kept target directory: a workspace in which everything that stands on an upgrade is built anew,
//! in cold builds with tests.

use std::collections::{BTreeSet, HashSet};

use crate::measure::{Settled, heading, numbers, settle_with, share};
use xupgrade_search::sim::{Dice, Rung, draw};
use xupgrade_search::{AtomSpec, Options, Pick, Proposal, Scope, Strategy};

/// N and k of the columns.
const COLUMNS: [(usize, usize); 8] = [(20, 0), (20, 1), (20, 3), (20, 5), (50, 1), (50, 3), (50, 10), (100, 5)];
/// How many members the workspace has at most; one for three upgrades, where there are fewer.
const MEMBERS: usize = 30;
/// Of a cold build with tests so much is its tests.
const TESTS: f64 = 0.35;
/// What runs a failed test once more costs.
const AGAIN: f64 = 0.02;

/// Which tests a trial runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tests {
    /// All of them, as in the research's table 8.
    All,
    /// Those of the members that stand on what is new.
    Targeted,
}

/// What the search is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    /// Which members stand on what, and so in which of them something failed, as a real run knows from its baseline.
    Builds,
}

/// Each strategy, with all tests and with targeted ones.
pub fn print(worlds: usize) {
    for tests in [Tests::All, Tests::Targeted] {
        let title = format!("A kept target directory, {tests:?} tests; in cold builds with tests ({worlds} worlds)");
        heading(&title, &COLUMNS.map(|(n, k)| format!("{n},{k}")));
        let row = |name: &str, strategy, told| {
            let mean = |column| {
                let mut dice = Dice(7);
                let costs = (0..worlds).map(|_| one(column, strategy, told, tests, &mut dice));
                costs.sum::<f64>() / share(worlds, 1)
            };
            numbers(name, &COLUMNS.map(mean));
        };
        row("one by one", Strategy::OneByOne, Told::Nothing);
        row("halving", Strategy::Halving, Told::Nothing);
        row("split, not told what is built", Strategy::Split, Told::Nothing);
        row("split", Strategy::Split, Told::Builds);
    }
    println!(
        "  published (its worlds are not known): N=50: one by one 21.2, halving 9.5, split 6.7; 100,5: 39.5, 15.1, 10.4"
    );
}

fn one((n, k): (usize, usize), strategy: Strategy, told: Told, tests: Tests, dice: &mut Dice) -> f64 {
    let graph = Graph::draw(n, MEMBERS.min(n / 3), dice);
    let risks = draw::risks(n, dice);
    let mut world = draw::world(n, &draw::exactly(k, &risks, draw::Odds::Prior, dice), Rung::Red);
    let mut atoms = draw::atoms(&risks, 1000);
    let options = Options { strategy, ..Options::default() };
    if told == Told::Builds {
        graph.tell(&mut atoms);
        world.stands = atoms.iter().map(|atom| atom.builds.clone()).collect();
    }
    let (mut target, mut cost) = (Target::new(&graph), 0.0);
    let spend = |proposal: &Proposal| cost += target.run(proposal, tests);
    let _: Settled = settle_with(&atoms, world, &options, 1, spend);
    cost
}

/// Crates that are upgraded, in the order of their atoms, then members; each uses some of those before it.
struct Graph {
    upgraded: usize,
    uses: Vec<Vec<usize>>,
    weights: Vec<usize>,
    /// The upgraded ones below each, itself among them.
    below: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Of the crates every third uses another one; a member uses up to two others, and one to three use a crate.
    fn draw(upgraded: usize, members: usize, dice: &mut Dice) -> Self {
        let mut uses: Vec<Vec<usize>> = (0..upgraded)
            .map(|unit| if unit > 0 && dice.roll(3) == 0 { vec![dice.place(unit)] } else { Vec::new() })
            .collect();
        for member in 0..members {
            let others = if member == 0 { 0 } else { dice.place(3) };
            uses.push((0..others).map(|_| upgraded + dice.place(member)).collect());
        }
        for unit in 0..upgraded {
            for _ in 0..=dice.place(3) {
                uses[upgraded + dice.place(members)].push(unit);
            }
        }
        let weights = (0..uses.len()).map(|unit| if unit < upgraded { 1 + dice.place(4) } else { 4 }).collect();
        let mut below: Vec<BTreeSet<usize>> = Vec::new();
        for (unit, used) in uses.iter().enumerate() {
            let own = (unit < upgraded).then_some(unit);
            below.push(used.iter().flat_map(|&other| below[other].clone()).chain(own).collect());
        }
        Self { upgraded, uses, weights, below }
    }

    fn units(&self) -> usize {
        self.uses.len()
    }

    /// The members that stand on one of these.
    fn members(&self, atoms: &BTreeSet<usize>) -> Vec<usize> {
        (self.upgraded..self.units()).filter(|&member| !self.below[member].is_disjoint(atoms)).collect()
    }

    fn tell(&self, atoms: &mut [AtomSpec]) {
        for (place, atom) in atoms.iter_mut().enumerate() {
            atom.builds = self.members(&[place].into());
        }
    }
}

/// A target directory, which keeps everything that was ever built.
struct Target<'a> {
    graph: &'a Graph,
    /// Units, each with what was new below it.
    built: HashSet<(usize, Vec<Pick>)>,
}

impl<'a> Target<'a> {
    /// That of the baseline.
    fn new(graph: &'a Graph) -> Self {
        Self { graph, built: (0..graph.units()).map(|unit| (unit, Vec::new())).collect() }
    }

    /// Runs a trial. Gives its cost in cold builds with tests.
    fn run(&mut self, proposal: &Proposal, tests: Tests) -> f64 {
        let fresh: BTreeSet<usize> = proposal.fresh_picks().iter().map(|pick| pick.atom).collect();
        let members = self.graph.units() - self.graph.upgraded;
        let tested = match proposal.scope {
            Scope::Gate => 0.0,
            Scope::Again { .. } => AGAIN,
            Scope::Concerned if tests == Tests::Targeted => TESTS * share(self.graph.members(&fresh).len(), members),
            Scope::Concerned | Scope::Full | Scope::Often { .. } => TESTS,
        };
        tested + (1.0 - TESTS) * share(self.build(&proposal.picks()), self.graph.weights.iter().sum())
    }

    fn build(&mut self, picks: &[Pick]) -> usize {
        let mut cost = 0;
        for unit in 0..self.graph.units() {
            let below = |pick: &&Pick| self.graph.below[unit].contains(&pick.atom);
            let mut new: Vec<Pick> = picks.iter().filter(below).copied().collect();
            new.sort_unstable();
            cost += if self.built.insert((unit, new)) { self.graph.weights[unit] } else { 0 };
        }
        cost
    }
}
