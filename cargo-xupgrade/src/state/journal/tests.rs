//! The journal on a disk: what a killed run leaves, torn or whole, is taken up and nothing else.

use super::*;
use crate::clock::Instant;
use crate::state::facts::{Asked, Facts};
use crate::trial::{Cell, CellReport, Company, Exit, Freshness, Phase, Reading, TestEnd, TestName};

/// A header for tests.
#[must_use]
pub fn header() -> Header {
    Header {
        format: FORMAT,
        tool: "0".into(),
        base: "base".into(),
        as_of: Instant::parse("2026-01-01T00:00:00Z").unwrap(),
        flags: "flags".into(),
        plan: "plan".into(),
    }
}

/// A cell that ended this way, with one test in it.
#[must_use]
pub fn report(exit: Exit) -> CellReport {
    let name = TestName { unit: "a".into(), name: "b".into() };
    let reading = Reading { tests: [(name, TestEnd::Passed)].into(), ..Reading::default() };
    let mut cell = Cell::of("test", Phase::Test);
    cell.check.company = Company::Alone;
    CellReport { seconds: 1.5, dirtied: vec!["x".into()], strays: 1, ..cell.ended(exit, reading) }
}

/// What is asked about that cell on a tree.
#[must_use]
pub fn asked(tree: &str) -> Asked {
    let one = report(Exit::Code(0));
    Asked::new(tree, &one.cell, &one.words, Freshness::Cached)
}

/// The facts of a folder as a run that takes it up has them.
fn taken_up(folder: &Path, surroundings: &str) -> (Journal, Facts) {
    let mut journal = Journal::resume(folder, Past::read(folder).unwrap()).unwrap();
    let facts = journal.facts(surroundings.into());
    (journal, facts)
}

fn bytes(folder: &Path) -> Vec<u8> {
    fs::read(folder.join(JOURNAL)).unwrap()
}

#[test]
fn what_a_killed_run_had_finished_is_there_again_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    journal.facts("here".into()).keep(&asked("t"), &report(Exit::Code(0))).unwrap();
    drop(journal);
    let past = Past::read(folder.path()).unwrap();
    assert_eq!((past.header.clone(), past.is_unfinished(), past.facts.len()), (header(), true, 1));
    let (_journal, facts) = taken_up(folder.path(), "here");
    assert_eq!(facts.known(&asked("t")), Some(report(Exit::Code(0))));
}

#[test]
fn a_torn_last_line_is_cut_off_wherever_it_was_torn() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    let first = bytes(folder.path()).len();
    let facts = journal.facts("here".into());
    facts.keep(&asked("t"), &report(Exit::Code(0))).unwrap();
    let second = bytes(folder.path()).len();
    facts.keep(&asked("u"), &report(Exit::Code(1))).unwrap();
    drop(journal);
    let whole = bytes(folder.path());
    for length in 0..whole.len() {
        fs::write(folder.path().join(JOURNAL), &whole[..length]).unwrap();
        let Some(past) = Past::read(folder.path()) else {
            assert!(length < first, "a whole header is enough, at {length}");
            continue;
        };
        let expected = if length >= second { second } else { first };
        assert_eq!(past.length, expected as u64, "at {length}");
        drop(Journal::resume(folder.path(), past).unwrap());
        assert_eq!(bytes(folder.path()), whole[..expected], "at {length}");
    }
}

#[test]
fn a_run_that_said_its_end_is_done_and_one_that_went_on_after_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    let unfinished = [(End::Interrupted, true), (End::Budget, true), (End::Unpublished, true), (End::Done, false)];
    for (why, unfinished) in unfinished {
        journal.end(why).unwrap();
        assert_eq!(Past::read(folder.path()).unwrap().is_unfinished(), unfinished, "{why:?}");
    }
    journal.facts("here".into()).keep(&asked("t"), &report(Exit::Code(0))).unwrap();
    assert!(Past::read(folder.path()).unwrap().is_unfinished());
}

#[test]
fn a_journal_of_another_format_or_of_none_is_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Past::read(folder.path()).is_none());
    drop(Journal::begin(folder.path(), &Header { format: FORMAT + 1, ..header() }).unwrap());
    assert!(Past::read(folder.path()).is_none());
    fs::write(folder.path().join(JOURNAL), "{\"id\":\"baseline-1\"}\n").unwrap();
    assert!(Past::read(folder.path()).is_none());
}

#[test]
fn a_trial_that_was_told_before_is_not_told_again_unless_it_ended_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let mut trial = TrialSummary {
        id: "t1".into(),
        atoms: vec![],
        fresh: 0,
        why: None,
        parent: None,
        tree: "t".into(),
        verdict: crate::report::VerdictKind::Passed,
        text: String::new(),
        cleared: Vec::new(),
        seconds: 1.0,
        cells: vec![],
    };
    Journal::begin(folder.path(), &header()).unwrap().append(&trial).unwrap();
    let (mut journal, _) = taken_up(folder.path(), "here");
    let before = bytes(folder.path()).len();
    trial.seconds = 2.0;
    journal.append(&trial).unwrap();
    assert_eq!(bytes(folder.path()).len(), before);
    trial.verdict = crate::report::VerdictKind::Failed;
    journal.append(&trial).unwrap();
    assert!(bytes(folder.path()).len() > before);
}

#[test]
fn a_folder_that_two_runs_name_belongs_to_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = Journal::begin(folder.path(), &header()).unwrap();
    let before = bytes(folder.path());
    let error = Journal::begin(folder.path(), &header()).unwrap_err().to_string();
    assert!(error.contains("another run writes into"), "{error}");
    assert_eq!(bytes(folder.path()), before, "the second one has cleared nothing");
    drop(first);
}

#[test]
fn a_beginning_clears_what_the_last_run_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &header()).unwrap();
    journal.facts("here".into()).keep(&asked("t"), &report(Exit::Code(0))).unwrap();
    journal.keep("log/a", b"a").unwrap();
    drop(journal);
    drop(Journal::begin(folder.path(), &header()).unwrap());
    assert!(!folder.path().join("log/a").exists());
    assert_eq!(Past::read(folder.path()).unwrap().facts.len(), 0);
}
