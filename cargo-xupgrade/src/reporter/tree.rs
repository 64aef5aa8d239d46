//! The trials of a run as a tree: below a group that failed stand the parts that it was split into. Pure text of a
//! bounded width, counted in characters.

use std::fmt::Write as _;

use super::duration;
use super::grid::Paint;
use crate::candidate::UpgradeName;
use crate::machine::failure::shown;
use crate::report::{TrialSummary, VerdictKind};
use crate::why::Why;

/// No line is longer.
const WIDTH: usize = 100;
/// Deeper trials are shown at this depth.
const DEEPEST: usize = 10;

/// The trials, each below the one that led to it.
pub fn trials(all: &[TrialSummary], paint: Paint) -> String {
    if all.is_empty() {
        return "no trials\n".into();
    }
    let order = order(all);
    let widest = |text: &dyn Fn(&(usize, &TrialSummary)) -> String| {
        order.iter().map(|one| text(one).chars().count()).max().unwrap_or(0)
    };
    let id = |(depth, one): &(usize, &TrialSummary)| format!("{}{}", indent(*depth), shown(&one.id));
    let (ids, verdicts) = (widest(&id), widest(&|(_, one)| one.verdict.to_string()));
    let times = widest(&|(_, one)| duration(one.seconds));
    let mut text = format!("{}\n", paint.over("1", "trials"));
    for node in &order {
        let (depth, one) = *node;
        let verdict = one.verdict.to_string();
        let head = format!("  {:ids$}  {:verdicts$}  {:>times$}  ", id(node), verdict, duration(one.seconds));
        let what = what(one, WIDTH.saturating_sub(head.chars().count()));
        let colour = if one.verdict == VerdictKind::Passed { "32" } else { "33" };
        let _ = writeln!(text, "{}", head.replacen(&verdict, &paint.over(colour, &verdict), 1) + &what);
        if let Some(cause) = cause(one, all) {
            let margin = " ".repeat(4 + indent(depth).len());
            let _ = writeln!(text, "{margin}{}", cut(&shown(cause), WIDTH - margin.len()));
        }
    }
    text
}

/// Why a trial did not pass, in one line; a reader who has just read it above is spared it.
pub(super) fn cause<'a>(trial: &'a TrialSummary, all: &[TrialSummary]) -> Option<&'a str> {
    let line = trial.text.lines().find(|line| !line.trim().is_empty())?;
    let above = all.iter().rev().find(|one| Some(&one.id) == trial.parent.as_ref());
    Some(if above.is_some_and(|above| above.text == trial.text) { "the same failure" } else { line })
}

/// Every trial with its depth, parents first, in the order in which they ran.
pub(super) fn order(all: &[TrialSummary]) -> Vec<(usize, &TrialSummary)> {
    // A journal can name an unknown parent, or a later one; such a trial stands at the margin.
    let place_of = |id: &str, before: usize| all[..before].iter().rposition(|one| one.id == id);
    let parents: Vec<Option<usize>> =
        all.iter().enumerate().map(|(at, one)| one.parent.as_deref().and_then(|id| place_of(id, at))).collect();
    let mut order = Vec::with_capacity(all.len());
    let mut open: Vec<(usize, usize)> = roots(&parents, None).map(|at| (0, at)).collect();
    while let Some((depth, at)) = open.pop() {
        order.push((depth, &all[at]));
        open.extend(roots(&parents, Some(at)).map(|child| (depth + 1, child)));
    }
    order
}

/// The trials below a parent, the last one first.
fn roots(parents: &[Option<usize>], parent: Option<usize>) -> impl Iterator<Item = usize> {
    parents.iter().enumerate().rev().filter(move |(_, one)| **one == parent).map(|(at, _)| at)
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(DEEPEST))
}

/// What a trial was for, and what was new in it.
fn what(trial: &TrialSummary, width: usize) -> String {
    let fresh = trial.fresh_atoms();
    let label = label(trial);
    if fresh.is_empty() {
        return cut(&label, width);
    }
    let names: Vec<String> = fresh.iter().map(|atom| shown(&spelled(atom))).collect();
    let label = format!("{label}: ");
    let room = width.saturating_sub(label.chars().count());
    format!("{label}{}", fitting(&names, room))
}

/// The short words for why a trial was run.
pub(super) fn label(trial: &TrialSummary) -> String {
    let (fresh, all) = (trial.fresh_atoms().len(), trial.atoms.len());
    let Some(why) = trial.why else {
        return match (fresh, all) {
            (0, 0) => "the untouched base".into(),
            (0, all) => format!("final check of {all}"),
            (fresh, _) => fresh.to_string(),
        };
    };
    match why {
        Why::First if fresh == 1 => "first".into(),
        Why::First => format!("first {fresh}"),
        Why::Group if fresh == 1 => "alone".into(),
        Why::Group => format!("group of {fresh}"),
        Why::Half if trial.parent.is_some() => format!("{fresh} of them"),
        Why::Half => format!("part, {fresh}"),
        Why::Leaf => "alone".into(),
        Why::Retry => "again".into(),
        Why::Suspect => "suspect".into(),
        Why::SecondLook => "second look".into(),
        Why::LastTime => format!("the {fresh} of last time"),
        Why::AtOnce => format!("all {fresh} at once"),
        Why::Pair if fresh > 2 => format!("{fresh} as one"),
        Why::Pair => "pair".into(),
        Why::Union if fresh == 1 => "on top of the rest".into(),
        Why::Union => format!("{fresh} together"),
        Why::Bisect => "between".into(),
        Why::Neighbour => "next above".into(),
        Why::Confirm => "once more".into(),
        Why::Bracket => "the same tests without it".into(),
        Why::Verify => format!("final check of {all}"),
        Why::Often => format!("the tests of {all} again and again"),
        Why::Commit => format!("commit {all} by itself"),
    }
}

/// An upgrade as a person writes it.
pub(super) fn spelled(one: &UpgradeName) -> String {
    format!("{} {}", one.target.name, one.target.version)
}

/// As many names as there is room for, and how many more there are.
fn fitting(names: &[String], room: usize) -> String {
    let more = |left: usize| if left == 0 { String::new() } else { format!(" and {left} more") };
    let text = |shown: usize| names[..shown].join(", ") + &more(names.len() - shown);
    let fits = |shown: &usize| text(*shown).chars().count() <= room;
    let shown = (1..=names.len()).rev().find(fits).unwrap_or(1);
    cut(&text(shown), room)
}

/// A text that is not longer than there is room for.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(room.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    fn trial(id: &str, parent: Option<&str>, why: Why, fresh: &[&str]) -> TrialSummary {
        TrialSummary {
            id: id.into(),
            why: Some(why),
            parent: parent.map(str::to_owned),
            atoms: fresh.iter().map(|one| format!("cargo:{one}").as_str().into()).collect(),
            fresh: fresh.len(),
            tree: String::new(),
            verdict: VerdictKind::Passed,
            text: String::new(),
            cleared: Vec::new(),
            seconds: 1.0,
            cells: Vec::new(),
        }
    }

    #[test]
    fn the_totals_tell_one_trial_from_two() {
        let trials = |number: usize| vec![trial("t1", None, Why::First, &[]); number];
        let told = |number: usize| {
            let report = Report { trials: trials(number), seconds: 12.0, ..Report::empty() };
            super::super::totals(&report)
        };
        assert!(told(1).ends_with("; 1 trial in 12 s"), "{}", told(1));
        assert!(told(2).ends_with("; 2 trials in 12 s"), "{}", told(2));
    }

    #[test]
    fn the_parts_of_a_group_stand_below_it() {
        let mut all = vec![
            trial("t1", None, Why::First, &["a@1.1.0", "b@1.1.0"]),
            trial("t2", Some("t1"), Why::Leaf, &["a@1.1.0"]),
            trial("t3", None, Why::Group, &["c@1.1.0"]),
            trial("t4", Some("t1"), Why::Leaf, &["b@1.1.0"]),
        ];
        for at in [0, 3] {
            (all[at].verdict, all[at].text) = (VerdictKind::Failed, "the test `x` fails\nand more".into());
        }
        let expected = "\
trials
  t1    failed  1.0 s  first 2: a 1.1.0, b 1.1.0
    the test `x` fails
    t2  passed  1.0 s  alone: a 1.1.0
    t4  failed  1.0 s  alone: b 1.1.0
      the same failure
  t3    passed  1.0 s  alone: c 1.1.0
";
        assert_eq!(trials(&all, Paint::Plain), expected);
    }

    #[test]
    fn no_line_is_longer_than_the_width_whatever_the_names() {
        let long: Vec<String> = (0..40).map(|n| format!("{}{n}@1.0.0", "name".repeat(n + 1))).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let mut all = vec![trial("t1", None, Why::First, &long)];
        for n in 2..30 {
            let parent = format!("t{}", n - 1);
            let mut next = trial(&format!("t{n}"), Some(&parent), Why::Half, &long[n..]);
            next.text = format!("{n}{}", "why ".repeat(60));
            all.push(next);
        }
        let text = trials(&all, Paint::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.lines().count(), 1 + 29 + 28);
    }

    #[test]
    fn a_trial_whose_parent_is_not_there_is_not_lost() {
        let all =
            [trial("t1", Some("t1"), Why::Half, &["a@1.0.0"]), trial("t2", Some("gone"), Why::Half, &["b@1.0.0"])];
        assert_eq!(
            order(&all).iter().map(|(depth, one)| (*depth, one.id.as_str())).collect::<Vec<_>>(),
            [(0, "t1"), (0, "t2")]
        );
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let all = [trial("t1", None, Why::First, &["a@1.1.0"])];
        let plain =
            trials(&all, Paint::Colour).replace("\u{1b}[1m", "").replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
        assert_eq!(plain, trials(&all, Paint::Plain));
    }

    #[test]
    fn what_failed_cannot_write_to_the_terminal() {
        let mut one = trial("t1", None, Why::First, &["a\u{1b}[2J@1.1.0"]);
        (one.verdict, one.text) = (VerdictKind::Failed, "no \u{1b}[2J".into());
        assert!(!trials(&[one], Paint::Plain).contains('\u{1b}'));
    }
}
