//! The words at the turns of a run: where it starts, what is planned, what the baseline found.

use std::fmt::Write as _;

use super::{clock, count, duration};
use crate::event::{CheckName, Event, PlannedProject};

/// The lines of such an event; none for any other.
pub fn text(event: &Event) -> Option<String> {
    match event {
        Event::Opened { commit, subject, uncommitted } => Some(opened(commit, subject, *uncommitted)),
        Event::PlanReady { .. } => plan_ready(event),
        Event::BaselineDone { .. } => baseline_done(event),
        _ => None,
    }
}

fn opened(commit: &str, subject: &str, uncommitted: usize) -> String {
    let line = format!("base: {} {subject}", &commit[..12.min(commit.len())]);
    if uncommitted == 0 {
        return line;
    }
    let take = if uncommitted == 1 { "takes" } else { "take" };
    format!("{line}\nnote: {} {take} no part: not in that commit", count(uncommitted, "changed or untracked file"))
}

fn plan_ready(event: &Event) -> Option<String> {
    let Event::PlanReady { cooldowns, projects, held, newest, cache, free, target_limit: limit, out } = event else {
        return None;
    };
    let mut lines: Vec<String> = cooldowns.iter().map(crate::cooldown::Cooldown::words).collect();
    lines.extend(projects.iter().flat_map(planned));
    lines.push(format!("held before any trial: {held}, newest already: {newest}"));
    let free = free.map_or_else(|| "free space unknown".to_owned(), |bytes| format!("{} free", gibibytes(bytes)));
    lines.push(format!(
        "clones and target directories: {cache} ({free}; at most {limit} GiB of them stay between runs, `target-limit`)"
    ));
    lines.push(format!("output: {out}"));
    Some(lines.join("\n"))
}

/// The lines of a project: its end or its candidates, and its checks.
fn planned(one: &PlannedProject) -> Vec<String> {
    let first = match &one.held {
        Some(why) => format!("project {}: held, {why}", one.project),
        None => format!("project {}: {}", one.project, count(one.candidates, "candidate")),
    };
    let lock = "  its Cargo.lock is not in git: one was resolved for this run, and is never committed";
    let check =
        |check: &crate::event::PlannedCheck| format!("  {}: {}   (in {})", check.name, check.command, check.folder);
    let lock = one.own_lock.then(|| lock.to_owned());
    [first].into_iter().chain(lock).chain(one.checks.iter().map(check)).collect()
}

fn gibibytes(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30)
}

fn baseline_done(event: &Event) -> Option<String> {
    let Event::BaselineDone { seconds, candidates, trials, seconds_left, flaky, unsteady } = event else { return None };
    let mut text = format!(
        "the whole matrix takes {} at most on the base; about {} for {}, done in about {}",
        duration(*seconds),
        count(*trials, "trial"),
        count(*candidates, "candidate"),
        clock(*seconds_left),
    );
    if *flaky > 0 {
        let _ =
            write!(text, "\n{} did not end the same way each time: no evidence by themselves", count(*flaky, "test"));
    }
    for CheckName { project, check } in unsteady {
        let _ = write!(
            text,
            "\nthe {check} of {project} passed once and failed once on the base, and names no test: its failures are no \
             evidence"
        );
    }
    Some(text)
}
