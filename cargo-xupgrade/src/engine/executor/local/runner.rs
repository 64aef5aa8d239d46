//! Runs one trial in one place: edits the clone atom by atom, fetches, checks cell by cell under the supervisor, and cleans up
//! between cells.

mod download;
mod part;
mod traces;
mod write;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::barrier::BarrierHandle;
use super::{FIRST_LIMIT, Shared, Tools};
use crate::checkout::environment::CheckEnv;
use crate::checkout::worker::Worker;
use crate::ecosystem::Ecosystem;
use crate::engine::executor::Order;
use crate::event::Event;
use crate::machine::interrupt::{Level, Stop};
use crate::machine::mutex::lock;
use crate::machine::supervisor::{self, Job, Launcher};
use crate::project::Project;
use crate::trial::reading::{Lines, for_people};
use crate::trial::{
    Beside, Cell, CellKey, CellReport, Company, Exit, Grain, Noise, Phase, Reading, TrialEnd, TrialKind, TrialReport,
    Turn, Until, words,
};
use crate::verdict::{Baseline, time_limit};
pub(super) use download::Fetched;
use part::Shown;

/// Runs one trial in one place, and knows nothing of others.
pub(super) struct TrialRunner<'a> {
    pub(super) tools: Tools<'a>,
    pub(super) worker: &'a Worker,
    pub(super) environment: CheckEnv,
    pub(super) shared: Arc<Shared>,
    pub(super) known: Arc<Baseline>,
    pub(super) launcher: Option<Launcher>,
    /// The wish that this trial ends; it heeds the user's, too.
    pub(super) stop: Stop,
    /// The moment at which the budget ends it.
    pub(super) until: Option<Instant>,
    /// Its part in a barrier, where its tests are to begin together with those of another trial.
    pub(super) barrier: Option<BarrierHandle>,
}

impl TrialRunner<'_> {
    /// The cause for which it is to end, if it is.
    fn halted(&self) -> Option<Noise> {
        if self.tools.stop.requested() > Level::None {
            return Some(Noise::Interrupted);
        }
        (self.stop.requested() > Level::None).then_some(Noise::Cancelled)
    }

    /// Runs the trial. One that was cancelled is no evidence, whatever it found.
    pub(super) fn run(&self, order: &Order) -> Result<TrialReport> {
        let mut report = self.trial(order).with_context(|| format!("trial {} broke off", order.id))?;
        if self.halted() == Some(Noise::Cancelled) {
            report.end = TrialEnd::Noise(Noise::Cancelled);
        }
        Ok(report)
    }

    fn trial(&self, order: &Order) -> Result<TrialReport> {
        let mut report = TrialReport::default();
        self.write_atoms(order, &mut report)?;
        if report.end != TrialEnd::Ran {
            return Ok(report);
        }
        self.worker.stand_on(report.tip())?;
        self.fetch(order, &mut report)?;
        if report.end != TrialEnd::Ran {
            return Ok(report);
        }
        self.run_cells(order, &mut report)?;
        Ok(report)
    }

    fn run_cells(&self, order: &Order, report: &mut TrialReport) -> Result<()> {
        let tree = match &report.tested {
            Some(tree) => tree.clone(),
            None => self.worker.snapshot(&[])?,
        };
        let mut shown = Shown::of(tree);
        let cells = self.cells_of(order, report);
        for (position, cell) in cells.iter().enumerate() {
            if report.unfetched.contains_key(&cell.project) {
                continue;
            }
            if let Some(barrier) = self.barrier.as_ref().filter(|_| cell.check.phase == Phase::Test) {
                barrier.arrive(position + 1, &self.stop);
            }
            if let Some(why) = self.halted() {
                report.end = TrialEnd::Noise(why);
                return Ok(());
            }
            let ran = self.run_as_much_as_counts(order, cell, &mut shown)?;
            (report.known, report.known_seconds) = shown.known;
            report.ran = shown.ran;
            if ran.exit == Exit::Interrupted && self.halted().is_none() {
                report.end = TrialEnd::Noise(Noise::Cut);
                report.cells.push(ran);
                return Ok(());
            }
            // What a gate writes over it writes over each time; a test that does so may be flaky, and others say more.
            let is_open = ran.exit.is_success() && cell.check.phase == Phase::Test;
            let passed = is_open || self.passed(&ran);
            report.cells.push(ran);
            // Some orders go on after a red test, unless that is all that was asked.
            let until = order.goes_on.filter(|_| cell.check.phase == Phase::Test);
            if !passed && until == Some(Until::Red) {
                return Ok(());
            }
            let goes_on = passed || until.is_some();
            let is_last = position + 1 == cells.len();
            // Where tests fail on the untouched base, too, and were accepted so, a failure ends nothing.
            let is_red_anyway = || self.known.cells.get(&cell.key()).is_some_and(|known| !known.failing.is_empty());
            if !goes_on && !is_last && !order.kind.is_of_base() && !is_red_anyway() {
                report.end = TrialEnd::BrokeOff;
                return Ok(());
            }
        }
        self.collect_exercised(order, report)
    }

    fn collect_exercised(&self, order: &Order, report: &mut TrialReport) -> Result<()> {
        for project in self.projects_of(&order.cells) {
            let id = project.id();
            let of = |turn: Turn| -> Vec<&CellReport> {
                let cells = report.cells.iter().filter(|one| one.cell.project == id);
                cells.filter(|one| one.cell.check.turn == turn).collect()
            };
            let (mut usual, mut last) = (of(Turn::Always), of(Turn::Final));
            // Where not one target compiles, a check is left out whole, and what it compiled on its way with it.
            let is_partly =
                |cell: &CellReport| cell.cell.check.grain == Grain::Target && !cell.reading.built.is_empty();
            usual.retain(|cell| cell.exit.is_success() || cell.cell.check.grain == Grain::Whole || is_partly(cell));
            last.retain(|cell| cell.exit.is_success() || is_partly(cell));
            // What a gate compiled stays compiled, whatever its tests say afterwards, and other targets of it.
            let is_gate = |cell: &CellReport| cell.cell.check.phase == Phase::Gate;
            let counts = |cell: &CellReport| is_gate(cell) && cell.cell.check.grain == Grain::Whole;
            if usual.iter().filter(|cell| counts(cell)).all(|cell| cell.exit.is_success()) {
                let ask =
                    |cells: &[&CellReport]| self.ecosystem(project)?.exercised(&self.worker.tree(), project, cells);
                let mut exercised = ask(&usual)?;
                if !last.is_empty() {
                    exercised.add_late(ask(&last)?);
                }
                report.exercised.insert(id, exercised);
            }
        }
        self.share_exercised(order, report)
    }

    /// Asks of each check that concerns other projects, too, what it compiled by itself. Runs again prove nothing new.
    fn share_exercised(&self, order: &Order, report: &mut TrialReport) -> Result<()> {
        if matches!(order.kind, TrialKind::Again | TrialKind::Often) {
            return Ok(());
        }
        let passed = report.cells.iter().filter(|one| one.exit.is_success() && one.cell.concerns.len() > 1);
        let once: BTreeMap<CellKey, CellReport> = passed.map(|one| (one.cell.key(), one.clone())).collect();
        for project in self.projects_of(&order.cells) {
            // Where its own gate failed, nobody knows.
            let knows =
                |one: &&CellReport| one.cell.project == project.id() && report.exercised.contains_key(&project.id());
            for ran in once.values().filter(knows).cloned().collect::<Vec<_>>() {
                let seen = self.ecosystem(project)?.exercised(&self.worker.tree(), project, &[&ran])?;
                report.share_evidence(&ran.cell, &seen);
            }
        }
        Ok(())
    }

    /// Runs a cell to an end that counts: tests that fail beside another worker run again alone, for two suites at once may
    /// clash. So does whatever was too slow or was killed then.
    /// `nth` is the how-manieth run of the same check in this trial.
    fn run_cell(&self, order: &Order, cell: &Cell, nth: usize) -> Result<CellReport> {
        let (ran, company) = self.run_once(order, cell, nth, cell.check.company)?;
        let is_doubtful = match ran.exit {
            // Too slow or out of memory, maybe for the other one's sake.
            Exit::TimedOut | Exit::Signal(_) => true,
            Exit::Interrupted | Exit::NotStarted(_) => false,
            Exit::Code(_) => !ran.exit.is_success() && cell.check.phase == Phase::Test,
        };
        if company == Company::Alone || !is_doubtful || self.halted().is_some() {
            return Ok(ran);
        }
        let log = format!("{}-beside.log", ran.log.trim_end_matches(".log"));
        std::fs::rename(self.tools.out.join(&ran.log), self.tools.out.join(&log))
            .with_context(|| format!("cannot rename {}", ran.log))?;
        let undone = self.restore(&ran)?;
        let (mut alone, _) = self.run_once(order, cell, nth, Company::Alone)?;
        alone.undo(&undone);
        alone.beside = Some(Beside { failing: ran.failing().cloned().collect(), exit: ran.exit, log });
        Ok(alone)
    }

    /// Runs a cell once, and tells whether it was alone all the time.
    fn run_once(&self, order: &Order, cell: &Cell, nth: usize, company: Company) -> Result<(CellReport, Company)> {
        let words = words(&cell.check, order.freshness);
        let nth = if nth > 1 { format!("-{nth}") } else { String::new() };
        let log = format!("log/{}-{}-{}{nth}.log", order.id, slug(&cell.project.to_string()), slug(&cell.check.name));
        let log = self.tools.facts.free_log(&log);
        let began = Event::CellBegan {
            trial: order.id.clone(),
            project: cell.project.clone(),
            command: cell.check.typed(&words),
        };
        let Some(permit) = self.shared.scheduler.enter(company, &self.stop) else {
            return Ok((never_ran(cell, words, log), Company::Alone));
        };
        self.tools.listener.tell(&began);
        let mut job = self.job(cell, &words, &log)?;
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        let cut = left.filter(|left| *left < job.limit);
        job.limit = cut.unwrap_or(job.limit);
        let mut lines = Lines::new(cell.check.reader);
        let launcher = self.launcher.clone().map_or_else(Launcher::this_binary, Ok)?;
        let ran = launcher.run(&job, &self.stop, &mut |line: &str| lines.line(line))?;
        let company = if permit.had_company() { Company::Any } else { Company::Alone };
        drop(permit);
        *lock(&self.shared.containment) = Some(ran.containment);
        if let Ok(text) = std::fs::read_to_string(&job.log) {
            std::fs::write(&job.log, for_people(cell.check.reader, &text))?;
        }
        let report = CellReport {
            cell: cell.clone(),
            words,
            seconds: ran.seconds,
            exit: if cut.is_some() && ran.exit == supervisor::Exit::TimedOut {
                Exit::Interrupted
            } else {
                exit(ran.exit)
            },
            log,
            reading: lines.finish(),
            dirtied: Vec::new(),
            changed: Vec::new(),
            strays: ran.strays,
            again: Vec::new(),
            beside: None,
        };
        Ok((report, company))
    }

    /// The limit of a cell for which none is configured, in seconds.
    fn usual_limit(&self, cell: &Cell) -> u64 {
        if self.known.cells.is_empty() {
            return FIRST_LIMIT;
        }
        let seconds = self.known.cells.get(&cell.key()).map_or(0.0, |known| known.seconds);
        time_limit(cell.check.phase, seconds)
    }

    fn job(&self, cell: &Cell, words: &[String], log: &str) -> Result<Job> {
        let (program, args) =
            words.split_first().ok_or_else(|| anyhow!("an empty command in check `{}`", cell.check.name))?;
        let path = self.tools.out.join(log);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        std::fs::write(&path, format!("$ {}\n", cell.check.exact(words)))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let limit = cell.check.limit.unwrap_or_else(|| self.usual_limit(cell));
        Ok(Job {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            dir: self.worker.tree().join(&cell.check.dir),
            run_as: self.environment.account(),
            env: self.environment.of(&cell.check.env),
            limit: Duration::from_secs(limit),
            grace: supervisor::USUAL_GRACE,
            // For what compiles the tests only: without such a server of their own, tests shall not meet one here.
            jobserver: self.shared.scheduler.jobserver().filter(|_| cell.check.phase == Phase::Gate),
            log: path,
            log_limit: supervisor::USUAL_LOG_LIMIT,
        })
    }

    fn projects_of(&self, cells: &[Cell]) -> Vec<&Project> {
        let wanted = |project: &&Project| cells.iter().any(|cell| cell.project == project.id());
        self.tools.plan.projects.iter().filter(wanted).collect()
    }

    fn ecosystem(&self, project: &Project) -> Result<&dyn Ecosystem> {
        let found = self.tools.ecosystems.iter().find(|ecosystem| ecosystem.kind() == project.ecosystem);
        found.map(|ecosystem| &**ecosystem as &dyn Ecosystem).ok_or_else(|| anyhow!("no {} at hand", project.ecosystem))
    }
}

/// The report of a cell that was ended while it waited for its turn.
fn never_ran(cell: &Cell, words: Vec<String>, log: String) -> CellReport {
    CellReport {
        cell: cell.clone(),
        words,
        seconds: 0.0,
        exit: Exit::Interrupted,
        log,
        reading: Reading::default(),
        dirtied: Vec::new(),
        changed: Vec::new(),
        strays: 0,
        again: Vec::new(),
        beside: None,
    }
}

fn exit(exit: supervisor::Exit) -> Exit {
    match exit {
        supervisor::Exit::Code(code) => Exit::Code(code),
        supervisor::Exit::Signal(signal) => Exit::Signal(signal),
        supervisor::Exit::TimedOut => Exit::TimedOut,
        supervisor::Exit::Killed => Exit::Interrupted,
        supervisor::Exit::NotStarted(why) => Exit::NotStarted(why),
    }
}

/// A project or the name of a check as part of a file name.
fn slug(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "root".into() } else { text.to_owned() }
}
