//! The words of a commit: subject, body and trailers. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::candidate::{DependencyRef, EcosystemKind, Role};
use crate::report::Upgrade;
use crate::verdict::Bar;

/// How a repository writes the first line of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `build(deps): upgrade x from 1 to 2`.
    Conventional {
        /// The type that the repository uses for dependencies.
        kind: Kind,
    },
    /// `Upgrade x from 1 to 2`.
    Plain,
}

/// The type of a Conventional Commit for dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `build(deps)`.
    Build,
    /// `chore(deps)`.
    Chore,
}

impl Style {
    /// Reads the style off the last subjects: Conventional Commits by default and where a third of them or more are such.
    #[must_use]
    pub fn of(subjects: &[String]) -> Self {
        const ENOUGH_TO_TELL: usize = 8;
        let conventional = subjects.iter().filter(|subject| is_conventional(subject)).count();
        if subjects.len() >= ENOUGH_TO_TELL && conventional * 3 < subjects.len() {
            return Self::Plain;
        }
        let count = |prefix: &str| subjects.iter().filter(|subject| subject.starts_with(prefix)).count();
        let kind = if count("chore(deps") > count("build(deps") { Kind::Chore } else { Kind::Build };
        Self::Conventional { kind }
    }
}

/// `type(scope)!: text` (Conventional Commits 1.0.0).
fn is_conventional(subject: &str) -> bool {
    let Some((head, _)) = subject.split_once(": ") else { return false };
    let head = head.trim_end_matches('!');
    let kind = head.split('(').next().unwrap_or(head);
    !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) && (kind == head || head.ends_with(')'))
}

/// An upgrade and what proved it, for its commit.
#[derive(Debug, Clone)]
pub struct Proven<'a> {
    /// The upgrade.
    pub upgrade: &'a Upgrade,
    /// How many upgrades its trial proved together.
    pub group: usize,
}

/// The crates and modules that a run moves in several projects: without these, their commits would have the same subjects.
#[derive(Debug, Default)]
pub struct Spread<'a>(BTreeSet<(EcosystemKind, &'a str)>);

impl<'a> Spread<'a> {
    /// The crates and modules among all upgrades of a run.
    #[must_use]
    pub fn of(upgrades: &'a [Upgrade]) -> Self {
        let mut projects: BTreeMap<(EcosystemKind, &str), BTreeSet<&str>> = BTreeMap::new();
        for one in upgrades {
            let DependencyRef { project, name, .. } = &one.id;
            projects.entry((project.ecosystem, name)).or_default().insert(&project.path);
        }
        Self(projects.into_iter().filter(|(_, projects)| projects.len() > 1).map(|(name, _)| name).collect())
    }

    /// The projects of some upgrades as a subject names them: none where nothing moves elsewhere, too.
    fn projects(&self, upgrades: &[&Upgrade]) -> Option<String> {
        const SHOWN: usize = 3;
        if !upgrades.iter().any(|one| self.0.contains(&(one.id.project.ecosystem, one.id.name.as_str()))) {
            return None;
        }
        let name = |one: &&Upgrade| match one.id.project.path.as_str() {
            "." => "the root".to_owned(),
            path => path.to_owned(),
        };
        let names: BTreeSet<String> = upgrades.iter().map(name).collect();
        Some(if names.len() > SHOWN {
            format!("{} projects", names.len())
        } else {
            listed(names.into_iter().collect())
        })
    }
}

/// The whole message of a commit: of one upgrade, or of some, and the reasons why no commit ends between them.
#[must_use]
pub fn commit(style: Style, proven: &[Proven<'_>], spread: &Spread<'_>, bars: &BTreeSet<Bar>, base: &str) -> String {
    let upgrades: Vec<&Upgrade> = proven.iter().map(|one| one.upgrade).collect();
    let mut text = subject(style, &upgrades);
    if let Some(projects) = spread.projects(&upgrades) {
        let _ = write!(text, " in {projects}");
    }
    text.push('\n');
    for bar in bars {
        let _ = writeln!(text, "\n{}", why_one(*bar, proven.len()));
    }
    for one in proven {
        text.push_str(&paragraph(one));
    }
    text.push('\n');
    for Upgrade { id, from, to, .. } in &upgrades {
        let _ = writeln!(text, "Xupgrade-Upgrade: {}:{} {from} -> {to}", id.project.ecosystem, id.name);
    }
    let mut trials: Vec<(&str, usize)> = proven.iter().map(|one| (one.upgrade.trial.as_str(), one.group)).collect();
    trials.dedup();
    for (trial, size) in trials {
        let _ = writeln!(text, "Xupgrade-Trial: {trial} ({})", group(size));
    }
    let _ = writeln!(text, "Xupgrade-Base: {base}");
    text
}

/// The reason why several upgrades are one commit.
fn why_one(bar: Bar, count: usize) -> String {
    match bar {
        Bar::Together => "They belong together: not each of them passes without the others.".into(),
        Bar::Brought => "One of them was brought along by another: by itself it changes nothing more.".into(),
        Bar::Open => format!("They were verified as a group of {count}: not each of them was tried by itself."),
    }
}

/// What is said of one upgrade.
fn paragraph(proven: &Proven<'_>) -> String {
    let upgrade = proven.upgrade;
    let mut text = format!("\n{} {} -> {} ({}", upgrade.id.name, upgrade.from, upgrade.to, upgrade.level);
    text.push_str(if upgrade.breaking { ", breaking)" } else { ", compatible)" });
    let _ = writeln!(text, " in {} project `{}`.", upgrade.id.project.ecosystem, upgrade.id.project.path);
    if upgrade.id.role == Role::Transitive {
        text.push_str("Only other packages require it, so no requirement changes.\n");
    }
    if let Some(urgent) = &upgrade.urgent {
        let _ = writeln!(text, "\nUrgent: {urgent}.");
    }
    text.push_str(&evidence(proven));
    text.push_str(&also_moved(upgrade));
    for note in &upgrade.notes {
        let _ = writeln!(text, "Note: {note}.");
    }
    text
}

/// The most upgrades that a subject names.
const NAMED: usize = 5;

fn subject(style: Style, upgrades: &[&Upgrade]) -> String {
    let what = format!("pgrade {}", what(upgrades));
    match style {
        Style::Plain => format!("U{what}"),
        Style::Conventional { kind } => {
            let kind = if kind == Kind::Build { "build" } else { "chore" };
            let mark = if upgrades.iter().any(|upgrade| upgrade.breaking) { "!" } else { "" };
            format!("{kind}(deps){mark}: u{what}")
        }
    }
}

/// One upgrade with old and new version, two with the new one, of more the names, and of many the first names. The same one
/// in several projects is one.
fn what(upgrades: &[&Upgrade]) -> String {
    let mut upgrades = upgrades.to_vec();
    let mut seen = BTreeSet::new();
    upgrades.retain(|one| seen.insert((one.id.project.ecosystem, &one.id.name, &one.from, &one.to)));
    if let [one] = upgrades[..] {
        let role = if one.id.role == Role::Transitive { " (transitive)" } else { "" };
        return format!("{} from {} to {}{role}", one.id.name, one.from, one.to);
    }
    let told = |one: &&Upgrade| match upgrades.len() {
        2 => format!("{} to {}", one.id.name, one.to),
        _ => one.id.name.clone(),
    };
    if upgrades.len() > NAMED {
        let first: Vec<String> = upgrades[..NAMED - 1].iter().map(told).collect();
        return format!("{} and {} more", first.join(", "), upgrades.len() - first.len());
    }
    listed(upgrades.iter().map(told).collect())
}

/// Names as a sentence lists them: `a, b and c`.
fn listed(mut names: Vec<String>) -> String {
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
        None => String::new(),
    }
}

fn evidence(proven: &Proven<'_>) -> String {
    use crate::verdict::Proof;
    let proof = match proven.upgrade.proof {
        Proof::Tests => "tests that stand on it ran and passed",
        Proof::Compiled => "it was compiled; no test that stands on it ran",
        Proof::None => {
            "no check of the whole matrix compiled it, which `unexercised = \"allow\"` in xupgrade.toml lets through"
        }
    };
    format!("\nProved in trial {}, {}: {proof}.\n", proven.upgrade.trial, group(proven.group))
}

fn group(size: usize) -> String {
    if size < 2 { "alone".into() } else { format!("one of {size} tried together") }
}

fn also_moved(upgrade: &Upgrade) -> String {
    if upgrade.also_moved.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nMoved with it:\n");
    for other in &upgrade.also_moved {
        let (from, to) = (other.from.as_deref().unwrap_or("-"), other.to.as_deref().unwrap_or("-"));
        let _ = writeln!(text, "- {} {from} -> {to}", other.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Level;

    fn upgrade(name: &str, to: &str, trial: &str) -> Upgrade {
        let usual = Upgrade::of(name, to);
        Upgrade { level: Level::Major, breaking: to.starts_with('2'), trial: trial.into(), ..usual }
    }

    fn message(upgrades: &[Upgrade]) -> String {
        joined(upgrades, &if upgrades.len() > 1 { vec![Bar::Together] } else { vec![] })
    }

    fn joined(upgrades: &[Upgrade], bars: &[Bar]) -> String {
        let proven: Vec<Proven<'_>> =
            upgrades.iter().map(|upgrade| Proven { upgrade, group: upgrades.len() }).collect();
        let spread = Spread::of(upgrades);
        commit(Style::Conventional { kind: Kind::Build }, &proven, &spread, &bars.iter().copied().collect(), "base")
    }

    #[test]
    fn a_crate_that_moves_in_several_projects_is_told_with_its_project() {
        let at = |name: &str, project: &str| {
            let mut one = upgrade(name, "1.1.0", "t1");
            one.id.project.path = project.into();
            one
        };
        let all = [at("hex", "svc/a"), at("hex", "."), at("ant", "svc/a")];
        let spread = Spread::of(&all);
        let subject = |upgrades: &[&Upgrade]| {
            let proven: Vec<Proven<'_>> = upgrades.iter().map(|upgrade| Proven { upgrade, group: 1 }).collect();
            let text = commit(Style::Plain, &proven, &spread, &BTreeSet::new(), "base");
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(subject(&[&all[0]]), "Upgrade hex from 1.0.0 to 1.1.0 in svc/a");
        assert_eq!(subject(&[&all[1]]), "Upgrade hex from 1.0.0 to 1.1.0 in the root");
        assert_eq!(subject(&[&all[2]]), "Upgrade ant from 1.0.0 to 1.1.0");
        assert_eq!(subject(&[&all[0], &all[2]]), "Upgrade hex to 1.1.0 and ant to 1.1.0 in svc/a");
        assert_eq!(subject(&[&all[0], &all[1]]), "Upgrade hex from 1.0.0 to 1.1.0 in svc/a and the root");
    }

    #[test]
    fn a_commit_of_many_names_the_first_and_says_why_they_are_one() {
        let many: Vec<Upgrade> = ["a", "b", "c", "d", "e", "f"].map(|name| upgrade(name, "1.1.0", "t1")).to_vec();
        let text = joined(&many, &[Bar::Open]);
        assert!(text.starts_with("build(deps): upgrade a, b, c, d and 2 more\n\nThey were verified as a group of 6: "));
        assert!(
            !text.contains("belong together") && text.contains("Xupgrade-Upgrade: cargo:f 1.0.0 -> 1.1.0\n"),
            "{text}"
        );
        let two = joined(&many[..2], &[Bar::Brought]);
        assert!(two.contains("One of them was brought along by another") && !two.contains("belong together"), "{two}");
    }

    #[test]
    fn the_commit_of_a_pair_names_both_in_its_subject_and_its_trailers() {
        let text = message(&[upgrade("sender", "2.0.0", "t4"), upgrade("taker", "1.1.0", "t4")]);
        assert!(text.starts_with("build(deps)!: upgrade sender to 2.0.0 and taker to 1.1.0\n\n"), "{text}");
        assert!(text.contains("They belong together"), "{text}");
        let trailers = "\n\nXupgrade-Upgrade: cargo:sender 1.0.0 -> 2.0.0\nXupgrade-Upgrade: cargo:taker 1.0.0 -> 1.1.0\n\
            Xupgrade-Trial: t4 (one of 2 tried together)\nXupgrade-Base: base\n";
        assert!(text.ends_with(trailers), "{text}");
    }

    #[test]
    fn the_commit_of_three_names_all_and_each_of_their_trials() {
        let text = message(&[upgrade("a", "1.1.0", "t1"), upgrade("b", "1.1.0", "t1"), upgrade("c", "1.1.0", "t2")]);
        assert!(text.starts_with("build(deps): upgrade a, b and c\n"), "{text}");
        assert_eq!(text.matches("Xupgrade-Trial: ").count(), 2, "{text}");
    }

    #[test]
    fn the_commit_of_one_upgrade_says_old_and_new_version() {
        let text = message(&[upgrade("sender", "1.1.0", "t4")]);
        assert!(
            text.starts_with("build(deps): upgrade sender from 1.0.0 to 1.1.0\n\nsender 1.0.0 -> 1.1.0 (major"),
            "{text}"
        );
        assert!(!text.contains("together\n\n") && text.contains("Xupgrade-Trial: t4 (alone)"), "{text}");
    }

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_young_repository_gets_conventional_commits() {
        assert_eq!(Style::of(&lines(&["Initial commit"])), Style::Conventional { kind: Kind::Build });
    }

    #[test]
    fn a_repository_with_plain_subjects_gets_plain_ones() {
        let subjects = lines(&["Fix the door", "Paint it", "Add a roof", "Mend", "More", "Less", "Test", "Docs"]);
        assert_eq!(Style::of(&subjects), Style::Plain);
    }

    #[test]
    fn the_type_that_the_repository_uses_for_dependencies_is_kept() {
        let subjects = lines(&["chore(deps): bump a", "chore(deps): bump b", "feat: c"]);
        assert_eq!(Style::of(&subjects), Style::Conventional { kind: Kind::Chore });
    }

    #[test]
    fn a_colon_alone_makes_no_conventional_commit() {
        assert!(!is_conventional("Merge: this and that"));
        assert!(is_conventional("feat(api)!: drop it"));
        assert!(is_conventional("fix: it"));
    }
}
