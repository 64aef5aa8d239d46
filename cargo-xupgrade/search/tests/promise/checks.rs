//! The promises of the search, as checks of a run: each looks at the trials and their answers only.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use xupgrade_search::sim::{Run, World};
use xupgrade_search::{Fate, Joint, Outcome, Pick, Proof, Proposal, Scope, Solution, Strategy, Ticket, Why};

use super::{Truth, lifted, sets, without};

type Checked = Result<(), TestCaseError>;

/// The trial of a ticket, if it was recorded.
fn trial(run: &Run, ticket: Ticket) -> Option<&(Proposal, Outcome)> {
    run.trials.iter().find(|(proposal, _)| proposal.ticket == ticket)
}

/// The trials that passed, at once or test by test, and were no repetition of single tests.
fn passes(run: &Run) -> impl Iterator<Item = &Proposal> {
    let counts = |(proposal, outcome): &&(Proposal, Outcome)| {
        let passed = |test: &u64| {
            let same =
                |other: &&(Proposal, Outcome)| other.0.joints == proposal.joints && other.0.scope == proposal.scope;
            run.trials.iter().filter(same).any(|other| only_tests(&other.1).is_some_and(|red| !red.contains(test)))
        };
        matches!(proposal.scope, Scope::Concerned | Scope::Full)
            && only_tests(outcome).is_some_and(|red| red.iter().all(passed))
    };
    run.trials.iter().filter(counts).map(|trial| &trial.0)
}

/// The tests that failed in a trial in which nothing else did.
fn only_tests(outcome: &Outcome) -> Option<BTreeSet<u64>> {
    match outcome {
        Outcome::Passed => Some(BTreeSet::new()),
        Outcome::Failed { only, .. } => only.clone(),
        _ => None,
    }
}

/// Each proposal names existing rungs, each atom once, and has a ticket of its own.
pub fn proposals_are_well_formed(run: &Run, plan: &[Vec<Truth>]) -> Checked {
    let mut tickets = BTreeSet::new();
    for proposal in run.trials.iter().map(|trial| &trial.0).chain(&run.ended) {
        prop_assert!(tickets.insert(proposal.ticket), "{:?} twice", proposal.ticket);
        prop_assert!(proposal.fresh <= proposal.joints.len());
        prop_assert!(proposal.fresh > 0 || !matches!(proposal.scope, Scope::Concerned | Scope::Gate), "{proposal:?}");
        let atoms: BTreeSet<usize> = proposal.picks().iter().map(|pick| pick.atom).collect();
        prop_assert_eq!(atoms.len(), proposal.picks().len(), "an atom stands in a sequence once: {:?}", proposal);
        prop_assert!(proposal.picks().iter().all(|pick| pick.rung < plan[pick.atom].len()));
        if let Scope::Again { of, .. } = proposal.scope {
            let failed = trial(run, of).is_some_and(|(_, outcome)| Answer::of(outcome) == Answer::Failed);
            prop_assert!(failed, "only what failed is run again: {:?}", proposal);
        }
    }
    Ok(())
}

/// What is accepted was itself tried and passed, and every accepted fate says in which trial its rung did.
pub fn is_sound(run: &Run, solution: &Solution) -> Checked {
    match solution.proven_by {
        None => prop_assert!(solution.accepted.is_empty(), "{:?} rests on nothing", solution.accepted),
        Some(ticket) => {
            let proofs = passes(run).filter(|proposal| proposal.ticket == ticket);
            let proofs: Vec<_> = proofs.map(|proposal| sets(&proposal.joints)).collect();
            prop_assert!(proofs.contains(&sets(&solution.accepted)), "{:?} by {proofs:?}", solution.accepted);
        }
    }
    for (atom, fate) in solution.fates.iter().enumerate() {
        let accepted = solution.picks().into_iter().find(|pick| pick.atom == atom);
        if let Fate::Accepted { rung, ticket, .. } = *fate {
            let pick = Pick { atom, rung };
            prop_assert_eq!(accepted, Some(pick));
            let proof = passes(run).find(|proposal| proposal.ticket == ticket);
            prop_assert!(proof.is_some_and(|proposal| proposal.picks().contains(&pick)), "{pick:?} by {ticket:?}");
        } else {
            prop_assert_eq!(accepted, None);
        }
    }
    Ok(())
}

/// Each refusal rests on a failing trial in whose last joint it is, on top of a sequence that passed; each rejection of an
/// atom has one for each rung that its trials name.
pub fn is_honest(run: &Run, solution: &Solution) -> Checked {
    for refusal in &solution.refusals {
        let Some((proposal, outcome)) = trial(run, refusal.ticket) else {
            return Err(TestCaseError::fail(format!("{refusal:?} rests on no trial")));
        };
        if let Outcome::Unproved { atoms } = outcome {
            prop_assert!(
                proposal.scope == Scope::Full && atoms.contains(&refusal.pick.atom),
                "{refusal:?}: {outcome:?}"
            );
            prop_assert!(proposal.picks().contains(&refusal.pick), "{:?}", refusal);
            continue;
        }
        prop_assert!(Answer::of(outcome) == Answer::Failed, "{refusal:?} rests on {outcome:?}");
        let Some((last, below)) = proposal.joints.split_last() else {
            return Err(TestCaseError::fail(format!("{refusal:?} rests on nothing")));
        };
        prop_assert!(last.picks().contains(&refusal.pick), "{:?}", refusal);
        let stands = |other: &Proposal| sets(&without(&other.joints, last)) == sets(below);
        let again = |(other, outcome): &(Proposal, Outcome)| {
            let same = matches!((other.scope, proposal.scope), (Scope::Again { of: one, .. }, Scope::Again { of, .. }) if one == of);
            Answer::of(outcome) == Answer::Passed && same && stands(other)
        };
        let stood = below.is_empty()
            || passes(run).any(stands)
            || matches!(proposal.scope, Scope::Again { .. }) && run.trials.iter().any(again);
        prop_assert!(stood, "nothing passed that {:?} could stand on", proposal);
    }
    for (atom, fate) in solution.fates.iter().enumerate() {
        if let Fate::Rejected { trials } = fate {
            prop_assert!(!trials.is_empty());
            for &(rung, ticket) in trials {
                let shown = solution
                    .refusals
                    .iter()
                    .any(|refusal| refusal.pick == Pick { atom, rung } && refusal.ticket == ticket);
                prop_assert!(shown, "{atom} at {rung} was rejected without a refusal");
            }
        }
    }
    Ok(())
}

/// A failure of tests counts only when one of them came again, and in two runs and more not without the pick.
pub fn no_rejection_rests_on_one_red_run(run: &Run, solution: &Solution) -> Checked {
    for refusal in &solution.refusals {
        let Some((proposal, outcome)) = trial(run, refusal.ticket) else { continue };
        if matches!(outcome, Outcome::Failed { proof: Proof::Certain, .. } | Outcome::Unproved { .. }) {
            continue;
        }
        let red = |(other, outcome): &&(Proposal, Outcome)| {
            other.scope == Scope::Full && other.joints == proposal.joints && Answer::of(outcome) == Answer::Failed
        };
        if proposal.scope == Scope::Full && run.trials.iter().filter(red).count() > 3 {
            continue; // alone the tests pass, but among all the others they never do
        }
        let of = if let Scope::Again { of, .. } = proposal.scope { of } else { refusal.ticket };
        let with = runs_of(run, of, |other| other.joints == proposal.joints);
        let is_without = |other: &Proposal| {
            let (last, below) = proposal.joints.split_last().expect("a refusal has a pick");
            other.joints != proposal.joints && sets(&without(&other.joints, last)) == sets(below)
        };
        let without = runs_of(run, of, is_without);
        let ground = matches!(proposal.scope, Scope::Full | Scope::Often { .. }) && proposal.joints.len() == 1;
        let both_whole =
            |other: &Proposal| proposal.scope == Scope::Full && other.scope == Scope::Full && is_without(other);
        let stood = ground || passes(run).any(both_whole);
        let convicts = |(test, (red, _)): (&Option<u64>, &(u32, u32))| {
            let (red_without, green_without) = without.get(test).copied().unwrap_or_default();
            // What is hunted may have been doubted before, where a pick below it was to blame.
            let is_hunted = matches!(proposal.scope, Scope::Again { .. });
            *red > 0 && (is_hunted || red_without == 0) && (green_without >= 2 || stood)
        };
        prop_assert!(with.iter().any(convicts), "{:?}: {:?} with it, {:?} without it", refusal, with, without);
    }
    Ok(())
}

/// The runs about a failure on some picks: for each test the red and the green ones.
fn runs_of(run: &Run, failure: Ticket, is: impl Fn(&Proposal) -> bool) -> BTreeMap<Option<u64>, (u32, u32)> {
    let about =
        |proposal: &Proposal| matches!(proposal.scope, Scope::Again { of, .. } if of == failure) && is(proposal);
    let mut all: BTreeMap<Option<u64>, (u32, u32)> = BTreeMap::new();
    for (_, outcome) in run.trials.iter().filter(|(proposal, _)| about(proposal)) {
        let counts = match outcome {
            Outcome::Counted { tests } => tests.iter().map(|one| (one.test, one.red, one.green)).collect(),
            Outcome::Passed => vec![(None, 0, 1)],
            Outcome::Failed { .. } => vec![(None, 1, 0)],
            Outcome::Unproved { .. } | Outcome::Inconclusive => vec![],
        };
        for (test, red, green) in counts {
            let runs = all.entry(test).or_default();
            *runs = (runs.0 + red, runs.1 + green);
        }
    }
    all
}

/// What came of a trial, in one word.
#[derive(PartialEq, Eq)]
enum Answer {
    Passed,
    Failed,
    Nothing,
}

impl Answer {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Passed,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Counted { tests } if tests.iter().any(|test| test.red > 0) => Self::Failed,
            Outcome::Counted { tests } if !tests.is_empty() => Self::Passed,
            Outcome::Counted { .. } | Outcome::Unproved { .. } | Outcome::Inconclusive => Self::Nothing,
        }
    }
}

/// The checkpoint passed the whole matrix as often as was asked for, each time in a trial of its own.
pub fn checkpoint_is_proven(run: &Run, solution: &Solution, verify_runs: u32) -> Checked {
    let Some(checkpoint) = &solution.checkpoint else { return Ok(()) };
    let runs: BTreeSet<Ticket> = checkpoint.proven_by.iter().copied().collect();
    prop_assert!(runs.len() >= verify_runs as usize, "{:?}", checkpoint.proven_by);
    for ticket in runs {
        let proof = passes(run).find(|proposal| proposal.ticket == ticket && proposal.scope == Scope::Full);
        prop_assert_eq!(proof.map(|proposal| sets(&proposal.joints)), Some(sets(&checkpoint.joints)));
    }
    Ok(())
}

/// A group that failed is not tried again as the same sequence. (A single pick may be, for its own evidence; and those
/// that were rejected, as one, at the end.)
pub fn wastes_nothing(run: &Run) -> Checked {
    let mut failed: BTreeMap<&[Joint], Ticket> = BTreeMap::new();
    for (proposal, outcome) in run.trials.iter().filter(|(proposal, _)| proposal.scope == Scope::Concerned) {
        let before = failed.get(&proposal.joints[..]);
        let single = proposal.fresh == 1 || proposal.why == Why::Pair;
        prop_assert!(single || before.is_none(), "{:?} is trial {:?} again", proposal, before);
        if matches!(outcome, Outcome::Failed { .. }) {
            failed.insert(&proposal.joints, proposal.ticket);
        }
    }
    Ok(())
}

/// No refused rung could be added to what is accepted, one at a time, and pass.
pub fn is_maximal(world: &World, solution: &Solution) -> Checked {
    for refusal in &solution.refusals {
        let above = solution.picks().iter().all(|pick| pick.atom != refusal.pick.atom || pick.rung < refusal.pick.rung);
        let more = lifted(&solution.picks(), refusal.pick);
        prop_assert!(!above || world.culprit(&more).is_some(), "{:?} would pass on {:?}", refusal, solution.accepted);
    }
    Ok(())
}

/// The checks that hold for every run, whatever the world.
pub fn keeps_its_promises(run: &Run, solution: &Solution, plan: &[Vec<Truth>], verify_runs: u32) -> Checked {
    proposals_are_well_formed(run, plan)
        .and_then(|()| is_sound(run, solution))
        .and_then(|()| is_honest(run, solution))
        .and_then(|()| no_rejection_rests_on_one_red_run(run, solution))
        .and_then(|()| checkpoint_is_proven(run, solution, verify_runs))
        .map_err(|error| TestCaseError::fail(format!("{error}\n{}", told(run))))
}

/// The trials of a run, a line each.
pub fn told(run: &Run) -> String {
    let line = |(proposal, outcome): &(Proposal, Outcome)| {
        let picks: Vec<String> = proposal.picks().iter().map(|pick| format!("{}@{}", pick.atom, pick.rung)).collect();
        let Proposal { ticket, fresh, scope, why, .. } = proposal;
        format!("{} {why:?} {scope:?} [{}] {fresh} fresh: {outcome:?}\n", ticket.number(), picks.join(" "))
    };
    run.trials.iter().map(line).collect()
}

/// The strategies that search; `All` tries one thing only.
pub fn searching() -> impl proptest::strategy::Strategy<Value = Strategy> {
    prop_oneof![3 => Just(Strategy::Split), 1 => Just(Strategy::OneByOne), 1 => Just(Strategy::Halving)]
}
