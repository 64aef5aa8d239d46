//! The promises of the search, in simulated worlds and against arbitrary answers.
//! Only the public interface is used, so every strategy behind it has to keep them.

mod promise;

use promise::*;
use proptest::prelude::*;
use xupgrade_search::sim::{Dice, Reveal, Run, Rung, World, drive};
use xupgrade_search::{AtomSpec, Break, Depth, Fate, Outcome, Pick, RungSpec, Search, Step, Strategy, Why};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_world_ends_in_a_sound_and_honest_solution(
        plan in plan(), strategy in either(), named in any::<bool>(), noise in prop_oneof![Just(0u16), Just(150), Just(1000)],
        pairs in proptest::collection::vec((0usize..14, 0usize..14, any::<bool>()), 0..6),
    ) {
        let reveal = if named { Reveal::FirstCulprit } else { Reveal::Nothing };
        let mut world = world(&plan, &pairs, reveal, noise);
        let mut search = Search::new(&specs(&plan), &by(strategy));
        let run = drive(&mut search, limit(&plan), |proposal| world.answer(proposal));
        let solution = ended(&run)?;
        proposals_are_well_formed(&run)?;
        is_sound(&run, &solution)?;
        is_honest(&run, &solution, &plan)?;
        wastes_nothing(&run)?;
        prop_assert_eq!(world.culprit(&solution.accepted), None, "what is accepted truly passes");
        prop_assert_eq!(search.next(1), Step::Done(solution), "the end stays the end");
    }

    #[test]
    fn even_nonsense_ends_in_a_sound_and_honest_solution(
        plan in plan(), strategy in either(), answers in proptest::collection::vec(any::<u16>(), 1..60),
    ) {
        let mut turn = 0;
        let run = drive(&mut Search::new(&specs(&plan), &by(strategy)), limit(&plan), |proposal| {
            turn += 1;
            nonsense(answers[turn % answers.len()], proposal)
        });
        let solution = ended(&run)?;
        proposals_are_well_formed(&run)?;
        is_sound(&run, &solution)?;
        is_honest(&run, &solution, &plan)?;
        wastes_nothing(&run)?;
    }

    #[test]
    fn each_atom_lands_on_its_highest_passing_rung(plan in plan(), strategy in either(), named in any::<bool>()) {
        let reveal = if named { Reveal::FirstCulprit } else { Reveal::Nothing };
        let mut world = world(&plan, &[], reveal, 0);
        let run = drive(&mut Search::new(&specs(&plan), &by(strategy)), limit(&plan), |proposal| world.answer(proposal));
        let solution = ended(&run)?;
        for (atom, ladder) in plan.iter().enumerate() {
            let best = ladder.iter().rposition(|rung| rung.1 == Rung::Good);
            match &solution.fates[atom] {
                Fate::Accepted { rung, .. } => prop_assert_eq!(Some(*rung), best),
                Fate::Rejected { .. } => prop_assert!(best.is_none() && !ladder.is_empty()),
                Fate::Untried => prop_assert!(ladder.is_empty()),
                Fate::Inconclusive { .. } => prop_assert!(false, "there was no noise"),
            }
        }
    }

    #[test]
    fn compatible_rungs_are_settled_before_breaking_ones(plan in plan(), strategy in either()) {
        let mut world = world(&plan, &[], Reveal::Nothing, 0);
        let run = drive(&mut Search::new(&specs(&plan), &by(strategy)), limit(&plan), |proposal| world.answer(proposal));
        let kind = |pick: &Pick| plan[pick.atom][pick.rung].0.breaking;
        let first_looks = run.trials.iter().filter(|(proposal, _)| proposal.why != Why::SecondLook);
        let kinds: Vec<Break> = first_looks.flat_map(|(proposal, _)| proposal.fresh_picks().iter().map(kind)).collect();
        prop_assert!(kinds.is_sorted(), "{kinds:?}");
    }

    #[test]
    fn independent_breakers_cost_few_trials(
        bad in proptest::collection::vec(prop_oneof![12 => Just(Rung::Good), 1 => Just(Rung::Bad)], 1..200), risk in 1u16..100,
    ) {
        let breaking = Break::Compatible;
        let atoms = vec![AtomSpec { rungs: vec![RungSpec { risk, breaking, depth: Depth::Rung }], kin: 0 }; bad.len()];
        let mut world = World::independent(bad.iter().map(|&rung| vec![rung]).collect());
        let run = drive(&mut Search::new(&atoms, &by(Strategy::Split)), 10_000, |proposal| world.answer(proposal));
        ended(&run)?;
        let (n, k) = (bad.len(), bad.iter().filter(|&&rung| rung == Rung::Bad).count());
        // c = 1.5, and a group for each bit of doubt that the priors put into the plan (-log2(1 - p) < 2 p).
        let doubt = 2 * n * usize::from(risk) / 1000;
        let bound = 3 * (k * (n.ilog2() as usize + 1) + k + 2) / 2 + doubt;
        prop_assert!(run.trials.len() <= bound, "n={n} k={k} risk={risk}: {} trials, bound {bound}", run.trials.len());
    }

    #[test]
    fn one_by_one_and_splitting_land_on_the_same_rungs(plan in plan()) {
        let both = [Strategy::Split, Strategy::OneByOne].map(|strategy| {
            let mut world = world(&plan, &[], Reveal::Nothing, 0);
            drive(&mut Search::new(&specs(&plan), &by(strategy)), limit(&plan), |proposal| world.answer(proposal))
        });
        prop_assert_eq!(landed(&ended(&both[0])?), landed(&ended(&both[1])?));
    }

    #[test]
    fn a_stop_at_any_moment_leaves_a_sound_solution(
        plan in plan(), strategy in either(), answers in proptest::collection::vec(any::<u16>(), 0..40), cut_short in any::<bool>(),
    ) {
        let mut search = Search::new(&specs(&plan), &by(strategy));
        let mut run = Run { trials: vec![], solution: None };
        for &answer in &answers {
            let Step::Try(proposals) = search.next(1) else { break };
            for proposal in proposals {
                let outcome = nonsense(answer, &proposal);
                search.record(proposal.ticket, outcome.clone());
                run.trials.push((proposal, outcome));
            }
        }
        let outstanding = if cut_short { search.next(1) } else { Step::Wait };
        search.stop();
        if let Step::Try(late) = outstanding {
            search.record(late[0].ticket, Outcome::Passed);
        }
        prop_assert_eq!(search.expected_remaining(), 0);
        let Step::Done(solution) = search.next(1) else { return Err(TestCaseError::fail("stopped, but not done")) };
        is_sound(&run, &solution)?;
        is_honest(&run, &solution, &plan)?;
    }

    #[test]
    fn stray_tickets_and_impatience_change_nothing(plan in plan(), strategy in either(), seed in any::<u64>()) {
        let (mut calm, mut hasty) = (world(&plan, &[], Reveal::Nothing, 0), world(&plan, &[], Reveal::Nothing, 0));
        let undisturbed = drive(&mut Search::new(&specs(&plan), &by(strategy)), limit(&plan), |proposal| calm.answer(proposal));
        let (mut search, mut dice, mut seen) = (Search::new(&specs(&plan), &by(strategy)), Dice(seed), vec![]);
        let solution = loop {
            let proposal = match search.next(usize::try_from(dice.roll(3)).unwrap()) {
                Step::Done(solution) => break solution,
                Step::Wait => continue,
                Step::Try(proposals) => proposals[0].clone(),
            };
            if let Some(&old) = seen.last() {
                search.record(old, Outcome::Passed);
            }
            prop_assert_eq!(search.next(5), Step::Wait);
            prop_assert!(search.expected_remaining() >= 1);
            search.record(proposal.ticket, hasty.answer(&proposal));
            search.record(proposal.ticket, failed(vec![]));
            seen.push(proposal.ticket);
        };
        prop_assert_eq!(Some(solution), undisturbed.solution);
    }
}
