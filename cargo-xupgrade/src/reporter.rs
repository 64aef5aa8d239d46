//! What a person or a program is told. Words only: nothing is decided here.
//! stdout is data (the table, or JSON), stderr is talk; bars only on a terminal.

mod aside;
mod commits;
mod explain;
mod flaps;
mod holds;
mod lines;
mod markdown;
mod once;
mod progress;
mod table;
mod tree;

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::cli::{Color, Format, ReportArgs, ReportFormat, Talk};
use crate::clock::Instant;
use crate::event::{Event, Listener};
use crate::plan::Plan;
use crate::repo::{Base, Repo};
use crate::report::Report;
use crate::run::Past;
use crate::verdict::{Baseline, CellBaseline, Steadiness};
use once::Once;
use table::When;

/// The reporter that the flags ask for.
#[must_use]
pub fn listener(talk: &Talk) -> Box<dyn Listener> {
    let terminal = std::io::stderr().is_terminal();
    match talk.format {
        Format::Json => Box::new(json),
        Format::Human if terminal && !talk.quiet => Box::new(Once::new(progress::Bars::new(talk.clone()))),
        Format::Human => Box::new(Once::new(lines::Lines::new(talk.clone()))),
    }
}

/// The same, with the story of the search beside it.
#[must_use]
pub fn explained(talk: &Talk) -> Box<dyn Listener> {
    Box::new(explain::Explained::new(listener(talk), talk))
}

/// One event as a line of JSON on stdout.
fn json(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        print_line(&line);
    }
}

/// A line on stdout; a reader that has gone away is no error of ours.
fn print_line(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Shows a plan on stdout.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn show_plan(plan: &Plan, talk: &Talk, as_of: Instant) -> Result<()> {
    match talk.format {
        Format::Json => print_line(&serde_json::to_string_pretty(&plan.report())?),
        Format::Human => {
            let when = if as_of < Instant::now().minus_days(1) { When::Earlier } else { When::Today };
            print_line(table::plan(plan, talk, when).trim_end());
        }
    }
    Ok(())
}

/// Shows a run that is over on stdout.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn show_past(past: &Past, args: &ReportArgs) -> Result<()> {
    let talk = Talk { color: args.color, all: args.all, ..Talk::default() };
    let text = match args.format {
        ReportFormat::Json => serde_json::to_string_pretty(&past.json()?)?,
        ReportFormat::Markdown => markdown::report(past),
        ReportFormat::Human => {
            let paint = colour(&talk);
            let trials = tree::trials(&past.report.trials, paint);
            match past.warning() {
                Some(warning) => format!("{warning}\n\n{trials}\n{}", table::undecided(&past.report)),
                None => format!("{trials}\n{}", table::report(&past.report, &talk, paint).trim_start()),
            }
        }
    };
    print_line(text.trim_end());
    Ok(())
}

/// Whether to colour what goes to stdout.
#[must_use]
pub fn colour(talk: &Talk) -> table::Paint {
    let on = match talk.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && crate::command::variable("NO_COLOR").is_none(),
    };
    if on { table::Paint::Colour } else { table::Paint::Plain }
}

/// The first lines of a run, at once: where it starts, and what takes no part.
#[must_use]
pub fn opening(repo: &Repo, base: &Base) -> String {
    let line = format!("base: {} {}", &base.commit[..12.min(base.commit.len())], base.subject);
    match repo.uncommitted() {
        Ok(changed @ 1..) => {
            let (files, take) =
                (count(changed, "changed or untracked file"), if changed == 1 { "takes" } else { "take" });
            format!("{line}\nnote: {files} {take} no part: not in that commit")
        }
        _ => line,
    }
}

/// What is said before the first build.
#[derive(Debug)]
pub struct Preface {
    lines: Vec<String>,
}

impl Preface {
    /// Gathers it. `limit` is for the target directories that stay between runs, in GiB.
    #[must_use]
    pub fn of(plan: &Plan, (cache, limit): (&Path, u64), out: &Path) -> Self {
        let mut lines = Vec::new();
        lines.extend(plan.cooldowns.iter().map(crate::cooldown::Cooldown::words));
        for project in &plan.projects {
            let count = plan
                .candidates
                .iter()
                .filter(|one| one.ecosystem == project.ecosystem && one.project == project.path)
                .count();
            match &project.obstacle {
                Some(reason) => lines.push(format!("project {}: held, {}", project.label(), reason.text)),
                None => lines.push(format!("project {}: {}", project.label(), self::count(count, "candidate"))),
            }
            if project.lock.is_some() {
                lines.push(
                    "  its Cargo.lock is not in git: one was resolved for this run, and is never committed".into(),
                );
            }
            for cell in plan.cells.iter().filter(|cell| cell.project == project.label()) {
                lines.push(format!(
                    "  {}: {}   (in {})",
                    cell.check.name,
                    cell.check.typed(&cell.check.argv),
                    cell.check.dir
                ));
            }
        }
        lines.push(format!("held before any trial: {}, newest already: {}", plan.held.len(), plan.newest.len()));
        let (cache, free) = (cache.display(), free_space(cache));
        lines.push(format!(
            "clones and target directories: {cache} ({free}; at most {limit} GiB of them stay between runs, `target-limit`)"
        ));
        lines.push(format!("output: {}", out.display()));
        Self { lines }
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Free disk below a folder, in words.
fn free_space(folder: &Path) -> String {
    match crate::disk::free(folder) {
        Some(bytes) => format!("{} free", gibibytes(bytes)),
        None => "free space unknown".into(),
    }
}

fn gibibytes(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, ((bytes & ((1 << 30) - 1)) * 10) >> 30)
}

/// A guess at what a run takes, from the seconds of the baseline and the number of candidates.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    /// The trials.
    pub trials: usize,
    /// The seconds of all of them.
    pub seconds: f64,
}

/// The guess at a run with these candidates.
#[must_use]
pub fn forecast(plan: &Plan, baseline: &Baseline) -> Forecast {
    let expected: f64 = baseline.cells.values().map(CellBaseline::expected_seconds).sum();
    let trials = expected_trials(plan.candidates.len());
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = expected * (trials + 1) as f64;
    Forecast { trials, seconds }
}

/// What is said after the baseline: time per trial, trials expected, the end.
#[must_use]
pub fn outlook(plan: &Plan, baseline: &Baseline) -> String {
    let seconds: f64 = baseline.cells.values().map(|cell| cell.seconds).sum();
    let flaky: usize = baseline.cells.values().map(|cell| cell.flaky.len()).sum();
    let Forecast { trials, seconds: total } = forecast(plan, baseline);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    let total = total as u64;
    let mut text = format!(
        "the whole matrix takes {} at most on the base; about {} for {}, done in about {}",
        duration(seconds),
        count(trials, "trial"),
        count(plan.candidates.len(), "candidate"),
        clock(total),
    );
    if flaky > 0 {
        let _ =
            write!(text, "\n{} did not end the same way each time: no evidence by themselves", count(flaky, "test"));
    }
    let unsteady = baseline.cells.iter().filter(|(_, cell)| cell.steadiness == Steadiness::Unsteady);
    for ((project, check), _) in unsteady {
        let _ = write!(
            text,
            "\nthe {check} of {project} passed once and failed once on the base, and names no test: its failures are no \
             evidence"
        );
    }
    text
}

/// A rough number of trials: a group test for each four of a hundred that fail, and one for good measure.
fn expected_trials(candidates: usize) -> usize {
    let bits = usize::try_from(candidates.max(1).ilog2()).unwrap_or(0) + 1;
    1 + candidates.div_ceil(16) * bits
}

/// A number and what it counts.
#[must_use]
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The numbers of a run in one line.
#[must_use]
pub fn totals(report: &Report) -> String {
    format!(
        "{} upgraded, {} held, {} untried, {} newest already; {} in {}",
        report.upgrades.len(),
        report.held.len(),
        report.untried.len(),
        report.newest.len(),
        count(report.trials_run(), "trial"),
        duration(report.seconds)
    )
}

/// Seconds, as a person reads them.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a run")]
        clock(seconds as u64)
    }
}

/// Whole seconds as `1 h 02 min`, `3 min 04 s` or `5 s`.
#[must_use]
pub fn clock(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// A path below the current folder, shown from there.
#[must_use]
pub fn nearby(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).map_or_else(|_| path.to_owned(), Path::to_owned)
}
