//! Plain lines on stderr, for logs and pipes; the final table on stdout.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{clock, count, duration, print_line, table, turns};
use crate::candidate::ProjectId;
use crate::event::{Event, Listener, Step};
use crate::input::cli::Talk;
use crate::machine::failure::shown;
use crate::why::Why;

/// Writes one line for each event that matters.
pub struct Lines {
    talk: Talk,
}

impl Lines {
    /// With the flags of the command line.
    pub fn new(talk: Talk) -> Self {
        Self { talk }
    }
}

impl Listener for Lines {
    fn tell(&self, event: &Event) {
        if let Event::Finished { report } = event {
            print_line(table::report(report, &self.talk, super::colour(&self.talk)).trim_end());
        } else if let Some(line) = line(event, &self.talk) {
            eprintln!("{}", shown(&line));
        }
    }
}

/// The line of an event, if it is worth one.
pub fn line(event: &Event, talk: &Talk) -> Option<String> {
    if talk.quiet && !matches!(event, Event::Warned { .. }) {
        return None;
    }
    match event {
        Event::Began { what } if talk.verbose => Some(format!("{what} ...")),
        Event::Said { text } => Some(text.clone()),
        Event::Warned { text } => Some(format!("warning: {text}")),
        Event::TrialBegan { trial, why, fresh, accepted, remaining, seconds_left, .. } => {
            let left = left(*remaining, *seconds_left);
            Some(format!("{trial}: {}{left}", trying(*why, fresh, *accepted)))
        }
        Event::CellBegan { trial, project, command } if talk.verbose => Some(format!("{trial}: {project}: {command}")),
        Event::CellEnded { trial, cell } if talk.verbose || is_remarkable(cell) => {
            Some(format!("{trial}: {}", cell_line(cell)))
        }
        Event::CellKnown { trial, cell } if talk.verbose => {
            Some(format!("{trial}: known from the journal: {}", cell_line(cell)))
        }
        Event::TrialEnded { trial, verdict, text, seconds } => {
            let why = if text.is_empty() { String::new() } else { format!(": {text}") };
            Some(format!("{trial}: {verdict} in {}{why}", duration(*seconds)))
        }
        Event::TrialCleared { trial, text } => Some(format!("{trial} counts as passed: {text}")),
        other => turns::text(other),
    }
}

fn is_remarkable(cell: &crate::report::CellSummary) -> bool {
    !cell.dirtied.is_empty() || cell.strays > 0 || cell.beside.is_some()
}

fn cell_line(cell: &crate::report::CellSummary) -> String {
    let end = cell.exit.map_or_else(|| cell.ended.clone().unwrap_or_default(), |code| format!("exit {code}"));
    let mut text =
        format!("{} {}: {end} in {}, {} tests", cell.project, cell.check, duration(cell.seconds), cell.tests);
    if !cell.dirtied.is_empty() {
        let _ = write!(text, "; it changed {} files, undone: {}", cell.dirtied.len(), some(&cell.dirtied));
    }
    if let Some(log) = &cell.beside {
        let _ = write!(text, "; alone, after it had failed beside another worker ({log})");
    }
    if cell.strays > 0 {
        let _ = write!(text, "; it left {} processes running, killed", cell.strays);
    }
    text
}

/// A guess at what is still to come, in brackets behind a blank; empty where nothing is known to be.
pub fn left(remaining: usize, seconds_left: Option<u64>) -> String {
    let trials = (remaining > 0).then(|| format!("about {}", count(remaining, "more trial")));
    let time = seconds_left.map(|seconds| format!("about {} left", clock(seconds)));
    let parts: Vec<String> = trials.into_iter().chain(time).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// What a trial tries, in one line.
pub fn trying(why: Option<Why>, fresh: &[Step], accepted: usize) -> String {
    let names = named(fresh);
    match (fresh.len(), accepted) {
        (0, 0) if why == Some(Why::Bracket) => "the failed tests on the untouched base".into(),
        (0, accepted) if why == Some(Why::Bracket) => format!("the failed tests on {}", count(accepted, "upgrade")),
        (0, 0) => "the untouched base".into(),
        (0, accepted) if why == Some(Why::Often) => {
            format!("the tests of {} again and again", count(accepted, "upgrade"))
        }
        (0, accepted) => format!("final check of {}", count(accepted, "upgrade")),
        (_, 0) => some(&names),
        (_, accepted) => format!("{} on top of {accepted}", some(&names)),
    }
}

/// The steps in their order, those of one crate to one version as one (`hex 0.4.3 in 3 projects`).
fn named(fresh: &[Step]) -> Vec<String> {
    let mut groups: Vec<(String, BTreeSet<&ProjectId>)> = Vec::new();
    for step in fresh {
        let name = format!("{} {}", step.name, step.to);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, projects)) => drop(projects.insert(&step.project)),
            None => groups.push((name, BTreeSet::from([&step.project]))),
        }
    }
    let told = |(name, projects): (String, BTreeSet<&ProjectId>)| match projects.len() {
        1 => name,
        many => format!("{name} in {many} projects"),
    };
    groups.into_iter().map(told).collect()
}

fn some(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Version;

    fn step(name: &str, to: &str, project: &str) -> Step {
        let version = |text: &str| Version::parse(text).unwrap();
        Step {
            name: name.into(),
            project: format!("cargo {project}").as_str().into(),
            from: version("1.0.0"),
            to: version(to),
            risk: 0,
            lower: vec![],
        }
    }

    #[test]
    fn one_crate_in_several_projects_is_named_once_with_their_number() {
        let hex = |project| step("hex", "1.1.0", project);
        let fresh = [hex("a"), step("ant", "1.0.1", "a"), hex("b"), step("hex", "2.0.0", "b"), hex("c")];
        assert_eq!(trying(None, &fresh, 0), "hex 1.1.0 in 3 projects, ant 1.0.1, hex 2.0.0");
        assert_eq!(trying(None, &fresh[..2], 1), "hex 1.1.0, ant 1.0.1 on top of 1");
    }
}
