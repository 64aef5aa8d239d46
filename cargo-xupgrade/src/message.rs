//! The words of a commit: subject, body and trailers. Pure.

use std::fmt::Write as _;

use crate::candidate::Role;
use crate::report::Upgrade;

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

/// What proved an upgrade, for its commit.
#[derive(Debug, Clone)]
pub struct Proven<'a> {
    /// The upgrade.
    pub upgrade: &'a Upgrade,
    /// How many upgrades its trial proved together.
    pub group: usize,
    /// The base commit of the run.
    pub base: &'a str,
}

/// The whole message of an upgrade's commit.
#[must_use]
pub fn commit(style: Style, proven: &Proven<'_>) -> String {
    let upgrade = proven.upgrade;
    let mut text = subject(style, upgrade);
    let _ = write!(text, "\n\n{} {} -> {} ({}", upgrade.name, upgrade.from, upgrade.to, upgrade.level);
    text.push_str(if upgrade.breaking { ", breaking)" } else { ", compatible)" });
    let _ = writeln!(text, " in {} project `{}`.", upgrade.ecosystem, upgrade.project);
    if upgrade.role == Role::Transitive {
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
    let _ =
        write!(text, "\nXupgrade-Upgrade: {}:{} {} -> {}\n", upgrade.ecosystem, upgrade.name, upgrade.from, upgrade.to);
    let _ = writeln!(text, "Xupgrade-Trial: {} ({})", upgrade.trial, group(proven.group));
    let _ = writeln!(text, "Xupgrade-Base: {}", proven.base);
    text
}

fn subject(style: Style, upgrade: &Upgrade) -> String {
    let role = if upgrade.role == Role::Transitive { " (transitive)" } else { "" };
    let what = format!("pgrade {} from {} to {}{role}", upgrade.name, upgrade.from, upgrade.to);
    match style {
        Style::Plain => format!("U{what}"),
        Style::Conventional { kind } => {
            let kind = if kind == Kind::Build { "build" } else { "chore" };
            let mark = if upgrade.breaking { "!" } else { "" };
            format!("{kind}(deps){mark}: u{what}")
        }
    }
}

fn evidence(proven: &Proven<'_>) -> String {
    use crate::verdict::Proof;
    let proof = match proven.upgrade.proof {
        Proof::Tests => "tests that stand on it ran and passed",
        Proof::Compiled => "it was compiled; no test that stands on it ran",
        Proof::None => "no cell compiled it, which the configuration allows",
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
