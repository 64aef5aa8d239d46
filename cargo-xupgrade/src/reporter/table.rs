//! The tables: what a plan would try, and what a run did. Pure text; widths are counted in characters.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::grid::{Grid, Paint, titled};
use super::holds::{held, held_whole, is_held_with, own_locks};
use super::{aside, commits, count, flaps};
use crate::candidate::{Candidate, Held, ReasonKind, Version};
use crate::clock::Instant;
use crate::input::cli::Talk;
use crate::machine::failure::shown;
use crate::plan::Plan;
use crate::policy::NotReplayable;
use crate::report::{Report, Upgrade};

/// Which day's registries a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Those of now.
    Today,
    /// Those of an earlier day (`--as-of`): what has no history is told.
    Earlier,
}

/// The table of a plan.
pub fn plan(plan: &Plan, talk: &Talk, when: When) -> String {
    let as_of = plan.as_of;
    let mut text = format!(
        "{} at {} as of {as_of}\n",
        count(plan.candidates.len(), "candidate"),
        &plan.base[..12.min(plan.base.len())]
    );
    for cooldown in &plan.cooldowns {
        let _ = writeln!(text, "{}", shown(&cooldown.words()));
    }
    let mut grid = Grid::default();
    if !plan.candidates.is_empty() {
        grid.row(&["NAME", "WHERE", "NOW", "RUNGS", "AGE", "NOTE"]);
    }
    for candidate in &plan.candidates {
        let place = candidate.id.project.to_string();
        let note = note(candidate);
        grid.row(&[
            &titled(&candidate.id.name, candidate.id.role, &candidate.id.places),
            &place,
            &candidate.at.to_string(),
            &rungs(candidate),
            &age(candidate, as_of),
            &note,
        ]);
    }
    text.push_str(&grid.text());
    let whole = |one: &&Held| plan.projects.iter().any(|project| is_held_with(project, one));
    let rest: Vec<&Held> = plan.held.iter().filter(|one| talk.all || !whole(one)).collect();
    text.push_str(&held(&rest, talk, "\nheld\n"));
    text.push_str(&held_whole(plan));
    text.push_str(&own_locks(&plan.projects));
    text.push_str(&set_aside(&plan.set_aside, talk));
    if when == When::Earlier {
        text.push_str(&not_replayable(&plan.not_replayable, talk));
    }
    let _ = writeln!(text, "\nnewest already: {}", plan.newest.len());
    if talk.all {
        for named in &plan.newest {
            let at = named.at.as_ref().map(Version::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {} {at} ({})", named.id.name, named.id.project);
        }
    }
    text
}

/// One line: what would have to be remembered to see the same plan another day.
fn not_replayable(all: &[NotReplayable], talk: &Talk) -> String {
    const SHOWN: usize = 5;
    let shown_here = if talk.all { all.len() } else { SHOWN };
    let title = |one: &NotReplayable| {
        let version = one.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        format!("{}{version} ({})", one.name, one.kind)
    };
    let mut names: Vec<String> = all.iter().take(shown_here).map(title).collect();
    match all.len() {
        0 => return String::new(),
        count if count > shown_here => names.push(format!("{} more (--all lists them)", count - shown_here)),
        _ => {}
    }
    format!("\ntaken as it is today, for no registry keeps its history: {}\n", shown(&names.join(", ")))
}

fn rungs(candidate: &Candidate) -> String {
    let mark = |rung: &crate::candidate::Rung| {
        if rung.breaking { format!("{}!", rung.version) } else { rung.version.to_string() }
    };
    candidate.steps().map(mark).collect::<Vec<_>>().join(", ")
}

fn age(candidate: &Candidate, as_of: Instant) -> String {
    let published = candidate.rungs.last().and_then(|rung| rung.published);
    published.map_or_else(|| "?".into(), |published| format!("{} d", as_of.days_since(published)))
}

fn note(candidate: &Candidate) -> String {
    let urgent = candidate.urgent.as_ref().map(|why| format!("urgent: {why}"));
    let beyond = candidate.beyond.as_ref().map(|beyond| match beyond.reason.kind {
        ReasonKind::BreakingNotAsked => format!("{} is breaking", beyond.version),
        _ => beyond.reason.text.clone(),
    });
    urgent.into_iter().chain(beyond).collect::<Vec<_>>().join("; ")
}

/// Test data that looks like projects.
fn set_aside(manifests: &[String], talk: &Talk) -> String {
    let Some(first) = manifests.first() else { return String::new() };
    let list = if talk.all { manifests.join("\n  ") } else { format!("{first}, … (--all lists them)") };
    let count = manifests.len();
    format!(
        "\n{count} manifests among test data, in no workspace, left alone (`include` takes them in)\n  {}\n",
        shown(&list)
    )
}

/// The table at the end of a run.
pub fn report(report: &Report, talk: &Talk, paint: Paint) -> String {
    let mut text = String::new();
    if !report.upgrades.is_empty() {
        let _ = writeln!(text, "{}", paint.over("32;1", "upgraded"));
        text.push_str(&upgrades(&report.upgrades));
    }
    let title = format!("\n{}\n", paint.over("33;1", "held"));
    text.push_str(&held(&report.held.iter().collect::<Vec<_>>(), talk, &title));
    text.push_str(&failures(&report.held, &super::nearby(&report.folder)));
    if !report.untried.is_empty() {
        let names: Vec<&str> = report.untried.iter().map(|named| named.id.name.as_str()).collect();
        let _ = writeln!(text, "\n{} {}", paint.over("33;1", "untried:"), names.join(", "));
        if let Some(budget) = &report.budget {
            let _ = writeln!(text, "    {budget}");
        }
    }
    text.push_str(&aside::lines(report));
    text.push_str(&flaps::lines(&report.flapped, talk));
    text.push_str(&summary(report));
    text
}

/// What a run without an end leaves open: all of it, as far as the user's repository goes.
pub fn undecided(report: &Report) -> String {
    let names: Vec<&str> = report.untried.iter().map(|named| named.id.name.as_str()).collect();
    format!("undecided: {}\n", shown(&names.join(", ")))
}

fn upgrades(upgrades: &[Upgrade]) -> String {
    let mut grid = Grid::default();
    for upgrade in upgrades {
        let place = upgrade.id.project.to_string();
        let versions = format!("{} -> {}", upgrade.from, upgrade.to);
        let proof = serde_json::to_value(upgrade.proof)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default();
        let level = if upgrade.breaking { format!("{}!", upgrade.level) } else { upgrade.level.to_string() };
        let name = titled(&upgrade.id.name, upgrade.id.role, &upgrade.id.places);
        grid.row(&[&name, &place, &versions, &level, &proof, &remark(upgrade)]);
    }
    grid.text()
}

fn remark(upgrade: &Upgrade) -> String {
    let mut parts = Vec::new();
    if !upgrade.also_moved.is_empty() {
        parts.push(format!("moved {} more", upgrade.also_moved.len()));
    }
    parts.extend(upgrade.failed_above.first().map(|above| {
        let wanted = above.wanted.as_ref().map(Version::to_string).unwrap_or_default();
        format!("not {wanted}: {}", above.reason.kind.name())
    }));
    parts.extend(upgrade.notes.first().cloned());
    if upgrade.notes.len() > 1 {
        parts.push(format!("{} in the report", count(upgrade.notes.len() - 1, "more note")));
    }
    parts.join("; ")
}

/// The first lines of each failure, and where its log is; one that holds several (a red baseline) is told once.
fn failures(all: &[Held], folder: &Path) -> String {
    const LINES: usize = 4;
    let mut text = String::new();
    let mut told = BTreeSet::new();
    for one in all {
        let Some(evidence) = &one.reason.evidence else { continue };
        let Some(log) = &evidence.log else { continue };
        if !told.insert(log) {
            continue;
        }
        let same = |other: &&Held| other.reason.evidence.as_ref().is_some_and(|found| found.log.as_ref() == Some(log));
        let more = match all.iter().filter(same).count() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let wanted = one.wanted.as_ref().map(|wanted| format!(" {wanted}")).unwrap_or_default();
        let _ = writeln!(text, "\n{}{wanted}{more}, trial {}:", one.id.name, evidence.trial);
        if let [_, below @ ..] = evidence.tried.as_slice()
            && !below.is_empty()
        {
            let below: Vec<String> = below.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "    lower versions fail, too: {}", below.join(", "));
        }
        for line in evidence.lines.iter().take(LINES) {
            let _ = writeln!(text, "    {}", shown(line).replace('\n', " "));
        }
        let _ = writeln!(text, "    log: {}", folder.join(log).display());
    }
    text
}

fn summary(report: &Report) -> String {
    let mut text = format!("\n{}\n", super::totals(report));
    match &report.branch {
        Some(branch) => {
            let _ = writeln!(text, "branch {branch}: its tip passed the whole matrix");
            for line in commits::lines(report, shown) {
                let _ = writeln!(text, "  {line}");
            }
            let _ = writeln!(text, "  look:  git log --stat {}..{branch}", &report.base[..12.min(report.base.len())]);
            let _ = writeln!(text, "  merge: git merge --ff-only {branch}");
        }
        None if !report.upgrades.is_empty() => text.push_str("no branch: what passed could not be committed\n"),
        None => text.push_str("no branch: nothing passed the whole matrix that was not there before\n"),
    }
    if report.interrupted {
        text.push_str("interrupted: the same command goes on from here\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{Evidence, Reason};

    #[test]
    fn a_failure_that_holds_several_is_told_once() {
        let evidence = |log: &str| {
            let log = Some(log.to_owned());
            Some(Box::new(Evidence {
                trial: "baseline-1".into(),
                log,
                lines: vec!["error: no".into()],
                ..Evidence::default()
            }))
        };
        let one = |name: &str, log: &str| {
            Held::of(name, Reason { evidence: evidence(log), ..Reason::new(ReasonKind::BaselineRed, "red") })
        };
        let text = failures(&[one("a", "x.log"), one("b", "x.log"), one("c", "y.log")], Path::new("out"));
        let heads: Vec<&str> = text.lines().filter(|line| line.contains("trial")).collect();
        assert_eq!(heads, ["a and 1 more, trial baseline-1:", "c, trial baseline-1:"]);
    }
}
