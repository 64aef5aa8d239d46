//! The output folder `xupgrade.out/`: its `.gitignore`, the plan, the journal (one line of JSON for each finished trial,
//! appended and synced), the logs, the report. A run that is killed leaves all that it had found.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::failure::Usage;

/// The name of the output folder at the repository's root.
pub const FOLDER: &str = "xupgrade.out";

/// The first line of the `.gitignore` in an output folder, by which a later run knows the folder for one of ours.
const HEADER: &str = "# Made by cargo-xupgrade; nothing in here belongs into git.";

/// The output folder of a run.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lines: File,
}

impl Journal {
    /// Makes the folder, clears what the last run left there, and opens the journal.
    ///
    /// # Errors
    /// When the disk refuses, or the folder holds something that is not ours.
    pub fn open(folder: &Path) -> Result<Self> {
        let mark = folder.join(".gitignore");
        let is_ours = fs::read_to_string(&mark).is_ok_and(|text| text.lines().next() == Some(HEADER));
        if !is_ours && !is_free(folder) {
            let text =
                "was not made by this tool, and files in it would be lost; name a new or an empty folder with `--out`";
            return Err(Usage(format!("{} {text}", folder.display())).into());
        }
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&mark, format!("{HEADER}\n*\n"))?;
        for stale in ["log", "lock", "plan.json", "report.json", "journal.jsonl"] {
            crate::worker::remove(&folder.join(stale))?;
        }
        fs::create_dir_all(folder.join("log"))?;
        let lines = OpenOptions::new().create(true).append(true).open(folder.join("journal.jsonl"))?;
        Ok(Self { folder: folder.to_owned(), lines })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends one line and waits until it is on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append(&mut self, entry: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.lines.write_all(&line).and_then(|()| self.lines.sync_data()).context("cannot write the journal")
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
        let path = self.folder.join(name);
        let fresh = self.folder.join(format!("{name}.new"));
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// Whether nothing is there, or a folder with nothing in it.
fn is_free(folder: &Path) -> bool {
    let is_absent = fs::symlink_metadata(folder).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    is_absent || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// A lock on a repository's folder in the cache: one run at a time.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another run holds it; the error says which.
    pub fn take(cache: &Path) -> Result<Self> {
        fs::create_dir_all(cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let path = cache.join("lock");
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        if file.try_lock().is_err() {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!("another run works on this repository ({}); wait for it or stop it", holder.trim());
        }
        file.set_len(0)?;
        write!(file, "process {}", std::process::id())?;
        Ok(Self { _file: file })
    }
}
