//! The stages of a search and what each of them offers to try. Pure functions over the plan, the ledger and the climbs.
//! Safe steps come first, so that a budget that ends early has secured them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::{vec, vec::Vec};

use crate::ladder::{self, Climb};
use crate::ledger::Ledger;
use crate::order::{Company, Unit};
use crate::{AtomSpec, Break, Depth, Joint, Options, Pick, Why, joint};

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The set that the package managers resolve at once.
    AtOnce,
    /// What passed last time.
    LastTime,
    /// Everything at its highest, and nothing else.
    Everything,
    /// The rungs of one kind, and below them what is between.
    Climb(Break),
    /// Rejected picks once more: a partner may have come after them.
    Looks,
    /// Some that are rejected, as one: those at this place of the list, then those after it.
    Together(usize),
    /// What was accepted fails a test at times: which of it does that; then this stage again.
    Hunt(Resume),
    /// The whole matrix on what is accepted.
    Verify,
    /// Nothing is proposed any more.
    Over,
}

/// Where to go on after a hunt that found nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resume {
    /// With the rungs of this kind.
    Climb(Break),
    /// With the set that passed last time.
    LastTime,
    /// With the second looks.
    Looks,
    /// At the end.
    Verify,
}

/// Below this chance to fail a release between the rungs is not taken for safe: one above it failed.
const BETWEEN: u16 = 250;

/// What each atom wants to try next, without those in `busy`.
pub(crate) fn climbers(atoms: &[AtomSpec], climbs: &[Climb], busy: &BTreeSet<usize>) -> Vec<Unit> {
    let next = |(atom, climb): (usize, &Climb)| {
        let (rung, why) = climb.wants()?;
        let mut unit = Unit::of(atoms, Pick { atom, rung }.into());
        if why.is_some() {
            unit.risk = unit.risk.max(BETWEEN);
        }
        unit.why = why;
        Some(unit)
    };
    let mut units: Vec<Unit> =
        climbs.iter().enumerate().filter(|(atom, _)| !busy.contains(atom)).filter_map(next).collect();
    units.retain(|unit| unit.company == Company::Group);
    units
}

/// The joints of which all picks exist, each atom once, in their order.
pub(crate) fn given(atoms: &[AtomSpec], joints: &[Joint]) -> Vec<Unit> {
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let exists = |pick: &Pick| atoms.get(pick.atom).is_some_and(|spec| pick.rung < spec.rungs.len());
    let mut units = Vec::new();
    for joint in joints {
        let atoms_of = || joint.picks().iter().map(|pick| pick.atom);
        if joint.picks().iter().all(exists) && atoms_of().all(|atom| !seen.contains(&atom)) {
            seen.extend(atoms_of());
            units.push(Unit::of(atoms, joint.clone()));
        }
    }
    units
}

/// The set that resolves at once, in which what moved as one last time is one.
pub(crate) fn at_once(options: &Options) -> Vec<Joint> {
    let mut joints: Vec<Joint> = options.at_once.iter().copied().map(Joint::from).collect();
    for joint in options.last_time.iter().filter(|joint| joint.picks().len() > 1) {
        joint::merge(&mut joints, joint);
    }
    joints
}

/// Every atom at its highest rung.
pub(crate) fn everything(atoms: &[AtomSpec]) -> Vec<Unit> {
    let top = |(atom, spec)| Some(Unit::of(atoms, Pick { atom, rung: ladder::summit(spec)? }.into()));
    atoms.iter().enumerate().filter_map(top).collect()
}

/// Whether what gave no answer is looked at again, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// It is: what was accepted then was at fault.
    Too,
    /// It is not.
    Stays,
}

/// The picks worth a second look, one for each atom, which keeps the number of trials bounded.
pub(crate) fn looks(atoms: &[AtomSpec], ledger: &Ledger, open: Open) -> Vec<Unit> {
    let look = |(atom, spec)| {
        let unanswered = || ledger.unanswered(atom).filter(|_| open == Open::Too && ledger.rung(atom).is_none());
        let refused = loser(atom, spec, ledger);
        refused.or_else(unanswered).map(|pick| Unit::alone(pick.into(), Why::SecondLook))
    };
    atoms.iter().enumerate().filter_map(look).collect()
}

/// The highest rung above where an atom landed that failed before all others were there; for one that moved nowhere
/// its first choice comes before. One that fails again is not asked for twice, so the next one follows.
fn loser(atom: usize, spec: &AtomSpec, ledger: &Ledger) -> Option<Pick> {
    let floor = ledger.rung(atom);
    let grew = |pick: &Pick| ledger.grew_since_refusal(*pick);
    let first = first_choice(atom, spec, ledger).filter(|pick| floor.is_none() && grew(pick));
    let is_above = |pick: &Pick| floor.is_none_or(|floor| pick.rung > floor);
    let is_rung = |pick: &Pick| is_above(pick) && spec.rungs[pick.rung].depth == Depth::Rung;
    first.or_else(|| ledger.refused(atom).rev().filter(is_rung).find(grew))
}

/// The rung that was tried first, if it was refused.
fn first_choice(atom: usize, spec: &AtomSpec, ledger: &Ledger) -> Option<Pick> {
    ladder::top(spec, None).map(|rung| Pick { atom, rung }).filter(|&pick| ledger.is_refused(pick))
}

/// What is tried as one at the end: losers that failed for no known reason, and maybe for the same one. First all of a
/// company whose failures hang together, then, where these are three, each two of them.
pub(crate) fn together(atoms: &[AtomSpec], ledger: &Ledger) -> Vec<Joint> {
    let lost = lost(atoms, ledger);
    // If there are but two, it costs one trial to know.
    let companies = if lost.len() == 2 { vec![lost] } else { companies(&lost, ledger) };
    // A resolver or a compiler that refuses one for want of another names it; a test does not.
    let three = |company: &&Vec<Pick>| company.len() == 3 && ledger.is_only_tests(company[0]);
    let pairs = |company: &Vec<Pick>| [[0, 1], [0, 2], [1, 2]].map(|pair| pair.map(|place| company[place]).to_vec());
    let in_pairs = companies.iter().filter(three).flat_map(pairs);
    let several = companies.iter().filter(|company| company.len() > 1).cloned().chain(in_pairs);
    several.map(|company| Joint::new(company[0], &company[1..])).collect()
}

/// The losers, those together whose failures may have one cause: they fail the same test, or it is not known of one which.
fn companies(lost: &[Pick], ledger: &Ledger) -> Vec<Vec<Pick>> {
    let (tests, certain): (Vec<Pick>, Vec<Pick>) = lost.iter().partition(|&&pick| ledger.is_only_tests(pick));
    if tests.iter().any(|&pick| ledger.tests(pick).is_empty()) {
        return vec![tests, certain];
    }
    let mut companies = by_test(&tests, ledger);
    companies.push(certain);
    companies
}

/// Those together that fail the same test, directly or by way of others.
fn by_test(picks: &[Pick], ledger: &Ledger) -> Vec<Vec<Pick>> {
    let mut companies: Vec<Vec<Pick>> = Vec::new();
    let mut company_of: BTreeMap<u64, usize> = BTreeMap::new();
    for &pick in picks {
        let tests = ledger.tests(pick);
        let near: BTreeSet<usize> = tests.iter().filter_map(|test| company_of.get(test).copied()).collect();
        let mut company: Vec<Pick> = near.iter().flat_map(|&place| core::mem::take(&mut companies[place])).collect();
        company.push(pick);
        company.sort_unstable();
        for place in company_of.values_mut().filter(|place| near.contains(place)) {
            *place = companies.len();
        }
        company_of.extend(tests.into_iter().map(|test| (test, companies.len())));
        companies.push(company);
    }
    companies
}

/// The first choices of the atoms that moved nowhere, for no known reason.
fn lost(atoms: &[AtomSpec], ledger: &Ledger) -> Vec<Pick> {
    let lost = |(atom, spec)| {
        let is_lost = |&pick: &Pick| ledger.rung(atom).is_none() && !ledger.is_explained(pick);
        first_choice(atom, spec, ledger).filter(is_lost)
    };
    atoms.iter().enumerate().filter_map(lost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::Failure;
    use crate::{Mark, Proof, Ticket};

    #[test]
    fn losers_hang_together_by_way_of_others_and_keep_their_order() {
        let tests: [&[u64]; 6] = [&[1], &[2], &[1], &[9], &[2, 1], &[8]];
        let (mut ledger, pick) = (Ledger::new(tests.len()), |atom| Pick { atom, rung: 0 });
        for (atom, tests) in tests.iter().enumerate() {
            let marks = vec![Mark { tests: tests.to_vec(), within: vec![] }];
            ledger.refuse(pick(atom), Failure { marks, ..Failure::bare(Ticket(1), Proof::Tests) }, 0);
        }
        let picks: Vec<Pick> = (0..tests.len()).map(pick).collect();
        let mut companies = companies(&picks, &ledger);
        companies.retain(|company| !company.is_empty());
        assert_eq!(companies, [vec![pick(3)], [0, 1, 2, 4].map(pick).to_vec(), vec![pick(5)]]);
    }
}
