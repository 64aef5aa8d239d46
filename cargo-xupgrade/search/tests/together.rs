//! Small worlds in which failures tell more than that they failed: where to look, and who may belong together.

mod rule;

use Break::{Breaking, Compatible};
use Rung::{Bad, Good, Red};
use rule::*;
use xupgrade_search::sim::{Rung, World};
use xupgrade_search::{
    AtomSpec, Break, Fate, Joint, Mark, Options, Outcome, Pick, Proof, Proposal, Scope, Search, Solution, Step, Why,
};

#[test]
fn two_that_only_pass_together_are_tried_as_one_when_the_failure_names_the_other() {
    let plan = vec![atom(&[(100, Compatible)]); 12];
    let (asked, solution) = run_wide(&mut Search::new(&plan, &Options::default()), 1, |proposal| {
        if has(proposal, 2) == has(proposal, 9) {
            return Outcome::Passed;
        }
        Outcome::Failed { suspects: vec![], partners: vec![2, 9], marks: vec![], proof: Proof::Certain, only: None }
    });
    assert_eq!(solution.picks().len(), 12);
    assert_eq!(asked.iter().filter(|proposal| proposal.why == Why::Pair).count(), 1);
}

/// The joint of a trial that an atom is in.
fn joint_of(proposal: &Proposal, atom: usize) -> Option<&Joint> {
    proposal.joints.iter().find(|joint| joint.has(atom))
}

/// Drives a search in a world in which the first of two is taken only in one step with the other.
fn run_joined(
    plan: &[AtomSpec],
    (one, other): (usize, usize),
    answer: impl Fn(&Proposal) -> Outcome,
) -> (Vec<Proposal>, Solution) {
    let (mut search, mut asked) = (Search::new(plan, &Options::default()), Vec::new());
    while let Step::Try(proposals) = search.next(1) {
        for proposal in proposals {
            let pick = |atom| proposal.picks().into_iter().find(|pick| pick.atom == atom);
            if let (Some(first), Some(second)) = (pick(one), pick(other)) {
                search.join(proposal.ticket, Joint::new(first, &[second]));
            }
            search.record(proposal.ticket, answer(&proposal));
            asked.push(proposal);
        }
    }
    let Step::Done(solution) = search.next(1) else { panic!("it has an end") };
    (asked, solution)
}

#[test]
fn the_newest_part_of_what_was_written_in_one_step_is_to_blame_and_the_rest_is_tried_below() {
    let mut plan = vec![atom(&[(100, Compatible)]); 4];
    plan[3] = atom(&[(100, Compatible), (500, Breaking)]);
    let high = Pick { atom: 3, rung: 1 };
    let (_, solution) = run_joined(&plan, (0, 3), |proposal| match proposal.scope {
        Scope::Full if proposal.picks().contains(&high) => fails(Proof::Certain),
        _ => Outcome::Passed,
    });
    let mut published = solution.checkpoint.expect("the lower one passes").picks();
    published.sort();
    assert_eq!(published, [0, 1, 2, 3].map(|atom| Pick { atom, rung: 0 }));
    assert_eq!(solution.refusals.iter().map(|refusal| refusal.pick).collect::<Vec<_>>(), [high]);
}

#[test]
fn the_mate_of_one_that_is_taken_out_is_tried_at_its_height_though_it_has_a_lower_one_to_go_back_to() {
    let mut plan = vec![atom(&[(100, Compatible)]); 4];
    plan[2] = atom(&[(100, Compatible), (500, Breaking)]);
    plan[3] = atom(&[(600, Breaking)]);
    let (asked, solution) = run_joined(&plan, (3, 2), |proposal| match proposal.scope {
        Scope::Full if has(proposal, 3) => fails(Proof::Certain),
        _ => Outcome::Passed,
    });
    let mut published = solution.checkpoint.expect("the rest passes").picks();
    published.sort();
    assert_eq!(published, [(0, 0), (1, 0), (2, 1)].map(|(atom, rung)| Pick { atom, rung }), "{asked:#?}");
}

#[test]
fn what_is_written_in_one_step_only_since_another_one_left_is_one_before_anybody_is_blamed() {
    // 1 is taken alone where 0 is, and else only with 2; the whole matrix takes out 0, then 3.
    let plan = vec![atom(&[(100, Compatible)]); 4];
    let (mut search, mut asked) = (Search::new(&plan, &Options::default()), Vec::new());
    while let Step::Try(proposals) = search.next(1) {
        for proposal in proposals {
            let place = |atom| proposal.joints.iter().position(|joint| joint.has(atom));
            let apart = place(1).is_some() && place(1) != place(2) && !has(&proposal, 0);
            if apart && has(&proposal, 2) {
                search.join(proposal.ticket, Joint::new(Pick { atom: 1, rung: 0 }, &[Pick { atom: 2, rung: 0 }]));
            }
            let is_bad = apart && !has(&proposal, 2)
                || proposal.scope == Scope::Full && (has(&proposal, 0) || has(&proposal, 3));
            search.record(proposal.ticket, if is_bad { fails(Proof::Certain) } else { Outcome::Passed });
            asked.push(proposal);
        }
    }
    let Step::Done(solution) = search.next(1) else { panic!("it has an end") };
    let published: Vec<usize> = solution.checkpoint.expect("two pass").picks().iter().map(|pick| pick.atom).collect();
    assert_eq!(published, [1, 2], "{asked:#?}");
}

#[test]
fn what_landed_as_one_last_time_lowers_nothing() {
    let plan = vec![atom(&[(100, Compatible), (100, Compatible)]); 2];
    let pick = |atom, rung| Pick { atom, rung };
    let options = Options {
        last_time: vec![Joint::new(pick(0, 0), &[pick(1, 0)])],
        at_once: vec![pick(0, 1)],
        ..Options::default()
    };
    let (asked, solution) = run_wide(&mut Search::new(&plan, &options), 1, |proposal| {
        if has(proposal, 1) { fails(Proof::Certain) } else { Outcome::Passed }
    });
    assert_eq!(solution.picks(), [pick(0, 1)], "{asked:#?}");
    assert!(asked.iter().all(|proposal| !proposal.picks().contains(&pick(0, 0))), "{asked:#?}");
}

#[test]
fn what_moved_as_one_last_time_is_one_in_the_set_that_resolves_at_once_or_tried_right_after_it() {
    let mut plan = vec![atom(&[(100, Compatible)]); 5];
    plan[4] = atom(&[(100, Compatible), (500, Breaking)]);
    let pick = |atom, rung| Pick { atom, rung };
    let tell = |last_time: Vec<Joint>| {
        let at_once = (0..5).map(|atom| pick(atom, 0)).collect();
        let options = Options { last_time, at_once, ..Options::default() };
        run_wide(&mut Search::new(&plan, &options), 1, |_| Outcome::Passed).0
    };
    let asked = tell(vec![Joint::new(pick(1, 0), &[pick(3, 0)]), pick(2, 0).into()]);
    assert_eq!((asked[0].why, joint_of(&asked[0], 1)), (Why::AtOnce, joint_of(&asked[0], 3)));
    assert!(asked.iter().all(|proposal| proposal.why != Why::LastTime), "what is there is not tried again");
    let pair = Joint::new(pick(0, 0), &[pick(4, 1)]);
    let asked = tell(vec![pair.clone(), pick(2, 0).into()]);
    assert_eq!((asked[1].why, asked[1].fresh_picks()), (Why::LastTime, pair.picks().to_vec()));
}

#[test]
fn what_was_written_in_one_step_stays_one_when_a_part_of_it_is_lifted() {
    let mut plan = vec![atom(&[(100, Compatible)]); 6];
    plan[4] = atom(&[(100, Compatible), (500, Breaking)]);
    let (asked, solution) = run_joined(&plan, (1, 4), |_| Outcome::Passed);
    let lift =
        asked.iter().find(|proposal| proposal.picks().contains(&Pick { atom: 4, rung: 1 })).expect("it is lifted");
    assert_eq!(lift.fresh_picks(), [Pick { atom: 4, rung: 1 }, Pick { atom: 1, rung: 0 }]);
    assert_eq!(solution.fates[4], Fate::Accepted { rung: 1, ticket: lift.ticket, group: 1 });
    assert_eq!(solution.checkpoint.expect("all passes").joints.len(), 5);
}

#[test]
fn one_that_was_written_with_another_is_tried_by_itself_when_the_whole_matrix_takes_that_one_out() {
    let plan = vec![atom(&[(100, Compatible)]); 6];
    let (asked, solution) = run_joined(&plan, (2, 5), |proposal| match proposal.scope {
        Scope::Full if has(proposal, 2) => fails(Proof::Certain),
        _ => Outcome::Passed,
    });
    let full = asked.iter().find(|proposal| proposal.scope == Scope::Full).expect("it is verified");
    assert_eq!(joint_of(full, 2), joint_of(full, 5), "what is written in one step is one");
    let published: Vec<usize> =
        solution.checkpoint.expect("the rest passes").picks().iter().map(|pick| pick.atom).collect();
    assert_eq!(published, [0, 1, 3, 4, 5]);
}

/// How many trials of losers as one there are, and how many are accepted, where `losers` fail unless 0 and 1 are both there.
fn pairs_of(losers: &[usize], proof: Proof) -> (usize, usize) {
    let plan = vec![atom(&[(700, Compatible)]); 4];
    let (asked, solution) = run_wide(&mut Search::new(&plan, &Options::default()), 1, |proposal| {
        let lacks = has(proposal, 0) != has(proposal, 1);
        let is_bad = losers.iter().any(|&loser| loser > 1 && has(proposal, loser));
        if lacks || is_bad { fails(proof) } else { Outcome::Passed }
    });
    (asked.iter().filter(|proposal| proposal.why == Why::Pair).count(), solution.picks().len())
}

#[test]
fn two_losers_whose_failures_name_nothing_are_tried_as_one() {
    assert_eq!(pairs_of(&[0, 1], Proof::Certain), (1, 4));
    assert_eq!(pairs_of(&[0, 1], Proof::Tests), (1, 4));
}

#[test]
fn three_losers_are_tried_in_pairs_only_where_nothing_but_tests_failed() {
    assert_eq!(pairs_of(&[0, 1, 2], Proof::Tests), (2, 3), "all three, then the first two of them");
    assert_eq!(pairs_of(&[0, 1, 2], Proof::Certain), (1, 1), "who does not compile for want of another names it");
}

/// How many trials of losers as one there are, and how many are accepted, where 0 and 1 fail the test `shared` alone and
/// pass together, and each of 2 to 5 fails a test of its own.
fn pairs_among_six(shared: fn(usize) -> u64) -> (usize, usize) {
    let plan = vec![atom(&[(700, Compatible)]); 6];
    let (asked, solution) = run_wide(&mut Search::new(&plan, &Options::default()), 1, |proposal| {
        let lacking = (0..2).filter(|&atom| has(proposal, atom) && !has(proposal, 1 - atom)).map(shared);
        let own = (2..6).filter(|&atom| has(proposal, atom)).map(|atom| 10 + atom as u64);
        let tests: Vec<u64> = lacking.chain(own).collect();
        let failed = |tests| Outcome::Failed {
            suspects: vec![],
            partners: vec![],
            marks: vec![Mark { tests, within: vec![] }],
            proof: Proof::Tests,
            only: None,
        };
        if tests.is_empty() { Outcome::Passed } else { failed(tests) }
    });
    (asked.iter().filter(|proposal| proposal.why == Why::Pair).count(), solution.picks().len())
}

#[test]
fn of_many_losers_those_that_fail_the_same_test_are_tried_as_one_and_no_others() {
    assert_eq!(pairs_among_six(|_| 7), (1, 2));
    assert_eq!(pairs_among_six(|atom| atom as u64), (0, 0), "nothing says that they belong together");
}

#[test]
fn a_failure_that_says_where_to_look_takes_fewer_trials() {
    let plan = vec![atom(&[(100, Compatible)]); 16];
    let trials = |stands: Vec<Vec<usize>>| {
        let mut rungs = vec![vec![Good]; 16];
        rungs[4][0] = Bad;
        let mut world = World::independent(rungs);
        world.stands = stands;
        let (run, solution) = run(&plan, world);
        assert_eq!(solution.picks().len(), 15);
        run.trials.len()
    };
    let (told, untold) = (trials((0..16).map(|atom| vec![atom]).collect()), trials(vec![]));
    assert!(told < untold, "{told} and {untold}");
    let wrong = trials((0..16).map(|atom| vec![if atom == 4 { 20 } else { atom }]).collect());
    assert_eq!(wrong, told, "only what it names is looked at");
}

#[test]
fn what_a_culprit_does_not_explain_is_looked_for_in_its_group_before_others_join() {
    let plan = vec![atom(&[(60, Compatible)]); 24];
    let mut rungs = vec![vec![Good]; 24];
    (rungs[2][0], rungs[3][0]) = (Red, Red);
    let (run, solution) = run(&plan, World::independent(rungs));
    assert_eq!(solution.picks().len(), 22);
    let searched = run.trials.iter().filter(|(proposal, _)| proposal.scope == Scope::Concerned);
    let fresh = |proposal: &Proposal| proposal.fresh_picks().iter().map(|pick| pick.atom).collect::<Vec<_>>();
    let fresh: Vec<Vec<usize>> = searched.map(|(proposal, _)| fresh(proposal)).collect();
    assert_eq!(fresh[1..5], [vec![0, 1, 2, 3, 4], vec![0, 1], vec![2], vec![3]], "then 4 and others: {fresh:?}");
}
