//! An order: a trial to run, as a value that can be written down and run anywhere.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::narrow::Breadth;
use super::{Cell, Freshness, TrialKind};

/// One upgrade of a trial: a candidate, and the version that it moves to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Member {
    /// The position of the candidate in the plan.
    pub candidate: usize,
    /// The position of the rung in its ladder.
    pub rung: usize,
}

/// Upgrades that move as one: resolved in one step, committed as one. As a rule it is a single one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Atom {
    members: Vec<Member>,
}

impl Atom {
    /// These upgrades, at least one, in the order of the plan.
    #[must_use]
    pub fn new(members: impl IntoIterator<Item = Member>) -> Self {
        let mut members: Vec<Member> = members.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Self { members }
    }

    /// Its upgrades, in the order of the plan.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// True if each of its upgrades is one of another atom's, too.
    #[must_use]
    pub fn is_in(&self, other: &Self) -> bool {
        self.members.iter().all(|one| other.members.contains(one))
    }

    /// Both as one.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self::new(self.members.iter().chain(&other.members).copied())
    }
}

impl From<Member> for Atom {
    fn from(member: Member) -> Self {
        Self { members: vec![member] }
    }
}

/// The upgrades of atoms, in their order.
#[must_use]
pub fn members(atoms: &[Atom]) -> impl DoubleEndedIterator<Item = Member> + Clone + '_ {
    atoms.iter().flat_map(|atom| atom.members.iter().copied())
}

/// A trial to run: base + atoms in commit order, on some cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its kind.
    pub kind: TrialKind,
    /// Its name.
    pub id: String,
    /// The atoms, in commit order.
    pub atoms: Vec<Atom>,
    /// The cells to run, gates first.
    pub cells: Vec<Cell>,
    /// The part that cached results may have.
    pub freshness: Freshness,
    /// The part of each cell that runs.
    pub breadth: Breadth,
    /// The end of an order that goes on, behind its gates, whatever fails. None: it ends at the first cell that fails.
    pub goes_on: Option<Until>,
    /// The time from the moment it is given until the budget ends what still runs; that is no answer, and no verdict on slowness.
    pub left: Option<Duration>,
}

/// The end of an order that goes on behind its gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Its last cell.
    Done,
    /// The first cell in which a test fails.
    Red,
}

impl From<xupgrade_search::Until> for Until {
    fn from(until: xupgrade_search::Until) -> Self {
        match until {
            xupgrade_search::Until::Done => Self::Done,
            xupgrade_search::Until::Red => Self::Red,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Phase;

    #[test]
    fn an_order_is_the_same_after_a_way_through_json() {
        let order = Order {
            kind: TrialKind::Again,
            id: "again-3".into(),
            atoms: vec![Atom::new([Member { candidate: 2, rung: 1 }, Member { candidate: 0, rung: 3 }])],
            cells: vec![Cell::of("gate", Phase::Gate), Cell::of("test", Phase::Test)],
            freshness: Freshness::Afresh,
            breadth: Breadth::Targeted { fresh: 1 },
            goes_on: Some(Until::Red),
            left: Some(Duration::from_millis(1500)),
        };
        let text = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order, "{text}");
    }
}
