//! What finished cells said, as facts about a tree, a command and what surrounds both: kept in the journal cell by cell,
//! and given again to a run that takes an interrupted one up, so that no finished cell runs twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::candidate::ProjectId;
use crate::machine::mutex::lock;
use crate::trial::{Cell, CellReport, Freshness};

/// What a fact is about; the same asked again has the same answer, flakes aside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asked {
    /// The tree that was tested.
    pub tree: String,
    /// The project.
    pub project: ProjectId,
    /// The check's name.
    pub check: String,
    /// The command as it ran, word for word.
    pub words: Vec<String>,
    /// The folder that it ran in, from the root.
    pub dir: String,
    /// Variables that the check sets.
    pub env: BTreeMap<String, String>,
    /// Whether cached results counted.
    pub freshness: Freshness,
}

impl Asked {
    /// About a cell on a tree.
    #[must_use]
    pub fn new(tree: &str, cell: &Cell, words: &[String], freshness: Freshness) -> Self {
        Self {
            tree: tree.to_owned(),
            project: cell.project.clone(),
            check: cell.check.name.clone(),
            words: words.to_vec(),
            dir: cell.check.dir.clone(),
            env: cell.check.env.clone(),
            freshness,
        }
    }
}

/// A finished cell, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What was asked.
    pub asked: Asked,
    /// A digest of toolchains, environment and set-up: everything else that the answer hangs on.
    pub surroundings: String,
    /// The how-manieth answer to the very same question this is, from 1.
    pub number: usize,
    /// The answer.
    pub report: CellReport,
}

/// Puts a fact on the disk.
pub type Keep = Box<dyn Fn(&Fact) -> Result<()> + Send + Sync>;

/// The facts that a run knows and adds to; shared by everything that runs cells.
pub struct Facts {
    surroundings: String,
    disk: Option<Keep>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Answers of the interrupted run that were not given again yet, in the order in which they came.
    known: BTreeMap<Asked, VecDeque<CellReport>>,
    /// How many answers each question has.
    numbers: BTreeMap<Asked, usize>,
    /// The logs of all answers: they are evidence, so nothing is written over them.
    logs: BTreeSet<String>,
}

impl Facts {
    /// Those of an interrupted run, as far as the surroundings are the same; new ones are given to `disk`.
    #[must_use]
    pub fn new(surroundings: String, disk: Keep, past: Vec<Fact>) -> Self {
        let mut state = State::default();
        for fact in past.into_iter().filter(|fact| fact.surroundings == surroundings) {
            *state.numbers.entry(fact.asked.clone()).or_default() += 1;
            state.logs.insert(fact.report.log.clone());
            state.known.entry(fact.asked).or_default().push_back(fact.report);
        }
        Self { surroundings, disk: Some(disk), state: Mutex::new(state) }
    }

    /// No fact, and none is kept.
    #[must_use]
    pub fn none() -> Self {
        Self { surroundings: String::new(), disk: None, state: Mutex::default() }
    }

    /// How many answers are known that nobody asked for yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().known.values().map(VecDeque::len).sum()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next known answer to a question: the second one who asks gets the second answer.
    #[must_use]
    pub fn known(&self, asked: &Asked) -> Option<CellReport> {
        self.state().known.get_mut(asked)?.pop_front()
    }

    /// Keeps an answer; returns when it is on the disk. One that is not finished is none.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep(&self, asked: &Asked, report: &CellReport) -> Result<()> {
        let Some(disk) = self.disk.as_ref().filter(|_| report.is_finished()) else { return Ok(()) };
        let number = {
            let mut state = self.state();
            state.logs.insert(report.log.clone());
            let number = state.numbers.entry(asked.clone()).or_default();
            *number += 1;
            *number
        };
        let surroundings = self.surroundings.clone();
        disk(&Fact { asked: asked.clone(), surroundings, number, report: report.clone() })
    }

    /// A name for a log, as wanted or with a number before its ending, that is not the log of a known answer: a run that
    /// was taken up may number its trials otherwise.
    #[must_use]
    pub fn free_log(&self, wanted: &str) -> String {
        let state = self.state();
        let stem = wanted.strip_suffix(".log").unwrap_or(wanted);
        let mut name = wanted.to_owned();
        let mut number = 1_u32;
        while state.logs.contains(&name) {
            number += 1;
            name = format!("{stem}-{number}.log");
        }
        name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
