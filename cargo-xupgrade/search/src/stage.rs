//! The stages of a search and what each of them offers to try. Pure functions over the plan and the ledger.
//! Safe steps come first, so that a budget that ends early has secured them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::ledger::Ledger;
use crate::{AtomSpec, Break, Fate, Pick, ladder};

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Compatible rungs only.
    Compatible,
    /// Breaking rungs, on top of all that is compatible.
    Breaking,
    /// Rejected atoms once more: a partner may have come after them.
    SecondLook,
    /// Nothing is proposed any more.
    Over,
}

/// For each atom its highest rung of the kind above what is accepted.
pub(crate) fn tops(atoms: &[AtomSpec], ledger: &Ledger, kind: Break) -> BTreeSet<Pick> {
    let top = |(atom, spec)| {
        let rung = ladder::top(spec, kind, ledger.rung(atom))?;
        Some(Pick { atom, rung })
    };
    atoms.iter().enumerate().filter_map(top).collect()
}

/// The picks worth a second look, in plan order. One for each atom keeps the number of trials bounded.
pub(crate) fn losers(atoms: &[AtomSpec], ledger: &Ledger) -> Vec<Pick> {
    let loser = |(atom, spec)| loser(atom, spec, ledger);
    atoms.iter().enumerate().filter_map(loser).collect()
}

/// Its first rung if every rung was refused, its highest breaking one if it could not be lifted to that.
fn loser(atom: usize, spec: &AtomSpec, ledger: &Ledger) -> Option<Pick> {
    let rung = match ledger.fate(atom, spec) {
        Fate::Rejected { .. } => ladder::first(spec),
        Fate::Accepted { rung, .. } => ladder::top(spec, Break::Breaking, Some(rung)),
        Fate::Inconclusive { .. } | Fate::Untried => None,
    }?;
    let pick = Pick { atom, rung };
    ledger.is_refused(pick).then_some(pick)
}
