//! Plans and worlds to try a search in. The promises, as checks of a run, are in `checks`. Shared by the property tests.

pub mod checks;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;
use xupgrade_search::sim::{Dice, Known, Reveal, Run, Rung, World, draw};
use xupgrade_search::{
    AtomSpec, Break, Depth, Joint, Mark, Options, Outcome, Pick, Proof, Proposal, RungSpec, Solution, Strategy,
};

/// One rung: its prior, its kind, its truth.
pub type Truth = (RungSpec, Rung);

pub fn rung(breaking: Break) -> impl Generator<Value = Truth> {
    let truth = prop_oneof![3 => Just(Rung::Good), 1 => Just(Rung::Bad)];
    (0u16..1100, truth).prop_map(move |(risk, truth)| (RungSpec { risk, breaking, depth: Depth::Rung }, truth))
}

/// A ladder as real ones are: compatible rungs below breaking ones.
pub fn ladder() -> impl Generator<Value = Vec<Truth>> {
    let compatible = proptest::collection::vec(rung(Break::Compatible), 0..3);
    let breaking = proptest::collection::vec(rung(Break::Breaking), 0..3);
    (compatible, breaking).prop_map(|(below, above)| [below, above].concat())
}

pub fn plan() -> impl Generator<Value = Vec<Vec<Truth>>> {
    proptest::collection::vec(ladder(), 0..14)
}

pub fn by(strategy: Strategy) -> Options {
    Options { strategy, ..Options::default() }
}

pub fn specs(plan: &[Vec<Truth>]) -> Vec<AtomSpec> {
    let spec = |(atom, ladder): (usize, &Vec<Truth>)| AtomSpec {
        rungs: ladder.iter().map(|rung| rung.0).collect(),
        kin: 0,
        // Some build nothing that is known, some a thing of their own, some what others build, too.
        builds: match atom % 4 {
            0 => Vec::new(),
            1 => vec![10 + atom],
            share => (0..=share).collect(),
        },
    };
    plan.iter().enumerate().map(spec).collect()
}

pub fn truths(plan: &[Vec<Truth>]) -> Vec<Vec<Rung>> {
    plan.iter().map(|ladder| ladder.iter().map(|rung| rung.1).collect()).collect()
}

/// A world with everything in it: breakers, clashes, partners, evidence that names culprits, noise.
pub fn world(plan: &[Vec<Truth>], pairs: &[(usize, usize, bool)], reveal: Reveal, noise: u16) -> World {
    let mut made = World::independent(truths(plan));
    let inside = |&&(one, other, _): &&(usize, usize, bool)| one != other && one.max(other) < plan.len();
    let pairs = || pairs.iter().filter(inside);
    made.conflicts = pairs().filter(|pair| pair.2).map(|pair| (pair.0, pair.1)).collect();
    made.requires = pairs().filter(|pair| !pair.2).map(|pair| (pair.0, pair.1)).collect();
    (made.reveal, made.noise, made.dice) = (reveal, noise, Dice(7));
    // Some failures tell where they are.
    made.stands = specs(plan).into_iter().map(|spec| spec.builds).collect();
    made
}

/// The same with tests that fail at times: some that are known to, some that are not.
pub fn noisy(mut world: World, flake: u16, seed: u64) -> World {
    world.flaky = draw::flaky(flake, Known::Yes);
    world.dice = Dice(seed);
    world
}

pub fn failed(suspects: Vec<usize>, proof: Proof) -> Outcome {
    Outcome::Failed { suspects, partners: vec![], marks: vec![], proof, only: None }
}

/// An answer made from any number, true of no world at all.
pub fn nonsense(number: u16, proposal: &Proposal) -> Outcome {
    let atom = match proposal.picks().len() {
        0 => 0,
        length => proposal.picks()[usize::from(number) % length].atom,
    };
    match number % 10 {
        9 => Outcome::Unproved { atoms: vec![atom, 9999] },
        0..=2 => Outcome::Passed,
        3 => failed(vec![], Proof::Certain),
        4 => failed(vec![], Proof::Tests),
        5 => failed(vec![atom, 9999], Proof::Certain),
        6 => failed(proposal.fresh_picks().iter().map(|pick| pick.atom).collect(), Proof::Certain),
        7 => Outcome::Failed {
            suspects: vec![],
            partners: vec![atom, 0, 1, 9999],
            marks: vec![Mark { tests: vec![u64::from(number % 5)], within: vec![atom, 9999] }],
            proof: Proof::Tests,
            only: (number % 20 < 10).then(|| [u64::from(number % 5)].into()),
        },
        _ => Outcome::Inconclusive,
    }
}

/// No search may need more trials than this, whatever the answers: each rung is settled alone a few times, each time
/// split off in log2 n steps, each of these tried twice, and doubted a few times; then a pair of atoms now and then,
/// and the whole matrix.
pub fn limit(plan: &[Vec<Truth>]) -> usize {
    let picks = plan.iter().map(Vec::len).sum::<usize>() + plan.len();
    40 * (picks + 1) * (2 + plan.len().max(1).ilog2() as usize) + 10 * plan.len() * plan.len()
}

pub fn ended(run: &Run) -> Result<Solution, TestCaseError> {
    run.solution.clone().ok_or_else(|| TestCaseError::fail(format!("no end after {} trials", run.trials.len())))
}

/// The solution as a map from atoms to rungs, where the order does not matter.
pub fn landed(solution: &Solution) -> BTreeMap<usize, usize> {
    solution.picks().iter().map(|pick| (pick.atom, pick.rung)).collect()
}

/// A sequence without the order of the picks in each joint.
pub fn sets(sequence: &[Joint]) -> Vec<BTreeSet<Pick>> {
    sequence.iter().map(|joint| joint.picks().iter().copied().collect()).collect()
}

/// A sequence without what has atoms of a joint.
pub fn without(sequence: &[Joint], joint: &Joint) -> Vec<Joint> {
    let meets = |one: &Joint| one.picks().iter().any(|pick| joint.has(pick.atom));
    sequence.iter().filter(|one| !meets(one)).cloned().collect()
}

/// A sequence with one more pick at its end, which takes its atom out of its old place.
pub fn lifted(accepted: &[Pick], pick: Pick) -> Vec<Pick> {
    let stays = |old: &&Pick| old.atom != pick.atom;
    accepted.iter().filter(stays).copied().chain([pick]).collect()
}
