//! The runs of the tests before anything is published, on small worlds: when they come, and what a failure in them leads to.

use xupgrade_search::sim::counted;
use xupgrade_search::{Options, Outcome, Proof, Proposal, Scope, Search, Step};

use super::atoms;
use super::rule::{fails, has, run_wide};

#[test]
fn the_tests_of_what_passed_run_again_and_again_unless_the_budget_ends_before() {
    let options = Options { more_runs: 18, ..Options::default() };
    let often = |asked: &[Proposal]| asked.iter().filter(|one| matches!(one.scope, Scope::Often { runs: 18 })).count();
    let (asked, _) = run_wide(&mut Search::new(&atoms(3), &options), 1, |_| Outcome::Passed);
    assert_eq!(often(&asked), 1);
    let mut search = Search::new(&atoms(3), &options);
    for _ in 0..2 {
        let Step::Try(next) = search.next(1) else { panic!("nothing to try") };
        search.record(next[0].ticket, Outcome::Passed);
    }
    search.finish();
    let (asked, solution) = run_wide(&mut search, 1, |_| Outcome::Passed);
    assert_eq!((often(&asked), solution.checkpoint.is_some()), (0, true));
}

/// A search of three with runs before publishing: the third fails the whole matrix, and with the first a test fails in these runs.
/// `again` answers for the tests that run again: with that first pick, and in which hunt (from 0).
fn published_after_more_runs(again: impl Fn(&Proposal, bool, usize) -> Outcome) -> Option<Vec<usize>> {
    let options = Options { more_runs: 18, ..Options::default() };
    let mut hunts = Vec::new();
    let (_, solution) = run_wide(&mut Search::new(&atoms(3), &options), 1, |proposal| match proposal.scope {
        Scope::Again { of, .. } => {
            let hunt = hunts.iter().position(|one| *one == of).unwrap_or(hunts.len());
            hunts.extend((hunt == hunts.len()).then_some(of));
            again(proposal, has(proposal, 0), hunt)
        }
        Scope::Often { .. } if has(proposal, 0) => fails(Proof::Tests),
        Scope::Full if has(proposal, 2) => fails(Proof::Certain),
        _ => Outcome::Passed,
    });
    solution.checkpoint.map(|checkpoint| checkpoint.picks().iter().map(|pick| pick.atom).collect())
}

#[test]
fn what_fails_in_the_runs_before_publishing_is_held_against_the_base_and_not_against_what_passed_by_chance() {
    let by_name = |proposal: &Proposal, red: bool, _| counted(proposal, || red);
    assert_eq!(published_after_more_runs(by_name), Some(vec![1]));
}

#[test]
fn what_fails_in_these_runs_and_never_by_name_is_asked_about_once_more_before_it_stands() {
    let amid_others = |proposal: &Proposal, red: bool, hunt| counted(proposal, || red && hunt > 0);
    assert_eq!(published_after_more_runs(amid_others), Some(vec![1]));
    assert_eq!(published_after_more_runs(|proposal, _, _| counted(proposal, || false)), Some(vec![0, 1]));
}

#[test]
fn without_an_answer_to_a_failure_in_these_runs_nothing_is_published() {
    assert_eq!(published_after_more_runs(|_, _, _| Outcome::Inconclusive), None);
}
