//! The loop, with an executor that answers from a rule: what is searched, confirmed and left.

use std::collections::BTreeMap;

use xupgrade_search::Strategy;

use super::*;
use crate::candidate::{Candidate, EcosystemKind, Level as Size, Role, Rung, Version};
use crate::clock::Instant;
use crate::executor::Order;
use crate::executor::fake::{Answer, Fake};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn candidate(name: &str, versions: &[&str]) -> Candidate {
    let rung = |text: &&str| Rung { version: version(text), level: Size::Minor, breaking: false, published: None };
    Candidate {
        ecosystem: EcosystemKind::Cargo,
        name: name.into(),
        role: Role::Direct,
        project: ".".into(),
        at: version("1.0.0"),
        rungs: versions.iter().map(rung).collect(),
        places: vec![],
        urgent: None,
        switch: None,
        beyond: None,
    }
}

fn plan(candidates: Vec<Candidate>) -> Plan {
    Plan {
        base: "base".into(),
        as_of: Instant::parse("2026-01-01T00:00:00Z").unwrap(),
        projects: vec![],
        candidates,
        held: vec![],
        newest: vec![],
        cells: vec![],
        cooldowns: vec![],
        frozen: vec![],
        set_aside: vec![],
        not_replayable: vec![],
    }
}

fn three() -> Plan {
    plan(vec![candidate("a", &["1.1.0"]), candidate("b", &["1.0.1", "1.1.0"]), candidate("c", &["1.1.0"])])
}

/// Searches and confirms; gives the checkpoint and the verdict of each trial by name.
fn run(plan: &Plan, rule: impl Fn(&Order) -> Answer) -> (Checkpoint, BTreeMap<String, Verdict>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let baseline = Baseline::default();
    let mut engine = Engine {
        plan,
        baseline: &baseline,
        unexercised: Unexercised::Allow,
        listener: &|_: &Event| {},
        stop: Stop::never(),
        journal: &mut journal,
        trials: Vec::new(),
    };
    let mut fake = Fake::new(rule);
    let searched = engine.search(&mut fake, &Options::default()).unwrap();
    let accepted: Vec<Atom> =
        searched.solution.accepted.iter().map(|pick| Atom { candidate: pick.atom, rung: pick.rung }).collect();
    let checkpoint = engine.confirm(&mut fake, &accepted).unwrap();
    let verdicts = engine.trials.iter().map(|trial| (trial.id.clone(), trial.verdict.clone())).collect();
    (checkpoint, verdicts, fake.taken)
}

fn has(order: &Order, candidate: usize, rung: usize) -> bool {
    order.atoms.contains(&Atom { candidate, rung })
}

fn names(plan: &Plan, atoms: &[Atom]) -> Vec<String> {
    let mut names: Vec<String> = atoms
        .iter()
        .map(|atom| {
            format!(
                "{} {}",
                plan.candidates[atom.candidate].name, plan.candidates[atom.candidate].rungs[atom.rung].version
            )
        })
        .collect();
    names.sort();
    names
}

#[test]
fn what_passes_together_is_confirmed_by_one_full_run() {
    let plan = three();
    let (checkpoint, verdicts, taken) = run(&plan, |_| Answer::Green);
    assert_eq!(names(&plan, &checkpoint.atoms), ["a 1.1.0", "b 1.1.0", "c 1.1.0"]);
    assert_eq!(taken.last().unwrap(), "full-1");
    assert!(verdicts.values().all(|verdict| *verdict == Verdict::Passed));
}

#[test]
fn an_upgrade_that_fails_lands_one_rung_lower() {
    let plan = three();
    let (checkpoint, ..) = run(&plan, |order| if has(order, 1, 1) { Answer::Red } else { Answer::Green });
    assert_eq!(names(&plan, &checkpoint.atoms), ["a 1.1.0", "b 1.0.1", "c 1.1.0"]);
}

#[test]
fn a_refused_atom_does_not_take_the_others_with_it() {
    let plan = three();
    let (checkpoint, ..) = run(&plan, |order| {
        order.atoms.iter().position(|atom| atom.candidate == 2).map_or(Answer::Green, Answer::Refused)
    });
    assert_eq!(names(&plan, &checkpoint.atoms), ["a 1.1.0", "b 1.1.0"]);
}

#[test]
fn a_set_that_fails_the_whole_matrix_loses_only_what_breaks_it() {
    let plan = three();
    let (checkpoint, ..) =
        run(&plan, |order| if order.id.starts_with("full") && has(order, 1, 1) { Answer::Red } else { Answer::Green });
    assert_eq!(names(&plan, &checkpoint.atoms), ["a 1.1.0", "c 1.1.0"]);
    assert_eq!(checkpoint.refused.len(), 1);
}

#[test]
fn noise_all_the_way_leaves_no_checkpoint() {
    let plan = three();
    let (checkpoint, verdicts, _) = run(&plan, |_| Answer::Noise);
    assert!(checkpoint.atoms.is_empty() && checkpoint.trial.is_none());
    assert!(verdicts.values().all(|verdict| matches!(verdict, Verdict::Inconclusive(_))));
}

#[test]
fn every_finished_trial_is_a_line_of_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let plan = three();
    let baseline = Baseline::default();
    let mut engine = Engine {
        plan: &plan,
        baseline: &baseline,
        unexercised: Unexercised::Allow,
        listener: &|_: &Event| {},
        stop: Stop::never(),
        journal: &mut journal,
        trials: Vec::new(),
    };
    engine
        .search(
            &mut Fake::new(|_: &Order| Answer::Green),
            &Options { strategy: Strategy::OneByOne, ..Options::default() },
        )
        .unwrap();
    let trials = engine.trials.len();
    let text = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(text.lines().count(), trials);
    assert!(text.lines().all(|line| serde_json::from_str::<TrialSummary>(line).is_ok()));
}
