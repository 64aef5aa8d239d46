//! Judges what an edit did: what ends lower, what a go line had to do, whether the raise reached the build, what came
//! along and how old that is. Pure: the companion's answer in, a result or a reason out.

use std::collections::{BTreeMap, BTreeSet};

use super::super::protocol::{Changed, Edited, ModuleVersion, Moved, Probed, Selected};
use super::Untidy;
use crate::candidate::toolchain_exceeds;
use crate::candidate::{EcosystemKind, Reason, ReasonKind, Version};
use crate::clock::Instant;
use crate::ecosystem::{Outlook, UnknownAge};
use crate::project::{Applied, Move, Project};

/// A module to raise.
#[derive(Clone, Copy)]
pub struct Raise<'a> {
    /// The module.
    pub name: &'a str,
    /// The version to reach.
    pub to: &'a Version,
}

/// What was asked for, and by which rules.
pub struct Asked<'a> {
    /// The modules to raise in one edit, at least one.
    pub raises: &'a [Raise<'a>],
    /// Where.
    pub project: &'a Project,
    /// How the registries are looked at.
    pub outlook: Outlook,
    /// What a plain tidy of the base changes.
    pub untidy: &'a Untidy,
    /// What comments hold, here and in what is tidied with it: the folder of the go.mod, and the module.
    pub held: &'a BTreeSet<(String, String)>,
}

impl Asked<'_> {
    /// The raises in words.
    fn told(&self) -> String {
        let all: Vec<String> = self.raises.iter().map(|one| format!("{} {}", one.name, one.to)).collect();
        all.join(" with ")
    }
}

fn is_raise(raises: &[Raise<'_>], path: &str) -> bool {
    raises.iter().any(|one| one.name == path)
}

/// Judges an edit. The files of the result are left to the caller.
pub fn judge(asked: &Asked<'_>, edited: &Edited) -> Result<Applied, Box<Reason>> {
    let objections = [something_lower, other_go_line, out_of_reach, replace_lost, held_along, too_young_along];
    if let Some(reason) = objections.iter().find_map(|objection| objection(asked, edited)) {
        return Err(Box::new(reason));
    }
    let (also_moved, notes) = (moves(asked, edited), notes(asked, edited));
    Ok(Applied { also_moved, notes, ..Applied::default() })
}

fn something_lower(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    // What else ends lower is only a consequence of the first case, so that one is looked for first.
    for Raise { name, to } in asked.raises {
        if let Some(own) = edited.changes.iter().find(|change| change.path == *name && change.kind == "downgraded") {
            let text = format!("an upgrade before it brought {name} to {}, which is above {to}", own.from);
            return Some(Reason::new(ReasonKind::WouldLower, text));
        }
    }
    let told = asked.told();
    let lower = |path: &str, from: &str, to: &str| format!("{told} would lower {path} from {from} to {to}");
    let unlisted = unlisted(edited).find(|one| is_lower(&one.from, &one.to));
    let required = edited.changes.iter().find_map(|change| match change.kind.as_str() {
        "downgraded" => Some(lower(&change.path, &change.from, &change.to)),
        "removed"
            if change.direct
                && !is_raise(asked.raises, &change.path)
                && !asked.untidy.unused.contains(&change.path) =>
        {
            Some(format!("{told} would take {} {} out, which is required directly", change.path, change.from))
        }
        _ => None,
    });
    let text = required.or_else(|| unlisted.map(|one| lower(&one.path, &one.from, &one.to)))?;
    Some(Reason::new(ReasonKind::WouldLower, text))
}

/// Moves of the build list that only it shows: below `go 1.17` go.mod does not list what is required indirectly.
fn unlisted(edited: &Edited) -> impl Iterator<Item = &Moved> {
    let listed: BTreeSet<&str> = edited.changes.iter().map(|change| change.path.as_str()).collect();
    let all = if edited.unpruned { edited.build_list.as_slice() } else { &[] };
    all.iter().filter(move |one| !listed.contains(one.path.as_str()))
}

fn is_lower(from: &str, to: &str) -> bool {
    matches!((Version::parse(from), Version::parse(to)), (Ok(from), Ok(to)) if to < from)
}

/// When a line of the author's, which puts something else in the place of a version, would silently stop to count.
fn replace_lost(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    let lost = edited.lost_replaces.first()?;
    let by = if lost.by.local { lost.by.path.clone() } else { format!("{} {}", lost.by.path, lost.by.version) };
    let text = format!(
        "{} brings {} to {}, which turns off the `replace` line that puts {by} in the place of {}",
        asked.told(),
        lost.path,
        lost.to,
        lost.from
    );
    Some(Reason::new(ReasonKind::DragsForbidden, text))
}

fn other_go_line(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    let line = edited.go.iter().find(|line| toolchain_exceeds(&line.to, &line.from))?;
    let text = format!(
        "{} would change the go line of {} from {} to {}; raise that line first",
        asked.told(),
        file_in(&line.module_dir),
        line.from,
        line.to
    );
    Some(Reason::new(ReasonKind::GoLine, text))
}

/// When the build does not use what was asked for.
fn out_of_reach(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    asked.raises.iter().find_map(|raise| misses(*raise, edited))
}

fn misses(raise: Raise<'_>, edited: &Edited) -> Option<Reason> {
    let Raise { name, to } = raise;
    let Some(selected) = edited.effective.get(name).filter(|selected| !is_taken_back(raise, edited, selected)) else {
        if !edited.changes.iter().any(|change| change.path == name && change.direct) {
            let text = format!("no package of {name} is in the build: `go mod tidy` takes the raise to {to} back");
            return Some(Reason::new(ReasonKind::Unused, text));
        }
        let text = format!("nothing imports {name}: `go mod tidy` takes the requirement out; remove it or use it");
        return Some(Reason::new(ReasonKind::Unused, text));
    };
    if let Some(other) = &selected.replaced {
        let other = if other.local { other.path.clone() } else { format!("{} {}", other.path, other.version) };
        let text = format!("a `replace` line puts {other} in its place, so that {to} reaches no build");
        return Some(Reason::new(ReasonKind::Replaced, text));
    }
    if selected.version != to.plain() {
        let text = format!("the build uses {name} {} and not {to}", selected.version);
        return Some(Reason::new(ReasonKind::ResolveRefused, text));
    }
    None
}

/// Whether tidy undid the raise: the build uses a lower version, as what requires that one is all that is left.
fn is_taken_back(raise: Raise<'_>, edited: &Edited, selected: &Selected) -> bool {
    let is_required = edited.changes.iter().any(|change| change.path == raise.name && !change.to.is_empty());
    !is_required && Version::parse(&selected.version).is_ok_and(|version| version < *raise.to)
}

/// A module that came along: new, or higher than it was.
#[derive(Debug, PartialEq, Eq)]
struct Arrival {
    module: ModuleVersion,
    time: Option<String>,
    by_tidy: bool,
}

fn is_arrival(change: &Changed, raises: &[Raise<'_>]) -> bool {
    !is_raise(raises, &change.path) && is_raised(change)
}

fn is_raised(change: &Changed) -> bool {
    ["added", "upgraded"].contains(&change.kind.as_str())
}

/// Whether this line is the one that was asked for. The same module in the go.mod of a dependent is another line, with
/// an author's mark of its own.
fn is_asked(asked: &Asked<'_>, change: &Changed) -> bool {
    is_raise(asked.raises, &change.path) && change.module_dir == asked.project.path
}

/// What came along with a raise: every requirement that is new or higher, as these are what a build may compile; without
/// pruning, the rest of the build list, too.
fn arrivals(edited: &Edited, raises: &[Raise<'_>]) -> Vec<Arrival> {
    let by_tidy = |path: &str| edited.added_by_tidy.iter().any(|one| one.path == path);
    let module = |path: &str, version: &str| ModuleVersion { path: path.to_owned(), version: version.to_owned() };
    let changes = edited.changes.iter().filter(|change| is_arrival(change, raises));
    let required = changes.map(|one| (module(&one.path, &one.to), one.time.clone(), by_tidy(&one.path)));
    let tidied = edited.added_by_tidy.iter().filter(|one| !is_raise(raises, &one.path));
    let tidied = tidied.map(|one| (module(&one.path, &one.version), one.time.clone(), true));
    let unlisted = unlisted(edited)
        .filter(|one| !is_raise(raises, &one.path) && !one.to.is_empty() && !is_lower(&one.from, &one.to));
    let unlisted = unlisted.map(|one| (module(&one.path, &one.to), one.time.clone(), by_tidy(&one.path)));
    let all: BTreeMap<ModuleVersion, (Option<String>, bool)> =
        tidied.chain(required).chain(unlisted).map(|(module, time, by_tidy)| (module, (time, by_tidy))).collect();
    all.into_iter().map(|(module, (time, by_tidy))| Arrival { module, time, by_tidy }).collect()
}

/// Arrivals whose age the answer does not tell.
pub fn undated(edited: &Edited, raises: &[Raise<'_>]) -> Vec<ModuleVersion> {
    arrivals(edited, raises).into_iter().filter(|one| one.time.is_none()).map(|one| one.module).collect()
}

/// Fills in ages that were looked up.
pub fn set_dates(edited: &mut Edited, probed: &Probed) {
    for one in &probed.versions {
        let changes = edited.changes.iter_mut().filter(|change| change.path == one.path && change.to == one.version);
        changes.for_each(|change| change.time.clone_from(&one.time));
        let additions =
            edited.added_by_tidy.iter_mut().filter(|added| added.path == one.path && added.version == one.version);
        additions.for_each(|added| added.time.clone_from(&one.time));
    }
}

/// A module that came along though the author's comment holds it where it is, be it the module asked for in a dependent.
fn held_along(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    let is_held = |one: &&Changed| asked.held.contains(&(one.module_dir.clone(), one.path.clone()));
    let raised = edited.changes.iter().filter(|change| is_raised(change) && !is_asked(asked, change));
    let change = raised.into_iter().find(is_held)?;
    let text = format!(
        "{} brings {} {} along, which a comment in {} holds",
        asked.told(),
        change.path,
        change.to,
        file_in(&change.module_dir)
    );
    Some(Reason::new(ReasonKind::DragsForbidden, text))
}

/// The go.mod of a folder.
fn file_in(dir: &str) -> String {
    if dir == "." { "go.mod".to_owned() } else { format!("{dir}/go.mod") }
}

fn too_young_along(asked: &Asked<'_>, edited: &Edited) -> Option<Reason> {
    for arrival in arrivals(edited, asked.raises) {
        let published = arrival.time.as_deref().and_then(|text| Instant::parse(text).ok());
        let Some(why) = too_young(published, asked.outlook) else { continue };
        let ModuleVersion { path, version } = &arrival.module;
        let how = if arrival.by_tidy { " (`go mod tidy` takes it for a package that is nowhere else now)" } else { "" };
        let text = format!("{} brings {path} {version} along{how}, and that {why}", asked.told());
        return Some(Reason::new(ReasonKind::DragsForbidden, text));
    }
    None
}

fn too_young(published: Option<Instant>, outlook: Outlook) -> Option<String> {
    match published {
        None if outlook.unknown_age == UnknownAge::TooYoung => Some("tells no age, which counts as too young".into()),
        Some(published) if published > outlook.as_of => {
            Some(format!("came out on {}, after the as-of instant", published.date()))
        }
        Some(published) if published > outlook.cutoff => {
            Some(format!("is too young, as it came out on {}", published.date()))
        }
        _ => None,
    }
}

/// Direct requirements that an edit took out.
pub fn removed(edited: &Edited) -> BTreeSet<String> {
    let gone = edited.changes.iter().filter(|change| change.kind == "removed" && change.direct);
    gone.map(|change| change.path.clone()).collect()
}

/// Everything else that moved: requirements of this module and, beyond these, its build list; then those of dependents,
/// which may have had another version before.
fn moves(asked: &Asked<'_>, edited: &Edited) -> Vec<Move> {
    let is_here = |change: &&Changed| change.module_dir == asked.project.path;
    let is_moved = |one: &&Changed| ["upgraded", "downgraded", "added", "removed"].contains(&one.kind.as_str());
    let changes = || edited.changes.iter().filter(is_moved);
    let list = edited.build_list.iter().map(|one| (&one.path, moved(&one.path, &one.from, &one.to)));
    let required = changes().filter(is_here).map(|one| (&one.path, moved(&one.path, &one.from, &one.to)));
    let here: BTreeMap<&String, Move> =
        required.chain(list).filter(|(path, _)| !is_raise(asked.raises, path)).collect();
    let mut all: BTreeSet<Move> = here.into_values().collect();
    // A line that is new in a dependent says nothing that the move to the same version has not said.
    let is_told = |all: &BTreeSet<Move>, one: &Move| {
        let is_reached = all.iter().any(|other| (&other.name, &other.to) == (&one.name, &one.to));
        one.from.is_none() && (is_raise(asked.raises, &one.name) || is_reached)
    };
    for change in changes().filter(|change| !is_here(change)) {
        let one = moved(&change.path, &change.from, &change.to);
        if !is_told(&all, &one) {
            all.insert(one);
        }
    }
    all.into_iter().collect()
}

fn moved(name: &str, from: &str, to: &str) -> Move {
    let version = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Move { ecosystem: EcosystemKind::Go, name: name.to_owned(), from: version(from), to: version(to), lockfile: None }
}

fn notes(asked: &Asked<'_>, edited: &Edited) -> Vec<String> {
    let mut notes = Vec::new();
    if !edited.changes.iter().any(|change| is_asked(asked, change)) {
        notes.push("an upgrade before it brought it along".to_owned());
    }
    notes.extend(asked.raises.iter().filter_map(|raise| older_in_time(*raise, edited)));
    for added in edited.added_by_tidy.iter().filter(|one| !is_raise(asked.raises, &one.path)) {
        notes.push(format!(
            "`go mod tidy` took {} {} for a package that is nowhere else now",
            added.path, added.version
        ));
    }
    for change in edited.changes.iter().filter(|one| one.kind == "removed" && one.direct) {
        notes.push(format!("`go mod tidy` took out {} {}, which nothing imports", change.path, change.from));
    }
    for line in &edited.go {
        let (file, from, to) = (file_in(&line.module_dir), &line.from, &line.to);
        notes.push(format!("the go line of {file} changed from {from} to {to}, which is the same language"));
    }
    for line in &edited.toolchain {
        let to = if line.to.is_empty() { "none" } else { &line.to };
        notes.push(format!("the toolchain line of {} changed from {} to {to}", line.module_dir, line.from));
    }
    if let Some(line) = &edited.work_go {
        notes.push(format!("the go line of go.work changed from {} to {}", line.from, line.to));
    }
    notes
}

/// A higher number that came out before the one in use: a branch that may lack the fixes of the later date.
fn older_in_time(raise: Raise<'_>, edited: &Edited) -> Option<String> {
    let own = edited.changes.iter().find(|change| change.path == raise.name)?;
    let date = |text: &Option<String>| text.as_deref().and_then(|text| Instant::parse(text).ok());
    let (before, after) = (date(&own.from_time)?, date(&own.time)?);
    (after < before).then(|| {
        let (before, after) = (before.date(), after.date());
        format!("{} came out on {after}, before {} ({before}): it may lack fixes of that date", own.to, own.from)
    })
}

#[cfg(test)]
mod tests;
