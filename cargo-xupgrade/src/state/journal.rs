//! The output folder `xupgrade.out/`: its `.gitignore`, the plan, the journal (one line of JSON for each finished cell and
//! trial, appended and synced), the logs, the report. A run that is killed leaves all that it had found.

mod lock;
mod past;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::machine::failure::Usage;
use crate::report::TrialSummary;
use crate::state::facts::{Fact, Facts};
pub use lock::Lock;
pub use past::{End, FORMAT, Header, Line, Past};

/// The name of the output folder at the repository's root.
pub const FOLDER: &str = "xupgrade.out";

/// The name of the journal in an output folder.
const JOURNAL: &str = "journal.jsonl";

/// The first line of the `.gitignore` in an output folder, by which a later run knows the folder for one of ours.
const HEADER: &str = "# Made by cargo-xupgrade; nothing in here belongs into git.";

/// The output folder of a run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lines: Lines,
    /// What the run that is taken up had found.
    past: Vec<Fact>,
    /// The trials that it had finished.
    told: Vec<TrialSummary>,
    start: Start,
    _lock: Lock,
}

/// How a journal was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Afresh,
    Resumed,
}

/// The end of the journal, where lines are added; shared by all that add some.
#[derive(Debug, Clone)]
struct Lines(Arc<Mutex<File>>);

impl Lines {
    fn append(&self, line: &Line) -> Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&bytes).and_then(|()| file.sync_data()).context("cannot write the journal")
    }
}

impl Journal {
    /// Makes the folder, clears what the last run left there, and begins a journal.
    ///
    /// # Errors
    /// When the disk refuses, the folder holds something that is not ours, or another run writes into it.
    pub fn begin(folder: &Path, header: &Header) -> Result<Self> {
        let lock = claim(folder)?;
        // The journal first: what it says of the rest is true as long as it is there.
        for stale in [JOURNAL, "log", "lock", "plan.json", "report.json", "history.json"] {
            crate::machine::disk::remove(&folder.join(stale))?;
        }
        let journal = Self::at(folder, lock)?;
        journal.lines.append(&Line::Header(header.clone()))?;
        File::open(folder)?.sync_all()?;
        Ok(journal)
    }

    /// Takes up the journal of a run that did not end its work; a torn line at its end is cut off.
    ///
    /// # Errors
    /// When the disk refuses, or another run writes into the folder.
    pub fn resume(folder: &Path, past: Past) -> Result<Self> {
        let lock = claim(folder)?;
        let still = Past::read(folder).is_some_and(|now| (now.length, &now.header) == (past.length, &past.header));
        if !still {
            bail!("another run has written into {} meanwhile; run again", folder.display());
        }
        crate::machine::disk::remove(&folder.join("report.json"))?;
        let mut journal = Self::at(folder, lock)?;
        {
            let file = journal.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
            file.set_len(past.length).and_then(|()| file.sync_data()).context("cannot mend the journal")?;
        }
        (journal.past, journal.told, journal.start) = (past.facts, past.trials, Start::Resumed);
        Ok(journal)
    }

    fn at(folder: &Path, lock: Lock) -> Result<Self> {
        fs::create_dir_all(folder.join("log"))?;
        let lines = OpenOptions::new().create(true).append(true).open(folder.join(JOURNAL))?;
        let lines = Lines(Arc::new(Mutex::new(lines)));
        Ok(Self {
            folder: folder.to_owned(),
            lines,
            past: Vec::new(),
            told: Vec::new(),
            start: Start::Afresh,
            _lock: lock,
        })
    }

    /// Whether it was begun by an earlier run.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.start == Start::Resumed
    }

    /// The facts that are known, to be added to; they can be taken once.
    #[must_use]
    pub fn facts(&mut self, surroundings: String) -> Facts {
        let lines = self.lines.clone();
        let keep = move |fact: &Fact| lines.append(&Line::Cell(Box::new(fact.clone())));
        Facts::new(surroundings, Box::new(keep), std::mem::take(&mut self.past))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a finished trial, unless the run that was taken up had finished it with the same result; returns when it is
    /// on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, trial: &TrialSummary) -> Result<()> {
        if self.was_told(trial) {
            return Ok(());
        }
        self.lines.append(&Line::Trial(trial.clone()))
    }

    /// Whether the run that was taken up had finished a trial with the same result.
    #[must_use]
    pub fn was_told(&self, trial: &TrialSummary) -> bool {
        let key = |one: &TrialSummary| (one.id.clone(), one.atoms.clone(), one.tree.clone(), one.verdict);
        self.told.iter().any(|told| key(told) == key(trial))
    }

    /// Says that the run is over, and why.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end(&mut self, why: End) -> Result<()> {
        self.lines.append(&Line::End { why })
    }

    /// Keeps a file below the folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, bytes))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes a JSON file of the folder, whole or not at all.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, name: &str, value: &impl Serialize) -> Result<PathBuf> {
        write_whole(&self.folder, name, value)
    }
}

/// Writes a JSON file, whole or not at all.
///
/// # Errors
/// When the disk refuses.
pub fn write_whole(folder: &Path, name: &str, value: &impl Serialize) -> Result<PathBuf> {
    let path = folder.join(name);
    let fresh = folder.join(format!("{name}.new"));
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        fs::rename(&fresh, &path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Makes the folder ours, or sees that it is, and locks it.
fn claim(folder: &Path) -> Result<Lock> {
    let mark = folder.join(".gitignore");
    let is_ours = fs::read_to_string(&mark).is_ok_and(|text| text.lines().next() == Some(HEADER));
    if !is_ours && !is_free(folder) {
        let text =
            "was not made by this tool, and files in it would be lost; name a new or an empty folder with `--out`";
        return Err(Usage(format!("{} {text}", folder.display())).into());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(&mark, format!("{HEADER}\n*\n"))?;
    Lock::of_output(folder)
}

/// Whether nothing is there, or a folder with nothing in it.
fn is_free(folder: &Path) -> bool {
    let is_absent = fs::symlink_metadata(folder).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    is_absent || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
pub(crate) mod tests;
