//! The journal of an earlier run: its lines as values, read as far as they are whole.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::JOURNAL;
use crate::clock::Instant;
use crate::report::TrialSummary;
use crate::state::facts::Fact;

/// The version of the journal's format.
pub const FORMAT: u32 = 2;

/// What a journal is about: its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// The version of the tool.
    pub tool: String,
    /// The commit that the run started from.
    pub base: String,
    /// The instant at which the registries were looked at.
    pub as_of: Instant,
    /// A digest of the flags and the configuration that matter.
    pub flags: String,
    /// A digest of the plan.
    pub plan: String,
}

/// Why a run ended; a run that was killed could not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Its work was done.
    Done,
    /// The user stopped it.
    Interrupted,
    /// Its budget ended before its work did.
    Budget,
    /// A branch of what passed was due, and could not be written.
    Unpublished,
}

/// One line of a journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The first one.
    Header(Header),
    /// A finished cell.
    Cell(Box<Fact>),
    /// A finished trial.
    Trial(TrialSummary),
    /// The end of the run.
    End {
        /// Why.
        why: End,
    },
}

/// The journal of an earlier run.
#[derive(Debug, Clone)]
pub struct Past {
    /// What it was about.
    pub header: Header,
    /// The finished cells, in the order in which they ended.
    pub facts: Vec<Fact>,
    /// The finished trials.
    pub trials: Vec<TrialSummary>,
    /// How it ended; none where it was killed.
    pub end: Option<End>,
    /// How many bytes of the file are whole lines.
    pub length: u64,
}

impl Past {
    /// Reads the journal in an output folder; none where there is none that can be read. What stands behind the first line
    /// that is not whole is left out: a killed run may have been writing it.
    #[must_use]
    pub fn read(folder: &Path) -> Option<Self> {
        Self::parse(&fs::read(folder.join(JOURNAL)).ok()?)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let first = lines.next()?;
        let Some(Line::Header(header)) = whole(first) else { return None };
        if header.format != FORMAT {
            return None;
        }
        let mut past = Self { header, facts: Vec::new(), trials: Vec::new(), end: None, length: first.len() as u64 };
        for (bytes, line) in lines.map_while(|bytes| Some((bytes, whole(bytes)?))) {
            past.end = None;
            match line {
                Line::Header(_) => break,
                Line::Cell(fact) => past.facts.push(*fact),
                Line::Trial(trial) => past.trials.push(trial),
                Line::End { why } => past.end = Some(why),
            }
            past.length += bytes.len() as u64;
        }
        Some(past)
    }

    /// Whether there was more to do.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.end != Some(End::Done)
    }
}

fn whole(bytes: &[u8]) -> Option<Line> {
    serde_json::from_slice(bytes.strip_suffix(b"\n")?).ok()
}
