//! What is held, as text: by reason, in as few lines as a tired reader needs. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::grid::{Grid, titled};
use crate::candidate::{Held, ProjectId, ReasonKind, Version};
use crate::input::cli::Talk;
use crate::machine::failure::shown;
use crate::plan::Plan;
use crate::project::Project;

/// Projects held whole, those with the same reason together: a missing toolchain concerns many at once.
pub(super) fn held_whole(plan: &Plan) -> String {
    const NAMED: usize = 6;
    let mut together: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for project in &plan.projects {
        if let Some(reason) = &project.obstacle {
            let count = plan.held.iter().filter(|one| is_held_with(project, one)).count();
            together.entry(&reason.text).or_default().push(format!("{}{}", project.id(), of(count)));
        }
    }
    let mut text = String::new();
    for (reason, projects) in together {
        let more = if projects.len() > NAMED { format!(" and {} more", projects.len() - NAMED) } else { String::new() };
        let names = projects.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "\nheld whole: {}{more}\n  {}", shown(&names), shown(reason).replace('\n', " "));
    }
    text
}

/// Projects whose lockfile git does not track: what their checks were run with is nowhere else to be seen.
pub(super) fn own_locks(projects: &[Project]) -> String {
    let own: Vec<String> = projects.iter().filter(|one| one.lock.is_some()).map(|one| one.id().to_string()).collect();
    if own.is_empty() {
        return String::new();
    }
    let names = shown(&own.join(", "));
    format!("\nCargo.lock not in git: {names}\n  tested with one that is resolved for this run and never committed\n")
}

/// How many dependencies a project has, where its manifest could be read.
fn of(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (1 dependency)".into(),
        _ => format!(" ({count} dependencies)"),
    }
}

/// Whether a dependency is held for nothing but its project.
pub(super) fn is_held_with(project: &Project, one: &Held) -> bool {
    project.id() == one.id.project && project.obstacle.as_ref() == Some(&one.reason)
}

/// Held ones: those that somebody can act on by name, the breaking ones apart, the others by number.
pub(super) fn held(all: &[&Held], talk: &Talk, title: &str) -> String {
    let (mut rest, mut breaking, mut counted) = (Vec::new(), Vec::new(), BTreeMap::<ReasonKind, usize>::new());
    for one in all {
        match one.reason.kind {
            kind if !talk.all && !kind.is_actionable() => *counted.entry(kind).or_default() += 1,
            ReasonKind::BreakingNotAsked if one.urgent.is_none() => breaking.push(*one),
            _ => rest.push(*one),
        }
    }
    let mut text = section(title, &reasons(&rest, talk));
    text.push_str(&section("\nbreaking releases (`--level breaking` tries them)\n", &newer_than(&breaking)));
    if !counted.is_empty() {
        let counts: Vec<String> = counted.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
        let _ = writeln!(text, "\nheld with nothing to do about it: {} (--all lists them)", counts.join(", "));
    }
    text
}

fn section(title: &str, grid: &Grid) -> String {
    if grid.rows.is_empty() { String::new() } else { format!("{title}{}", grid.text()) }
}

/// This many dependencies of a project with one and the same reason are one line.
const CROWD: usize = 4;

/// One row for a dependency and its reason; several versions of one crate share it, and so does a crowd.
fn reasons(all: &[&Held], talk: &Talk) -> Grid {
    let mut crowds: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    let mut versions: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for one in all {
        crowds.entry(alike(one)).or_default().insert(&one.id.name);
        versions.entry((&one.id.name, alike(one))).or_default().extend(one.at.as_ref().map(Version::to_string));
    }
    let (mut grid, mut told) = (Grid::default(), BTreeSet::new());
    for one in all {
        let place = one.id.project.to_string();
        let (kind, text) = (one.reason.kind.name(), one.words());
        let crowd = crowds[&alike(one)].len();
        if crowd >= CROWD && !talk.all {
            if told.insert(("", alike(one))) {
                grid.row(&[&format!("{crowd} dependencies"), &place, "", &kind, &text]);
            }
        } else if told.insert((&one.id.name, alike(one))) {
            let name = titled(&one.id.name, one.id.role, &one.id.places);
            grid.row(&[&name, &place, &versions[&(&one.id.name, alike(one))].join(", "), &kind, &text]);
        }
    }
    grid
}

/// What is in use, and the breaking release above it.
fn newer_than(all: &[&Held]) -> Grid {
    let mut versions: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for one in all {
        let place = one.id.project.to_string();
        let wanted = one.wanted.as_ref().map(Version::to_string).unwrap_or_default();
        versions.entry((place, &one.id.name, wanted)).or_default().extend(one.at.as_ref().map(Version::to_string));
    }
    let mut grid = Grid::default();
    for ((place, name, wanted), at) in &versions {
        grid.row(&[name, place, &at.join(", "), wanted]);
    }
    grid
}

/// What makes held ones a crowd: project and reason, to the letter.
fn alike(one: &Held) -> (&ProjectId, ReasonKind, &str, Option<&str>) {
    (&one.id.project, one.reason.kind, &one.reason.text, one.urgent.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Reason;

    fn talk(all: bool) -> Talk {
        Talk { all, ..Talk::default() }
    }

    fn one(name: &str, at: &str, wanted: Option<&str>, kind: ReasonKind, text: &str) -> Held {
        let (at, wanted) = (Version::parse(at).ok(), wanted.and_then(|version| Version::parse(version).ok()));
        Held { at, wanted, ..Held::of(name, Reason::new(kind, text)) }
    }

    fn lines(all: &[Held], talk: &Talk) -> Vec<String> {
        let text = held(&all.iter().collect::<Vec<_>>(), talk, "held\n");
        text.lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn many_with_one_reason_are_one_line_unless_all_is_asked_for() {
        let all: Vec<Held> = ["a", "b", "c", "d"]
            .iter()
            .map(|name| one(name, "1.0.0", None, ReasonKind::ToolchainMissing, "no Rust"))
            .collect();
        assert_eq!(lines(&all, &talk(false)), ["held", "4 dependencies cargo . toolchain_missing no Rust"]);
        assert_eq!(lines(&all, &talk(true)).len(), 5);
    }

    #[test]
    fn the_versions_of_one_crate_share_a_line() {
        let all = ["1.0.0", "2.0.0", "3.0.0", "4.0.0"].map(|at| one("nix", at, None, ReasonKind::FeatureGone, "gone"));
        assert_eq!(lines(&all, &talk(false)), ["held", "nix cargo . 1.0.0, 2.0.0, 3.0.0, 4.0.0 feature_gone gone"]);
    }

    #[test]
    fn breaking_releases_stand_apart_without_their_long_reason() {
        let all = [one("zstd", "0.13.0", Some("0.14.3"), ReasonKind::BreakingNotAsked, "long")];
        let found = lines(&all, &talk(false));
        assert_eq!(found, ["breaking releases (`--level breaking` tries them)", "zstd cargo . 0.13.0 0.14.3"]);
    }

    #[test]
    fn what_is_yanked_is_never_lost_among_breaking_releases_or_in_a_crowd() {
        let urgent = |name: &str, kind| Held {
            urgent: Some(format!("{name} 1.0.0 is yanked")),
            ..one(name, "1.0.0", Some("2.0.0"), kind, "why")
        };
        let breaking = urgent("x", ReasonKind::BreakingNotAsked);
        assert_eq!(lines(&[breaking], &talk(false))[1], "x cargo . 1.0.0 breaking_not_asked x 1.0.0 is yanked; why");
        let all = ["a", "b", "c", "d"].map(|name| urgent(name, ReasonKind::Msrv));
        assert_eq!(lines(&all, &talk(false)).len(), 5);
    }

    #[test]
    fn what_nobody_can_act_on_is_counted() {
        let all = [one("own", "0.1.0", None, ReasonKind::PathSource, "here")];
        assert_eq!(lines(&all, &talk(false)), ["held with nothing to do about it: 1 path_source (--all lists them)"]);
    }
}
