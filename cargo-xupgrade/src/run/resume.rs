//! Whether a run takes up the one before it: what the journal in the output folder says, beside what is asked for now.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::Result;

use super::opened::Opened;
use super::planning::{self, Ecosystems};
use super::{Session, publish};
use crate::candidate::EcosystemKind;
use crate::checkout::environment::CheckEnv;
use crate::clock::Instant;
use crate::digest::sha256_hex;
use crate::event::{Event, Listener};
use crate::input::cli::{ExecutorKind, ResumeRule, RunArgs, Selection};
use crate::input::config::Config;
use crate::machine::command::Tool;
use crate::machine::failure::{Code, Usage};
use crate::machine::toolchain;
use crate::plan::Plan;
use crate::project::Project;
use crate::report::Report;
use crate::state::history::{self, History};
use crate::state::journal::{End, FORMAT, Header, Journal, Past};
use crate::task::Ground;

/// The version of the tool: another one may ask, read or judge otherwise.
const TOOL: &str = env!("CARGO_PKG_VERSION");

/// A run that has a plan and a journal.
pub struct Begun<'a> {
    pub plan: Plan,
    pub ecosystems: Ecosystems<'a>,
    pub journal: Journal,
}

/// Makes the plan and opens the journal: that of an interrupted run with the same base, flags and plan, or a new one.
pub fn begin<'a>(opened: &mut Opened<'a>, args: &RunArgs, folder: &Path, listener: &dyn Listener) -> Result<Begun<'a>> {
    let wanted = Wanted {
        base: opened.base.commit.clone(),
        flags: flags(args, &opened.config),
        as_of: args.selection.as_of.is_some().then_some(opened.policy.as_of),
    };
    let mut past = take_up(Past::read(folder), &wanted, args.search.resume, listener)?;
    if past.is_some() && args.search.executor == ExecutorKind::Process {
        refuse(args.search.resume, "trials in other processes keep their facts to themselves", listener)?;
        past = None;
    }
    let now = opened.policy.as_of;
    if let Some(past) = &past {
        opened.look_at(past.header.as_of);
    }
    let (mut plan, mut ecosystems) = planning::plan(opened, args.manifest.into())?;
    if past.as_ref().is_some_and(|past| past.header.plan != digest(&plan)) {
        refuse(args.search.resume, "the registries now give another plan for it", listener)?;
        past = None;
        opened.look_at(now);
        drop(ecosystems);
        (plan, ecosystems) = planning::plan(opened, args.manifest.into())?;
    }
    // Before the output of the last run makes way.
    if !plan.candidates.is_empty() {
        publish::rehearse(opened)?;
    }
    let journal = match past {
        Some(past) => {
            let text = format!("resuming the run of {}", past.header.as_of);
            listener.tell(&Event::Said { text });
            Journal::resume(folder, past)?
        }
        None => Journal::begin(folder, &header(&wanted, &plan))?,
    };
    Ok(Begun { plan, ecosystems, journal })
}

/// What this run is about, as far as it is known before there is a plan.
struct Wanted {
    base: String,
    flags: String,
    /// The instant that the user names.
    as_of: Option<Instant>,
}

fn header(wanted: &Wanted, plan: &Plan) -> Header {
    Header {
        format: FORMAT,
        tool: TOOL.to_owned(),
        base: wanted.base.clone(),
        as_of: plan.as_of,
        flags: wanted.flags.clone(),
        plan: digest(plan),
    }
}

/// The past run, if it is to be taken up.
fn take_up(past: Option<Past>, wanted: &Wanted, rule: ResumeRule, listener: &dyn Listener) -> Result<Option<Past>> {
    let past = past.filter(|past| rule != ResumeRule::Never && past.is_unfinished());
    match past {
        None if rule == ResumeRule::Always => Err(Usage("there is no interrupted run to resume".to_owned()).into()),
        None => Ok(None),
        Some(past) => match obstacle(&past.header, wanted) {
            None => Ok(Some(past)),
            Some(why) => refuse(rule, why, listener).map(|()| None),
        },
    }
}

/// Says why the interrupted run is not taken up; where it has to be, that is an error.
fn refuse(rule: ResumeRule, why: &str, listener: &dyn Listener) -> Result<()> {
    if rule == ResumeRule::Always {
        return Err(Usage(format!("the interrupted run cannot be resumed: {why}")).into());
    }
    listener.tell(&Event::Said { text: format!("the interrupted run is not resumed, everything runs afresh: {why}") });
    Ok(())
}

/// What stands in the way of taking a run up, before there is a plan.
fn obstacle(past: &Header, wanted: &Wanted) -> Option<&'static str> {
    if past.tool != TOOL {
        Some("another version of this tool made it")
    } else if past.base != wanted.base {
        Some("it started from another commit")
    } else if past.flags != wanted.flags {
        Some("its flags or its configuration were others")
    } else if wanted.as_of.is_some_and(|as_of| as_of != past.as_of) {
        Some("`--as-of` names another instant")
    } else {
        None
    }
}

/// A digest of a plan: of what is public, and of the cells as they would run.
fn digest(plan: &Plan) -> String {
    let words = |text: Result<String, serde_json::Error>| text.unwrap_or_default();
    let public = words(serde_json::to_string(&plan.report()));
    sha256_hex(format!("{public}\n{}", words(serde_json::to_string(&plan.cells))).as_bytes())
}

/// The ground that a plan stands on, with the flags that made it. To be asked before anything resolves it.
pub fn ground(opened: &Opened<'_>, plan: &Plan, flags: serde_json::Value) -> Ground {
    let configuration = serde_json::json!({ "configuration": opened.config, "copied": opened.copied });
    Ground { flags, plan: digest(plan), configuration: sha256_hex(configuration.to_string().as_bytes()) }
}

/// A digest of the flags and the configuration that change what is tried or how it is judged; budgets, numbers of
/// workers and ways to talk do not.
fn flags(args: &RunArgs, config: &Config) -> String {
    let Selection { repo: _, config: _, base, only, exclude, level, min_age, as_of: _, pinned, transitive, offline } =
        &args.selection;
    let identity = serde_json::json!({
        "base": base, "only": only, "exclude": exclude, "level": level, "min-age": min_age, "pinned": pinned,
        "transitive": transitive, "offline": offline, "strategy": args.search.strategy, "depth": args.search.depth,
        "verify-runs": args.search.verify_runs.get(), "manifest": args.manifest, "require-green": args.red.require_green,
        "verify-commits": args.verify_commits, "executor": args.search.executor, "configuration": config,
    });
    sha256_hex(identity.to_string().as_bytes())
}

/// A digest of everything that an answer hangs on beside tree and command: the toolchains, the environment of the
/// checks, and what the set-up brought.
pub fn surroundings(opened: &Opened<'_>, environment: &CheckEnv, projects: &[Project]) -> String {
    let setup = serde_json::to_string(&opened.config.setup).unwrap_or_default();
    let mut text = format!("{}\n{setup}\n", opened.copied).into_bytes();
    for (name, value) in environment.of(&[].into()) {
        text.extend([name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat());
    }
    let tree = opened.worker.tree();
    let pinned = projects.iter().map(|project| tree.join(&project.path));
    let pinned = pinned.filter(|folder| toolchain::file_in(folder).is_some());
    for folder in std::iter::once(tree.clone()).chain(pinned) {
        text.extend(version(toolchain::of_the_folder(Tool::new("rustc")).arg("-vV"), &folder).bytes());
    }
    if projects.iter().any(|project| project.ecosystem == EcosystemKind::Go) {
        text.extend(version(Tool::new("go").arg("version").env("GOTOOLCHAIN", "local"), &tree).bytes());
    }
    sha256_hex(&text)
}

/// What a toolchain says of itself, also where it says that it is not there.
fn version(tool: Tool, folder: &Path) -> String {
    tool.dir(folder).line().unwrap_or_else(|error| format!("{error:#}"))
}

/// What the facts of an interrupted run are worth, as a line.
pub fn told(known: usize) -> String {
    match known {
        0 => "no cell of the interrupted run is known, or its toolchain or environment was another".to_owned(),
        1 => "1 cell is known and does not run again".to_owned(),
        known => format!("{known} cells are known and do not run again"),
    }
}

/// What was remembered when the run began: a copy lies beside its journal, so that a run which takes it up guesses the
/// same and asks the same questions.
pub fn history(opened: &Opened<'_>, journal: &Journal, listener: &dyn Listener) -> Result<History> {
    // A run that was killed as soon as its journal had a first line left no copy.
    let is_copied = journal.is_resumed() && journal.folder().join(history::FILE).exists();
    let folder = if is_copied { journal.folder() } else { &opened.cache };
    let history = History::read(folder).unwrap_or_else(|text| {
        listener.tell(&Event::Warned { text });
        History::default()
    });
    if !is_copied {
        history.write(journal.folder())?;
    }
    Ok(history)
}

/// Remembers what a run found, on top of what is known by now: since the copy was made with which a resumed run begins,
/// another one may have learnt. Where that cannot be read, on top of what this one began with.
pub fn remember(opened: &Opened<'_>, session: &Session, report: &Report, listener: &dyn Listener) {
    let mut history = History::read(&opened.cache).unwrap_or_else(|_| session.history.clone());
    history.learn(report, &session.flapped);
    if let Err(error) = history.write(&opened.cache) {
        listener.tell(&Event::Warned { text: format!("{error:#}; the next run begins as if this one had not been") });
    }
}

/// Why a run that ends here does so.
pub fn end(report: &Report, code: Code) -> End {
    if report.interrupted {
        End::Interrupted
    } else if report.budget.is_some() {
        End::Budget
    } else if code == Code::Publishing {
        End::Unpublished
    } else {
        End::Done
    }
}

#[cfg(test)]
mod tests;
