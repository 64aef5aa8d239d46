//! Locks: one run at a time on a repository's cache, and one on an output folder. Whoever comes second reads who holds it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::shell::typed;

/// A lock; it ends with the process that holds it, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock on a repository's folder in the cache.
    ///
    /// # Errors
    /// When another run holds it; the error says which.
    pub fn take(cache: &Path) -> Result<Self> {
        Self::of(cache, "lock", "works on this repository")
    }

    /// Takes the lock on an output folder, which another clone may name as well.
    ///
    /// # Errors
    /// When another run holds it; the error says which.
    pub fn of_output(folder: &Path) -> Result<Self> {
        Self::of(folder, "in-use", &format!("writes into {}", folder.display()))
    }

    fn of(folder: &Path, name: &str, does: &str) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join(name);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        if !is_taken(&file) {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!("another run {does} ({}); wait for it or stop it", holder.trim());
        }
        file.set_len(0)?;
        file.write_all(holder().as_bytes())?;
        Ok(Self { _file: file })
    }
}

/// Takes the lock, if nobody holds it for longer than a moment: a process that its last holder was just starting shares
/// the open file until it is another program.
fn is_taken(file: &File) -> bool {
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(10);
    (0..TRIES).any(|_| {
        let taken = file.try_lock().is_ok();
        if !taken {
            std::thread::sleep(PAUSE);
        }
        taken
    })
}

/// Who we are, in one line.
fn holder() -> String {
    let words: Vec<String> = std::env::args().collect();
    let command: String = typed(&words).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("process {}, since {}: {command}", std::process::id(), crate::machine::now::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_reads_who_holds_the_lock_since_when_and_what_it_does() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::of_output(folder.path()).unwrap();
        let error = Lock::of_output(folder.path()).unwrap_err().to_string();
        let me = format!("(process {}, since 2", std::process::id());
        let program = std::env::args().next().unwrap();
        assert!(error.contains(&me) && error.contains(&program) && error.contains("writes into"), "{error}");
        drop(first);
        Lock::of_output(folder.path()).unwrap();
    }
}
