//! The report on a trial: the trees that it wrote, the cells that ran, and its end; and the kinds of trials. Facts only.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Atom, Cell, CellReport, Turn};
use crate::candidate::{ProjectId, Reason};
use crate::project::{Applied, Exercised, Move};

/// The kind of a trial, which its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialKind {
    /// A run of the whole matrix on the untouched base, before anything else.
    Baseline,
    /// A run of the tests that failed in the baseline, by themselves.
    BaselineAgain,
    /// A trial of the search, with gates alone.
    Gate,
    /// A trial of the search.
    Search,
    /// A failure of another trial, run again.
    Again,
    /// The whole matrix on all that is accepted.
    Full,
    /// The tests of all that is accepted, again and again.
    Often,
    /// A commit below the tip.
    Commit,
}

impl TrialKind {
    const ALL: [Self; 8] = [
        Self::BaselineAgain,
        Self::Baseline,
        Self::Gate,
        Self::Search,
        Self::Again,
        Self::Full,
        Self::Often,
        Self::Commit,
    ];

    /// The name of the trial of this kind with this number: `t3`, `full-4`.
    #[must_use]
    pub fn name(self, number: impl fmt::Display) -> String {
        format!("{}{number}", self.prefix())
    }

    /// The kind of the trial of this name; none for a name that no trial has.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let number = name.strip_prefix(kind.prefix()).unwrap_or_default();
            number.starts_with(|c: char| c.is_ascii_digit())
        })
    }

    /// A run on the untouched base to learn what the base does: there every cell runs, whatever others say.
    #[must_use]
    pub const fn is_of_base(self) -> bool {
        matches!(self, Self::Baseline | Self::BaselineAgain)
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Baseline => "baseline-",
            Self::BaselineAgain => "baseline-again-",
            Self::Gate => "gate-",
            Self::Search => "t",
            Self::Again => "again-",
            Self::Full => "full-",
            Self::Often => "often-",
            Self::Commit => "commit-",
        }
    }
}

/// The cause of a trial that is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Noise {
    /// The whole run was interrupted.
    Interrupted,
    /// Its answer no longer matters.
    Cancelled,
    /// Want of time: it made way for the verification before the deadline of the budget.
    Cut,
    /// Something outside (network, disk), in words.
    Outside(String),
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Cut => "it had to make way for the verification before the deadline",
            Self::Outside(words) => words,
        })
    }
}

/// The end of a trial, beside what its cells say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrialEnd {
    /// All cells ran that were to run.
    #[default]
    Ran,
    /// Cells did not run, because one before them failed.
    BrokeOff,
    /// An atom could not be written.
    Refused {
        /// The atom, as it was asked for.
        atom: Atom,
        /// The words of the package manager, or of the policy.
        reason: Reason,
    },
    /// The package manager refused to download something: the trial as a whole fails.
    Unfit(Reason),
    /// No evidence.
    Noise(Noise),
}

/// An atom that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The atom; where the package manager takes it only with later ones, these are in it, and come no more by themselves.
    pub atom: Atom,
    /// The tree after it.
    pub tree: String,
    /// The effects of its edit in each of the projects of its upgrades.
    pub effects: BTreeMap<ProjectId, Applied>,
}

impl Written {
    /// The moves of its edit, each with the project of which an upgrade made it.
    pub fn moves(&self) -> impl Iterator<Item = (&ProjectId, &Move)> {
        self.effects.iter().flat_map(|(project, applied)| applied.also_moved.iter().map(move |one| (project, one)))
    }
}

/// A trial, as far as it went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialReport {
    /// The atoms that were written, in commit order.
    pub steps: Vec<Written>,
    /// The last tree as it was tested, with the lockfiles that git does not track and that are in no tree of `steps`.
    pub tested: Option<String>,
    /// Its end.
    pub end: TrialEnd,
    /// The projects whose downloads failed in the baseline.
    pub unfetched: BTreeMap<ProjectId, Reason>,
    /// The cells that ran, in order.
    pub cells: Vec<CellReport>,
    /// The packages that were compiled, by project.
    pub exercised: BTreeMap<ProjectId, Exercised>,
    /// The number of cells that did not run, as the journal of an interrupted run knew their end.
    pub known: usize,
    /// The number of cells that ran, the second looks at flaky tests counted.
    pub ran: usize,
    /// Seconds that those took when they ran.
    pub known_seconds: f64,
}

impl TrialReport {
    /// Counts what one check compiled for the other projects, too, that it concerns.
    pub fn share_evidence(&mut self, cell: &Cell, seen: &Exercised) {
        for project in cell.concerns.iter().filter(|one| **one != cell.project) {
            let known = self.exercised.entry(project.clone()).or_default();
            let seen = Exercised { compiled: seen.compiled.clone(), ..Exercised::default() };
            match cell.check.turn {
                Turn::Always => known.add_early(seen),
                Turn::Final => known.add_late(seen),
            }
        }
    }

    /// The tree after the last atom that was written; none where none was.
    #[must_use]
    pub fn tip(&self) -> Option<&str> {
        self.steps.last().map(|step| step.tree.as_str())
    }

    /// The atoms of the trial: those that were written, as they were, then the others of those that were asked for.
    #[must_use]
    pub fn atoms(&self, asked: &[Atom]) -> Vec<Atom> {
        let is_written = |atom: &&Atom| self.steps.iter().any(|step| atom.is_in(&step.atom));
        let written = self.steps.iter().map(|step| step.atom.clone());
        written.chain(asked.iter().filter(|atom| !is_written(atom)).cloned()).collect()
    }

    /// A trial that took cells, and all of them from the journal: it costs nothing.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.known > 0 && self.ran == 0
    }

    /// The cause for which it is no evidence, if it is none.
    #[must_use]
    pub const fn noise(&self) -> Option<&Noise> {
        match &self.end {
            TrialEnd::Noise(noise) => Some(noise),
            _ => None,
        }
    }

    /// A trial that the package manager or the policy refused: nothing was built.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.end, TrialEnd::Refused { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::ReasonKind;
    use crate::trial::{Cell, Exit, Extent, Member, Phase, Reading, TestEnd, TestName};

    #[test]
    fn the_name_of_a_trial_tells_its_kind() {
        for kind in TrialKind::ALL {
            assert_eq!(TrialKind::of(&kind.name(12)), Some(kind), "{}", kind.name(12));
        }
        let others = ["", "t", "tests-1", "baseline", "baseline-again", "x1"].map(TrialKind::of);
        assert_eq!(others, [None; 6]);
    }
    #[test]
    fn a_report_is_the_same_after_a_way_through_json() {
        let name = TestName { unit: "app src/lib.rs".into(), name: "a".into() };
        let mut reading = Reading { tests: [(name.clone(), TestEnd::Failed)].into(), ..Reading::default() };
        reading.units = [("app src/lib.rs".into(), vec!["--lib".into()])].into();
        let mut cell = Cell::of("test", Phase::Test).ended(Exit::Code(101), reading);
        cell.cell.extent = Extent::Tests([name].into());
        cell.again.push(cell.clone());
        let reason = Reason::new(ReasonKind::TestFailed, "it fails");
        let noise = |noise| TrialEnd::Noise(noise);
        let outside = noise(Noise::Outside("no answer".into()));
        let atom: Atom = Member { candidate: 2, rung: 0 }.into();
        let refused = TrialEnd::Refused { atom: atom.clone(), reason: reason.clone() };
        let step = Written { atom, tree: "t".into(), effects: [("cargo .".into(), Applied::default())].into() };
        for end in [TrialEnd::Ran, TrialEnd::BrokeOff, refused, TrialEnd::Unfit(reason), noise(Noise::Cut), outside] {
            let report =
                TrialReport { cells: vec![cell.clone()], end, steps: vec![step.clone()], ..TrialReport::default() };
            let text = serde_json::to_string(&report).unwrap();
            assert_eq!(serde_json::from_str::<TrialReport>(&text).unwrap(), report, "{text}");
        }
    }
}
