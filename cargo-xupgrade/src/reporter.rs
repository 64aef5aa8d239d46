//! What a person or a program is told. Words only: nothing is decided here.
//! stdout is data (the table, or JSON), stderr is talk; bars only on a terminal.

mod aside;
mod commits;
mod explain;
mod flaps;
mod grid;
mod holds;
mod lines;
mod markdown;
mod once;
mod progress;
mod table;
mod tree;
mod turns;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::clock::Instant;
use crate::event::{Event, Listener};
use crate::input::cli::{Color, Format, ReportArgs, ReportFormat, Talk};
use crate::plan::Plan;
use crate::report::{Past, Report};
use grid::Paint;
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
            let when = if as_of < crate::machine::now::now().minus_days(1) { When::Earlier } else { When::Today };
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
pub fn colour(talk: &Talk) -> Paint {
    let on = match talk.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && crate::machine::command::variable("NO_COLOR").is_none(),
    };
    if on { Paint::Colour } else { Paint::Plain }
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
