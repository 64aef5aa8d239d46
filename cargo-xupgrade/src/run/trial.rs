//! One trial of a run that works elsewhere: the task in a file, the answer in another. The plan is made here anew, of the same commit
//! as of the same instant, and has to be the same.

use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::opened::Opened;
use super::workers::Workers;
use super::{planning, resolve, resume};
use crate::engine::executor::Executor as _;
use crate::engine::executor::local::{self, Tools};
use crate::engine::executor::process::objects_beside;
use crate::event::Listener;
use crate::input::cli::{PlanFlags, TrialArgs};
use crate::machine::failure::{Code, Usage};
use crate::machine::interrupt::{Level, Stop};
use crate::state::facts::Facts;
use crate::state::journal::write_whole;
use crate::task::{ANSWER_SCHEMA, Answer, Ground, TASK_SCHEMA, Task};

/// Runs the trial of a task, and writes the answer.
///
/// # Errors
/// A task that is none, or that is about another commit or another plan than can be made here; and all that keeps the answer
/// from being found out.
pub fn trial(args: &TrialArgs, listener: &dyn Listener, stop: &Stop) -> Result<Code> {
    let task = read(&args.order)?;
    let flags: PlanFlags =
        serde_json::from_value(task.ground.flags.clone()).map_err(|error| unfit(&args.order, &error))?;
    let mut selection = flags.selection;
    selection.base = Some(task.base.clone());
    selection.repo.clone_from(&args.repo);
    let mut opened = Opened::open_in(&selection, args.cache.as_deref(), listener, stop)?;
    opened.look_at(task.as_of);
    let (mut plan, ecosystems) = planning::plan(&mut opened, flags.manifest.into())?;
    let here = resume::ground(&opened, &plan, task.ground.flags.clone());
    if let Some(what) = other(&here, &task.ground) {
        return Err(Usage(format!("{} is about another {what} than there is here", args.order.display())).into());
    }
    resolve::resolve(&opened, &ecosystems, &mut plan, listener)?;
    plan.arrange(&task.candidates).map_err(|name| {
        Usage(format!("{} is about another plan: {name} is not the same candidate here", args.order.display()))
    })?;
    std::fs::create_dir_all(args.out.join("log")).with_context(|| format!("cannot make {}", args.out.display()))?;
    let workers = Workers::make(&mut opened, &ecosystems, 1, &args.out)?;
    let places = workers.places(&opened.worker);
    let facts = Facts::none();
    let tools = Tools {
        places: &places,
        plan: &plan,
        ecosystems: ecosystems.all(),
        out: args.out.clone(),
        facts: &facts,
        listener,
        stop: stop.clone(),
    };
    let answer = local::with(tools, |local| {
        local.learn(&task.baseline);
        local.submit(task.order)?;
        let ended = local.poll()?.ok_or_else(|| anyhow!("the executor lost the trial"))?;
        let containment = local.containment().map(|one| one.to_string());
        let (id, report, seconds) = (ended.id, ended.report, ended.seconds);
        Ok(Answer { schema: ANSWER_SCHEMA.to_owned(), id, report, seconds, containment })
    })?;
    let trees: Vec<&str> =
        answer.report.steps.iter().map(|step| step.tree.as_str()).chain(answer.report.tested.as_deref()).collect();
    if !trees.is_empty() {
        opened.worker.give_objects(&trees, &task.base, &objects_beside(&args.report))?;
    }
    let folder = args.report.parent().unwrap_or(Path::new("."));
    let name = args.report.file_name().ok_or_else(|| Usage(format!("`{}` names no file", args.report.display())))?;
    write_whole(folder, &name.to_string_lossy(), &answer)?;
    Ok(if stop.requested() > Level::None { Code::Interrupted } else { Code::Done })
}

/// The part of the ground that is another one.
fn other(here: &Ground, there: &Ground) -> Option<&'static str> {
    if here.configuration != there.configuration {
        Some("configuration, or other copied files,")
    } else if here.plan != there.plan {
        Some("plan")
    } else {
        None
    }
}

fn read(path: &Path) -> Result<Task> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Usage(format!("cannot read the order {}: {error}", path.display())))?;
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| unfit(path, &error))?;
    let schema = value["schema"].as_str().unwrap_or("no format at all");
    if schema != TASK_SCHEMA {
        let text = format!("{} is of the format `{schema}`, and this version reads `{TASK_SCHEMA}`", path.display());
        return Err(Usage(text).into());
    }
    Ok(serde_json::from_value(value).map_err(|error| unfit(path, &error))?)
}

fn unfit(path: &Path, error: &serde_json::Error) -> Usage {
    Usage(format!("{} is no order for a trial: {error}", path.display()))
}
