//! What the set-up made and git does not track, file by file with a copy, so that a check that changes it changes
//! nothing for the next one. Writes below the worker's tree and into the folder of the copies only; follows no link.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::machine::disk::remove;

/// What is kept, by its path in the tree; a folder comes before what is in it.
#[derive(Debug, Default)]
pub struct Kept(BTreeMap<PathBuf, Entry>);

#[derive(Debug)]
enum Entry {
    /// With its rights.
    Folder(u32),
    Link(PathBuf),
    File {
        copy: PathBuf,
        /// Where it alone proves that nobody wrote to the file since.
        stamp: Option<Stamp>,
    },
    /// A socket or the like: it stays as it is.
    Other,
}

/// What the kernel notes of a file and no program can set: device, number, change time in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

impl Kept {
    /// Takes these files and folders of a tree as given; the copies go into `store`.
    pub fn take(tree: &Path, store: &Path, roots: &[PathBuf]) -> Result<Self> {
        remove(store)?;
        let mut kept = Self::default();
        for root in roots {
            // The folders above are tracked; known as folders, they are walked and not removed.
            for folder in root.ancestors().skip(1).take_while(|folder| folder.starts_with(tree) && *folder != tree) {
                let mode = folder.symlink_metadata()?.permissions().mode();
                kept.0.insert(folder.to_owned(), Entry::Folder(mode));
            }
            kept.add(tree, store, root).with_context(|| format!("cannot keep {}", root.display()))?;
        }
        Ok(kept)
    }

    fn add(&mut self, tree: &Path, store: &Path, path: &Path) -> Result<()> {
        let data = path.symlink_metadata()?;
        let entry = if data.is_dir() {
            for inner in inside(path)? {
                self.add(tree, store, &inner)?;
            }
            Entry::Folder(data.permissions().mode())
        } else if data.is_symlink() {
            Entry::Link(fs::read_link(path)?)
        } else if data.is_file() {
            let copy = store.join(path.strip_prefix(tree)?);
            copy.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::copy(path, &copy)?;
            Entry::File { copy, stamp: lasting(&data) }
        } else {
            Entry::Other
        };
        self.0.insert(plain(path), entry);
        Ok(())
    }

    /// Removes a file or a folder but for what is kept in it; gives what was removed, whole folders by their name.
    pub fn prune(&self, path: &Path) -> Result<Vec<PathBuf>> {
        let path = plain(path);
        match self.0.get(&path) {
            None => {
                remove(&path)?;
                Ok(vec![path])
            }
            Some(Entry::Folder(_)) if path.symlink_metadata().is_ok_and(|data| data.is_dir()) => {
                open_up(&path)?;
                let mut gone = Vec::new();
                for inner in inside(&path)? {
                    gone.extend(self.prune(&inner)?);
                }
                Ok(gone)
            }
            Some(_) => Ok(Vec::new()),
        }
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts back what is missing or no longer as it was, but for what the index has by now (`recorded`): an upgrade may
    /// write a file that the set-up made before.
    pub fn put_back(&self, recorded: &BTreeSet<PathBuf>) -> Result<()> {
        for (path, entry) in self.0.iter().filter(|(path, _)| !recorded.contains(*path)) {
            entry.put_back(path).with_context(|| format!("cannot put back {}", path.display()))?;
        }
        // At the end: in a folder that nobody may write to, nothing could be put back.
        for (path, entry) in &self.0 {
            if let Entry::Folder(mode) = entry {
                permit(path, |_| *mode)?;
            }
        }
        Ok(())
    }
}

impl Entry {
    fn put_back(&self, path: &Path) -> Result<()> {
        let data = path.symlink_metadata().ok();
        if self.is_as_it_was(path, data.as_ref())? {
            // What is in it comes next.
            return if matches!(self, Self::Folder(_)) { open_up(path) } else { Ok(()) };
        }
        path.parent().map_or(Ok(()), open_up)?;
        remove(path)?;
        match self {
            Self::Folder(_) => fs::create_dir(path)?,
            Self::Link(target) => symlink(target, path)?,
            // Not with its old time: cargo would take what was built from the changed file for fresh.
            Self::File { copy, .. } => drop(fs::copy(copy, path)?),
            Self::Other => {}
        }
        Ok(())
    }

    fn is_as_it_was(&self, path: &Path, data: Option<&Metadata>) -> Result<bool> {
        let Some(data) = data else { return Ok(matches!(self, Self::Other)) };
        Ok(match self {
            Self::Folder(_) => data.is_dir(),
            Self::Link(target) => data.is_symlink() && fs::read_link(path)? == *target,
            Self::File { copy, stamp } => {
                data.is_file() && (*stamp == Some(stamp_of(data)) || is_same(path, data, copy)?)
            }
            Self::Other => true,
        })
    }
}

/// The git folders (or files in the place of one) below a tree, but for those that are its `own`: git lists none of them
/// where something is tracked beside it.
pub fn repositories(tree: &Path, own: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        // As git does it, a folder that cannot be read is passed by.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name() == OsStr::new(".git") {
                found.extend((!own.contains(&path)).then_some(path));
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A path as git lists it, without the stroke at the end of a folder's, which would follow a link.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

fn inside(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// Lets us work in a folder.
fn open_up(folder: &Path) -> Result<()> {
    permit(folder, |mode| mode | 0o700)
}

fn permit(folder: &Path, wanted: impl Fn(u32) -> u32) -> Result<()> {
    let mut rights = folder.symlink_metadata()?.permissions();
    let mode = wanted(rights.mode());
    if mode != rights.mode() {
        rights.set_mode(mode);
        fs::set_permissions(folder, rights)
            .with_context(|| format!("cannot set the rights of {}", folder.display()))?;
    }
    Ok(())
}

/// Whether a file has the bytes and the rights of its copy.
fn is_same(path: &Path, data: &Metadata, copy: &Path) -> Result<bool> {
    let kept = copy.symlink_metadata()?;
    let alike = data.len() == kept.len() && data.permissions().mode() == kept.permissions().mode();
    // What cannot be read any more is put back.
    Ok(alike && fs::read(path).is_ok_and(|bytes| fs::read(copy).is_ok_and(|kept| bytes == kept)))
}

fn stamp_of(data: &Metadata) -> Stamp {
    (data.dev(), data.ino(), data.ctime(), data.ctime_nsec())
}

/// The stamp of a file that nobody touched for a while: a write soon after the last one may leave the same time.
fn lasting(data: &Metadata) -> Option<Stamp> {
    const COARSEST: u64 = 2;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let changed = u64::try_from(data.ctime()).ok()?;
    (changed + COARSEST < now).then(|| stamp_of(data))
}
