//! The baseline: the whole matrix on the untouched base, twice. It tells which projects are green, which tests are flaky,
//! how long a trial takes and what the cells compile.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};

use crate::candidate::{Candidate, Evidence, Reason, ReasonKind};
use crate::event::{Event, Listener};
use crate::executor::local::Local;
use crate::executor::{Executor, Finished, Order};
use crate::journal::Journal;
use crate::phrases::{self, rustup};
use crate::plan::Plan;
use crate::report::{CellSummary, TrialSummary, round};
use crate::trial::narrow::Breadth;
use crate::trial::{Cell, CellKey, CellReport, Exit, Freshness, Phase, TestEnd, TestName, TrialReport, Turn};
use crate::verdict::{Baseline, CellBaseline, Steadiness, Unexercised, Verdict, judge_cell, time_limit};

/// How often the untouched base is run.
const RUNS: usize = 2;

/// What the baseline gave.
pub struct Ground {
    pub baseline: Baseline,
    pub trials: Vec<TrialSummary>,
    pub verdicts: Standing,
    /// Each run with its name.
    pub runs: Vec<(String, TrialReport)>,
    /// A failing run of each cell that makes its project red.
    pub failing: Vec<CellReport>,
    /// How many workers may run checks at once.
    pub workers: usize,
}

/// How each project stands.
#[derive(Default)]
pub struct Standing {
    /// Projects with a check that fails, and why.
    red: BTreeMap<String, Reason>,
    /// Cells of the whole matrix that fail, each with its first telling line: they are left out, and nothing else is.
    left_out: BTreeMap<CellKey, String>,
    /// What the cells compile, over all projects.
    compiled: BTreeSet<String>,
    /// Dependencies that nothing uses, by project.
    unused: BTreeSet<(String, String)>,
}

impl Standing {
    /// Whether a project (by label) is held as red.
    pub fn is_red(&self, label: &str) -> bool {
        self.red.contains_key(label)
    }

    /// True for a cell that stays in the matrix.
    pub fn keeps(&self, cell: &Cell) -> bool {
        !self.is_red(&cell.project) && !self.left_out.contains_key(&cell.key())
    }

    /// Tells of the cells that are left out, once.
    fn tell_left_out(&self, plan: &Plan, listener: &dyn Listener) {
        for cell in plan.cells.iter().filter(|cell| !self.is_red(&cell.project)) {
            let Some(why) = self.left_out.get(&cell.key()) else { continue };
            let command = cell.check.typed(&cell.check.argv);
            let text = format!("`{command}` fails before any upgrade ({why}), so it is left out and proves nothing");
            listener.tell(&Event::Warned { text });
        }
    }

    /// Adds to the reason of a red project what may be the cause; the first advice counts.
    pub fn advise(&mut self, label: &str, advice: &str) {
        let Some(reason) = self.red.get_mut(label) else { return };
        if let Some((what, _)) = reason.text.split_once(MEND_IT) {
            reason.text = format!("{what}; {advice}");
        }
    }

    /// Why a candidate is held before any trial.
    pub fn hold(&self, candidate: &Candidate, unexercised: Unexercised) -> Option<Reason> {
        let label = format!("{} {}", candidate.ecosystem, candidate.project);
        if let Some(reason) = self.red.get(&label) {
            return Some(reason.clone());
        }
        if unexercised == Unexercised::Allow || candidate.is_among(&self.compiled) {
            return None;
        }
        if self.unused.contains(&(label, candidate.name.clone())) {
            let text = format!("nothing imports {}; remove the requirement or use it", candidate.name);
            return Some(Reason::new(ReasonKind::Unused, text));
        }
        let package = format!("{}@{}", candidate.name, candidate.at);
        let places: BTreeSet<&str> = candidate.places.iter().map(|place| place.table.as_str()).collect();
        let places: Vec<&str> = places.into_iter().collect();
        let advice = match &candidate.switch {
            Some(switch) => format!("add a check with {switch}"),
            None => "add a check with the target or tag that does".to_owned(),
        };
        let required = match places.as_slice() {
            [] => "only other packages require it".to_owned(),
            places => format!("required in `{}`", places.join("`, `")),
        };
        let text = format!("no check compiles {package} ({required}); {advice}");
        Some(Reason::new(ReasonKind::NotExercised, text))
    }
}

/// Runs the baseline.
pub fn run(
    plan: &Plan,
    local: &mut Local<'_, '_>,
    journal: &mut Journal,
    listener: &dyn Listener,
    accept: Accept,
) -> Result<Ground> {
    let runs = match local.capacity() {
        1 => in_turn(plan, local, listener)?,
        workers => abreast(plan, local, listener, workers)?,
    };
    let (mut reports, mut trials): (Vec<TrialReport>, Vec<TrialSummary>) = (Vec::new(), Vec::new());
    for (report, summary) in runs {
        journal.append(&summary)?;
        if let Some(noise) = report.noise.as_ref().filter(|_| !local.is_stopped()) {
            return Err(anyhow!("{noise}").context("the baseline could not be run"));
        }
        trials.push(summary);
        reports.push(report);
    }
    let workers = workers(local.capacity(), &reports, listener);
    let verdicts = standing(&reports, accept);
    verdicts.tell_left_out(plan, listener);
    let baseline = gather(&reports);
    let first = reports.first().map(|report| report.cells.clone()).unwrap_or_default();
    let failing = first.into_iter().filter(|cell| !cell.exit.is_success() && verdicts.is_red(&cell.cell.project));
    let failing = failing.collect();
    let runs = trials.iter().map(|trial: &TrialSummary| trial.id.clone()).zip(reports).collect();
    Ok(Ground { baseline, trials, verdicts, runs, failing, workers })
}

/// Whether failing tests of the base are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    Failing,
    Nothing,
}

/// A run and what is told of it.
type Run = (TrialReport, TrialSummary);

/// One after the other, in the one place that there is.
fn in_turn(plan: &Plan, local: &mut Local<'_, '_>, listener: &dyn Listener) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for number in 1..=RUNS {
        if local.is_stopped() {
            break;
        }
        local.submit(order(plan, number, listener))?;
        let finished = local.poll()?.ok_or_else(|| anyhow!("the executor lost the baseline"))?;
        runs.push(conclude(finished, listener));
    }
    Ok(runs)
}

/// Side by side, the tests begun together, so that suites which clash do so here; the other workers build meanwhile what the
/// tests need. That gives each of them a base build, and the baseline is as long as one run.
fn abreast(plan: &Plan, local: &mut Local<'_, '_>, listener: &dyn Listener, workers: usize) -> Result<Vec<Run>> {
    local.submit_abreast((1..=RUNS).map(|number| order(plan, number, listener)).collect())?;
    for number in RUNS + 1..=workers {
        let mut build = order(plan, number, listener);
        build.cells.retain(|cell| cell.check.phase == Phase::Gate);
        local.submit(build)?;
    }
    let mut runs = Vec::new();
    while let Some(finished) = local.poll()? {
        runs.push(conclude(finished, listener));
    }
    runs.sort_by_key(|(_, summary)| summary.id.trim_start_matches(NAME).parse::<usize>().unwrap_or(usize::MAX));
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

/// What the names of the runs begin with.
const NAME: &str = "baseline-";

fn order(plan: &Plan, number: usize, listener: &dyn Listener) -> Order {
    let id = format!("{NAME}{number}");
    listener.tell(&Event::TrialBegan {
        trial: id.clone(),
        why: None,
        of: None,
        fresh: vec![],
        accepted: 0,
        remaining: RUNS.saturating_sub(number),
        seconds_left: None,
    });
    Order {
        id,
        atoms: vec![],
        cells: plan.cells.clone(),
        freshness: Freshness::Afresh,
        breadth: Breadth::Whole,
        until: None,
    }
}

fn conclude(finished: Finished, listener: &dyn Listener) -> Run {
    let red = finished.report.cells.iter().any(|cell| !cell.exit.is_success());
    let summary = TrialSummary {
        id: finished.id.clone(),
        why: None,
        parent: None,
        atoms: vec![],
        fresh: 0,
        tree: String::new(),
        verdict: if red { "failed" } else { "passed" }.into(),
        text: String::new(),
        seconds: round(finished.seconds),
        cells: finished.report.cells.iter().map(CellSummary::from).collect(),
    };
    let text = if red { "some checks fail before any upgrade" } else { "" };
    listener.tell(&Event::TrialEnded {
        trial: finished.id,
        verdict: summary.verdict.clone(),
        text: text.into(),
        seconds: summary.seconds,
    });
    (finished.report, summary)
}

fn cells(reports: &[TrialReport]) -> BTreeMap<CellKey, Vec<&CellReport>> {
    let mut cells: BTreeMap<CellKey, Vec<&CellReport>> = BTreeMap::new();
    for cell in reports.iter().flat_map(|report| &report.cells) {
        cells.entry(cell.cell.key()).or_default().push(cell);
    }
    cells
}

fn gather(reports: &[TrialReport]) -> Baseline {
    let cells = cells(reports).into_iter().map(|(key, runs)| (key, gather_cell(&runs))).collect();
    let exercised = reports.iter().flat_map(|report| report.exercised.clone()).collect();
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
        ran: names.len(),
        flaky: all.iter().filter(|name| ends(name).len() > 1).map(|name| (*name).clone()).collect(),
        failing: all.iter().filter(|name| ends(name) == BTreeSet::from([true])).map(|name| (*name).clone()).collect(),
        steadiness: steadiness(runs),
        changes: runs.iter().flat_map(|cell| cell.changed.iter().cloned()).collect(),
        names,
    }
}

/// A run that failed without naming a test, beside one that passed, makes the whole cell unsteady.
fn steadiness(runs: &[&CellReport]) -> Steadiness {
    let passed = runs.iter().any(|cell| cell.exit.is_success());
    let is_red = |cell: &CellReport| cell.reading.tests.values().any(|end| *end == TestEnd::Failed);
    let fell = runs.iter().any(|cell| !cell.exit.is_success() && !is_red(cell));
    if passed && fell { Steadiness::Unsteady } else { Steadiness::Steady }
}

fn standing(reports: &[TrialReport], accept: Accept) -> Standing {
    let mut standing = Standing::default();
    for (label, exercised) in reports.iter().flat_map(|report| &report.exercised) {
        standing.compiled.extend(exercised.compiled.iter().cloned());
        standing.unused.extend(exercised.unused.iter().map(|name| (label.clone(), name.clone())));
    }
    for (key, runs) in cells(reports) {
        let known = gather_cell(&runs);
        let verdicts: Vec<Verdict> =
            runs.iter().map(|cell| judge_cell(cell, judged_against(&known, accept).as_ref())).collect();
        let green = verdicts.contains(&Verdict::Passed);
        let always_red = !green && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Failed(_)));
        // A test that is red each time is red, whatever else flaps beside it.
        let flaky_only = !known.flaky.is_empty() && known.failing.is_empty() && !green;
        if runs.iter().all(|cell| cell.cell.check.turn == Turn::Final) {
            let fallen = runs.iter().find(|cell| !cell.exit.is_success());
            standing.left_out.extend(fallen.map(|cell| (key.clone(), first_words(cell))));
        } else if always_red && !flaky_only {
            standing.red.entry(key.0.clone()).or_insert_with(|| red_reason(&runs, &verdicts));
        }
    }
    for (label, reason) in reports.iter().flat_map(|report| &report.unfetched) {
        standing.red.insert(label.clone(), reason.clone());
    }
    let never_started = reports
        .iter()
        .flat_map(|report| &report.cells)
        .filter(|cell| matches!(cell.exit, Exit::NotStarted(_)) && cell.cell.check.turn == Turn::Always);
    for cell in never_started {
        let text = format!("`{}` does not start; is it installed?", cell.cell.check.typed(&cell.words));
        standing.red.insert(cell.cell.project.clone(), Reason::new(ReasonKind::ToolchainMissing, text));
    }
    standing
}

/// The first words of a failed cell.
fn first_words(cell: &CellReport) -> String {
    let said = cell.reading.telling.first().map(|line| line.trim().to_owned());
    said.unwrap_or_else(|| format!("see {}", cell.log))
}

fn judged_against(known: &CellBaseline, accept: Accept) -> Option<CellBaseline> {
    match accept {
        Accept::Failing => Some(CellBaseline { ran: 0, ..known.clone() }),
        Accept::Nothing => None,
    }
}

/// The advice where nothing better is known.
const MEND_IT: &str = "; mend it first, replace the check in xupgrade.toml, or pass --accept-failing";

fn red_reason(runs: &[&CellReport], verdicts: &[Verdict]) -> Reason {
    let cause = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Failed(cause) => Some(cause.clone()),
        _ => None,
    });
    let evidence =
        cause.as_ref().map(|cause| Box::new(Evidence { trial: "baseline-1".into(), ..cause.evidence.clone() }));
    let words = cause.map_or_else(|| runs[0].cell.check.typed(&runs[0].words), |cause| cause.text);
    let wants_another = |line: &String| rustup::is_not_installed(line) || phrases::cargo::is_rust_too_old(line);
    let missing = runs.iter().flat_map(|cell| &cell.reading.telling).any(wants_another);
    let (kind, advice) = if missing {
        (ReasonKind::ToolchainMissing, "; install the toolchain that it needs, or name another one (RUSTUP_TOOLCHAIN)")
    } else {
        (ReasonKind::BaselineRed, MEND_IT)
    };
    Reason { kind, text: format!("before any upgrade {words}{advice}"), evidence }
}

/// The time limits of the cells, in seconds.
pub fn limits(plan: &Plan, baseline: &Baseline) -> BTreeMap<CellKey, u64> {
    let limit = |cell: &Cell| {
        let seconds = baseline.cells.get(&cell.key()).map_or(0.0, |known| known.seconds);
        (cell.key(), time_limit(cell.check.phase, seconds))
    };
    plan.cells.iter().map(limit).collect()
}

#[cfg(test)]
mod tests;
