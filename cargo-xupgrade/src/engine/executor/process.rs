//! Runs each trial in a process of its own (`cargo xupgrade trial`), as another machine would: the task goes there in a file, and
//! the answer comes back in one, with the objects of its trees beside it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

use super::{Executor, Finished, Order};
use crate::checkout::worker::Worker;
use crate::machine::interrupt::{Level, Stop};
use crate::machine::supervisor::{self, Exit, Job, Launcher, RunAs};
use crate::plan::Plan;
use crate::state::journal::write_whole;
use crate::task::{ANSWER_SCHEMA, Answer, TASK_SCHEMA, Task};
use crate::trial::{Noise, TrialEnd, TrialReport};
use crate::verdict::Baseline;

/// The longest that the process of a trial may take: its cells have limits of their own, which end first.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// The means of an executor that starts processes.
pub struct Means<'a> {
    /// The program.
    pub program: PathBuf,
    /// Its variables: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// Its supervisor, where that is not this very program.
    pub launcher: Option<Launcher>,
    /// The repository.
    pub repo: PathBuf,
    /// The flags that make the plan, for [`Task::flags`].
    pub flags: serde_json::Value,
    /// The plan that orders refer to.
    pub plan: &'a Plan,
    /// The worker that takes the objects of trees.
    pub worker: &'a Worker,
    /// The folder in which each place has its clones, and tasks and answers lie.
    pub folder: PathBuf,
    /// The output folder of the run, for logs.
    pub out: PathBuf,
    /// The number of processes that run at once.
    pub places: usize,
    /// The user's wish that it ends.
    pub stop: Stop,
}

/// An executor that starts processes.
pub struct Processes<'a> {
    means: Means<'a>,
    known: Baseline,
    queue: VecDeque<Order>,
    unwanted: BTreeSet<String>,
    running: BTreeMap<usize, Running>,
    tell: Sender<Done>,
    done: Receiver<Done>,
    containment: Option<String>,
}

struct Running {
    id: String,
    stop: Stop,
    thread: JoinHandle<()>,
}

/// The end of a process, as its thread tells it.
struct Done {
    place: usize,
    ended: Result<Exit>,
}

impl<'a> Processes<'a> {
    /// An executor that runs nothing yet.
    ///
    /// # Errors
    /// When the disk refuses its folder.
    pub fn new(means: Means<'a>) -> Result<Self> {
        for folder in [&means.folder, &means.out.join("log")] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let (tell, done) = channel();
        let (queue, unwanted, running) = (VecDeque::new(), BTreeSet::new(), BTreeMap::new());
        Ok(Self { means, known: Baseline::default(), queue, unwanted, running, tell, done, containment: None })
    }

    /// The way in which processes of checks were kept together, once one ran.
    #[must_use]
    pub fn containment(&self) -> Option<String> {
        self.containment.clone()
    }

    /// Starts what can be started.
    fn dispatch(&mut self) -> Result<()> {
        while let Some(place) = (0..self.means.places).find(|place| !self.running.contains_key(place)) {
            let Some(order) = self.queue.pop_front() else { return Ok(()) };
            self.start(place, order)?;
        }
        Ok(())
    }

    fn start(&mut self, place: usize, order: Order) -> Result<()> {
        let id = order.id.clone();
        let task = Task {
            schema: TASK_SCHEMA.to_owned(),
            base: self.means.plan.base.clone(),
            as_of: self.means.plan.as_of,
            flags: self.means.flags.clone(),
            candidates: self.means.plan.candidates.clone(),
            baseline: self.known.clone(),
            order,
        };
        write_whole(&self.means.folder, &task_file(&id), &task)?;
        let stop = self.means.stop.part();
        let (job, wish, tell) = (self.job(place, &id), stop.clone(), self.tell.clone());
        let launcher = self.means.launcher.clone().map_or_else(Launcher::this_binary, Ok)?;
        let work = move || {
            let ended = launcher.run(&job, &wish, &mut |_: &str| {}).map(|ran| ran.exit);
            // Nobody listens when the run broke off meanwhile.
            let _ = tell.send(Done { place, ended });
        };
        let thread = std::thread::Builder::new().name(format!("p{place}")).spawn(work);
        let thread = thread.context("could not start a thread for a trial")?;
        self.running.insert(place, Running { id, stop, thread });
        Ok(())
    }

    fn job(&self, place: usize, id: &str) -> Job {
        let Means { program, repo, folder, out, .. } = &self.means;
        let words: [OsString; 12] = [
            "trial".into(),
            "--order".into(),
            folder.join(task_file(id)).into(),
            "--report".into(),
            folder.join(answer_file(id)).into(),
            "--repo".into(),
            repo.into(),
            "--out".into(),
            out.into(),
            "--cache".into(),
            folder.join(format!("p{place}")).into(),
            "--quiet".into(),
        ];
        Job {
            program: program.into(),
            args: words.into(),
            dir: repo.clone(),
            run_as: RunAs::Own,
            env: self.means.env.clone(),
            limit: LONGEST,
            grace: supervisor::USUAL_GRACE,
            jobserver: None,
            log: out.join(format!("log/{id}.process.log")),
            log_limit: supervisor::USUAL_LOG_LIMIT,
        }
    }

    fn finish(&mut self, done: Done) -> Result<Finished> {
        let running = self.running.remove(&done.place).ok_or_else(|| anyhow!("nobody ran in place {}", done.place))?;
        let Running { id, stop, thread } = running;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let answer = match done.ended? {
            Exit::Code(0) => self.answer(&id)?,
            _ if self.means.stop.requested() > Level::None => noise(id, Noise::Interrupted),
            _ if stop.requested() > Level::None => noise(id, Noise::Cancelled),
            exit => bail!(
                "the process of trial {id} ended with {exit:?}; see log/{id}.process.log in {}",
                self.means.out.display()
            ),
        };
        self.containment = answer.containment.or(self.containment.take());
        Ok(Finished { id: answer.id, report: answer.report, seconds: answer.seconds })
    }

    fn answer(&self, id: &str) -> Result<Answer> {
        let path = self.means.folder.join(answer_file(id));
        let unreadable = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(&path).with_context(unreadable)?;
        let answer: Answer = serde_json::from_str(&text).with_context(unreadable)?;
        if answer.schema != ANSWER_SCHEMA || answer.id != id {
            bail!("{} is no answer to trial {id} in the format `{ANSWER_SCHEMA}`", path.display());
        }
        let objects = objects_beside(&path);
        if objects.exists() {
            self.means.worker.take_objects(&objects)?;
        }
        Ok(answer)
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

fn answer_file(id: &str) -> String {
    format!("{id}.answer.json")
}

fn noise(id: String, noise: Noise) -> Answer {
    let report = TrialReport { end: TrialEnd::Noise(noise), ..TrialReport::default() };
    Answer { schema: ANSWER_SCHEMA.to_owned(), id, report, seconds: 0.0, containment: None }
}

impl Executor for Processes<'_> {
    fn capacity(&self) -> usize {
        self.means.places
    }

    fn learn(&mut self, known: &Baseline) {
        self.known = known.clone();
    }

    fn submit(&mut self, order: Order) -> Result<()> {
        self.queue.push_back(order);
        self.dispatch()
    }

    fn poll(&mut self) -> Result<Option<Finished>> {
        if let Some(id) = self.unwanted.pop_first() {
            let Answer { id, report, seconds, .. } = noise(id, Noise::Cancelled);
            return Ok(Some(Finished { id, report, seconds }));
        }
        if self.running.is_empty() {
            return Ok(None);
        }
        let done = self.done.recv().map_err(|_| anyhow!("all trials were lost"))?;
        let finished = self.finish(done)?;
        self.dispatch()?;
        Ok(Some(finished))
    }

    fn cancel(&mut self, id: &str) {
        let waits = |order: &&Order| order.id == id;
        self.unwanted.extend(self.queue.iter().filter(waits).map(|order| order.id.clone()));
        self.queue.retain(|order| order.id != id);
        self.running.values().filter(|one| one.id == id).for_each(|one| one.stop.trip(Level::Now));
    }
}

impl Drop for Processes<'_> {
    fn drop(&mut self) {
        self.running.values().for_each(|one| one.stop.trip(Level::Now));
        for (_, one) in std::mem::take(&mut self.running) {
            let _ = one.thread.join();
        }
    }
}
