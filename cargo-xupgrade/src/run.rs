//! The job, readable as a table of contents: open, survey, plan, baseline, search, confirm, commit, report.

mod advice;
mod baseline;
mod cache;
mod commits;
mod hint;
mod locks;
mod opened;
mod options;
mod outcome;
mod past;
mod planning;
mod prune;
mod publish;
mod reach;
mod resolve;
mod resume;
mod setup;
mod sight;
mod spare;
mod told;
mod trial;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use xupgrade_search::Options;

use crate::candidate::ProjectId;
use crate::engine::commits::Chain;
use crate::engine::executor::Executor;
use crate::engine::executor::local::{self, Place, Tools};
use crate::engine::executor::process::{Means, Processes};
use crate::engine::{Budget, Checkpoint, Engine, Searched};
use crate::event::{Event, Listener};
use crate::input::cli::{ExecutorKind, PlanArgs, PlanFlags, RunArgs};
use crate::machine::failure::{Code, Usage};
use crate::machine::interrupt::{Level, Stop};
use crate::machine::supervisor::{Launcher, this_program};
use crate::plan::Plan;
use crate::project::ManifestRule;
use crate::report::{Report, TestedLock};
use crate::state::facts::Facts;
use crate::state::history::{self, Flapped, History};
use crate::state::journal::{FOLDER, Journal};
use crate::task::Ground;
use crate::trial::{Noise, TrialReport};
use crate::verdict::{Baseline, Unexercised, Verdict};

pub use cache::cache_root;
pub use cache::{Clean, clean, make_shared};
use opened::Opened;
pub use past::past;
use planning::Ecosystems;
use resume::Begun;
pub use trial::trial;
use workers::Workers;

/// The plan: all that a run would try.
///
/// # Errors
/// A repository, a configuration or a registry that cannot be read.
pub fn plan(args: &PlanArgs, listener: &dyn Listener, stop: &Stop) -> Result<Plan> {
    let mut opened = Opened::open(&args.selection, listener, stop)?;
    planning::plan(&mut opened, ManifestRule::Needed).map(|(plan, _)| plan)
}

/// The plan of a run with these flags.
///
/// # Errors
/// The same, and a branch name that git does not take.
pub fn dry_run(args: &RunArgs, listener: &dyn Listener, stop: &Stop) -> Result<Plan> {
    check_branch(args)?;
    let mut opened = Opened::open(&args.selection, listener, stop)?;
    planning::plan(&mut opened, args.manifest.into()).map(|(plan, _)| plan)
}

fn check_branch(args: &RunArgs) -> Result<()> {
    match args.branch.as_deref().filter(|name| !crate::checkout::repo::is_branch_name(name)) {
        Some(branch) => Err(Usage(format!("`{branch}` is no name that git takes for a branch")).into()),
        None => Ok(()),
    }
}

/// Does the whole job.
///
/// # Errors
/// When it cannot be found out; a failing upgrade is none.
pub fn run(args: &RunArgs, listener: &dyn Listener, stop: &Stop) -> Result<Code> {
    let job = Job { args, listener, stop, began: std::time::Instant::now() };
    check_branch(args)?;
    let mut opened = Opened::open(&args.selection, listener, stop)?;
    let folder = opened.out_folder(args.out.as_deref(), FOLDER)?;
    let Begun { mut plan, ecosystems, mut journal } = resume::begin(&mut opened, args, &folder, listener)?;
    let history = resume::history(&opened, &journal, listener)?;
    plan.known = history.known();
    let ground = resume::ground(&opened, &plan, serde_json::to_value(PlanFlags::of(args)?)?);
    ecosystems.complete(&opened, &mut plan)?;
    listener.tell(&told::plan_ready(&plan, &opened.cache, opened.config.target_limit(), journal.folder()));
    resolve::resolve(&opened, &ecosystems, &mut plan, listener)?;
    journal.write("plan.json", &plan.report())?;
    let mut session = Session::new(plan, ground, history);
    if !session.plan.candidates.is_empty() {
        session.work(&mut opened, &ecosystems, &job, &mut journal)?;
    }
    session.locks = locks::keep(&session, &opened, &journal)?;
    let mut report = session.report(&opened, job.began.elapsed().as_secs_f64(), stop);
    journal.folder().clone_into(&mut report.folder);
    let path = journal.write("report.json", &report)?;
    resume::remember(&opened, &session, &report, listener);
    let code = session.code(&report, args, stop);
    journal.end(resume::end(&report, code))?;
    keep_to_the_limit(&opened, code, listener);
    listener.tell(&Event::Said { text: format!("the whole report: {}", path.display()) });
    listener.tell(&Event::Finished { report: Box::new(report) });
    Ok(code)
}

/// Gives the disk back above `target-limit`. A run that was interrupted goes on soon, with what it built.
fn keep_to_the_limit(opened: &Opened<'_>, code: Code, listener: &dyn Listener) {
    if code == Code::Interrupted {
        return;
    }
    if let Err(error) = prune::after(&opened.cache, opened.config.target_limit(), listener) {
        listener.tell(&Event::Warned { text: format!("{error:#}") });
    }
}

/// What a run was asked for, and by whom.
struct Job<'a> {
    args: &'a RunArgs,
    listener: &'a dyn Listener,
    stop: &'a Stop,
    /// When it began: a deadline counts from here.
    began: std::time::Instant,
}

/// The means of a run's trials.
struct TrialContext<'a> {
    opened: &'a Opened<'a>,
    ecosystems: &'a Ecosystems<'a>,
    /// The facts of finished cells.
    facts: Facts,
    places: Vec<Place<'a>>,
    /// The ground that the plan stands on.
    ground: &'a Ground,
}

impl TrialContext<'_> {
    /// Lets `work` use an executor that tries this plan in so many places; gives also how processes were kept together, once one
    /// ran. Logs go below `out`.
    fn with<T>(
        &self,
        job: &Job<'_>,
        plan: &Plan,
        places: usize,
        out: &Path,
        work: impl FnOnce(&mut dyn Executor) -> Result<T>,
    ) -> Result<(T, Option<String>)> {
        if job.args.search.executor == ExecutorKind::Process {
            let mut processes = Processes::new(self.means(job, plan, out)?)?;
            let found = work(&mut processes)?;
            return Ok((found, processes.containment()));
        }
        let tools = Tools {
            places: &self.places[..places],
            plan,
            ecosystems: self.ecosystems.all(),
            out: out.to_owned(),
            facts: &self.facts,
            listener: job.listener,
            stop: job.stop.clone(),
        };
        local::with(tools, |local| {
            let found = work(local)?;
            Ok((found, local.containment().map(|one| one.to_string())))
        })
    }

    fn means<'a>(&'a self, job: &Job<'_>, plan: &'a Plan, out: &Path) -> Result<Means<'a>> {
        Ok(Means {
            program: this_program()?,
            env: std::env::vars_os().collect(),
            launcher: Launcher::this_binary()?,
            repo: self.opened.repo.root().to_owned(),
            ground: self.ground.clone(),
            plan,
            worker: &self.opened.worker,
            folder: self.opened.cache.join(cache::PROCESSES),
            out: out.to_owned(),
            stop: job.stop.clone(),
        })
    }
}

/// What a run gathers on its way.
struct Session {
    plan: Plan,
    /// The ground that it stands on.
    ground: Ground,
    baseline: Baseline,
    baseline_trials: Vec<crate::report::TrialSummary>,
    baseline_runs: Vec<(String, TrialReport)>,
    left_out: Vec<baseline::LeftOut>,
    found: Option<Found>,
    nothing_green: bool,
    containment: Option<String>,
    /// Lockfiles that git does not track, as they were tested, by project.
    locks: BTreeMap<ProjectId, TestedLock>,
    /// What was remembered when it began.
    history: History,
    /// The tests that flapped in this run's own baseline.
    flapped: Flapped,
}

/// What search, confirmation and commits left.
struct Found {
    searched: Searched,
    checkpoint: Checkpoint,
    trials: Vec<crate::engine::Trial>,
    summaries: Vec<crate::report::TrialSummary>,
    commits: Vec<String>,
    branch: Option<String>,
    /// The commits, and what is known of each.
    chain: Chain,
    /// What the untouched base does, with the flaky tests that showed themselves on the way.
    baseline: Baseline,
    publishing: Publishing,
}

/// Whether a branch that was due could be written.
#[derive(PartialEq, Eq)]
enum Publishing {
    Fine,
    Failed,
}

impl Session {
    fn new(plan: Plan, ground: Ground, history: History) -> Self {
        Self {
            plan,
            ground,
            baseline: Baseline::default(),
            baseline_trials: Vec::new(),
            baseline_runs: Vec::new(),
            left_out: Vec::new(),
            found: None,
            nothing_green: false,
            containment: None,
            locks: BTreeMap::new(),
            history,
            flapped: Flapped::new(),
        }
    }

    /// Baseline, search, confirmation, commits.
    fn work(
        &mut self,
        opened: &mut Opened<'_>,
        ecosystems: &Ecosystems<'_>,
        job: &Job<'_>,
        journal: &mut Journal,
    ) -> Result<()> {
        let Job { args, listener, stop, .. } = *job;
        let workers = Workers::make(opened, ecosystems, args.search.jobs.get() as usize, journal.folder())?;
        let places = workers.places(&opened.worker);
        let facts = journal.facts(resume::surroundings(opened, &places[0].environment, &self.plan.projects));
        if journal.is_resumed() {
            listener.tell(&Event::Said { text: resume::told(facts.len()) });
        }
        let plan_ground = self.ground.clone();
        let context = TrialContext { opened, ecosystems, facts, places, ground: &plan_ground };
        let mut ground = self.stand(&context, job, journal)?;
        for cell in &ground.failing {
            let place = &context.places[0];
            if let Some(advice) = advice::find(&opened.repo, place, &self.plan, cell, journal.folder()) {
                ground.verdicts.advise(&cell.cell.project, advice);
            }
        }
        let left_out = ground.verdicts.left_out(&self.plan);
        for left in &left_out {
            listener.tell(&Event::Warned { text: left.text.clone() });
        }
        self.left_out.extend(left_out);
        self.baseline_trials = ground.trials;
        self.baseline_runs = ground.runs;
        self.baseline = ground.baseline;
        self.flapped = history::flapped(&self.baseline);
        self.history.join(&mut self.baseline);
        if stop.requested() > Level::None {
            return Ok(());
        }
        let unexercised = opened.config.unexercised.map_or(Unexercised::Hold, Into::into);
        self.plan.hold(|plan, candidate| ground.verdicts.hold(candidate, &plan.reached(candidate), unexercised));
        self.plan.cells.retain(|cell| ground.verdicts.keeps(cell));
        self.nothing_green = self.plan.cells.is_empty();
        if self.plan.candidates.is_empty() {
            return Ok(());
        }
        listener.tell(&told::baseline_done(&self.plan, &self.baseline));
        let out = journal.folder().to_owned();
        let search = |executor: &mut dyn Executor| self.search(opened, job, journal, executor, unexercised);
        let (found, _) = context.with(job, &self.plan, ground.workers, &out, search)?;
        // Those of earlier runs are no news.
        let before = history::flapped(&self.baseline);
        self.flapped.extend(history::flapped(&found.baseline).difference(&before).cloned());
        self.baseline.clone_from(&found.baseline);
        self.found = Some(found);
        Ok(())
    }

    /// The baseline; once more without the members that a plain build passes by, where it is red for their sake.
    fn stand(&mut self, context: &TrialContext<'_>, job: &Job<'_>, journal: &mut Journal) -> Result<baseline::Ground> {
        let accept = if job.args.red.require_green { baseline::Accept::Nothing } else { baseline::Accept::Failing };
        let (mut before, mut known) = (Vec::new(), Vec::new());
        loop {
            let first = before.len();
            let out = journal.folder().to_owned();
            let base = |executor: &mut dyn Executor| {
                baseline::run(&self.plan, executor, job.stop, journal, job.listener, first, accept)
            };
            let (mut ground, containment) = context.with(job, &self.plan, context.places.len(), &out, base)?;
            self.containment = containment;
            let mut found = spare::find(context.opened, context.ecosystems, &self.plan, &ground);
            // The user's own checks stay as they are, and may be red for the sake of the same members again.
            found.retain(|one| !known.contains(one));
            before.append(&mut ground.trials);
            if found.is_empty() || job.stop.requested() > Level::None {
                ground.trials = before;
                return Ok(ground);
            }
            for one in &found {
                self.left_out.push(one.told(job.listener));
                one.leave_out(context.opened, context.ecosystems, &mut self.plan);
            }
            known.extend(found);
        }
    }

    fn search(
        &self,
        opened: &Opened<'_>,
        job: &Job<'_>,
        journal: &mut Journal,
        executor: &mut dyn Executor,
        unexercised: Unexercised,
    ) -> Result<Found> {
        let Job { args, listener, stop, began } = *job;
        let often = options::often(&args.search, &self.plan, &self.baseline);
        let mut engine = Engine {
            plan: &self.plan,
            baseline: self.baseline.clone(),
            unexercised,
            budget: Budget { trials: args.search.max_trials, time: args.search.deadline },
            began,
            listener,
            stop: stop.clone(),
            journal,
            trials: Vec::new(),
            awake: BTreeSet::new(),
            often: often.clone(),
        };
        let last_time = self.history.last_time(&self.plan.candidates);
        let options = Options {
            last_time,
            at_once: self.plan.together(),
            ..options::options(&args.search, &self.plan.cells, &self.baseline, &often)
        };
        let searched = engine.search(executor, &options)?;
        let checkpoint = searched.checkpoint(&engine.trials);
        let chain = engine.commits(executor, &searched, &checkpoint, args.verify_commits.into())?;
        let summaries = engine.trials.iter().map(|trial| engine.summary(trial)).collect();
        let (trials, baseline) = (engine.trials, engine.baseline);
        let mut found = Found {
            searched,
            checkpoint,
            trials,
            summaries,
            commits: Vec::new(),
            branch: None,
            chain,
            baseline,
            publishing: Publishing::Fine,
        };
        if !found.checkpoint.atoms.is_empty() {
            let upgrades = outcome::upgrades(&self.plan, &found);
            match publish::branch(opened, args.branch.as_deref(), &upgrades, &found) {
                Ok(written) => (found.branch, found.commits) = (Some(written.branch), written.commits),
                // Nothing that was found may be lost with it: the report is still to come.
                Err(error) => {
                    let text = format!("no branch was written: {error:#}; mend that and run again");
                    listener.tell(&Event::Warned { text });
                    found.publishing = Publishing::Failed;
                }
            }
        }
        Ok(found)
    }

    fn report(&self, opened: &Opened<'_>, seconds: f64, stop: &Stop) -> Report {
        outcome::report(self, opened, seconds, stop)
    }

    fn code(&self, report: &Report, args: &RunArgs, stop: &Stop) -> Code {
        // What had to make way for the deadline is a matter of the budget, not of noise.
        let all = self.found.iter().flat_map(|found| &found.trials);
        let mut ran = all.filter(|trial| trial.report.noise() != Some(&Noise::Cut));
        if stop.requested() > Level::None {
            Code::Interrupted
        } else if self.nothing_green {
            Code::NoBaseline
        } else if self.found.as_ref().is_some_and(|found| found.publishing == Publishing::Failed) {
            Code::Publishing
        } else if report.upgrades.is_empty()
            && ran.clone().next().is_some()
            && ran.all(|trial| matches!(trial.verdict, Verdict::Inconclusive(_)))
        {
            Code::Inconclusive
        } else if args.fail_on_held && report.held.iter().any(|held| held.reason.kind.is_actionable()) {
            Code::Held
        } else {
            Code::Done
        }
    }
}
