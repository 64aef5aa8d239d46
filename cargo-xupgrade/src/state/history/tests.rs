//! What is remembered of a run, what is forgotten, and that a broken file is no error.

use super::*;
use crate::candidate::{Evidence, Reason};
use crate::report::Upgrade;
use crate::trial::CellKey;
use crate::trial::TestName;
use crate::verdict::CellBaseline;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn report(upgrades: Vec<Upgrade>, held: Vec<Held>) -> Report {
    let trial = |id: &str, seconds: f64| crate::report::TrialSummary {
        id: id.into(),
        atoms: vec![],
        fresh: 0,
        why: None,
        parent: None,
        tree: String::new(),
        verdict: crate::report::VerdictKind::Passed,
        text: String::new(),
        cleared: Vec::new(),
        seconds,
        cells: vec![crate::report::CellSummary { seconds, ..crate::report::CellSummary::from(&cell()) }],
    };
    let trials = vec![trial("baseline-1", 2.0), trial("baseline-2", 1.0), trial("t1", 9.0)];
    Report { upgrades, held, trials, ..Report::empty() }
}

fn cell() -> crate::trial::CellReport {
    crate::state::journal::tests::report(crate::trial::Exit::Code(0))
}

fn upgraded(name: &str, to: &str, failed_above: Vec<Held>) -> Upgrade {
    Upgrade { failed_above, ..Upgrade::of(name, to) }
}

fn held(name: &str, wanted: &str, kind: ReasonKind, trial: Option<&str>, tried: &[&str]) -> Held {
    let evidence = trial.map(|trial| {
        let tried = tried.iter().map(|text| version(text)).collect();
        Box::new(Evidence { trial: trial.into(), tried, ..Evidence::default() })
    });
    Held { wanted: Some(version(wanted)), ..Held::of(name, Reason { kind, text: String::new(), evidence }) }
}

/// What is known of each rung of a candidate.
fn known(history: &History, name: &str, rungs: &[&str]) -> Vec<Option<Before>> {
    let candidate = Candidate::of(name, rungs);
    let known = history.known();
    candidate.rungs.iter().map(|rung| known.of(&candidate, rung)).collect()
}

#[test]
fn what_passed_and_what_a_trial_refused_is_remembered_and_nothing_else() {
    let mut history = History::default();
    let above = held("a", "1.2.0", ReasonKind::TestFailed, Some("t2"), &[]);
    let holds = vec![
        held("b", "2.0.0", ReasonKind::BuildFailed, Some("t3"), &["2.0.0", "1.1.0"]),
        held("c", "1.1.0", ReasonKind::BaselineRed, Some("baseline-1"), &[]),
        held("d", "1.1.0", ReasonKind::Inconclusive, Some("t4"), &["1.1.0"]),
        held("e", "1.1.0", ReasonKind::TooYoung, None, &[]),
    ];
    history.learn(&report(vec![upgraded("a", "1.1.0", vec![above])], holds), &Flapped::new());
    assert_eq!(known(&history, "a", &["1.1.0", "1.2.0"]), [Some(Before::Passed), Some(Before::Failed)]);
    assert_eq!(known(&history, "b", &["1.1.0", "1.5.0", "2.0.0"]), [Some(Before::Failed), None, Some(Before::Failed)]);
    for name in ["c", "d", "e"] {
        assert_eq!(known(&history, name, &["1.1.0"]), [None], "{name}");
    }
}

#[test]
fn the_newest_answer_counts() {
    let mut history = History::default();
    let failed = || held("a", "1.1.0", ReasonKind::TestFailed, Some("t2"), &["1.1.0"]);
    history.learn(&report(vec![], vec![failed()]), &Flapped::new());
    history.learn(&report(vec![upgraded("a", "1.1.0", vec![])], vec![]), &Flapped::new());
    assert_eq!(known(&history, "a", &["1.1.0"]), [Some(Before::Passed)]);
    history.learn(&report(vec![], vec![failed()]), &Flapped::new());
    assert_eq!(known(&history, "a", &["1.1.0"]), [Some(Before::Failed)]);
    assert_eq!((history.versions[0].passed, history.versions[0].failed), (1, 2));
}

#[test]
fn the_set_of_last_time_is_found_by_version_in_a_new_plan() {
    let mut history = History::default();
    let set = vec![upgraded("z", "1.1.0", vec![]), upgraded("a", "1.2.0", vec![]), upgraded("gone", "1.0.1", vec![])];
    history.learn(&report(set, vec![]), &Flapped::new());
    let plan = [
        Candidate::of("a", &["1.0.1", "1.2.0", "1.3.0"]),
        Candidate::of("new", &["1.1.0"]),
        Candidate::of("z", &["1.1.0"]),
    ];
    assert_eq!(history.last_time(&plan), [Pick { atom: 0, rung: 1 }.into(), Pick { atom: 2, rung: 0 }.into()]);
    history.learn(&report(vec![], vec![]), &Flapped::new());
    assert_eq!(history.last_time(&plan).len(), 2, "a night without any upgrade takes nothing away");
}

#[test]
fn what_moved_as_one_last_time_is_one_again() {
    let together = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let first = Upgrade { together: together(&["cargo:b@1.2.0"]), ..upgraded("z", "1.1.0", vec![]) };
    let second = Upgrade { together: together(&["cargo:z@1.1.0"]), ..upgraded("b", "1.2.0", vec![]) };
    let mut history = History::default();
    history.learn(&report(vec![upgraded("a", "1.1.0", vec![]), first, second], vec![]), &Flapped::new());
    let text = serde_json::to_string(&history).unwrap();
    let history: History = serde_json::from_str(&text).unwrap();
    let plan = ["z", "a", "b"].map(|name| Candidate::of(name, &["1.1.0", "1.2.0"]));
    let pick = |atom, rung| Pick { atom, rung };
    assert_eq!(history.last_time(&plan), [Joint::new(pick(0, 0), &[pick(2, 1)]), pick(1, 0).into()]);
}

fn baseline(tests: &[&str], flaky: &[&str]) -> Baseline {
    let name = |test: &&str| TestName { unit: "app".into(), name: (*test).to_owned() };
    let cell = CellBaseline {
        names: tests.iter().map(name).collect(),
        flaky: flaky.iter().map(name).collect(),
        ..CellBaseline::default()
    };
    Baseline { cells: [(CellKey::of("test"), cell)].into(), ..Baseline::default() }
}

#[test]
fn a_test_that_flapped_once_is_flaky_in_the_next_baseline_too_until_it_was_quiet_for_long() {
    let mut history = History::default();
    history.learn(&report(vec![], vec![]), &flapped(&baseline(&["a", "b"], &["b"])));
    let joined = |history: &History| {
        let mut next = baseline(&["a", "b"], &[]);
        history.join(&mut next);
        next.cells.into_values().flat_map(|cell| cell.flaky).map(|test| test.name).collect::<Vec<_>>()
    };
    assert_eq!((joined(&history), history.flaky[0].runs), (vec!["b".to_owned()], 1));
    for _ in 1..QUIET {
        history.learn(&report(vec![], vec![]), &Flapped::new());
    }
    assert_eq!(joined(&history), ["b"]);
    history.learn(&report(vec![], vec![]), &Flapped::new());
    assert_eq!(joined(&history), [""; 0]);
}

#[test]
fn a_test_that_is_flaky_already_is_not_joined_twice() {
    let mut history = History::default();
    history.learn(&report(vec![], vec![]), &flapped(&baseline(&["b"], &["b"])));
    let mut next = baseline(&["b"], &["b"]);
    history.join(&mut next);
    assert_eq!(next.cells.values().next().unwrap().flaky.len(), 1);
}

#[test]
fn a_history_is_read_as_it_was_written_and_a_broken_one_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(History::read(folder.path()), Ok(History::default()));
    let mut history = History::default();
    let above = held("a", "1.2.0", ReasonKind::TestFailed, Some("t2"), &[]);
    history.learn(&report(vec![upgraded("a", "1.1.0", vec![above])], vec![]), &flapped(&baseline(&["b"], &["b"])));
    history.write(folder.path()).unwrap();
    assert_eq!(History::read(folder.path()), Ok(history.clone()));
    let path = folder.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    for broken in [&text[..text.len() / 2], "", "[]", "{}"] {
        fs::write(&path, broken).unwrap();
        assert!(History::read(folder.path()).unwrap_err().contains("history.json is ignored"));
    }
    fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(History::read(folder.path()).unwrap_err().contains("another version"));
}

#[test]
fn the_oldest_is_forgotten_when_there_is_too_much() {
    let mut history = History::default();
    history.learn(&report(vec![upgraded("old", "1.1.0", vec![])], vec![]), &Flapped::new());
    let mut later = report(vec![], vec![]);
    later.as_of = Instant::parse("2026-02-01T00:00:00Z").unwrap();
    later.upgrades = (0..VERSIONS).map(|number| upgraded("new", &format!("1.1.{number}"), vec![])).collect();
    history.learn(&later, &Flapped::new());
    assert_eq!(history.versions.len(), VERSIONS);
    assert_eq!(known(&history, "old", &["1.1.0"]), [None]);
    assert_eq!(known(&history, "new", &["1.1.0"]), [Some(Before::Passed)]);
}
