//! Facts: the k-th one who asks gets the k-th answer, and what is not finished is no fact.

use super::*;
use crate::state::journal::tests::{asked, header, report};
use crate::state::journal::{Journal, Past};
use crate::trial::Exit;

/// Facts in a folder: one that keeps these answers in the journal, and then one that takes them up.
fn after(surroundings: &str, answers: &[(&str, Exit)]) -> (tempfile::TempDir, Journal, Facts) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    let facts = journal.facts("here".into());
    for (tree, exit) in answers {
        facts.keep(&asked(tree), &report(exit.clone())).unwrap();
    }
    drop((journal, facts));
    let mut journal = Journal::resume(folder.path(), Past::read(folder.path()).unwrap()).unwrap();
    let facts = journal.facts(surroundings.into());
    (folder, journal, facts)
}

#[test]
fn the_second_one_who_asks_gets_the_second_answer_and_the_third_has_to_run() {
    let (_folder, _journal, facts) = after("here", &[("t", Exit::Code(0)), ("t", Exit::Code(1))]);
    assert_eq!(facts.len(), 2);
    let exits = [facts.known(&asked("t")), facts.known(&asked("t")), facts.known(&asked("t"))];
    assert_eq!(exits.map(|one| one.map(|report| report.exit)), [Some(Exit::Code(0)), Some(Exit::Code(1)), None]);
    assert!(facts.is_empty());
}

#[test]
fn another_question_has_another_answer() {
    let (_folder, _journal, facts) = after("here", &[("t", Exit::Code(0))]);
    let with = |change: &dyn Fn(&mut Asked)| {
        let mut other = asked("t");
        change(&mut other);
        other
    };
    let others = [
        with(&|one| one.tree = "u".into()),
        with(&|one| one.project = "go .".into()),
        with(&|one| one.check = "gate".into()),
        with(&|one| one.words.push("-v".into())),
        with(&|one| one.dir = "x".into()),
        with(&|one| drop(one.env.insert("A".into(), "1".into()))),
        with(&|one| one.freshness = Freshness::Afresh),
    ];
    for other in others {
        assert_eq!(facts.known(&other), None, "{other:?}");
    }
}

#[test]
fn a_fact_from_other_surroundings_is_none_here() {
    let (_folder, _journal, facts) = after("elsewhere", &[("t", Exit::Code(0))]);
    assert!(facts.is_empty());
}

#[test]
fn what_is_not_finished_is_not_kept() {
    let unfinished = [Exit::Interrupted, Exit::NotStarted("gone".into()), Exit::Signal(9)];
    let answers: Vec<(&str, Exit)> = unfinished.into_iter().map(|exit| ("t", exit)).collect();
    let (folder, _journal, facts) = after("here", &answers);
    assert!(facts.is_empty());
    let mut noisy = report(Exit::Code(1));
    noisy.reading.noise = Some("no space left".into());
    facts.keep(&asked("t"), &noisy).unwrap();
    assert_eq!(Past::read(folder.path()).unwrap().facts.len(), 0);
    noisy.exit = Exit::Code(0);
    facts.keep(&asked("t"), &noisy).unwrap();
    facts.keep(&asked("t"), &report(Exit::TimedOut)).unwrap();
    let numbers: Vec<usize> = Past::read(folder.path()).unwrap().facts.iter().map(|fact| fact.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn answers_of_a_run_that_was_taken_up_are_numbered_on() {
    let (folder, _journal, facts) = after("here", &[("t", Exit::Code(0))]);
    facts.keep(&asked("t"), &report(Exit::Code(1))).unwrap();
    let numbers: Vec<usize> = Past::read(folder.path()).unwrap().facts.iter().map(|fact| fact.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn no_log_of_a_known_answer_is_written_over() {
    let mut other = report(Exit::Code(0));
    other.log = "log/y.log".into();
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    journal.facts("here".into()).keep(&asked("t"), &other).unwrap();
    drop(journal);
    let mut journal = Journal::resume(folder.path(), Past::read(folder.path()).unwrap()).unwrap();
    let facts = journal.facts("here".into());
    assert_eq!(facts.free_log("log/y.log"), "log/y-2.log");
    assert_eq!(facts.free_log("log/z.log"), "log/z.log");
}

#[test]
fn no_log_of_an_answer_is_written_over_be_it_an_old_one_or_a_new_one() {
    let (_folder, _journal, facts) = after("here", &[("t", Exit::Code(0))]);
    let mut again = report(Exit::Code(0));
    let stem = again.log.trim_end_matches(".log").to_owned();
    let second = facts.free_log(&again.log);
    assert_eq!(second, format!("{stem}-2.log"));
    again.log.clone_from(&second);
    facts.keep(&asked("u"), &again).unwrap();
    assert_eq!(facts.free_log(&second), format!("{stem}-2-2.log"), "a second run of the same check wants this name");
}
