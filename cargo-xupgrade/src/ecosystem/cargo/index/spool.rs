//! The bodies of the index files that one run has read, kept out of memory: in a file without a name below our store,
//! which is gone with the process. A thousand crates are 60 MB of index, and a run that reads a crate twice must see
//! the same bytes twice, whatever another run writes to the store in between.
//! Where no such file can be made, bodies stay in memory: that costs memory and no answer.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Body;

/// A file that grows.
#[derive(Debug)]
pub struct Spool {
    file: Option<File>,
    end: AtomicU64,
}

/// Where a body is.
#[derive(Clone, Debug)]
pub enum Kept {
    /// In the file, from this byte on, so many bytes long.
    InFile(u64, usize),
    /// In memory.
    InMemory(Body),
}

impl Spool {
    /// Opens one below `folder`.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        Self { file: nameless(folder).ok(), end: AtomicU64::new(0) }
    }

    /// One that keeps everything in memory.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { file: None, end: AtomicU64::new(0) }
    }

    /// Keeps a body.
    #[must_use]
    pub fn keep(&self, body: &Body) -> Kept {
        let Some(file) = &self.file else { return Kept::InMemory(Arc::clone(body)) };
        let start = self.end.fetch_add(body.len() as u64, Ordering::Relaxed);
        match file.write_all_at(body, start) {
            Ok(()) => Kept::InFile(start, body.len()),
            Err(_) => Kept::InMemory(Arc::clone(body)),
        }
    }

    /// Gives a body back.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn get(&self, kept: &Kept) -> io::Result<Body> {
        match (kept, &self.file) {
            (Kept::InMemory(body), _) => Ok(Arc::clone(body)),
            (Kept::InFile(start, length), Some(file)) => {
                let mut body = vec![0; *length];
                file.read_exact_at(&mut body, *start)?;
                Ok(Arc::new(body))
            }
            (Kept::InFile(..), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// A file that nobody else can open, and that needs no cleaning.
fn nameless(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder)?;
    let name = format!(".spool-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path: PathBuf = folder.join(name);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_as_they_went_from_a_file_that_nobody_sees() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path());
        let bodies: Vec<Body> = [&b"one"[..], b"", b"three\n"].map(|text| Arc::new(text.to_vec())).into();
        let kept: Vec<Kept> = bodies.iter().map(|body| spool.keep(body)).collect();
        assert!(kept.iter().all(|one| matches!(one, Kept::InFile(..))), "{kept:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let back: Vec<Body> = kept.iter().map(|one| spool.get(one).unwrap()).collect();
        assert_eq!(back, bodies);
    }

    #[test]
    fn without_a_place_to_write_bodies_stay_in_memory() {
        let spool = Spool::open(Path::new("/dev/null/no"));
        let body: Body = Arc::new(b"one".to_vec());
        let kept = spool.keep(&body);
        assert!(matches!(kept, Kept::InMemory(_)));
        assert_eq!(spool.get(&kept).unwrap(), body);
    }
}
