//! The promises of the search, in simulated worlds and against arbitrary answers, with one worker and with several.
//! Only the public interface is used, so every strategy behind it has to keep them.

mod promise;

use promise::checks::*;
use promise::*;
use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;
use proptest::test_runner::RngSeed;
use xupgrade_search::sim::{Dice, Reveal, Run, Rung, World, drive, drive_rounds, drive_shuffled};
use xupgrade_search::{
    AtomSpec, Break, Depth, Fate, Joint, Options, Outcome, Pick, Proof, Proposal, RungSpec, Scope, Search, Step,
    Strategy, Why,
};

/// Pairs of atoms; true: they clash, false: the first needs the second.
type Pairs = Vec<(usize, usize, bool)>;

fn pairs() -> impl Generator<Value = Pairs> {
    proptest::collection::vec((0usize..14, 0usize..14, any::<bool>()), 0..6)
}

/// A strategy, and gates that are cheap or dear.
fn chosen() -> impl Generator<Value = Options> {
    let gate_cost = prop_oneof![2 => Just(1000u16), 1 => Just(200)];
    let pick = (0usize..20, 0usize..6).prop_map(|(atom, rung)| Pick { atom, rung });
    let at_once = prop_oneof![Just(vec![]), proptest::collection::vec(pick, 0..14)];
    (searching(), gate_cost, at_once).prop_map(|(strategy, gate_cost, at_once)| Options {
        gate_cost,
        at_once,
        ..by(strategy)
    })
}

fn reveal() -> impl Generator<Value = Reveal> {
    prop_oneof![Just(Reveal::Nothing), Just(Reveal::FirstCulprit), Just(Reveal::Partners)]
}

/// A ladder of one rung for each atom.
fn flat() -> impl Generator<Value = Vec<Vec<Truth>>> {
    proptest::collection::vec(rung(Break::Compatible).prop_map(|one| vec![one]), 0..14)
}

/// Picks of some earlier run, of which not all exist in the plan.
fn joints() -> impl Generator<Value = Vec<Joint>> {
    let pick = || (0usize..20, 0usize..6).prop_map(|(atom, rung)| Pick { atom, rung });
    let others = proptest::collection::vec(pick(), 0..3);
    proptest::collection::vec((pick(), others).prop_map(|(first, others)| Joint::new(first, &others)), 0..20)
}

/// A proposal as a package manager writes it that takes the first of these pairs only with the second, where that comes later;
/// and those that it took so.
fn written(needs: &[(usize, usize)], proposal: &Proposal) -> (Proposal, Vec<Joint>) {
    let (mut written, mut joined) = (proposal.clone(), Vec::new());
    for (one, other) in needs {
        let place = |atom: usize| written.joints.iter().position(|joint| joint.has(atom));
        let (Some(first), Some(second)) = (place(*one), place(*other)) else { continue };
        if first < second {
            let mate = written.joints.remove(second);
            let both = [written.joints[first].picks(), mate.picks()].concat();
            written.joints[first] = Joint::new(both[0], &both[1..]);
            joined.push(written.joints[first].clone());
        }
    }
    (written, joined)
}

/// One rung for each atom, of which one in so many breaks.
fn breakers(in_so_many: u32) -> impl Generator<Value = Vec<Rung>> {
    proptest::collection::vec(prop_oneof![in_so_many => Just(Rung::Good), 1 => Just(Rung::Bad)], 1..200)
}

/// A search to its end: one worker, or several whose answers come in any order.
fn run(plan: &[Vec<Truth>], options: &Options, mut world: World, room: usize, order: u64) -> (Run, World) {
    let mut search = Search::new(&specs(plan), options);
    let run = if room == 1 {
        drive(&mut search, limit(plan), |proposal| world.answer(proposal))
    } else {
        drive_shuffled(&mut search, room, limit(plan), &mut Dice(order), |proposal| world.answer(proposal))
    };
    (run, world)
}

/// The same cases each time; the variable `PROPTEST_RNG_SEED` tries others, and `PROPTEST_CASES` more of them.
fn config() -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { usual.cases } else { 300 };
    let rng_seed = match usual.rng_seed {
        RngSeed::Random => RngSeed::Fixed(5),
        seed @ RngSeed::Fixed(_) => seed,
    };
    ProptestConfig { cases, rng_seed, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_world_ends_in_a_sound_and_honest_solution(
        plan in plan(), options in chosen(), reveal in reveal(), noise in prop_oneof![3 => Just(0u16), 1 => Just(150), 1 => Just(1000)],
        pairs in pairs(), room in 1usize..7, order in any::<u64>(),
    ) {
        let (run, world) = run(&plan, &options, world(&plan, &pairs, reveal, noise), room, order);
        let solution = ended(&run)?;
        keeps_its_promises(&run, &solution, &plan, 2)?;
        prop_assert_eq!(world.culprit(&solution.picks()), None, "what is accepted truly passes");
        if room == 1 && reveal != Reveal::FirstCulprit {
            wastes_nothing(&run)?; // a suspect that passes alone may come back to the others
        }
    }

    #[test]
    fn tests_that_fail_at_times_break_no_promise(
        plan in plan(), pairs in pairs(), flake in 0u16..300, room in 1usize..5, order in any::<u64>(), runs in 1u32..4, options in chosen(),
    ) {
        let options = Options { verify_runs: runs, more_runs: 6 * (runs - 1), strategy: Strategy::Split, ..options };
        let (run, _) = run(&plan, &options, noisy(world(&plan, &pairs, Reveal::Partners, 0), flake, order), room, order);
        keeps_its_promises(&run, &ended(&run)?, &plan, runs)?;
    }

    #[test]
    fn even_nonsense_ends_in_a_sound_and_honest_solution(
        plan in plan(), options in chosen(), room in 1usize..6, order in any::<u64>(),
        answers in proptest::collection::vec(any::<u16>(), 1..60),
    ) {
        let mut turn = 0;
        let mut search = Search::new(&specs(&plan), &options);
        let run = drive_shuffled(&mut search, room, limit(&plan), &mut Dice(order), |proposal| {
            turn += 1;
            nonsense(answers[turn % answers.len()], proposal)
        });
        let solution = ended(&run)?;
        keeps_its_promises(&run, &solution, &plan, 2)?;
        prop_assert_eq!(search.next(1), Step::Done(solution), "the end stays the end");
    }

    #[test]
    fn each_atom_lands_on_its_highest_passing_rung(
        plan in plan(), options in chosen(), last_time in joints(), reveal in reveal(), room in 1usize..6, order in any::<u64>(),
    ) {
        let options = Options { last_time, ..options };
        let (run, _) = run(&plan, &options, world(&plan, &[], reveal, 0), room, order);
        let solution = ended(&run)?;
        for (atom, ladder) in plan.iter().enumerate() {
            let best = ladder.iter().rposition(|rung| rung.1 == Rung::Good);
            match &solution.fates[atom] {
                Fate::Accepted { rung, .. } => prop_assert_eq!(Some(*rung), best),
                Fate::Rejected { trials } => prop_assert!(best.is_none() && trials.len() == ladder.len()),
                Fate::Untried => prop_assert!(ladder.is_empty()),
                Fate::Inconclusive { .. } => prop_assert!(false, "there was no noise"),
            }
        }
    }

    #[test]
    fn no_rejected_upgrade_could_be_added_and_pass(plan in flat(), options in chosen(), reveal in reveal(), pairs in pairs(), room in 1usize..5, order in any::<u64>()) {
        let (run, world) = run(&plan, &options, world(&plan, &pairs, reveal, 0), room, order);
        is_maximal(&world, &ended(&run)?).map_err(|error| TestCaseError::fail(format!("{error}\n{}", told(&run))))?;
    }

    #[test]
    fn without_noise_workers_and_the_order_of_answers_change_nothing(
        plan in plan(), options in chosen(), reveal in reveal(), clashes in pairs(), room in 2usize..9, order in any::<u64>(),
    ) {
        let clashes: Pairs = clashes.into_iter().map(|(one, other, _)| (one, other, true)).collect();
        let (first, _) = run(&plan, &options, world(&plan, &clashes, reveal, 0), 1, 0);
        let (other, _) = run(&plan, &options, world(&plan, &clashes, reveal, 0), room, order);
        let (one, several) = (ended(&first)?, ended(&other)?);
        let all = || format!("one worker:\n{}{room} workers:\n{}", told(&first), told(&other));
        prop_assert_eq!(landed(&several), landed(&one), "{}", all());
        // Which partners a failure names depends on what was there; so may the place of those who are tried as a pair.
        if reveal != Reveal::Partners {
            prop_assert_eq!(&several.accepted, &one.accepted, "{}", all());
        }
    }

    #[test]
    fn one_that_needs_another_lands_however_many_workers_there_are(
        plan in flat(), options in chosen(), reveal in reveal(), needs in pairs(), room in 2usize..9, order in any::<u64>(),
    ) {
        let needs: Pairs = needs.into_iter().map(|(one, other, _)| (one.max(other), one.min(other), false)).collect();
        let (first, _) = run(&plan, &options, world(&plan, &needs, reveal, 0), 1, 0);
        let (other, _) = run(&plan, &options, world(&plan, &needs, reveal, 0), room, order);
        let all = || format!("one worker:\n{}{room} workers:\n{}", told(&first), told(&other));
        prop_assert_eq!(landed(&ended(&other)?), landed(&ended(&first)?), "{}", all());
    }

    #[test]
    fn more_room_is_no_slower_and_never_ignored(plan in flat(), strategy in searching(), room in 2usize..9) {
        let rounds = |room: usize| {
            let mut world = world(&plan, &[], Reveal::Nothing, 0);
            let mut most = 0;
            let mut search = Search::new(&specs(&plan), &by(strategy));
            let run = drive_rounds(&mut search, room, limit(&plan), |proposal| world.answer(proposal));
            let mut asked = Search::new(&specs(&plan), &by(strategy));
            if let Step::Try(proposals) = asked.next(room) {
                most = proposals.len();
            }
            (run.rounds, most)
        };
        let ((slow, _), (quick, most)) = (rounds(1), rounds(room));
        prop_assert!(quick <= slow + 1, "{quick} rounds with {room} workers, {slow} with one");
        prop_assert!(most <= room);
    }

    #[test]
    fn compatible_rungs_are_settled_before_breaking_ones(plan in plan(), strategy in searching()) {
        let (run, _) = run(&plan, &by(strategy), world(&plan, &[], Reveal::Nothing, 0), 1, 0);
        let kind = |pick: Pick| plan[pick.atom][pick.rung].0.breaking;
        let after = |why| matches!(why, Why::SecondLook | Why::Pair | Why::Verify);
        let first_looks = run.trials.iter().filter(|(proposal, _)| !after(proposal.why));
        let kinds: Vec<Break> = first_looks.flat_map(|(proposal, _)| proposal.fresh_picks().into_iter().map(kind)).collect();
        prop_assert!(kinds.is_sorted(), "{kinds:?}");
    }

    #[test]
    fn no_atom_ever_ends_below_where_it_was(
        plan in plan(), options in chosen(), pairs in pairs(), last_time in joints(), room in 1usize..5,
    ) {
        let options = Options { last_time, ..options }; // a breaking rung may be the first that is accepted
        let mut world = world(&plan, &pairs, Reveal::Nothing, 0);
        let mut search = Search::new(&specs(&plan), &options);
        let mut before = std::collections::BTreeMap::new();
        while let Step::Try(proposals) = search.next(room) {
            for proposal in proposals {
                let outcome = world.answer(&proposal);
                search.record(proposal.ticket, outcome);
            }
            let mut stopped = search.clone();
            stopped.stop();
            let Step::Done(solution) = stopped.next(1) else { return Err(TestCaseError::fail("stopped, but not done")) };
            let now = landed(&solution);
            prop_assert!(before.iter().all(|(atom, rung)| now.get(atom) >= Some(rung)), "{before:?}, then {now:?}");
            before = now;
        }
    }

    #[test]
    fn independent_breakers_cost_few_trials(
        bad in prop_oneof![breakers(12), breakers(100)], risk in 1u16..100,
    ) {
        let breaking = Break::Compatible;
        let atoms = vec![AtomSpec { rungs: vec![RungSpec { risk, breaking, depth: Depth::Rung }], kin: 0, builds: Vec::new() }; bad.len()];
        let mut world = World::independent(bad.iter().map(|&rung| vec![rung]).collect());
        let run = drive(&mut Search::new(&atoms, &by(Strategy::Split)), 10_000, |proposal| world.answer(proposal));
        ended(&run)?;
        let (n, k) = (bad.len(), bad.iter().filter(|&&rung| rung == Rung::Bad).count());
        // c = 1.5, and a group for each bit of doubt that the priors put into the plan (-log2(1 - p) < 2 p); then one
        // look at each loser, up to six at losers together, and the whole matrix twice.
        let doubt = 2 * n * usize::from(risk) / 1000;
        let bound = 3 * (k * (n.ilog2() as usize + 1) + k + 2) / 2 + doubt + k + 6 + 2;
        prop_assert!(run.trials.len() <= bound, "n={n} k={k} risk={risk}: {} trials, bound {bound}", run.trials.len());
    }

    #[test]
    fn every_strategy_lands_on_the_same_rungs(plan in plan()) {
        let all = [Strategy::Split, Strategy::OneByOne, Strategy::Halving]
            .map(|strategy| run(&plan, &by(strategy), world(&plan, &[], Reveal::Nothing, 0), 1, 0).0);
        let one = landed(&ended(&all[0])?);
        prop_assert_eq!(&one, &landed(&ended(&all[1])?));
        prop_assert_eq!(&one, &landed(&ended(&all[2])?));
    }

    #[test]
    fn what_was_written_in_one_step_is_kept_and_taken_out_as_one(
        plan in plan(), needs in pairs(), deep in proptest::collection::vec(any::<bool>(), 14), last_time in joints(), noise in prop_oneof![Just(0u16), 1u16..100],
    ) {
        let needs: Vec<(usize, usize, bool)> = needs.into_iter().map(|(one, other, _)| (one, other, false)).collect();
        let mut world = world(&plan, &needs, Reveal::FirstCulprit, noise);
        for (ladder, deep) in world.rungs.iter_mut().zip(deep) {
            // Only the whole matrix sees these.
            ladder.iter_mut().filter(|rung| deep && **rung == Rung::Bad).for_each(|rung| *rung = Rung::Deep);
        }
        let mut search = Search::new(&specs(&plan), &Options { last_time, ..by(Strategy::Split) });
        let mut run = Run { trials: vec![], rounds: 0, ended: vec![], solution: None };
        let mut as_written = vec![];
        while run.solution.is_none() {
            prop_assert!(run.trials.len() <= limit(&plan), "no end: {}", told(&run));
            match search.next(1) {
                Step::Done(solution) => run.solution = Some(solution),
                Step::Wait => return Err(TestCaseError::fail("it waits for nothing")),
                Step::Try(proposals) => for proposal in proposals {
                    let outcome = world.answer(&proposal);
                    let (written, joined) = written(&world.requires, &proposal);
                    for joint in joined {
                        search.join(proposal.ticket, joint);
                    }
                    search.record(proposal.ticket, outcome.clone());
                    run.trials.push((proposal, outcome.clone()));
                    as_written.push((written, outcome));
                },
            }
        }
        let solution = ended(&run)?;
        // What stands below a pick that is refused was asked for so, or was written so.
        run.trials.extend(as_written.clone());
        is_honest(&run, &solution).map_err(|error| TestCaseError::fail(format!("{error}\n{}", told(&run))))?;
        is_sound(&run, &solution).map_err(|error| TestCaseError::fail(format!("{error}\n{}", told(&run))))?;
        for (one, other) in &world.requires {
            let joint = |atom| solution.accepted.iter().position(|joint| joint.has(atom));
            prop_assert!(joint(*one).is_none() || joint(*other).is_some(), "{one} needs {other}: {}", told(&run));
        }
    }

    #[test]
    fn no_order_of_calls_makes_it_panic(
        plan in plan(), strategy in prop_oneof![4 => searching(), 1 => Just(Strategy::All)], verify_runs in 0u32..4, gate_cost in prop_oneof![Just(0u16), Just(200), Just(1000)],
        last_time in joints(),
        calls in proptest::collection::vec((0u8..14, any::<u16>()), 0..120),
    ) {
        let options = Options { strategy, verify_runs, gate_cost, last_time, ..Options::default() };
        let mut search = Search::new(&specs(&plan), &options);
        let mut run = Run { trials: vec![], rounds: 0, ended: vec![], solution: None };
        let mut given = vec![];
        let mut stopped = false;
        for (call, number) in calls {
            match call {
                0..=4 => if let Step::Try(proposals) = search.next(usize::from(call)) {
                    prop_assert!(!proposals.is_empty() && proposals.len() <= usize::from(call) && !stopped);
                    given.extend(proposals);
                },
                5..=10 if !given.is_empty() => {
                    let proposal = given.swap_remove(usize::from(number) % given.len());
                    let outcome = nonsense(number, &proposal);
                    search.record(proposal.ticket, outcome.clone());
                    if !stopped {
                        run.trials.push((proposal, outcome));
                    }
                }
                11 if !run.trials.is_empty() => {
                    let (old, _) = &run.trials[usize::from(number) % run.trials.len()];
                    search.record(old.ticket, nonsense(number, old));
                }
                12 if number % 8 == 0 => search.finish(),
                13 if number % 8 == 0 => {
                    search.stop();
                    stopped = true;
                    prop_assert_eq!(search.expected_remaining(), 0);
                }
                _ => drop((search.obsolete(), search.expected_remaining())),
            }
        }
        search.stop();
        let Step::Done(solution) = search.next(0) else { return Err(TestCaseError::fail("stopped, but not done")) };
        is_sound(&run, &solution)?;
        is_honest(&run, &solution)?;
        checkpoint_is_proven(&run, &solution, verify_runs.max(1))?;
        prop_assert_eq!(search.next(1), Step::Done(solution));
    }

    #[test]
    fn a_search_that_is_finished_early_only_verifies(plan in plan(), pairs in pairs(), cut in 0usize..30, room in 1usize..4) {
        let mut world = world(&plan, &pairs, Reveal::Nothing, 0);
        let mut search = Search::new(&specs(&plan), &by(Strategy::Split));
        let before = drive_rounds(&mut search, room, cut, |proposal| world.answer(proposal));
        search.finish();
        let after = drive_rounds(&mut search, room, limit(&plan), |proposal| world.answer(proposal));
        let solution = ended(&after)?;
        if before.solution.is_none() {
            prop_assert!(after.trials.iter().all(|(proposal, _)| proposal.scope == Scope::Full), "{:?}", after.trials);
        }
        let trials = [before.trials, after.trials].concat();
        let whole = Run { trials, rounds: 0, ended: vec![], solution: None };
        keeps_its_promises(&whole, &solution, &plan, 2)?;
        let checkpoint = solution.checkpoint.as_ref().map_or(&[][..], |checkpoint| &checkpoint.joints);
        prop_assert_eq!(checkpoint, &solution.accepted[..], "in a world without noise all that is accepted is verified");
    }

    #[test]
    fn what_passes_the_whole_matrix_is_what_is_accepted(plan in flat(), deep in proptest::collection::vec(any::<bool>(), 14), room in 1usize..4) {
        let mut world = world(&plan, &[], Reveal::Nothing, 0);
        for (truth, deep) in world.rungs.iter_mut().zip(deep) {
            if deep && truth[0] == Rung::Good {
                truth[0] = Rung::Deep;
            }
        }
        let mut search = Search::new(&specs(&plan), &by(Strategy::Split));
        let run = drive_rounds(&mut search, room, limit(&plan), |proposal| world.answer(proposal));
        let solution = ended(&run)?;
        keeps_its_promises(&run, &solution, &plan, 2)?;
        let checkpoint = solution.checkpoint.as_ref().map_or(&[][..], |checkpoint| &checkpoint.joints);
        prop_assert_eq!(checkpoint, &solution.accepted[..]);
        let good = world.rungs.iter().filter(|truth| truth[0] == Rung::Good).count();
        prop_assert_eq!(checkpoint.len(), good, "what only the whole matrix sees is cut out, and nothing else");
    }

    #[test]
    fn stray_tickets_and_impatience_change_nothing(plan in plan(), options in chosen(), seed in any::<u64>()) {
        let undisturbed = run(&plan, &options, world(&plan, &[], Reveal::Nothing, 0), 1, 0).0;
        let mut hasty = world(&plan, &[], Reveal::Nothing, 0);
        let (mut search, mut dice, mut seen) = (Search::new(&specs(&plan), &options), Dice(seed), vec![]);
        let solution = loop {
            let proposal = match search.next(usize::try_from(dice.roll(2)).unwrap()) {
                Step::Done(solution) => break solution,
                Step::Wait => continue,
                Step::Try(proposals) => proposals[0].clone(),
            };
            if let Some(&old) = seen.last() {
                search.record(old, Outcome::Passed);
            }
            prop_assert_eq!(search.next(0), Step::Wait);
            prop_assert!(search.expected_remaining() >= 1);
            search.record(proposal.ticket, hasty.answer(&proposal));
            search.record(proposal.ticket, failed(vec![], Proof::Certain));
            seen.push(proposal.ticket);
        };
        prop_assert_eq!(Some(solution), undisturbed.solution);
    }
}
