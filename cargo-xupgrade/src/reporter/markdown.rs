//! A run as Markdown: for a pull request, a job's summary or a log. Pure. What others wrote (names, versions, what a test
//! said) stands in code spans, where it can be neither a link nor a mention.

use std::fmt::Write as _;

use super::{aside, commits, duration, flaps, totals, tree};
use crate::candidate::{Held, Version};
use crate::machine::failure::shown;
use crate::report::Past;
use crate::report::{Report, TrialSummary, Upgrade};
use crate::trial::flap::Flap;

/// The report as Markdown.
pub fn report(past: &Past) -> String {
    let report = &past.report;
    if let Some(warning) = past.warning() {
        return format!("# A run without an end\n\n{warning}\n\n{}{}", undecided(report), trials(&report.trials));
    }
    let mut text = format!("# {}\n\n", totals(report));
    if let Some(branch) = &report.branch {
        let _ = writeln!(text, "Branch {}: its tip passed the whole matrix.\n", code(branch));
        let lines = commits::lines(report, code);
        if !lines.is_empty() {
            let _ = writeln!(text, "- {}\n", lines.join("\n- "));
        }
    }
    text.push_str(&upgrades(&report.upgrades));
    text.push_str(&held(&report.held));
    if !report.untried.is_empty() {
        let names: Vec<String> = report.untried.iter().map(|one| code(&one.id.name)).collect();
        let _ = writeln!(text, "## Untried\n\n{}\n", names.join(", "));
        if let Some(budget) = &report.budget {
            let _ = writeln!(text, "{}\n", shown(budget));
        }
    }
    text.push_str(&aside::section(report, code));
    text.push_str(&flaky(&report.flapped));
    text.push_str(&trials(&report.trials));
    text
}

fn undecided(report: &Report) -> String {
    let names: Vec<String> = report.untried.iter().map(|one| code(&one.id.name)).collect();
    if names.is_empty() { String::new() } else { format!("## Undecided\n\n{}\n\n", names.join(", ")) }
}

fn upgrades(all: &[Upgrade]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut text = "## Upgraded\n\n| what | where | from | to | step | trial |\n|---|---|---|---|---|---|\n".to_owned();
    for one in all {
        let step = if one.breaking { format!("{}, breaking", one.level) } else { one.level.to_string() };
        let place = cell(&one.id.project.to_string());
        let (from, to) = (cell(&one.from.to_string()), cell(&one.to.to_string()));
        let _ = writeln!(text, "| {} | {place} | {from} | {to} | {step} | {} |", cell(&one.id.name), cell(&one.trial));
    }
    text.push('\n');
    text
}

/// What somebody can act on; the rest is a number.
fn held(all: &[Held]) -> String {
    let (told, rest): (Vec<&Held>, Vec<&Held>) = all.iter().partition(|one| one.reason.kind.is_actionable());
    if all.is_empty() {
        return String::new();
    }
    let mut text = "## Held\n\n".to_owned();
    for one in told {
        let wanted = one.wanted.as_ref().map(Version::to_string).unwrap_or_default();
        let name = code(format!("{} {wanted}", one.id.name).trim_end());
        let place = code(&one.id.project.to_string());
        let _ = writeln!(text, "- {name} in {place}: {}", code(&one.words()));
    }
    if !rest.is_empty() {
        let _ = writeln!(text, "- {} more with nothing to do about them", rest.len());
    }
    text.push('\n');
    text
}

/// What passed and failed with the very same packages.
fn flaky(all: &[Flap]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let line = |flap: &Flap| format!("- {}: {}\n", code(&flaps::what(flap)), flaps::often(flap));
    format!("## Flaky\n\n{}\n", all.iter().map(line).collect::<String>())
}

fn trials(all: &[TrialSummary]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut text = "## Trials\n\n".to_owned();
    for (depth, one) in tree::order(all) {
        let names: Vec<String> = one.fresh_atoms().iter().map(|atom| code(&tree::spelled(atom))).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let cause = tree::cause(one, all).map(|line| format!(" — {}", code(line))).unwrap_or_default();
        let margin = "  ".repeat(depth);
        let head = format!("{} {} in {}", code(&one.id), one.verdict, duration(one.seconds));
        let _ = writeln!(text, "{margin}- {head}, {}{names}{cause}", tree::label(one));
    }
    text
}

/// A code span in a table, where a bar ends the cell.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Foreign text as a code span on one line.
fn code(text: &str) -> String {
    let line = shown(text).replace(['\n', '\t'], " ").replace('`', "'");
    if line.is_empty() { String::new() } else { format!("`{line}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_neither_markup_nor_a_mention() {
        assert_eq!(code("a `b` | @you\n<b>"), "`a 'b' | @you <b>`");
        assert_eq!(cell("a | b"), "`a \\| b`");
        assert_eq!(code(""), "");
    }
}
