//! Plans and worlds to try a search in, and its promises as checks of a run. Shared by the property tests.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;
use xupgrade_search::sim::{Dice, Reveal, Run, Rung, World};
use xupgrade_search::{
    AtomSpec, Break, Depth, Fate, Options, Outcome, Pick, Proof, Proposal, Refusal, RungSpec, Solution, Strategy,
    Ticket,
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

pub fn either() -> impl Generator<Value = Strategy> {
    prop_oneof![Just(Strategy::Split), Just(Strategy::OneByOne)]
}

pub fn by(strategy: Strategy) -> Options {
    Options { strategy, ..Options::default() }
}

pub fn specs(plan: &[Vec<Truth>]) -> Vec<AtomSpec> {
    plan.iter().map(|ladder| AtomSpec { rungs: ladder.iter().map(|rung| rung.0).collect(), kin: 0 }).collect()
}

pub fn truths(plan: &[Vec<Truth>]) -> Vec<Vec<Rung>> {
    plan.iter().map(|ladder| ladder.iter().map(|rung| rung.1).collect()).collect()
}

/// A world with everything in it: breakers, clashes, partners, evidence that names culprits, noise.
pub fn world(plan: &[Vec<Truth>], pairs: &[(usize, usize, bool)], reveal: Reveal, noise: u16) -> World {
    let inside = |&&(one, other, _): &&(usize, usize, bool)| one != other && one.max(other) < plan.len();
    let pairs = || pairs.iter().filter(inside);
    World {
        conflicts: pairs().filter(|pair| pair.2).map(|pair| (pair.0, pair.1)).collect(),
        requires: pairs().filter(|pair| !pair.2).map(|pair| (pair.0, pair.1)).collect(),
        reveal,
        noise,
        dice: Dice(7),
        ..World::independent(truths(plan))
    }
}

pub fn failed(suspects: Vec<usize>) -> Outcome {
    Outcome::Failed { suspects, partners: vec![], proof: Proof::Certain }
}

/// An answer made from any number, true of no world at all.
pub fn nonsense(number: u16, proposal: &Proposal) -> Outcome {
    let atom = proposal.picks[usize::from(number) % proposal.picks.len()].atom;
    match number % 7 {
        0 | 1 => Outcome::Passed,
        2 | 3 => failed(vec![]),
        4 => failed(vec![atom, 9999]),
        5 => failed(proposal.fresh_picks().iter().map(|pick| pick.atom).collect()),
        _ => Outcome::Inconclusive,
    }
}

/// No search may need more trials than this, whatever the answers: each rung is settled alone at most
/// once per look, and on the way there each settled one is split off in log2 n steps, each tried twice.
pub fn limit(plan: &[Vec<Truth>]) -> usize {
    let picks = plan.iter().map(Vec::len).sum::<usize>() + plan.len();
    4 * picks * (2 + plan.len().max(1).ilog2() as usize)
}

pub fn ended(run: &Run) -> Result<Solution, TestCaseError> {
    run.solution.clone().ok_or_else(|| TestCaseError::fail(format!("no end after {} trials", run.trials.len())))
}

/// Where the trial of a ticket stands in a run of one trial at a time.
fn place(ticket: Ticket) -> usize {
    usize::try_from(ticket.number()).expect("tickets are small") - 1
}

/// The accepted picks before the trial at `place`: those of the newest trial that passed.
pub fn accepted_before(run: &Run, place: usize) -> Vec<Pick> {
    let passed = |(_, outcome): &&(Proposal, Outcome)| *outcome == Outcome::Passed;
    run.trials[..place].iter().rfind(passed).map(|(proposal, _)| proposal.picks.clone()).unwrap_or_default()
}

/// Each proposal is the accepted sequence without the atoms it lifts, then fresh picks in plan order.
pub fn proposals_are_well_formed(run: &Run) -> Result<(), TestCaseError> {
    for (place, (proposal, _)) in run.trials.iter().enumerate() {
        let fresh = proposal.fresh_picks();
        prop_assert!(!fresh.is_empty());
        prop_assert!(fresh.windows(2).all(|pair| pair[0].atom < pair[1].atom), "plan order: {fresh:?}");
        let mut expected = accepted_before(run, place);
        expected.retain(|old| fresh.iter().all(|new| new.atom != old.atom));
        expected.extend(fresh);
        prop_assert_eq!(&proposal.picks, &expected);
        prop_assert_eq!(proposal.ticket.number(), place as u64 + 1);
    }
    Ok(())
}

/// What is accepted was itself tried and passed, and every accepted fate says in which trial.
pub fn is_sound(run: &Run, solution: &Solution) -> Result<(), TestCaseError> {
    let proof = run.trials.iter().find(|(proposal, _)| Some(proposal.ticket) == solution.proven_by);
    match proof {
        None => prop_assert!(solution.accepted.is_empty() && solution.proven_by.is_none()),
        Some((proposal, outcome)) => {
            prop_assert_eq!(outcome, &Outcome::Passed);
            prop_assert_eq!(&proposal.picks, &solution.accepted);
        }
    }
    let mut fates = 0;
    for (atom, fate) in solution.fates.iter().enumerate() {
        if let Fate::Accepted { rung, ticket, group } = *fate {
            fates += 1;
            let pick = Pick { atom, rung };
            prop_assert!(solution.accepted.contains(&pick));
            let (proposal, outcome) = &run.trials[place(ticket)];
            prop_assert!(proposal.fresh_picks().contains(&pick) && *outcome == Outcome::Passed);
            prop_assert_eq!(proposal.fresh, group);
        }
    }
    prop_assert_eq!(fates, solution.accepted.len());
    Ok(())
}

/// Each rejection shows, for each rung, a failing trial of what was accepted then and that rung alone.
pub fn is_honest(run: &Run, solution: &Solution, plan: &[Vec<Truth>]) -> Result<(), TestCaseError> {
    for refusal in &solution.refusals {
        let place = place(refusal.ticket);
        let (proposal, outcome) = &run.trials[place];
        prop_assert!(matches!(outcome, Outcome::Failed { .. }), "{refusal:?} rests on {outcome:?}");
        let mut alone = accepted_before(run, place);
        alone.retain(|pick| pick.atom != refusal.pick.atom);
        alone.push(refusal.pick);
        prop_assert_eq!(&proposal.picks, &alone);
    }
    for (atom, fate) in solution.fates.iter().enumerate() {
        if let Fate::Rejected { trials } = fate {
            let refused = |rung| trials.iter().filter(|trial| trial.0 == rung).count();
            prop_assert!((0..plan[atom].len()).all(|rung| refused(rung) == 1), "{trials:?}");
            for &(rung, ticket) in trials {
                let shown = |refusal: &Refusal| refusal.pick == Pick { atom, rung } && refusal.ticket == ticket;
                prop_assert!(solution.refusals.iter().any(shown));
            }
        }
    }
    Ok(())
}

/// A group that failed is not tried again as the same sequence. (A single pick is, for its own evidence.)
pub fn wastes_nothing(run: &Run) -> Result<(), TestCaseError> {
    let mut failed: BTreeMap<&[Pick], u64> = BTreeMap::new();
    for (proposal, outcome) in &run.trials {
        let before = failed.get(&proposal.picks[..]);
        prop_assert!(proposal.fresh == 1 || before.is_none(), "{proposal:?} is trial {before:?} again");
        if matches!(outcome, Outcome::Failed { .. }) {
            failed.insert(&proposal.picks, proposal.ticket.number());
        }
    }
    Ok(())
}

/// The solution as a map from atoms to rungs, where the order does not matter.
pub fn landed(solution: &Solution) -> BTreeMap<usize, usize> {
    solution.accepted.iter().map(|pick| (pick.atom, pick.rung)).collect()
}
