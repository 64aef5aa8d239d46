//! A listener that tells a person of a file once for each check: a check that changes or leaves the same files each time is
//! no news in each trial. It stands before another listener, and keeps nothing back from the report.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::candidate::ProjectId;
use crate::event::{Event, Listener};
use crate::report::CellSummary;

/// A listener that hears of each file once for each check.
pub struct Once<L> {
    inner: L,
    told: Mutex<BTreeSet<(ProjectId, String, String)>>,
}

impl<L> Once<L> {
    /// Before `inner`.
    pub fn new(inner: L) -> Self {
        Self { inner, told: Mutex::default() }
    }

    /// The files of a cell that were not told of yet.
    fn news(&self, cell: &CellSummary) -> Vec<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |file: &String| (cell.project.clone(), cell.check.clone(), file.clone());
        cell.dirtied.iter().filter(|file| told.insert(key(file))).cloned().collect()
    }
}

impl<L: Listener> Listener for Once<L> {
    fn tell(&self, event: &Event) {
        match event {
            Event::CellEnded { trial, cell } if !cell.dirtied.is_empty() => {
                let cell = CellSummary { dirtied: self.news(cell), ..cell.clone() };
                self.inner.tell(&Event::CellEnded { trial: trial.clone(), cell });
            }
            other => self.inner.tell(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Cell, Exit, Phase, Reading};

    #[test]
    fn a_file_that_a_check_changes_each_time_is_told_of_once_and_another_one_still_is() {
        let heard = Mutex::new(Vec::new());
        let once = Once::new(|event: &Event| {
            if let Event::CellEnded { cell, .. } = event {
                heard.lock().unwrap().push(cell.dirtied.clone());
            }
        });
        for (check, files) in [("test", vec!["a"]), ("test", vec!["a"]), ("test", vec!["a", "b"]), ("gate", vec!["a"])]
        {
            let mut report = Cell::of(check, Phase::Test).ended(Exit::Code(0), Reading::default());
            report.dirtied = files.into_iter().map(str::to_owned).collect();
            once.tell(&Event::CellEnded { trial: "t1".into(), cell: CellSummary::from(&report) });
        }
        let none: Vec<String> = vec![];
        assert_eq!(heard.into_inner().unwrap(), [vec!["a".to_owned()], none, vec!["b".into()], vec!["a".into()]]);
    }
}
