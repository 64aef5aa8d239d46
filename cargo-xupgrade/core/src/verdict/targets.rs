//! The judgement on a check that is looked at target by target: each target that compiled on the untouched base has to
//! compile, and one that did not is left out. A target counts as compiled only where cargo names it so, not where no error
//! does: it may stand behind another one that failed.

use std::collections::BTreeSet;

use super::words::fails_at;
use super::{CellBaseline, Verdict, failed, is_unsteady, stayed};
use crate::candidate::ReasonKind;
use crate::trial::{CellReport, Exit, Grain};

/// Takes out of a report all that is no news, as it comes from targets that do not compile on the untouched base either.
pub fn only_news(cell: &mut CellReport, before: Option<&CellBaseline>) {
    let Some(before) = before.filter(|_| cell.cell.check.grain == Grain::Target) else { return };
    cell.reading.unbuilt.retain(|target| !before.unbuilt.contains(target));
    cell.reading.telling.retain(|line| !before.told.contains(line));
}

/// The judgement on a failed check; `None` where it stands or falls as a whole, as nothing in it is red on the base.
pub(super) fn judge(cell: &CellReport, before: Option<&CellBaseline>) -> Option<Verdict> {
    let before = before.filter(|before| cell.cell.check.grain == Grain::Target && !before.unbuilt.is_empty())?;
    // Cargo's code for what does not compile; any other end of it is no word on targets.
    if cell.exit != Exit::Code(101) || is_unsteady(Some(before)) {
        return None;
    }
    let lost: BTreeSet<&String> = before.built.difference(&cell.reading.built).collect();
    if lost.is_empty() {
        return Some(stayed(cell, Some(before)));
    }
    let first = cell.reading.unbuilt.first().or(lost.first().copied());
    Some(failed(cell, ReasonKind::BuildFailed, &fails_at(first), &[]))
}
