//! Runs trials on this machine, each in a worker of its own: `slots` hands them out, `runner` runs one. Facts out; nothing is
//! judged here but what a trial needs to know to go on to its next cell.

mod barrier;
mod cell_scheduler;
mod runner;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::candidate::ProjectId;
use crate::checkout::environment::CheckEnv;
use crate::checkout::worker::Worker;
use crate::ecosystem::Ecosystem;
use crate::event::Listener;
use crate::machine::failure::Interrupted;
use crate::machine::interrupt::{Level, Stop};
use crate::machine::supervisor::{self, Containment, Job, RunAs};
use crate::plan::Plan;
use crate::shell::typed;
use crate::state::facts::Facts;
use crate::trial::{Atom, Written};
use cell_scheduler::CellScheduler;
use runner::Fetched;
pub use slots::{Local, with};

/// What a local executor works with.
#[derive(Clone)]
pub struct Tools<'a> {
    /// The places to run trials in, one for each that may run at once.
    pub places: &'a [Place<'a>],
    /// The plan that orders refer to.
    pub plan: &'a Plan,
    /// The ecosystems at hand.
    pub ecosystems: &'a [Box<dyn Ecosystem + 'a>],
    /// The output folder.
    pub out: PathBuf,
    /// What finished cells said, and where it is kept.
    pub facts: &'a Facts,
    /// Whom to tell.
    pub listener: &'a dyn Listener,
    /// Whether the user wants it to end.
    pub stop: Stop,
}

/// A worker with the environment of its checks.
#[derive(Debug)]
pub struct Place<'a> {
    /// The worker.
    pub worker: &'a Worker,
    /// The environment.
    pub environment: CheckEnv,
}

/// What all trials of an executor share.
#[derive(Default)]
struct Shared {
    /// Trees after sequences of atoms that were written before, in whatever slot: the same sequence is not resolved twice.
    written: Mutex<BTreeMap<Vec<Atom>, Step>>,
    scheduler: CellScheduler,
    /// How processes were kept together, once one ran.
    containment: Mutex<Option<Containment>>,
    fetched: Mutex<Fetched>,
    /// Ignored files that a build generated beside its sources.
    generated: Mutex<BTreeSet<String>>,
}

/// The outcome of one written atom.
#[derive(Debug, Clone)]
struct Step {
    /// The tree that was tested; the one to publish is the same, but for lockfiles that git does not track.
    tested: String,
    written: Written,
    /// The packages that refusals named on the way to it, by project.
    named: BTreeMap<ProjectId, BTreeSet<String>>,
}

/// The limit of a cell in the baseline, where nothing is known yet, in seconds.
const FIRST_LIMIT: u64 = 60 * 60;

/// Runs the checks' set-up: commands of the configuration, in the tree, in the environment of the checks.
///
/// # Errors
/// When one of them fails, or the user stops it.
pub fn set_up(
    worker: &Worker,
    environment: &CheckEnv,
    commands: &[Vec<String>],
    out: &std::path::Path,
    stop: &Stop,
) -> Result<()> {
    for (number, words) in commands.iter().enumerate() {
        let (program, args) = words.split_first().ok_or_else(|| anyhow!("an empty command in `[setup]`"))?;
        let whose = if worker.number() == 0 { String::new() } else { format!("w{}-", worker.number()) };
        let log = out.join(format!("log/{whose}setup-{}.log", number + 1));
        std::fs::create_dir_all(out.join("log"))?;
        let job = Job {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
            dir: worker.tree(),
            // The configuration's own commands, which may have to install something.
            run_as: RunAs::Own,
            env: environment.of(&BTreeMap::new()),
            limit: Duration::from_secs(FIRST_LIMIT),
            grace: supervisor::USUAL_GRACE,
            jobserver: None,
            log: log.clone(),
            log_limit: supervisor::USUAL_LOG_LIMIT,
        };
        let ran = supervisor::run(&job, stop, &mut |_: &str| {})?;
        if stop.requested() > Level::None {
            return Err(Interrupted.into());
        }
        if ran.exit != supervisor::Exit::Code(0) {
            return Err(anyhow!(
                "the set-up command `{}` failed ({:?}); see {}",
                typed(words),
                ran.exit,
                log.display()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
