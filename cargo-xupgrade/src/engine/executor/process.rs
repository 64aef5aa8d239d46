//! Runs each trial in a process of its own (`cargo xupgrade trial`), as another machine would: the task goes there in a file, and
//! the answer comes back in one, with the objects of its trees beside it. One at a time: what keeps the suites of several apart
//! lies within one process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};

use super::{Executor, Finished, Order};
use crate::checkout::worker::Worker;
use crate::machine::disk::remove;
use crate::machine::failure::Code;
use crate::machine::interrupt::{Level, Stop};
use crate::machine::supervisor::{self, Exit, Job, Launcher, RunAs};
use crate::plan::Plan;
use crate::state::journal::write_whole;
use crate::task::{ANSWER_SCHEMA, Answer, Ground, TASK_SCHEMA, Task};
use crate::trial::{Noise, TrialEnd, TrialReport};
use crate::verdict::Baseline;

/// The longest that the process of a trial may take: its cells have limits of their own, which end first.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// So many processes in a row without an answer end the run: the search would take as many for none.
const LOST: usize = 2;
/// The last lines of a process that are told.
const TOLD: usize = 3;

/// The means of an executor that starts processes.
pub struct Means<'a> {
    /// The program.
    pub program: PathBuf,
    /// Its variables: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// Its supervisor.
    pub launcher: Launcher,
    /// The repository.
    pub repo: PathBuf,
    /// The ground that the plan stands on.
    pub ground: Ground,
    /// The plan that orders refer to.
    pub plan: &'a Plan,
    /// The worker that takes the objects of trees.
    pub worker: &'a Worker,
    /// The folder of the processes' clones, in which tasks and answers lie, too.
    pub folder: PathBuf,
    /// The output folder of the run, for logs.
    pub out: PathBuf,
    /// The user's wish that it ends.
    pub stop: Stop,
}

/// An executor that starts processes.
pub struct Processes<'a> {
    means: Means<'a>,
    known: Baseline,
    queue: VecDeque<Queued>,
    unwanted: BTreeSet<String>,
    containment: Option<String>,
    /// The number of processes that ended without an answer since the last one with one.
    lost: usize,
}

struct Queued {
    order: Order,
    /// The moment at which the budget ends it.
    until: Option<Instant>,
}

impl<'a> Processes<'a> {
    /// An executor that runs nothing yet.
    ///
    /// # Errors
    /// A refusal of the disk.
    pub fn new(means: Means<'a>) -> Result<Self> {
        for folder in [&means.folder, &means.out.join("log")] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let (queue, unwanted) = (VecDeque::new(), BTreeSet::new());
        Ok(Self { means, known: Baseline::default(), queue, unwanted, containment: None, lost: 0 })
    }

    /// The way in which processes of checks were kept together, once one ran.
    #[must_use]
    pub fn containment(&self) -> Option<String> {
        self.containment.clone()
    }

    /// Runs a trial to its end.
    fn run(&mut self, Queued { mut order, until }: Queued) -> Result<Finished> {
        order.left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let id = order.id.clone();
        let files = self.files(&id);
        // An answer of an earlier run is none to this one.
        files.iter().try_for_each(|file| remove(file))?;
        write_whole(&self.means.folder, &task_file(&id), &self.task(order))?;
        let ran = self.means.launcher.run(&self.job(&id), &self.means.stop, &mut |_: &str| {})?;
        let answer = match ran.exit {
            Exit::Code(0) => self.answer(&id)?,
            _ if self.means.stop.requested() > Level::None => noise(id, Noise::Interrupted),
            exit => self.lose(id, &exit)?,
        };
        files.iter().try_for_each(|file| remove(file))?;
        self.containment = answer.containment.or(self.containment.take());
        Ok(Finished { id: answer.id, report: answer.report, seconds: answer.seconds })
    }

    fn task(&self, order: Order) -> Task {
        Task {
            schema: TASK_SCHEMA.to_owned(),
            base: self.means.plan.base.clone(),
            as_of: self.means.plan.as_of,
            ground: self.means.ground.clone(),
            candidates: self.means.plan.candidates.clone(),
            baseline: self.known.clone(),
            order,
        }
    }

    fn job(&self, id: &str) -> Job {
        let Means { program, repo, folder, out, .. } = &self.means;
        let [task, answer, _] = self.files(id);
        let words: [(&str, &Path); 5] = [
            ("--order", &task),
            ("--report", &answer),
            ("--repo", repo),
            ("--out", out),
            ("--cache", &folder.join("clones")),
        ];
        let flags = words.into_iter().flat_map(|(flag, path)| [flag.into(), path.as_os_str().to_owned()]);
        Job {
            program: program.into(),
            args: [OsString::from("trial"), "--quiet".into()].into_iter().chain(flags).collect(),
            dir: repo.clone(),
            run_as: RunAs::Own,
            env: self.means.env.clone(),
            limit: LONGEST,
            grace: supervisor::USUAL_GRACE,
            jobserver: None,
            log: self.log(id),
            log_limit: supervisor::USUAL_LOG_LIMIT,
        }
    }

    fn log(&self, id: &str) -> PathBuf {
        self.means.out.join(format!("log/{id}.process.log"))
    }

    /// The task of a trial, its answer, and the objects of its trees.
    fn files(&self, id: &str) -> [PathBuf; 3] {
        let answer = self.means.folder.join(format!("{id}.answer.json"));
        let objects = objects_beside(&answer);
        [self.means.folder.join(task_file(id)), answer, objects]
    }

    fn answer(&mut self, id: &str) -> Result<Answer> {
        let [_, path, objects] = self.files(id);
        let unreadable = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(&path).with_context(unreadable)?;
        let answer: Answer = serde_json::from_str(&text).with_context(unreadable)?;
        if answer.schema != ANSWER_SCHEMA || answer.id != id {
            bail!("{} is no answer to trial {id} in the format `{ANSWER_SCHEMA}`", path.display());
        }
        if objects.exists() {
            self.means.worker.take_objects(&objects)?;
        }
        self.lost = 0;
        Ok(answer)
    }

    /// The end of a process without an answer: noise, unless none has had one for a while.
    fn lose(&mut self, id: String, exit: &Exit) -> Result<Answer> {
        let log = std::fs::read_to_string(self.log(&id)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(TOLD)..].join("; ");
        let words = format!("its process ended without an answer ({exit:?}): {last}");
        self.lost += 1;
        if *exit == Exit::Code(Code::Usage as i32) {
            return Err(anyhow!("{words}").context(format!("trial {id} cannot be run elsewhere")));
        }
        if self.lost >= LOST {
            return Err(
                anyhow!("{words}").context(format!("{LOST} trials in a row had no answer, {id} the last of them"))
            );
        }
        Ok(noise(id, Noise::Outside(words)))
    }
}

/// The file with the objects of an answer's trees.
#[must_use]
pub fn objects_beside(answer: &Path) -> PathBuf {
    answer.with_extension("pack")
}

fn task_file(id: &str) -> String {
    format!("{id}.task.json")
}

fn noise(id: String, noise: Noise) -> Answer {
    let report = TrialReport { end: TrialEnd::Noise(noise), ..TrialReport::default() };
    Answer { schema: ANSWER_SCHEMA.to_owned(), id, report, seconds: 0.0, containment: None }
}

impl Executor for Processes<'_> {
    fn capacity(&self) -> usize {
        1
    }

    fn learn(&mut self, known: &Baseline) {
        self.known = known.clone();
    }

    fn submit(&mut self, order: Order) -> Result<()> {
        let until = order.left.map(|left| Instant::now() + left);
        self.queue.push_back(Queued { order, until });
        Ok(())
    }

    fn poll(&mut self) -> Result<Option<Finished>> {
        if let Some(id) = self.unwanted.pop_first() {
            let Answer { id, report, seconds, .. } = noise(id, Noise::Cancelled);
            return Ok(Some(Finished { id, report, seconds }));
        }
        self.queue.pop_front().map(|queued| self.run(queued)).transpose()
    }

    fn cancel(&mut self, id: &str) {
        let waits = |queued: &&Queued| queued.order.id == id;
        self.unwanted.extend(self.queue.iter().filter(waits).map(|queued| queued.order.id.clone()));
        self.queue.retain(|queued| queued.order.id != id);
    }
}
