//! Failures for no pick's sake: when trials that failed count as passed, test by test.

use xupgrade_search::sim::counted;
use xupgrade_search::{Count, Fate, Options, Outcome, Proof, Proposal, Reach, Scope, Search, Solution};

use super::atoms;
use super::rule::{has, run_wide};

/// A search of one upgrade. `red` gives the test that fails in the n-th run (from 0) of the scope, if one does, and `known` says
/// that nothing else did. By name each test passes, and beside others they fail in `clash` with the upgrade. The trials of the
/// search and of the whole matrix, its end, and the number of trials that count as passed although they failed.
fn searched(known: bool, clash: bool, red: impl Fn(Scope, u64) -> Option<u64>) -> ([usize; 2], Solution, usize) {
    let mut search = Search::new(&atoms(1), &Options::default());
    let mut runs = [0; 2];
    let (_, solution) = run_wide(&mut search, 1, |proposal: &Proposal| {
        let run = match proposal.scope {
            Scope::Concerned => &mut runs[0],
            Scope::Full => &mut runs[1],
            Scope::Again { reach, .. } => {
                return counted(proposal, || clash && reach == Reach::Units && has(proposal, 0));
            }
            _ => return Outcome::Passed,
        };
        *run += 1;
        let Some(test) = red(proposal.scope, *run as u64 - 1) else { return Outcome::Passed };
        let only = known.then(|| [test].into());
        Outcome::Failed { suspects: vec![], partners: vec![], marks: vec![], proof: Proof::Tests, only }
    });
    (runs, solution, search.cleared().len())
}

#[test]
fn runs_of_which_each_fails_with_another_test_that_nobody_is_to_blame_for_count_as_passed() {
    let (runs, solution, cleared) = searched(true, false, |_, run| Some(run));
    assert_eq!(runs, [2, 3], "each test passed in one run of the search, and in two of the whole matrix");
    assert!(matches!(solution.fates[0], Fate::Accepted { .. }), "{:?}", solution.fates);
    assert_eq!(solution.checkpoint.expect("it is proved").proven_by.len(), 3);
    assert_eq!(cleared, 5);
}

#[test]
fn an_upgrade_with_which_another_test_fails_each_time_and_none_by_name_is_rejected_for_what_its_unit_does() {
    let (runs, solution, _) = searched(true, true, |_, run| Some(run));
    assert!(matches!(solution.fates[0], Fate::Rejected { .. }), "{:?}", solution.fates);
    assert_eq!((runs, solution.checkpoint), ([2, 0], None));
    let (_, solution, _) = searched(true, true, |scope, run| (scope == Scope::Full).then_some(run));
    assert_eq!(solution.checkpoint, None, "{:?}", solution.fates);
}

#[test]
fn a_run_in_which_all_passed_counts_beside_one_that_did_not_and_is_the_newest_proof() {
    let (runs, solution, cleared) =
        searched(true, false, |scope, run| (scope == Scope::Full && run == 0).then_some(run));
    assert_eq!((runs, cleared), ([1, 3], 1));
    let proofs = solution.checkpoint.expect("it is proved").proven_by;
    let numbers: Vec<u64> = proofs.iter().map(|ticket| ticket.number()).collect();
    assert_eq!(numbers, [2, 5, 6], "of the runs of the whole matrix the first last");
}

#[test]
fn what_fails_in_each_run_with_a_test_that_is_green_by_name_is_inconclusive_and_in_the_whole_matrix_rejected() {
    let (_, solution, cleared) = searched(true, false, |_, _| Some(7));
    assert!(matches!(solution.fates[0], Fate::Inconclusive { .. }), "{:?}", solution.fates);
    let (runs, solution, _) = searched(true, false, |scope, _| (scope == Scope::Full).then_some(7));
    assert!(matches!(solution.fates[0], Fate::Rejected { .. }), "{:?}", solution.fates);
    assert_eq!((runs, cleared, solution.checkpoint), ([1, 4], 0, None));
}

#[test]
fn where_more_may_have_failed_than_the_tests_that_are_named_no_run_counts() {
    let (_, solution, cleared) = searched(false, false, |_, run| Some(run));
    assert!(matches!(solution.fates[0], Fate::Inconclusive { .. }), "{:?}", solution.fates);
    assert_eq!(cleared, 0);
}

#[test]
fn failures_of_the_whole_matrix_of_both_kinds_in_turn_come_to_an_end() {
    let mut search = Search::new(&atoms(1), &Options::default());
    let mut full = 0;
    let (_, solution) = run_wide(&mut search, 1, |proposal: &Proposal| match proposal.scope {
        Scope::Full => {
            full += 1;
            let only = (full % 2 == 1).then(|| [7].into());
            Outcome::Failed { suspects: vec![], partners: vec![], marks: vec![], proof: Proof::Tests, only }
        }
        Scope::Again { .. } => counted(proposal, || false),
        _ => Outcome::Passed,
    });
    assert_eq!((solution.checkpoint, full < 10), (None, true), "{full} runs");
}

#[test]
fn whole_units_run_with_and_without_the_upgrade_as_often_as_the_caller_allows() {
    for limit in [20, 60] {
        let options = Options { runs_of_units: limit, ..Options::default() };
        let (mut failed, mut ran) = (0, [0; 2]);
        let (_, solution) = run_wide(&mut Search::new(&atoms(1), &options), 1, |proposal| match proposal.scope {
            Scope::Again { runs, reach: Reach::Units, .. } => {
                let with = usize::from(has(proposal, 0));
                let red = u32::from(with == 1 && ran[1] == 0);
                ran[with] += runs;
                Outcome::Counted { tests: vec![Count { test: Some(0), red, green: runs - red }] }
            }
            Scope::Again { .. } => counted(proposal, || false),
            Scope::Concerned => {
                failed += 1;
                let only = Some([failed].into());
                Outcome::Failed { suspects: vec![], partners: vec![], marks: vec![], proof: Proof::Tests, only }
            }
            _ => Outcome::Passed,
        });
        assert!(matches!(solution.fates[0], Fate::Accepted { .. }), "{:?}", solution.fates);
        assert_eq!(ran, [limit; 2]);
    }
}
