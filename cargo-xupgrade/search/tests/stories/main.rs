//! Small worlds, trial by trial: what is proposed, why, and what is concluded.

mod clearing;
mod publishing;
#[path = "../rule/mod.rs"]
mod rule;

use Break::{Breaking, Compatible};
use Rung::{Bad, Good};
use rule::*;
use xupgrade_search::sim::{Dice, Reveal, Run, Rung, World, counted, drive, drive_shuffled};
use xupgrade_search::{
    AtomSpec, Break, Fate, Options, Outcome, Pick, Proof, Proposal, Scope, Search, Solution, Step, Strategy, Why,
};

/// The answer of a world in which one test fails: now, or in each run where it runs again.
fn tests(proposal: &Proposal, fail: bool) -> Outcome {
    match proposal.scope {
        Scope::Again { .. } => counted(proposal, || fail),
        _ if fail => fails(Proof::Tests),
        _ => Outcome::Passed,
    }
}

fn atoms(count: usize) -> Vec<AtomSpec> {
    vec![atom(&[(10, Compatible)]); count]
}

/// The fresh atoms of each trial before the last ones, which verify, and why it was chosen.
fn told(run: &Run) -> Vec<(Vec<usize>, Why)> {
    let line = |(proposal, _): &(Proposal, Outcome)| {
        (proposal.fresh_picks().iter().map(|pick| pick.atom).collect(), proposal.why)
    };
    run.trials.iter().filter(|(proposal, _)| proposal.why != Why::Verify).map(line).collect()
}

fn accepted(solution: &Solution) -> Vec<(usize, usize)> {
    solution.picks().into_iter().map(|Pick { atom, rung }| (atom, rung)).collect()
}

#[test]
fn a_quiet_plan_is_settled_in_one_trial() {
    let (run, solution) = run(&atoms(20), World::independent(vec![vec![Good]; 20]));
    assert_eq!(told(&run).len(), 1);
    assert_eq!(solution.accepted.len(), 20);
    assert!(matches!(solution.fates[7], Fate::Accepted { rung: 0, group: 20, .. }));
}

#[test]
fn an_empty_plan_is_done_at_once() {
    let (run, solution) = run(&[], World::independent(vec![]));
    assert!(run.trials.is_empty() && solution.accepted.is_empty() && solution.proven_by.is_none());
}

#[test]
fn what_is_left_of_a_failed_group_is_split_without_running_it_again() {
    let (run, solution) = run(&atoms(4), World::independent(vec![vec![Good], vec![Good], vec![Good], vec![Bad]]));
    let expected = [(vec![0, 1, 2, 3], Why::First), (vec![0, 1], Why::Half), (vec![2], Why::Leaf)];
    assert_eq!(told(&run), expected);
    assert_eq!(accepted(&solution), [(0, 0), (1, 0), (2, 0)]);
}

#[test]
fn of_two_that_clash_in_a_group_the_first_in_the_plan_stays() {
    let mut world = World::independent(vec![vec![Good]; 6]);
    world.conflicts = vec![(4, 1)];
    let (_, solution) = run(&atoms(6), world);
    assert!(matches!(solution.fates[1], Fate::Accepted { .. }));
    assert!(matches!(solution.fates[4], Fate::Rejected { .. }));
    assert_eq!(solution.accepted.len(), 5);
}

#[test]
fn a_named_suspect_is_tried_alone_and_the_others_without_it() {
    let mut world = World::independent(vec![vec![Good], vec![Good], vec![Bad], vec![Good]]);
    world.reveal = Reveal::FirstCulprit;
    let (run, solution) = run(&atoms(4), world);
    let mut expected = vec![(vec![0, 1, 2, 3], Why::First), (vec![0, 1, 3], Why::Group), (vec![2], Why::Suspect)];
    expected.push((vec![2], Why::SecondLook));
    assert_eq!(told(&run), expected);
    assert_eq!(accepted(&solution), [(0, 0), (1, 0), (3, 0)]);
}

#[test]
fn a_union_that_names_a_culprit_is_cut_right_before_it_and_not_into_halves() {
    let mut world = World::independent(vec![vec![Good]; 16]);
    world.conflicts = vec![(12, 3)];
    world.reveal = Reveal::FirstCulprit;
    let (run, solution) = run(&atoms(16), world);
    let expected = [
        ((0..16).collect(), Why::First),
        ((0..16).filter(|atom| *atom != 12).collect(), Why::Group),
        (vec![12], Why::Suspect),
        ((0..16).collect(), Why::Union),
        ((0..12).collect(), Why::Half),
        (vec![12], Why::Leaf),
        (vec![12], Why::SecondLook),
    ];
    assert_eq!(told(&run), expected);
    assert_eq!(solution.accepted.len(), 15);
}

#[test]
fn a_failing_rung_sends_the_atom_one_rung_lower() {
    let ladder = atom(&[(10, Compatible), (10, Compatible), (10, Compatible)]);
    let (_, solution) = run(&[ladder], World::independent(vec![vec![Good, Good, Bad]]));
    assert_eq!(accepted(&solution), [(0, 1)]);
    assert_eq!(solution.refusals.len(), 1);
    assert_eq!(solution.refusals[0].pick, Pick { atom: 0, rung: 2 });
}

#[test]
fn a_lift_to_a_breaking_rung_moves_the_atom_to_the_end() {
    let plan = [atom(&[(10, Compatible), (300, Breaking)]), atom(&[(10, Compatible)])];
    let (run, solution) = run(&plan, World::independent(vec![vec![Good, Good], vec![Good]]));
    assert_eq!(run.trials[0].0.picks(), [Pick { atom: 0, rung: 0 }, Pick { atom: 1, rung: 0 }]);
    assert_eq!(accepted(&solution), [(1, 0), (0, 1)]);
}

#[test]
fn a_failed_lift_leaves_the_compatible_rung_where_it_was() {
    let plan = [atom(&[(10, Compatible), (300, Breaking)]), atom(&[(10, Compatible)])];
    let (_, solution) = run(&plan, World::independent(vec![vec![Good, Bad], vec![Good]]));
    assert_eq!(accepted(&solution), [(0, 0), (1, 0)]);
    assert_eq!(solution.refusals[0].pick, Pick { atom: 0, rung: 1 });
}

#[test]
fn a_rejected_atom_is_looked_at_again_when_its_partner_has_come() {
    let plan = [atom(&[(1, Compatible)]), atom(&[(900, Compatible)])];
    let mut world = World::independent(vec![vec![Good]; 2]);
    world.requires = vec![(0, 1)];
    let (run, solution) = run(&plan, world);
    let expected = [(vec![0], Why::First), (vec![1], Why::Leaf), (vec![0], Why::SecondLook)];
    assert_eq!(told(&run), expected);
    assert_eq!(accepted(&solution), [(1, 0), (0, 0)]);
}

#[test]
fn nothing_is_looked_at_again_when_nothing_was_accepted_since() {
    let (run, _) = run(&atoms(2), World::independent(vec![vec![Good], vec![Bad]]));
    assert_eq!(told(&run), [(vec![0, 1], Why::First), (vec![0], Why::Leaf)]);
}

#[test]
fn noise_is_met_by_one_retry_then_by_halves_and_is_no_rejection() {
    let mut world = World::independent(vec![vec![Good]; 2]);
    world.noise = 1000;
    let (run, solution) = run(&atoms(2), world);
    let atoms: Vec<Vec<usize>> = told(&run).into_iter().map(|(atoms, _)| atoms).collect();
    assert_eq!(atoms, [vec![0, 1], vec![0, 1], vec![0], vec![0], vec![1], vec![1]]);
    assert!(solution.fates.iter().all(|fate| matches!(fate, Fate::Inconclusive { .. })));
    assert!(solution.accepted.is_empty() && solution.refusals.is_empty());
}

#[test]
fn an_early_stop_leaves_the_unfinished_ladder_untried() {
    let mut search = Search::new(
        &[atom(&[(10, Compatible), (10, Compatible)])],
        &Options { strategy: Strategy::Split, ..Options::default() },
    );
    let mut world = World::independent(vec![vec![Good, Bad]]);
    drive(&mut search, 0, |proposal| world.answer(proposal));
    search.stop();
    let run = drive(&mut search, 0, |_| Outcome::Passed);
    let solution = run.solution.expect("stopped");
    assert!(run.trials.is_empty());
    assert_eq!(solution.fates, [Fate::Untried]);
    assert_eq!(solution.refusals.len(), 1, "what was learnt before is kept");
}

#[test]
fn the_time_left_shrinks_to_nothing() {
    let plan = vec![atom(&[(100, Compatible)]); 50];
    let mut search = Search::new(&plan, &Options { strategy: Strategy::Split, ..Options::default() });
    let before = search.expected_remaining();
    assert!((20..=35).contains(&before), "50 x H(0.1) = 23 and 5 leaves, said {before}");
    let mut world = World::independent(vec![vec![Good]; 50]);
    drive(&mut search, 100, |proposal| world.answer(proposal));
    assert_eq!(search.expected_remaining(), 0);
}

#[test]
fn one_by_one_tries_each_atom_alone_in_plan_order() {
    let plan = [atom(&[(300, Compatible)]), atom(&[(10, Compatible)])];
    let mut world = World::independent(vec![vec![Good]; 2]);
    let mut search = Search::new(&plan, &Options { strategy: Strategy::OneByOne, ..Options::default() });
    let run = drive(&mut search, 10, |proposal| world.answer(proposal));
    assert_eq!(told(&run), [(vec![0], Why::First), (vec![1], Why::Leaf)]);
}

#[test]
fn groups_grow_while_the_priors_prove_too_dark() {
    let plan = vec![atom(&[(100, Compatible)]); 50];
    let (run, _) = run(&plan, World::independent(vec![vec![Good]; 50]));
    let sizes: Vec<usize> = told(&run).iter().map(|(atoms, _)| atoms.len()).collect();
    assert_eq!(sizes[0], 9, "0.9^7 = 0.48, and the priors may be too dark");
    assert!(sizes[1] > 12, "after seven passes the next group is bolder: {sizes:?}");
    assert!(sizes.len() <= 4, "{sizes:?}");
}

#[test]
fn many_workers_keep_what_one_keeps_and_the_first_of_two_that_clash() {
    let plan = vec![atom(&[(60, Compatible)]); 60];
    let world = || {
        let mut rungs = vec![vec![Good]; 60];
        rungs[33][0] = Bad;
        let mut world = World::independent(rungs);
        world.conflicts = vec![(3, 41), (12, 50)];
        world
    };
    let one = run(&plan, world()).1;
    for room in [2, 3, 8, 16] {
        let mut world = world();
        let (_, many) = run_wide(&mut Search::new(&plan, &Options::default()), room, |proposal| world.answer(proposal));
        assert_eq!(many.accepted, one.accepted, "{room} workers");
    }
    assert_eq!(one.accepted.len(), 57);
    assert!([3, 12].iter().all(|&atom| matches!(one.fates[atom], Fate::Accepted { .. })));
}

#[test]
fn a_test_that_fails_once_and_never_again_rejects_nothing() {
    let mut turn = 0;
    let (asked, solution) = run_wide(&mut Search::new(&atoms(1), &Options::default()), 1, |proposal| {
        turn += 1;
        tests(proposal, turn == 1)
    });
    let runs = |proposal: &Proposal| if let Scope::Again { runs, .. } = proposal.scope { runs } else { 0 };
    let runs: Vec<u32> = asked.iter().map(runs).filter(|runs| *runs > 0).collect();
    assert_eq!(runs, [5, 15, 5, 15], "twenty green runs, and as many of what is to be published");
    assert_eq!(accepted(&solution), [(0, 0)]);
}

#[test]
fn a_test_that_fails_again_but_not_without_the_pick_rejects_it() {
    let (asked, solution) =
        run_wide(&mut Search::new(&atoms(1), &Options::default()), 1, |proposal| tests(proposal, has(proposal, 0)));
    let whys: Vec<Why> = asked.iter().map(|proposal| proposal.why).collect();
    assert_eq!(whys, [Why::First, Why::Confirm, Why::Bracket], "five runs with it, five without it");
    assert!(matches!(solution.fates[0], Fate::Rejected { .. }));
}

#[test]
fn a_test_that_fails_on_what_was_there_before_rejects_nothing() {
    let mut turn = 0;
    let (_, solution) = run_wide(&mut Search::new(&atoms(1), &Options::default()), 1, |proposal| {
        turn += 1;
        tests(proposal, turn <= 2 || proposal.joints.is_empty())
    });
    assert_eq!(accepted(&solution), [(0, 0)]);
}

#[test]
fn what_breaks_a_test_at_times_is_hunted_down_when_it_shows() {
    // Atom 0 passes the first time; from then on a test fails wherever it is.
    let mut turn = 0;
    let plan = [atom(&[(10, Compatible)]), atom(&[(500, Compatible)]), atom(&[(600, Compatible)])];
    let (asked, solution) = run_wide(&mut Search::new(&plan, &Options::default()), 1, |proposal| {
        turn += 1;
        tests(proposal, turn > 1 && has(proposal, 0))
    });
    assert_eq!(accepted(&solution), [(1, 0), (2, 0)], "{asked:#?}");
    assert!(matches!(solution.fates[0], Fate::Rejected { .. }));
    assert_eq!(solution.checkpoint.map(|checkpoint| checkpoint.joints), Some(solution.accepted));
}

#[test]
fn only_what_passed_the_whole_matrix_often_enough_is_a_checkpoint() {
    let options = Options { verify_runs: 3, ..Options::default() };
    let (asked, solution) = run_wide(&mut Search::new(&atoms(5), &options), 1, |_| Outcome::Passed);
    let full: Vec<_> = asked.iter().filter(|proposal| proposal.scope == Scope::Full).collect();
    let checkpoint = solution.checkpoint.expect("all passed");
    assert_eq!((full.len(), checkpoint.proven_by.len()), (3, 3));
    assert!(full.iter().all(|proposal| proposal.picks() == checkpoint.picks()));
}

#[test]
fn what_fails_the_whole_matrix_is_cut_out_and_the_rest_verified() {
    let (asked, solution) = run_wide(&mut Search::new(&atoms(8), &Options::default()), 1, |proposal| {
        let fails_there = proposal.scope == Scope::Full && has(proposal, 5);
        if fails_there { fails(Proof::Certain) } else { Outcome::Passed }
    });
    assert!(matches!(solution.fates[5], Fate::Accepted { .. } | Fate::Rejected { .. }));
    let checkpoint = solution.checkpoint.expect("the others pass");
    assert_eq!(checkpoint.picks().len(), 7, "{asked:#?}");
    assert!(checkpoint.picks().iter().all(|pick| pick.atom != 5));
}

#[test]
fn what_the_whole_matrix_is_no_evidence_for_leaves_the_set_and_nobody_is_tried_for_its_sake() {
    let (asked, solution) = run_wide(&mut Search::new(&atoms(8), &Options::default()), 1, |proposal| {
        let unproved = proposal.scope == Scope::Full && has(proposal, 2);
        if unproved { Outcome::Unproved { atoms: vec![2] } } else { Outcome::Passed }
    });
    let checkpoint = solution.checkpoint.expect("the others are proved");
    assert_eq!(checkpoint.picks().len(), 7, "{asked:#?}");
    assert!(checkpoint.picks().iter().all(|pick| pick.atom != 2));
    let Fate::Rejected { trials } = &solution.fates[2] else { panic!("{:?}", solution.fates[2]) };
    let whole: Vec<&Proposal> = asked.iter().filter(|proposal| proposal.scope == Scope::Full).collect();
    assert_eq!((trials.as_slice(), whole.len()), ([(0, whole[0].ticket)].as_slice(), 3), "{asked:#?}");
    assert!(asked.iter().skip_while(|proposal| proposal.scope != Scope::Full).all(|one| one.scope == Scope::Full));
}

#[test]
fn what_is_unproved_where_it_was_lifted_to_is_verified_where_it_was_before() {
    let lifted = atom(&[(10, Compatible), (10, Breaking)]);
    let (_, solution) = run_wide(&mut Search::new(&[lifted], &Options::default()), 1, |proposal| {
        let above = proposal.picks().contains(&Pick { atom: 0, rung: 1 });
        let unproved = proposal.scope == Scope::Full && above;
        if unproved { Outcome::Unproved { atoms: vec![0] } } else { Outcome::Passed }
    });
    assert_eq!(solution.checkpoint.expect("it is proved below").picks(), [Pick { atom: 0, rung: 0 }]);
}

#[test]
fn what_fails_only_within_the_whole_matrix_is_cut_out_too() {
    let (_, solution) = run_wide(&mut Search::new(&atoms(2), &Options::default()), 1, |proposal| {
        tests(proposal, proposal.scope == Scope::Full && has(proposal, 1))
    });
    let checkpoint = solution.checkpoint.expect("the other one passes");
    assert_eq!(checkpoint.picks(), [Pick { atom: 0, rung: 0 }]);
}

#[test]
fn who_is_hunted_in_the_whole_matrix_is_refused_by_a_run_that_the_others_had_passed() {
    // Once 1 is cut out, nothing but the tests that fail with 3 runs on 0 and 2 before 3 is rejected.
    let options = Options { strategy: Strategy::OneByOne, ..Options::default() };
    let (asked, solution) = run_wide(&mut Search::new(&atoms(4), &options), 1, |proposal| match proposal.scope {
        Scope::Full if has(proposal, 1) => fails(Proof::Certain),
        Scope::Full | Scope::Again { .. } => tests(proposal, has(proposal, 3)),
        _ => Outcome::Passed,
    });
    let refusal = solution.refusals[1];
    let red = asked.iter().find(|proposal| proposal.ticket == refusal.ticket).expect("a trial of this search");
    let below = |other: &&Proposal| [&other.picks()[..], &[refusal.pick]].concat() == red.picks();
    let green = asked.iter().filter(below).find(|proposal| matches!(proposal.scope, Scope::Again { .. }));
    assert!(green.is_some_and(|green| green.ticket < red.ticket), "{red:?} stands on {green:?}");
}

#[test]
fn noise_in_the_verification_makes_no_checkpoint_and_no_rejection() {
    let (_, solution) = run_wide(&mut Search::new(&atoms(3), &Options::default()), 1, |proposal| {
        if proposal.scope == Scope::Full { Outcome::Inconclusive } else { Outcome::Passed }
    });
    assert_eq!((solution.accepted.len(), solution.checkpoint, solution.refusals.len()), (3, None, 0));
}

#[test]
fn a_budget_that_ends_verifies_what_is_accepted_and_tries_nothing_new() {
    let plan = vec![atom(&[(300, Compatible)]); 20];
    let mut search = Search::new(&plan, &Options::default());
    let Step::Try(first) = search.next(1) else { panic!("nothing to try") };
    search.record(first[0].ticket, Outcome::Passed);
    search.finish();
    let (asked, solution) = run_wide(&mut search, 1, |_| Outcome::Passed);
    assert!(asked.iter().all(|proposal| proposal.scope == Scope::Full));
    assert_eq!(solution.checkpoint.map(|checkpoint| checkpoint.picks()), Some(first[0].picks()));
    assert_eq!(solution.fates.iter().filter(|&fate| *fate == Fate::Untried).count(), 20 - first[0].picks().len());
}

#[test]
fn what_passed_last_time_is_tried_first_as_a_whole_and_in_its_order() {
    let last_time = [7, 2, 5].map(|atom| Pick { atom, rung: 0 }.into()).to_vec();
    let at_once = vec![Pick { atom: 1, rung: 0 }];
    let options = Options { last_time: last_time.clone(), at_once, strategy: Strategy::OneByOne, ..Options::default() };
    let (asked, solution) = run_wide(&mut Search::new(&atoms(9), &options), 1, |_| Outcome::Passed);
    assert_eq!((asked[0].why, &asked[0].joints), (Why::LastTime, &last_time));
    assert_eq!(solution.accepted.len(), 9);
}

#[test]
fn what_passed_last_time_is_no_ceiling() {
    let options = Options { last_time: vec![Pick { atom: 0, rung: 0 }.into()], ..Options::default() };
    let plan = [atom(&[(10, Compatible), (40, Compatible)])];
    let (asked, solution) = run_wide(&mut Search::new(&plan, &options), 1, |_| Outcome::Passed);
    assert_eq!(asked[0].why, Why::LastTime);
    assert_eq!(accepted(&solution), [(0, 1)], "a release came since, or what failed then may pass now");
}

#[test]
fn all_or_nothing_is_one_trial() {
    let options = Options { strategy: Strategy::All, ..Options::default() };
    let (asked, solution) = run_wide(&mut Search::new(&atoms(9), &options), 4, |_| fails(Proof::Certain));
    assert_eq!((asked.len(), asked[0].fresh), (1, 9));
    assert!(solution.fates.iter().all(|fate| *fate == Fate::Untried) && solution.refusals.is_empty());
}

#[test]
fn halving_takes_all_and_cuts_in_the_middle() {
    let options = Options { strategy: Strategy::Halving, ..Options::default() };
    let (asked, solution) = run_wide(&mut Search::new(&atoms(8), &options), 1, |proposal| {
        if has(proposal, 6) { fails(Proof::Certain) } else { Outcome::Passed }
    });
    let sizes: Vec<usize> = asked.iter().map(|proposal| proposal.fresh).take(4).collect();
    assert_eq!(sizes, [8, 4, 2, 1]);
    assert_eq!(solution.accepted.len(), 7);
}

#[test]
fn cheap_gates_are_searched_first_and_who_fails_there_is_tried_alone() {
    let options = Options { gate_cost: 200, ..Options::default() };
    let mut world = World::independent(vec![vec![Good]; 8]);
    world.rungs[5][0] = Bad;
    let run = drive(&mut Search::new(&atoms(8), &options), 100, |proposal| world.answer(proposal));
    let (gates, rest): (Vec<_>, Vec<_>) = run.trials.iter().partition(|(proposal, _)| proposal.scope == Scope::Gate);
    assert!(gates.len() > 1 && run.trials[0].0.scope == Scope::Gate);
    let tried: Vec<_> = rest.iter().filter(|(proposal, _)| proposal.scope == Scope::Concerned).collect();
    let told: Vec<(usize, Why)> = tried.iter().map(|(proposal, _)| (proposal.fresh, proposal.why)).take(2).collect();
    assert_eq!(told, [(7, Why::Group), (1, Why::Suspect)], "the tests run once on all the others");
    let solution = run.solution.expect("it ends");
    let evidence = run.trials.iter().find(|(proposal, _)| proposal.ticket == solution.refusals[0].ticket);
    assert_eq!(evidence.map(|(proposal, _)| proposal.scope), Some(Scope::Concerned), "the gates alone reject nothing");
    assert_eq!(solution.accepted.len(), 7);
}

#[test]
fn what_only_passed_the_gates_is_not_accepted_when_the_budget_ends() {
    let options = Options { gate_cost: 200, ..Options::default() };
    let mut search = Search::new(&atoms(8), &options);
    let Step::Try(first) = search.next(1) else { panic!("nothing to try") };
    assert_eq!(first[0].scope, Scope::Gate);
    search.record(first[0].ticket, Outcome::Passed);
    search.finish();
    let (asked, solution) = run_wide(&mut search, 1, |_| Outcome::Passed);
    assert!(asked.is_empty() && solution.accepted.is_empty() && solution.checkpoint.is_none());
}

#[test]
fn dear_gates_are_not_searched_first() {
    let options = Options { gate_cost: 400, ..Options::default() };
    let (asked, _) = run_wide(&mut Search::new(&atoms(8), &options), 1, |_| Outcome::Passed);
    assert!(asked.iter().all(|proposal| proposal.scope != Scope::Gate));
}

/// What several workers accept whose answers come in forty different orders is what one accepts.
fn ends_the_same_for_any_number_of_workers(plan: &[AtomSpec], world: &World) {
    let sorted = |solution: Solution| {
        let mut picks = accepted(&solution);
        picks.sort_unstable();
        picks
    };
    let one = sorted(run(plan, world.clone()).1);
    for order in 0..40 {
        let (mut world, room) = (world.clone(), 2 + usize::try_from(order).expect("small") % 7);
        let mut search = Search::new(plan, &Options::default());
        let run = drive_shuffled(&mut search, room, 1000, &mut Dice(order), |proposal| world.answer(proposal));
        assert_eq!(sorted(run.solution.expect("it ends")), one, "{room} workers, order {order}");
    }
}

#[test]
fn who_was_refused_before_what_it_needs_was_kept_is_looked_at_in_its_generation() {
    // One at a time 2 is tried on 0; side by side it may fail before 0 is kept, and 1, which clashes with it, came in later.
    let plan = [
        atom(&[(241, Breaking)]),
        atom(&[(484, Compatible)]),
        atom(&[(551, Compatible), (13, Compatible), (449, Breaking)]),
    ];
    let mut world = World::independent(vec![vec![Good], vec![Good], vec![Good, Good, Good]]);
    (world.conflicts, world.requires) = (vec![(1, 2)], vec![(2, 0), (1, 0)]);
    ends_the_same_for_any_number_of_workers(&plan, &world);
}

#[test]
fn a_part_that_fails_waits_for_the_whole_that_may_hold_its_partner() {
    // One at a time 0 and 1 are never cut apart, as they pass together; a clash would keep the pair out later.
    let plan = [101, 284, 496, 521].map(|risk| atom(&[(risk, Compatible)]));
    let mut world = World::independent(vec![vec![Good]; 4]);
    (world.conflicts, world.requires) = (vec![(2, 0)], vec![(0, 1)]);
    ends_the_same_for_any_number_of_workers(&plan, &world);
}
