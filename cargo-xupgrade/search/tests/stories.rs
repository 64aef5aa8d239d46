//! Small worlds, trial by trial: what is proposed, why, and what is concluded.

use Break::{Breaking, Compatible};
use Rung::{Bad, Good};
use xupgrade_search::sim::{Reveal, Run, Rung, World, drive};
use xupgrade_search::{
    AtomSpec, Break, Depth, Fate, Options, Outcome, Pick, Proposal, RungSpec, Search, Solution, Strategy, Why,
};

fn atom(rungs: &[(u16, Break)]) -> AtomSpec {
    AtomSpec {
        rungs: rungs.iter().map(|&(risk, breaking)| RungSpec { risk, breaking, depth: Depth::Rung }).collect(),
        kin: 0,
    }
}

fn atoms(count: usize) -> Vec<AtomSpec> {
    vec![atom(&[(10, Compatible)]); count]
}

fn run(atoms: &[AtomSpec], mut world: World) -> (Run, Solution) {
    let run = drive(
        &mut Search::new(atoms, &Options { strategy: Strategy::Split, ..Options::default() }),
        1000,
        |proposal| world.answer(proposal),
    );
    let solution = run.solution.clone().expect("a small world ends");
    (run, solution)
}

/// The fresh atoms of each trial before the last ones, which verify, and why it was chosen.
fn told(run: &Run) -> Vec<(Vec<usize>, Why)> {
    let line = |(proposal, _): &(Proposal, Outcome)| {
        (proposal.fresh_picks().iter().map(|pick| pick.atom).collect(), proposal.why)
    };
    run.trials.iter().filter(|(proposal, _)| proposal.why != Why::Verify).map(line).collect()
}

fn accepted(solution: &Solution) -> Vec<(usize, usize)> {
    solution.accepted.iter().map(|&Pick { atom, rung }| (atom, rung)).collect()
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
    assert_eq!(run.trials[0].0.picks, [Pick { atom: 0, rung: 0 }, Pick { atom: 1, rung: 0 }]);
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
