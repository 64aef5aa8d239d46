//! Undoes what a cell did to the tree. Where that takes away something that a build generated beside its sources, cargo
//! still takes the build for up to date, so the sources are made to look new and the next cell generates it again.

use std::collections::BTreeSet;

use anyhow::Result;

use super::TrialRunner;
use crate::machine::mutex::lock;
use crate::trial::{CellReport, Phase, Reader, Undone};
use crate::verdict::CellBaseline;

impl TrialRunner<'_> {
    /// Brings the tree back to how it was before a cell, and gives what was undone.
    pub(super) fn restore(&self, ran: &CellReport) -> Result<Undone> {
        let undone = self.worker.restore()?;
        let mut generated = lock(&self.shared.generated);
        if compiles_only(ran) {
            generated.extend(undone.ignored.iter().cloned());
        }
        let is_outdated = is_outdated(&undone, &generated, self.known.cells.get(&ran.cell.key()));
        drop(generated);
        if is_outdated {
            self.worker.renew()?;
        }
        Ok(undone)
    }
}

/// Tells a cell in which nothing but cargo and the build scripts writes: ignored files that it leaves were generated.
fn compiles_only(ran: &CellReport) -> bool {
    ran.cell.check.phase == Phase::Gate && ran.cell.check.reader == Reader::CargoMessages
}

/// Tells an undoing that took away what a build made: something generated that git ignores, or what was written over a
/// tracked file. A file that the same cell leaves changed on the untouched base, too, is part of no build.
fn is_outdated(undone: &Undone, generated: &BTreeSet<String>, before: Option<&CellBaseline>) -> bool {
    let is_known = |file: &String| before.is_some_and(|known| known.changes.contains(file));
    undone.ignored.iter().any(|path| generated.contains(path)) || undone.changed.iter().any(|file| !is_known(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths<C: FromIterator<String>>(paths: &[&str]) -> C {
        paths.iter().copied().map(String::from).collect()
    }

    #[test]
    fn a_build_is_outdated_where_something_generated_is_gone_or_a_tracked_file_is_back_that_the_base_leaves_alone() {
        let generated: BTreeSet<String> = paths(&["src/generated.rs"]);
        let known = CellBaseline { changes: paths(&["stamp.txt"]), ..CellBaseline::default() };
        let outdated = |changed: &[&str], ignored: &[&str]| {
            let undone = Undone { changed: paths(changed), ignored: paths(ignored), ..Undone::default() };
            is_outdated(&undone, &generated, Some(&known))
        };
        assert!(outdated(&[], &["src/generated.rs"]));
        assert!(outdated(&["shape.txt", "stamp.txt"], &[]));
        assert!(!outdated(&["stamp.txt"], &["coverage"]), "neither is read by a build");
    }
}
