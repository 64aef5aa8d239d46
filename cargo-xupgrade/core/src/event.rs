//! Everything that a reporter may know: the events of a run, in the order in which they happen.

use serde::Serialize;

use crate::candidate::{ProjectId, Version};
use crate::cooldown::Cooldown;
use crate::report::{CellSummary, Report, VerdictKind};
use crate::why::Why;

/// A check, by its project and its name.
#[derive(Debug, Clone, Serialize)]
pub struct CheckName {
    /// The project.
    pub project: ProjectId,
    /// The check's name.
    pub check: String,
}

/// A project of the plan, as it is told before the first build.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedProject {
    /// Its identity.
    pub project: ProjectId,
    /// The number of its candidates.
    pub candidates: usize,
    /// The reason for which it is held whole.
    pub held: Option<String>,
    /// True where its lockfile was resolved for this run, as git has none.
    pub own_lock: bool,
    /// Its checks, in their order.
    pub checks: Vec<PlannedCheck>,
}

/// A check of the plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedCheck {
    /// Its name.
    pub name: String,
    /// The command, as a person would type it.
    pub command: String,
    /// The folder in which it runs, from the root.
    pub folder: String,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work of some length began (`surveying cargo .`).
    Began {
        /// What, as a fragment.
        what: String,
    },
    /// It went on.
    Progressed {
        /// What, as in `Began`.
        what: String,
        /// How much is done.
        done: usize,
        /// Of how much.
        total: usize,
    },
    /// It ended.
    Ended {
        /// What, as in `Began`.
        what: String,
    },
    /// Something that a person should know; one line.
    Said {
        /// The line.
        text: String,
    },
    /// Something that a person should look at; one line.
    Warned {
        /// The line.
        text: String,
    },
    /// The run began; nothing was read yet but the base commit.
    Opened {
        /// The base commit.
        commit: String,
        /// The first line of its message.
        subject: String,
        /// The number of changed or untracked files, which take no part.
        uncommitted: usize,
    },
    /// The plan was made; nothing was built yet.
    PlanReady {
        /// The cooldowns of package managers that count.
        cooldowns: Vec<Cooldown>,
        /// The projects.
        projects: Vec<PlannedProject>,
        /// The number of dependencies that are held before any trial.
        held: usize,
        /// The number of dependencies that are newest already.
        newest: usize,
        /// The folder of clones and target directories.
        cache: String,
        /// Free bytes on its disk, where that is known.
        free: Option<u64>,
        /// The limit of the target directories that stay between runs, in GiB.
        target_limit: u64,
        /// The output folder.
        out: String,
    },
    /// The baseline ended, and something is to be tried.
    BaselineDone {
        /// Seconds that the whole matrix takes on the base, at most.
        seconds: f64,
        /// The number of candidates.
        candidates: usize,
        /// The number of trials to come, about.
        trials: usize,
        /// Seconds of all of them, about.
        seconds_left: u64,
        /// The number of tests that did not end the same way each time.
        flaky: usize,
        /// Checks without names of tests that passed once and failed once.
        unsteady: Vec<CheckName>,
    },
    /// A trial began.
    TrialBegan {
        /// Its name (`baseline-1`, `t3`, `full-1`).
        trial: String,
        /// Reason for the choice; `null` for the baseline, but for its red tests alone.
        why: Option<Why>,
        /// The trial that it looks at again, where it is a second look at a failure (`confirm`, `bracket`).
        of: Option<String>,
        /// What it tries on top of what is accepted.
        fresh: Vec<Step>,
        /// How many are accepted already.
        accepted: usize,
        /// How many trials may still follow.
        remaining: usize,
        /// Seconds that they may take, once the baseline is known.
        seconds_left: Option<u64>,
    },
    /// A cell began.
    CellBegan {
        /// The trial.
        trial: String,
        /// The project.
        project: ProjectId,
        /// The command, as a person would type it.
        command: String,
    },
    /// A cell ended.
    CellEnded {
        /// The trial.
        trial: String,
        /// What happened.
        cell: CellSummary,
    },
    /// A cell did not run: the journal of the run that was taken up knows how it ends.
    CellKnown {
        /// The trial.
        trial: String,
        /// What happened then.
        cell: CellSummary,
    },
    /// A trial ended.
    TrialEnded {
        /// Its name.
        trial: String,
        /// The verdict.
        verdict: VerdictKind,
        /// The cause, in words.
        text: String,
        /// Seconds that it took.
        seconds: f64,
    },
    /// A trial that failed counts as passed.
    TrialCleared {
        /// Its name.
        trial: String,
        /// The cause, in words.
        text: String,
    },
    /// The run is over.
    Finished {
        /// The whole report.
        report: Box<Report>,
    },
}

/// One upgrade of a trial, as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The crate or module.
    pub name: String,
    /// The project that it moves in.
    #[serde(skip)]
    pub project: ProjectId,
    /// From this version.
    pub from: Version,
    /// To this one.
    pub to: Version,
    /// The chance that it fails, in 1/1000, as guessed before anything was tried.
    pub risk: u16,
    /// The lower versions of the same kind (compatible, breaking) on its ladder, highest first.
    pub lower: Vec<Version>,
}

/// Somebody who is told, by several threads at once: ecosystems work side by side.
pub trait Listener: Sync {
    /// Takes one event.
    fn tell(&self, event: &Event);
}

impl<F: Fn(&Event) + Sync> Listener for F {
    fn tell(&self, event: &Event) {
        self(event);
    }
}
