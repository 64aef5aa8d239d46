//! The baseline: the whole matrix on the untouched base, twice. It tells which projects are green, which tests are flaky,
//! how long a trial takes and what the cells compile.

mod aside;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::candidate::ProjectId;
use crate::engine::executor::{Executor, Finished, Order};
use crate::event::{Event, Listener};
use crate::machine::interrupt::{Level, Stop};
use crate::plan::Plan;
use crate::project::Exercised;
use crate::report::{CellSummary, TrialSummary, VerdictKind, round};
use crate::state::journal::Journal;
use crate::trial::narrow::Breadth;
use crate::trial::{
    Cell, CellKey, CellReport, Exit, Freshness, Grain, Phase, TestEnd, TestName, TrialKind, TrialReport, Turn,
};
use crate::verdict::{Baseline, CellBaseline, Steadiness};
use crate::why::Why;
pub use standing::{LeftOut, Standing};

/// How often the untouched base is run.
const RUNS: usize = 2;

/// What the baseline gave.
pub struct Ground {
    pub baseline: Baseline,
    pub trials: Vec<TrialSummary>,
    pub verdicts: Standing,
    /// Each run with its name.
    pub runs: Vec<(String, TrialReport)>,
    /// A failing run of each cell that makes its project red, or of which tests are set aside.
    pub failing: Vec<CellReport>,
    /// How many workers may run checks at once.
    pub workers: usize,
}

/// Runs the baseline; `before` runs of it are over, and were of another matrix.
pub fn run(
    plan: &Plan,
    executor: &mut dyn Executor,
    stop: &Stop,
    journal: &mut Journal,
    listener: &dyn Listener,
    before: usize,
    accept: Accept,
) -> Result<Ground> {
    let runs = match executor.capacity() {
        1 => in_turn(plan, executor, stop, listener, before)?,
        workers => abreast(plan, executor, listener, before, workers)?,
    };
    let (mut reports, mut trials): (Vec<TrialReport>, Vec<TrialSummary>) = (Vec::new(), Vec::new());
    for (report, summary) in runs {
        journal.append(&summary)?;
        if let Some(noise) = report.noise().filter(|_| !is_stopped(stop)) {
            return Err(anyhow!("{noise}").context("the baseline could not be run"));
        }
        trials.push(summary);
        reports.push(report);
    }
    let workers = workers(executor.capacity(), &reports, listener);
    let mut baseline = gather(&reports);
    let mut runs: Vec<(String, TrialReport)> =
        trials.iter().map(|trial: &TrialSummary| trial.id.clone()).zip(reports.iter().cloned()).collect();
    if accept == Accept::Failing {
        for (report, summary) in alone(executor, stop, listener, before, &reports, &baseline)? {
            journal.append(&summary)?;
            aside::hear(&mut baseline, &report);
            runs.push((summary.id.clone(), report));
            trials.push(summary);
        }
    }
    let verdicts = standing::standing(&reports, &baseline, accept);
    let first = reports.first().map(|report| report.cells.clone()).unwrap_or_default();
    let failing = first.into_iter().filter(|cell| !cell.exit.is_success() && verdicts.tells_of(&cell.cell));
    let failing = failing.collect();
    Ok(Ground { baseline, trials, verdicts, runs, failing, workers })
}

/// Runs the red tests of the base alone: where they pass now and then they are flaky, and not red.
fn alone(
    executor: &mut dyn Executor,
    stop: &Stop,
    listener: &dyn Listener,
    before: usize,
    reports: &[TrialReport],
    baseline: &Baseline,
) -> Result<Vec<Run>> {
    let cells = reports.first().map(|report| aside::cells(report, baseline)).unwrap_or_default();
    let mut runs = Vec::new();
    for number in before + 1..=before + aside::RUNS {
        if cells.is_empty() || is_stopped(stop) {
            break;
        }
        let id = TrialKind::BaselineAgain.name(number);
        tell(&id, Some(TrialKind::Baseline.name(before + 1)), before + aside::RUNS - number, listener);
        executor.submit(order(TrialKind::BaselineAgain, id, cells.clone()))?;
        let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost the baseline"))?;
        runs.push(conclude(finished, listener));
    }
    Ok(runs)
}

/// Whether failing tests of the base are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    Failing,
    Nothing,
}

fn is_stopped(stop: &Stop) -> bool {
    stop.requested() > Level::None
}

/// A run and what is told of it.
type Run = (TrialReport, TrialSummary);

/// One after the other, in the one place that there is.
fn in_turn(
    plan: &Plan,
    executor: &mut dyn Executor,
    stop: &Stop,
    listener: &dyn Listener,
    before: usize,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for number in before + 1..=before + RUNS {
        if is_stopped(stop) {
            break;
        }
        executor.submit(whole(plan, number, listener))?;
        let finished = executor.poll()?.ok_or_else(|| anyhow!("the executor lost the baseline"))?;
        runs.push(conclude(finished, listener));
    }
    Ok(runs)
}

/// Side by side, the tests begun together, so that suites which clash do so here; the other workers build meanwhile what the
/// tests need. That gives each of them a base build, and the baseline is as long as one run.
fn abreast(
    plan: &Plan,
    executor: &mut dyn Executor,
    listener: &dyn Listener,
    before: usize,
    workers: usize,
) -> Result<Vec<Run>> {
    executor.submit_abreast((before + 1..=before + RUNS).map(|number| whole(plan, number, listener)).collect())?;
    for number in before + RUNS + 1..=before + workers {
        let mut build = whole(plan, number, listener);
        build.cells.retain(|cell| cell.check.phase == Phase::Gate);
        executor.submit(build)?;
    }
    let mut runs = Vec::new();
    while let Some(finished) = executor.poll()? {
        runs.push(conclude(finished, listener));
    }
    runs.sort_by(|(_, one), (_, other)| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
    runs.truncate(RUNS);
    Ok(runs)
}

/// How many may go on: one, where something fails beside another worker that does not fail alone.
fn workers(capacity: usize, reports: &[TrialReport], listener: &dyn Listener) -> usize {
    let clashed = reports.iter().flat_map(|report| &report.cells).find(|cell| cell.clashed());
    let Some(cell) = clashed else { return capacity };
    let text = format!(
        "`{}` of {} failed beside another worker and not alone ({}), so one worker goes on; give each run ports, files and \
         databases of its own by XUPGRADE_SLOT, or say `exclusive = true` for that check in xupgrade.toml",
        cell.cell.check.name,
        cell.cell.project,
        cell.beside.as_ref().map(|beside| beside.log.as_str()).unwrap_or_default()
    );
    listener.tell(&Event::Warned { text });
    1
}

fn whole(plan: &Plan, number: usize, listener: &dyn Listener) -> Order {
    let id = TrialKind::Baseline.name(number);
    tell(&id, None, number % RUNS, listener);
    order(TrialKind::Baseline, id, plan.cells.clone())
}

fn order(kind: TrialKind, id: String, cells: Vec<Cell>) -> Order {
    Order {
        kind,
        id,
        atoms: vec![],
        cells,
        freshness: Freshness::Afresh,
        breadth: Breadth::Whole,
        goes_on: None,
        left: None,
    }
}

/// Tells of a run of the base that begins: of all of it, or again of the tests that failed in an earlier one.
fn tell(id: &str, of: Option<String>, remaining: usize, listener: &dyn Listener) {
    listener.tell(&Event::TrialBegan {
        trial: id.to_owned(),
        why: of.is_some().then_some(Why::Bracket),
        of,
        fresh: vec![],
        accepted: 0,
        remaining,
        seconds_left: None,
    });
}

fn conclude(finished: Finished, listener: &dyn Listener) -> Run {
    // What is left out for a failure stands against nobody.
    let counts = |cell: &CellReport| (cell.cell.check.turn, cell.cell.check.grain) == (Turn::Always, Grain::Whole);
    let cells = &finished.report.cells;
    let fallen: Vec<&CellReport> = cells.iter().filter(|cell| !cell.exit.is_success() && counts(cell)).collect();
    let (verdict, text) = if cells.iter().any(|cell| cell.exit == Exit::Interrupted) {
        (VerdictKind::Inconclusive, "interrupted".to_owned())
    } else if fallen.is_empty() {
        (VerdictKind::Passed, String::new())
    } else {
        (VerdictKind::Failed, failing(&fallen))
    };
    let summary = TrialSummary {
        id: finished.id.clone(),
        why: None,
        parent: None,
        atoms: vec![],
        fresh: 0,
        tree: String::new(),
        verdict,
        text: String::new(),
        cleared: Vec::new(),
        seconds: round(finished.seconds),
        cells: finished.report.cells.iter().map(CellSummary::from).collect(),
    };
    listener.tell(&Event::TrialEnded { trial: finished.id, verdict: summary.verdict, text, seconds: summary.seconds });
    (finished.report, summary)
}

/// The words for checks that fail on the untouched base.
fn failing(fallen: &[&CellReport]) -> String {
    let red = |cell: &&CellReport| -> Vec<TestName> { cell.failing().cloned().collect() };
    let tests: usize = fallen.iter().map(|cell| aside::leaves(&red(cell)).len()).sum();
    let nameless: Vec<&&CellReport> = fallen.iter().filter(|cell| !cell.names_red()).collect();
    match tests {
        _ if nameless.len() == 1 => {
            let cell = &nameless[0];
            format!("{} fails before any upgrade: {}", cell.cell.project, cell.cell.check.typed(&cell.words))
        }
        _ if !nameless.is_empty() => format!("{} checks fail before any upgrade", nameless.len()),
        1 => "1 test fails before any upgrade".into(),
        more => format!("{more} tests fail before any upgrade"),
    }
}

fn cells(reports: &[TrialReport]) -> BTreeMap<CellKey, Vec<&CellReport>> {
    let mut cells: BTreeMap<CellKey, Vec<&CellReport>> = BTreeMap::new();
    for cell in reports.iter().flat_map(|report| &report.cells) {
        cells.entry(cell.cell.key()).or_default().push(cell);
    }
    cells
}

fn gather(reports: &[TrialReport]) -> Baseline {
    let mut cells: BTreeMap<CellKey, CellBaseline> =
        cells(reports).into_iter().map(|(key, runs)| (key, gather_cell(&runs))).collect();
    let mut exercised: BTreeMap<ProjectId, Exercised> = BTreeMap::new();
    for (project, known) in reports.iter().flat_map(|report| report.exercised.clone()) {
        // A run in which its own gate failed knows only what other projects' checks compiled.
        let is_less = known == Exercised { compiled: known.compiled.clone(), ..Exercised::default() };
        if !is_less || !exercised.contains_key(&project) {
            exercised.insert(project, known);
        }
    }
    for (key, known) in &mut cells {
        if let Some(apart) = exercised.get(&key.project) {
            known.units.retain(|_, words| !apart.beyond.contains(words));
        }
    }
    Baseline { cells, exercised }
}

fn gather_cell(runs: &[&CellReport]) -> CellBaseline {
    let ran_in = |cell: &CellReport, name: &TestName| {
        matches!(cell.reading.tests.get(name), Some(TestEnd::Passed | TestEnd::Failed))
    };
    let all: BTreeSet<&TestName> = runs.iter().flat_map(|cell| cell.reading.tests.keys()).collect();
    let names: Vec<TestName> =
        all.iter().filter(|name| runs.iter().all(|cell| ran_in(cell, name))).map(|name| (*name).clone()).collect();
    let ends = |name: &TestName| -> BTreeSet<bool> {
        runs.iter().filter_map(|cell| cell.reading.tests.get(name)).map(|end| *end == TestEnd::Failed).collect()
    };
    CellBaseline {
        seconds: runs.iter().map(|cell| cell.seconds).fold(0.0, f64::max),
        warm_seconds: runs.iter().map(|cell| cell.seconds).fold(f64::INFINITY, f64::min),
        unit_seconds: unit_seconds(runs),
        units: runs.iter().flat_map(|cell| cell.reading.units.clone()).collect(),
        ran: names.len(),
        flaky: all.iter().filter(|name| ends(name).len() > 1).map(|name| (*name).clone()).collect(),
        failing: all.iter().filter(|name| ends(name) == BTreeSet::from([true])).map(|name| (*name).clone()).collect(),
        noise: runs.iter().filter(|cell| cell.names_red()).filter_map(|cell| cell.reading.noise.clone()).collect(),
        steadiness: steadiness(runs),
        bare: runs.iter().flat_map(|cell| cell.reading.bare.keys().cloned()).collect(),
        changes: runs.iter().flat_map(|cell| cell.changed.iter().cloned()).collect(),
        built: built(runs),
        unbuilt: runs.iter().flat_map(|cell| cell.reading.unbuilt.iter().cloned()).collect(),
        told: runs.iter().flat_map(|cell| cell.reading.telling.iter().cloned()).collect(),
        names,
    }
}

/// The seconds of each unit of tests in its fastest run.
fn unit_seconds(runs: &[&CellReport]) -> BTreeMap<String, f64> {
    let mut fastest: BTreeMap<String, f64> = BTreeMap::new();
    for (unit, millis) in runs.iter().flat_map(|cell| &cell.reading.millis) {
        let seconds = Duration::from_millis(*millis).as_secs_f64();
        fastest.entry(unit.clone()).and_modify(|least| *least = least.min(seconds)).or_insert(seconds);
    }
    fastest
}

/// The targets that compiled in every run.
fn built(runs: &[&CellReport]) -> BTreeSet<String> {
    let [first, rest @ ..] = runs else { return BTreeSet::new() };
    let stays = |target: &&String| rest.iter().all(|cell| cell.reading.built.contains(*target));
    first.reading.built.iter().filter(stays).cloned().collect()
}

/// A run that failed without naming a test, beside one that passed, makes the whole cell unsteady.
fn steadiness(runs: &[&CellReport]) -> Steadiness {
    let passed = runs.iter().any(|cell| cell.exit.is_success());
    let fell = runs.iter().any(|cell| !cell.exit.is_success() && !cell.names_red());
    if passed && fell { Steadiness::Unsteady } else { Steadiness::Steady }
}

#[cfg(test)]
mod tests;
