//! The events of a run at its turns: where it starts, what is planned, what the baseline found. Facts; `reporter` has the words.

use std::path::Path;

use crate::checkout::repo::Repo;
use crate::engine::forecast::{Forecast, forecast};
use crate::event::{CheckName, Event, PlannedCheck, PlannedProject};
use crate::plan::Plan;
use crate::project::Base;
use crate::project::Project;
use crate::verdict::{Baseline, Steadiness};

/// The first event of a run.
pub fn opened(repo: &Repo, base: &Base) -> Event {
    let uncommitted = repo.uncommitted().unwrap_or(0);
    Event::Opened { commit: base.commit.clone(), subject: base.subject.clone(), uncommitted }
}

/// The event before the first build. `limit` is for the target directories that stay between runs, in GiB.
pub fn plan_ready(plan: &Plan, cache: &Path, limit: u64, out: &Path) -> Event {
    Event::PlanReady {
        cooldowns: plan.cooldowns.clone(),
        projects: plan.projects.iter().map(|project| planned(plan, project)).collect(),
        held: plan.held.len(),
        newest: plan.newest.len(),
        cache: cache.display().to_string(),
        free: crate::machine::disk::free(cache),
        target_limit: limit,
        out: out.display().to_string(),
    }
}

fn planned(plan: &Plan, project: &Project) -> PlannedProject {
    let id = project.id();
    let checks = plan.cells.iter().filter(|cell| cell.project == id).map(|cell| PlannedCheck {
        name: cell.check.name.clone(),
        command: cell.check.typed(&cell.check.argv),
        folder: cell.check.dir.clone(),
    });
    PlannedProject {
        candidates: plan.candidates.iter().filter(|one| one.id.project == id).count(),
        held: project.obstacle.as_ref().map(|reason| reason.text.clone()),
        own_lock: project.lock.is_some(),
        checks: checks.collect(),
        project: id,
    }
}

/// The event after the baseline.
pub fn baseline_done(plan: &Plan, baseline: &Baseline) -> Event {
    let Forecast { trials, seconds } = forecast(plan, baseline);
    let unsteady = baseline.cells.iter().filter(|(_, cell)| cell.steadiness == Steadiness::Unsteady);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    Event::BaselineDone {
        seconds: baseline.cells.values().map(|cell| cell.seconds).sum(),
        candidates: plan.candidates.len(),
        trials,
        seconds_left: seconds as u64,
        flaky: baseline.cells.values().map(|cell| cell.flaky.len()).sum(),
        unsteady: unsteady
            .map(|(key, _)| CheckName { project: key.project.clone(), check: key.check.clone() })
            .collect(),
    }
}
