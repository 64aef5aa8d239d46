//! The loop, with an executor that answers from a rule: what is searched, confirmed and left.

use std::collections::BTreeMap;

use xupgrade_search::{Fate, Strategy};

use super::*;
use crate::candidate::Target;
use crate::candidate::{Candidate, EcosystemKind};
use crate::engine::executor::Order;
use crate::engine::executor::fake::{Answer, Fake};
use crate::project::{Exercised, Project};
use crate::trial::{TestName, Turn};

fn plan(candidates: Vec<Candidate>) -> Plan {
    Plan::of("base", candidates)
}

fn three() -> Plan {
    plan(vec![Candidate::of("a", &["1.1.0"]), Candidate::of("b", &["1.0.1", "1.1.0"]), Candidate::of("c", &["1.1.0"])])
}

/// Searches; gives what came of it, with everything that was told on the way.
struct Run {
    searched: Searched,
    checkpoint: Checkpoint,
    verdicts: BTreeMap<String, Verdict>,
    taken: Vec<String>,
    /// The words on those that count as passed although they failed.
    cleared: Vec<String>,
    journal: String,
}

impl Run {
    fn names(&self, plan: &Plan) -> Vec<String> {
        names(plan, &self.checkpoint.atoms)
    }
}

fn engine<'a>(plan: &'a Plan, budget: Budget, journal: &'a mut Journal) -> Engine<'a> {
    Engine {
        plan,
        baseline: Baseline::default(),
        unexercised: Unexercised::Allow,
        budget,
        began: Instant::now(),
        listener: &|_: &Event| {},
        stop: Stop::never(),
        journal,
        trials: Vec::new(),
        awake: BTreeSet::new(),
        often: BTreeMap::new(),
    }
}

fn run_with(plan: &Plan, budget: Budget, options: &Options, rule: impl Fn(&Order) -> Answer) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = engine(plan, budget, &mut journal);
    let mut fake = Fake::new(rule);
    let searched = engine.search(&mut fake, options).unwrap();
    let checkpoint = searched.checkpoint(&engine.trials);
    let verdicts = engine.trials.iter().map(|trial| (trial.id.clone(), trial.verdict.clone())).collect();
    let cleared = engine.trials.iter().map(|trial| engine.summary(trial)).filter(|trial| !trial.cleared.is_empty());
    let cleared = cleared.map(|trial| trial.text).collect();
    let journal = std::fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    Run { searched, checkpoint, verdicts, taken: fake.taken, cleared, journal }
}

fn run(plan: &Plan, rule: impl Fn(&Order) -> Answer) -> Run {
    run_with(plan, Budget::default(), &Options::default(), rule)
}

fn has(order: &Order, candidate: usize, rung: usize) -> bool {
    order.atoms.contains(&Member { candidate, rung }.into())
}

fn names(plan: &Plan, atoms: &[Atom]) -> Vec<String> {
    let targets = members(atoms).map(|member| plan.target(member));
    let mut names: Vec<String> = targets.map(|one| format!("{} {}", one.name, one.version)).collect();
    names.sort();
    names
}

#[test]
fn what_passes_together_is_confirmed_by_full_runs_of_the_whole_matrix() {
    let plan = three();
    let ended = run(&plan, |_| Answer::Green);
    assert_eq!(ended.names(&plan), ["a 1.1.0", "b 1.1.0", "c 1.1.0"]);
    let full = ended.taken.iter().filter(|id| id.starts_with("full")).count();
    assert_eq!(full, 2, "as often as is usual: {:?}", ended.taken);
    assert!(ended.verdicts.values().all(|verdict| *verdict == Verdict::Passed));
}

#[test]
fn an_upgrade_that_fails_lands_one_rung_lower() {
    let plan = three();
    let ended = run(&plan, |order| if has(order, 1, 1) { Answer::Red } else { Answer::Green });
    assert_eq!(ended.names(&plan), ["a 1.1.0", "b 1.0.1", "c 1.1.0"]);
}

/// Everything is green, and the atoms of an order are compiled but for one name.
fn compiled_but(plan: &Plan, order: &Order, name: &str) -> Answer {
    let all = members(&order.atoms).map(|member| plan.target(member)).filter(|one| one.name != name);
    Answer::Compiled(all.collect())
}

#[test]
fn an_upgrade_that_the_last_tree_is_no_evidence_for_leaves_the_set() {
    let plan = three();
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    for (unexercised, left) in
        [(Unexercised::Hold, vec!["a 1.1.0", "c 1.1.0"]), (Unexercised::Allow, vec!["a 1.1.0", "b 1.1.0", "c 1.1.0"])]
    {
        let mut engine = Engine { unexercised, ..engine(&plan, Budget::default(), &mut journal) };
        let rule = |order: &Order| {
            let lost = order.id.starts_with("full") && has(order, 1, 1);
            compiled_but(&plan, order, if lost { "b" } else { "-" })
        };
        let searched = engine.search(&mut Fake::new(rule), &Options::default()).unwrap();
        assert_eq!(names(&plan, &searched.checkpoint(&engine.trials).atoms), left, "{unexercised:?}");
        let why = |trial: &Trial| match &trial.verdict {
            Verdict::Failed(cause) => Some(cause.kind),
            _ => None,
        };
        let reasons: Vec<_> = engine.trials.iter().filter_map(why).collect();
        assert_eq!(reasons, vec![crate::candidate::ReasonKind::NotExercised; 3 - left.len()]);
    }
}

#[test]
fn upgrades_that_are_written_in_one_step_are_one_atom_of_the_checkpoint_and_of_the_trials_after_it() {
    let plan = three();
    let seen = std::cell::RefCell::new(Vec::new());
    let ended = run(&plan, |order| {
        seen.borrow_mut().push((order.id.clone(), order.atoms.clone()));
        Answer::Together(0, 2)
    });
    let member = |candidate, rung| Member { candidate, rung };
    let both = Atom::new([member(0, 0), member(2, 0)]);
    assert!(ended.checkpoint.atoms.contains(&both) && ended.checkpoint.atoms.len() == 2, "{:?}", ended.checkpoint);
    let full: Vec<_> = seen.into_inner().into_iter().filter(|(id, _)| id.starts_with("full")).collect();
    assert!(full.iter().all(|(_, atoms)| *atoms == ended.checkpoint.atoms), "{full:?}");
}

#[test]
fn one_that_was_written_with_another_lands_alone_where_the_whole_matrix_takes_that_one_out() {
    let plan = three();
    let ended = run(&plan, |order| {
        let holds = |atom: &Atom| atom.members().iter().any(|member| member.candidate == 0);
        let place = order.atoms.iter().position(holds).filter(|_| order.id.starts_with("full"));
        place.map_or(Answer::Together(0, 2), Answer::Refused)
    });
    assert_eq!(ended.names(&plan), ["b 1.1.0", "c 1.1.0"]);
}

#[test]
fn a_refused_atom_does_not_take_the_others_with_it() {
    let plan = three();
    let ended = run(&plan, |order| {
        members(&order.atoms).position(|member| member.candidate == 2).map_or(Answer::Green, Answer::Refused)
    });
    assert_eq!(ended.names(&plan), ["a 1.1.0", "b 1.1.0"]);
}

#[test]
fn a_set_that_fails_the_whole_matrix_loses_only_the_rung_that_breaks_it() {
    let plan = three();
    let in_search = |order: &Order| order.id.starts_with('t');
    let ended = run(&plan, |order| if !in_search(order) && has(order, 1, 1) { Answer::Red } else { Answer::Green });
    assert_eq!(ended.names(&plan), ["a 1.1.0", "b 1.0.1", "c 1.1.0"]);
}

#[test]
fn where_no_cell_failed_nothing_runs_again_and_no_empty_run_passes_for_evidence() {
    let plan = plan(vec![Candidate::of("a", &["1.1.0"])]);
    for red in ["t", "full"] {
        let rule = |order: &Order| if order.id.starts_with(red) { Answer::RedWithoutCells } else { Answer::Green };
        let ended = run(&plan, rule);
        assert!(ended.taken.iter().all(|id| !id.starts_with("again")), "{red}: {:?}", ended.taken);
        assert!(ended.names(&plan).is_empty(), "{red}: {:?}", ended.taken);
        assert!(ended.taken.len() <= 3, "it is not asked for ever: {:?}", ended.taken);
    }
}

#[test]
fn trials_of_which_each_fails_with_another_test_that_is_green_by_name_count_as_passed_and_say_so() {
    let plan = plan(vec![Candidate::of("a", &["1.1.0"])]);
    let other = std::cell::Cell::new(0);
    let ended = run(&plan, |order| {
        if order.id.starts_with("again") {
            return Answer::Green;
        }
        other.set(other.get() + 1);
        Answer::RedTest(format!("test_{}", other.get()))
    });
    assert_eq!(ended.names(&plan), ["a 1.1.0"], "{:?}", ended.verdicts);
    let passed = ended.verdicts.iter().filter(|(_, verdict)| **verdict == Verdict::Passed).map(|(id, _)| id.as_str());
    let suites: Vec<&str> = passed.filter(|id| !id.starts_with("again")).collect();
    assert_eq!((suites.len(), other.get()), (5, 5), "{suites:?}");
    let told = "fails, as far as seen for no upgrade's sake; each test passed in other runs of the same";
    assert_eq!(ended.cleared.first(), Some(&format!("`app src/lib.rs test_1` {told}")), "{:?}", ended.cleared);
}

#[test]
fn trials_whose_tests_fail_before_any_upgrade_too_count_as_passed_and_name_them() {
    let plan = plan(vec![Candidate::of("a", &["1.1.0"])]);
    let other = std::cell::Cell::new(0);
    let ended = run(&plan, |order| {
        if !order.id.starts_with("again") {
            other.set(other.get() + 1);
        }
        Answer::RedTest(format!("test_{}", other.get()))
    });
    assert_eq!(ended.names(&plan), ["a 1.1.0"], "{:?}", ended.verdicts);
    let named = |text: &String| text.starts_with("`app src/lib.rs test_");
    assert!(!ended.cleared.is_empty() && ended.cleared.iter().all(named), "{:?}", ended.cleared);
}

#[test]
fn a_failure_is_asked_about_with_the_same_tests_each_time_whatever_is_learnt_meanwhile() {
    let plan = plan(vec![Candidate::of("a", &["1.1.0"])]);
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = engine(&plan, Budget::default(), &mut journal);
    let (mut flight, mut search) = (Flight::default(), Search::new(&plan.atoms(&BTreeMap::new()), &Options::default()));
    let Step::Try(first) = search.next(1) else { panic!("nothing to try") };
    let red = |names: &[&str]| {
        let mut cell = crate::state::journal::tests::report(crate::trial::Exit::Code(101));
        let named = |name: &&str| TestName { unit: "app src/lib.rs".into(), name: (*name).into() };
        cell.reading.tests = names.iter().map(|name| (named(name), TestEnd::Failed)).collect();
        cell.reading.units = [("app src/lib.rs".into(), vec!["--lib".into()])].into();
        cell.cell.check.reader = crate::trial::Reader::Libtest;
        cell.cell.check.argv = ["cargo", "test"].map(str::to_owned).to_vec();
        TrialReport { cells: vec![cell], ..TrialReport::default() }
    };
    let finished = Finished { id: "t1".into(), report: red(&["x", "y"]), seconds: 1.0 };
    engine.take(&first[0], None, finished).unwrap();
    flight.tickets.insert(first[0].ticket, 0);
    let asked = std::cell::RefCell::new(Vec::new());
    let mut fake = Fake::new(|order: &Order| {
        asked.borrow_mut().push(order.cells.clone());
        Answer::Green
    });
    for runs in [1, 1] {
        let scope =
            Scope::Again { of: first[0].ticket, reach: Reach::Tests, runs, until: xupgrade_search::Until::Done };
        let again = Proposal { scope, ..first[0].clone() };
        engine.begin(&mut fake, &mut search, &mut flight, again, &Options::default()).unwrap();
        fake.poll().unwrap();
        assert!(engine.baseline.learn(&red(&["y"])) || asked.borrow().len() > 1, "that is news");
    }
    let asked = asked.into_inner();
    assert_eq!(asked.len(), 2);
    let both = |cell: &Cell| matches!(&cell.extent, crate::trial::Extent::Tests(tests) if tests.len() == 2);
    assert!(asked[0].iter().any(both) && asked[0] == asked[1], "{asked:?}");
}

#[test]
fn noise_all_the_way_leaves_no_checkpoint() {
    let plan = three();
    let ended = run(&plan, |_| Answer::Noise);
    let checkpoint = &ended.checkpoint;
    assert!(checkpoint.atoms.is_empty() && checkpoint.trial.is_none());
    assert!(ended.verdicts.values().all(|verdict| matches!(verdict, Verdict::Inconclusive(_))));
}

#[test]
fn every_finished_trial_is_a_line_of_the_journal() {
    let plan = three();
    let one_by_one = Options { strategy: Strategy::OneByOne, ..Options::default() };
    let ended = run_with(&plan, Budget::default(), &one_by_one, |_| Answer::Green);
    let lines: Vec<TrialSummary> = ended.journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ids: Vec<&String> = lines.iter().map(|summary| &summary.id).collect();
    assert_eq!(ids, ended.taken.iter().collect::<Vec<_>>());
}

#[test]
fn a_budget_of_one_trial_verifies_what_it_found_and_tries_no_more() {
    let plan = three();
    let budget = Budget { trials: Some(1), time: None };
    let one_by_one = Options { strategy: Strategy::OneByOne, ..Options::default() };
    let ended = run_with(&plan, budget, &one_by_one, |_| Answer::Green);
    assert_eq!(ended.names(&plan).len(), 1);
    assert_eq!(ended.searched.spent, Some(Spent::Trials(1)));
    assert_eq!(ended.taken.iter().filter(|id| !id.starts_with("full")).count(), 1);
    let untried = ended.searched.solution.fates.iter().filter(|fate| **fate == Fate::Untried).count();
    assert_eq!(untried, 2, "what the budget did not get to is untried, not held");
}

#[test]
fn a_test_that_fails_on_the_untouched_base_is_flaky_for_the_executor_too() {
    let plan = plan(vec![Candidate::of("a", &["1.1.0"])]);
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = engine(&plan, Budget::default(), &mut journal);
    let mut fake = Fake::new(|_: &Order| Answer::Red);
    engine.search(&mut fake, &Options::default()).unwrap();
    let flaky: Vec<String> = fake.known.cells.values().flat_map(|cell| &cell.flaky).map(ToString::to_string).collect();
    assert_eq!(flaky, ["a b"], "so that it runs again by its name: {:?}", fake.taken);
}

/// The commits, each as its positions, where each is tried and answered so; and what was tried.
fn commits(answer: impl Fn(usize) -> Answer, stop: &Stop) -> (Vec<Vec<usize>>, Vec<String>) {
    let plan = three();
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = Engine {
        plan: &plan,
        baseline: Baseline::default(),
        unexercised: Unexercised::Allow,
        budget: Budget::default(),
        began: Instant::now(),
        listener: &|_: &Event| {},
        stop: Stop::never(),
        journal: &mut journal,
        trials: Vec::new(),
        awake: BTreeSet::new(),
        often: BTreeMap::new(),
    };
    let is_commit = |order: &Order| order.id.starts_with("commit-");
    let mut fake = Fake::new(|order: &Order| if is_commit(order) { answer(order.atoms.len()) } else { Answer::Green });
    let searched = engine.search(&mut fake, &Options::default()).unwrap();
    engine.stop = stop.clone();
    let how = commits::CommitChecks::Gates;
    let checkpoint = searched.checkpoint(&engine.trials);
    let chain = engine.commits(&mut fake, &searched, &checkpoint, how).unwrap();
    fake.taken.retain(|id| id.starts_with("commit-"));
    (chain.units.into_iter().map(|unit| unit.positions.collect()).collect(), fake.taken)
}

#[test]
fn a_commit_that_fails_by_itself_is_one_with_the_next() {
    let red = |length| if length == 2 { Answer::Red } else { Answer::Green };
    let tried = vec!["commit-1".to_owned(), "commit-2".to_owned()];
    assert_eq!(commits(red, &Stop::never()), (vec![vec![0], vec![1, 2]], tried));
}

#[test]
fn a_commit_that_gave_no_answer_is_one_with_the_next() {
    let noisy = |length| if length == 1 { Answer::Noise } else { Answer::Green };
    assert_eq!(commits(noisy, &Stop::never()).0, [vec![0, 1], vec![2]]);
}

#[test]
fn whoever_wants_it_to_end_waits_for_no_commit() {
    let stop = Stop::never();
    stop.trip(Level::Gentle);
    assert_eq!(commits(|_| Answer::Green, &stop), (vec![vec![0, 1, 2]], vec![]));
}

#[test]
fn what_the_baseline_saw_to_stand_on_an_upgrade_says_its_place() {
    let root = Project::of(EcosystemKind::Cargo, ".", &[]);
    let candidates = ["a", "b", "c"].map(|name| Candidate::of(name, &["1.1.0"]));
    let plan = Plan { projects: vec![root], ..plan(candidates.to_vec()) };
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = engine(&plan, Budget::default(), &mut journal);
    let below = [("app".to_owned(), ["c".to_owned()].into())].into();
    let known = Exercised { below, ..Exercised::default() };
    engine.baseline.exercised.insert("cargo .".into(), known);
    engine.search(&mut Fake::new(|_: &Order| Answer::Green), &Options::default()).unwrap();
    let first: Vec<usize> = members(&engine.trials[0].atoms()).map(|member| member.candidate).collect();
    assert_eq!(first, [2, 0, 1]);
}

#[test]
fn a_cell_that_waits_for_the_whole_matrix_runs_in_no_trial_before_and_is_missed_in_none() {
    let root = Project::of(EcosystemKind::Cargo, ".", &[]);
    let concerned = |name: &str, turn| {
        let mut cell = Cell { concerns: ["cargo .".into()].into(), ..Cell::of(name, Phase::Gate) };
        cell.check.turn = turn;
        cell
    };
    let cells = vec![concerned("gate", Turn::Always), concerned("windows", Turn::Final)];
    let plan = Plan { projects: vec![root], cells, ..plan(vec![Candidate::of("a", &["1.1.0"])]) };
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = engine(&plan, Budget::default(), &mut journal);
    engine.unexercised = Unexercised::Hold;
    let only_late = BTreeSet::from([Target::new("a", plan.candidates[0].at.clone())]);
    let known = Exercised { compiled: only_late.clone(), late: only_late, ..Exercised::default() };
    engine.baseline.exercised.insert("cargo .".into(), known);
    let seen = std::cell::RefCell::new(BTreeMap::new());
    let mut fake = Fake::new(|order: &Order| {
        let names = order.cells.iter().map(|cell| cell.check.name.clone()).collect::<Vec<_>>();
        seen.borrow_mut().insert(order.id.clone(), names);
        if order.id.starts_with("full") { compiled_but(&plan, order, "-") } else { Answer::Green }
    });
    let searched = engine.search(&mut fake, &Options::default()).unwrap();
    assert_eq!(names(&plan, &searched.checkpoint(&engine.trials).atoms), ["a 1.1.0"]);
    let seen = seen.into_inner();
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["full-2", "full-3", "t1"]);
    for (trial, cells) in seen {
        let expected: &[&str] = if trial.starts_with("full-") { &["gate", "windows"] } else { &["gate"] };
        assert_eq!(cells, expected, "{trial}");
    }
}

#[test]
fn tests_that_no_upgrade_concerns_do_not_run_again_and_again() {
    let root = Project::of(EcosystemKind::Cargo, ".", &[]);
    let of = |project: &str| Cell {
        project: project.into(),
        concerns: [project.into()].into(),
        ..Cell::of("test", Phase::Test)
    };
    let cells = vec![of("cargo ."), of("go svc")];
    let often = cells.iter().map(|cell| (cell.key(), [(BTreeSet::new(), 3)].into())).collect();
    let plan = Plan { projects: vec![root], cells, ..plan(vec![Candidate::of("a", &["1.1.0"])]) };
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(folder.path(), &crate::state::journal::tests::header()).unwrap();
    let mut engine = Engine { often, ..engine(&plan, Budget::default(), &mut journal) };
    let seen = std::cell::RefCell::new(Vec::new());
    let mut fake = Fake::new(|order: &Order| {
        let again = order.id.starts_with("often");
        seen.borrow_mut().extend(order.cells.iter().filter(|_| again).map(|cell| cell.project.clone()));
        Answer::Green
    });
    engine.search(&mut fake, &Options { more_runs: 3, ..Options::default() }).unwrap();
    assert_eq!(seen.into_inner(), vec!["cargo .".into(); 3]);
}

#[test]
fn a_cell_of_the_whole_matrix_that_caught_two_upgrades_runs_in_each_trial_from_then_on() {
    let root = Project::of(EcosystemKind::Cargo, ".", &[]);
    let concerned = |name: &str, turn| {
        let mut cell = Cell { concerns: ["cargo .".into()].into(), ..Cell::of(name, Phase::Gate) };
        cell.check.turn = turn;
        cell
    };
    let cells = vec![concerned("gate", Turn::Always), concerned("alone", Turn::Final), concerned("other", Turn::Final)];
    let plan = Plan { projects: vec![root], cells, ..three() };
    let asleep = std::cell::RefCell::new(Vec::new());
    let ended = run(&plan, |order| {
        let runs = |name: &str| order.cells.iter().any(|cell| cell.check.name == name);
        if !runs("alone") {
            asleep.borrow_mut().push(order.id.clone());
        }
        assert!(!runs("other") || order.id.starts_with("full"), "it caught nobody: {}", order.id);
        let caught = members(&order.atoms).any(|member| member.candidate < 2) && runs("alone");
        if caught { Answer::Broken("alone") } else { Answer::Green }
    });
    assert_eq!(ended.names(&plan), ["c 1.1.0"]);
    assert_eq!(asleep.into_inner(), ["t1"]);
    assert!(ended.taken.len() < 16, "{:?}", ended.taken);
}
