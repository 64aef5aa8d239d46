//! The canonical order: which of two picks comes first in a trial, and so which one stays when they clash.
//! It is fixed before anything is tried, by the plan and by what stands on what in the base; what trials teach changes how
//! large groups are, never this order.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::chance::{Odds, Stake};
use crate::{AtomSpec, Joint, Permille, Pick, Why};

/// What is tried, kept and rejected as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) joint: Joint,
    /// The chance that it fails, as guessed before anything was tried.
    pub(crate) risk: Permille,
    /// Why it is tried, where that is not for its place in a group.
    pub(crate) why: Option<Why>,
    pub(crate) company: Company,
    /// What it makes be built anew.
    pub(crate) builds: Vec<usize>,
}

/// Whether a unit may be tried with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// As its risk says.
    Group,
    /// Never.
    Alone,
}

impl Unit {
    /// One that may be tried with others, as risky as the riskiest of its picks.
    pub(crate) fn of(atoms: &[AtomSpec], joint: Joint) -> Self {
        let risk = joint.picks().iter().map(|pick| atoms[pick.atom].rungs[pick.rung].risk).max().unwrap_or(999);
        let builds: BTreeSet<usize> = joint.picks().iter().flat_map(|pick| &atoms[pick.atom].builds).copied().collect();
        let builds = builds.into_iter().collect();
        Self { joint, risk: risk.clamp(1, 999), why: None, company: Company::Group, builds }
    }

    /// Tried alone, for a reason of its own.
    pub(crate) fn alone(joint: Joint, why: Why) -> Self {
        Self { joint, risk: 999, why: Some(why), company: Company::Alone, builds: Vec::new() }
    }

    /// What is at stake when it is tried.
    pub(crate) fn stake(&self) -> Stake<'_> {
        Stake { odds: Odds::Prior(self.risk), builds: &self.builds }
    }

    /// The pick, if it is a single one.
    pub(crate) fn single(&self) -> Option<Pick> {
        match *self.joint.picks() {
            [pick] => Some(pick),
            _ => None,
        }
    }
}

/// Brings units into the canonical order: the least risk first, then kin, then what most is built for, beside what the
/// same is built for, then plan order.
pub(crate) fn by_risk(atoms: &[AtomSpec], units: &mut [Unit]) {
    fn key<'a>(atoms: &[AtomSpec], unit: &'a Unit) -> (Permille, usize, Reverse<usize>, &'a [usize], Pick) {
        let first = unit.joint.first();
        (unit.risk, atoms[first.atom].kin, Reverse(unit.builds.len()), &unit.builds, first)
    }
    units.sort_by(|one, other| key(atoms, one).cmp(&key(atoms, other)));
}

/// Brings units into plan order.
pub(crate) fn by_plan(units: &mut [Unit]) {
    units.sort_by_key(|unit| unit.joint.first());
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{Break, Depth, RungSpec};

    #[test]
    fn among_equal_risks_what_most_stands_on_comes_first_and_what_the_same_stands_on_together() {
        let rung = |risk| RungSpec { risk, breaking: Break::Compatible, depth: Depth::Rung };
        let atom = |risk, builds: &[usize]| AtomSpec { rungs: vec![rung(risk)], kin: 0, builds: builds.to_vec() };
        let atoms = [atom(10, &[1]), atom(10, &[2]), atom(10, &[1, 2]), atom(10, &[1]), atom(9, &[]), atom(10, &[])];
        let mut units: Vec<Unit> = (0..6).map(|atom| Unit::of(&atoms, Pick { atom, rung: 0 }.into())).collect();
        by_risk(&atoms, &mut units);
        let order: Vec<usize> = units.iter().map(|unit| unit.joint.first().atom).collect();
        assert_eq!(order, [4, 2, 0, 3, 1, 5]);
    }
}
