//! Keeps target directories below a limit: before a run and after it, while nobody builds in them, those of its repository
//! that were used least lately are removed whole; and where the disk is nearly full, those of the repositories used least lately.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use super::cache::{PROCESSES, is_of_a_repository};
use crate::event::{Event, Listener};
use crate::machine::disk::remove;
use crate::state::journal::Lock;

const GIB: u64 = 1 << 30;

/// One target directory.
#[derive(Debug)]
struct Target {
    folder: PathBuf,
    bytes: u64,
    /// When its worker was made ready last.
    used: SystemTime,
}

/// Before a run: removes target directories above the limit (in GiB), and those of other repositories where little disk is
/// free, and tells of them.
///
/// # Errors
/// A refusal of the disk.
pub fn before(cache: &Path, limit: u64, listener: &dyn Listener) -> Result<()> {
    after(cache, limit, listener)?;
    let others = make_room(cache.parent().unwrap_or(cache), cache, limit, crate::machine::disk::free)?;
    tell(&others, "little disk is free", listener);
    Ok(())
}

/// After a run: removes target directories above the limit (in GiB), and tells of them.
///
/// # Errors
/// A refusal of the disk.
pub fn after(cache: &Path, limit: u64, listener: &dyn Listener) -> Result<()> {
    tell(&prune(cache, limit)?, &format!("more than {limit} GiB (`target-limit`)"), listener);
    Ok(())
}

fn tell(removed: &[(PathBuf, u64)], why: &str, listener: &dyn Listener) {
    if !removed.is_empty() {
        listener.tell(&Event::Said { text: words(removed, why) });
    }
}

/// Removes target directories of a repository's folder in the cache until the rest is within the limit (in GiB), and
/// gives those that went with their sizes.
///
/// # Errors
/// A refusal of the disk.
fn prune(cache: &Path, limit: u64) -> Result<Vec<(PathBuf, u64)>> {
    let mut targets = targets(cache);
    // The first worker's goes last: every run uses it.
    targets.sort_by_key(|one| (one.folder.ends_with("w0/target"), one.used, one.folder.clone()));
    let mut whole: u64 = targets.iter().map(|one| one.bytes).sum();
    let mut gone = Vec::new();
    for target in targets {
        if whole <= limit.saturating_mul(GIB) {
            break;
        }
        remove(&target.folder)?;
        whole -= target.bytes;
        gone.push((target.folder, target.bytes));
    }
    Ok(gone)
}

/// Removes target directories of other repositories until the disk of the cache has room for the limit (in GiB), those
/// used least lately first and none in which a run is under way, and gives those that went with their sizes. `free` tells
/// the free bytes of a folder's disk.
///
/// # Errors
/// A refusal of the disk.
fn make_room(root: &Path, own: &Path, limit: u64, free: impl Fn(&Path) -> Option<u64>) -> Result<Vec<(PathBuf, u64)>> {
    let is_short = || free(root).is_some_and(|bytes| bytes < limit.saturating_mul(GIB));
    if !is_short() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let others: Vec<PathBuf> = entries.filter(|folder| folder != own && is_of_a_repository(folder)).collect();
    let mut others: Vec<_> = others.into_iter().map(|folder| (used(&folder.join("w0")), folder)).collect();
    others.sort();
    let mut gone = Vec::new();
    for (_, folder) in others {
        if !is_short() {
            break;
        }
        if let Ok(_lock) = Lock::take(&folder) {
            gone.extend(prune(&folder, 0)?);
        }
    }
    Ok(gone)
}

/// The line on what was removed, and why.
fn words(removed: &[(PathBuf, u64)], why: &str) -> String {
    let mebibytes: u64 = removed.iter().map(|(_, bytes)| bytes >> 20).sum();
    let names: Vec<String> = removed.iter().map(|(folder, _)| folder.display().to_string()).collect();
    format!("{why}: target directories were removed ({mebibytes} MiB): {}", names.join(", "))
}

/// The instant at which a worker was made ready last: its clone is made anew for each run.
fn used(worker: &Path) -> SystemTime {
    let made = worker.join("control.git").metadata().and_then(|data| data.modified());
    made.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Those of the workers of a repository, and of those that processes of its runs have.
fn targets(cache: &Path) -> Vec<Target> {
    let mut found = targets_in(cache);
    found.extend(targets_in(&cache.join(PROCESSES).join("clones")));
    found
}

fn targets_in(cache: &Path) -> Vec<Target> {
    let mut found = Vec::new();
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix('w'));
        let is_worker = number.is_some_and(|number| number.parse::<usize>().is_ok());
        let folder = entry.path().join("target");
        if is_worker && folder.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            let bytes = size(&folder, &mut BTreeSet::new());
            found.push(Target { folder, bytes, used: used(&entry.path()) });
        }
    }
    found
}

/// The bytes of a folder on the disk; cargo has many files under two names, and they count once.
fn size(folder: &Path, seen: &mut BTreeSet<(u64, u64)>) -> u64 {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(data) = entry.metadata() else { continue };
        if data.is_dir() {
            bytes += size(&entry.path(), seen);
        } else if data.nlink() < 2 || seen.insert((data.dev(), data.ino())) {
            bytes += data.blocks() * 512;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// A cache with three workers of one MiB each; the second was used last, and one file has two names.
    fn stage() -> tempfile::TempDir {
        let cache = tempfile::tempdir().unwrap();
        for (worker, seconds) in [("w0", 10), ("w1", 30), ("w2", 20), ("wx", 5)] {
            let target = cache.path().join(worker).join("target/debug");
            fs::create_dir_all(&target).unwrap();
            fs::write(target.join("a"), vec![7; MIB]).unwrap();
            fs::hard_link(target.join("a"), target.join("b")).unwrap();
            let control = cache.path().join(worker).join("control.git");
            fs::create_dir(&control).unwrap();
            let when = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::open(&control).unwrap().set_modified(when).unwrap();
        }
        cache
    }

    fn names(removed: &[(PathBuf, u64)], cache: &Path) -> Vec<String> {
        removed.iter().map(|(folder, _)| folder.strip_prefix(cache).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_within_the_limit_stays() {
        let cache = stage();
        assert!(prune(cache.path(), 1).unwrap().is_empty());
        assert!(cache.path().join("w2/target/debug/a").exists());
    }

    #[test]
    fn what_was_used_least_lately_goes_first_and_the_first_workers_last() {
        let cache = stage();
        let removed = prune(cache.path(), 0).unwrap();
        assert_eq!(names(&removed, cache.path()), ["w2/target", "w1/target", "w0/target"]);
        assert!(cache.path().join("wx/target/debug/a").exists(), "that is no worker's");
        assert!(cache.path().join("w0/control.git").exists());
    }

    #[test]
    fn a_full_disk_takes_the_repository_that_was_used_least_lately_and_no_more_than_it_needs() {
        let root = tempfile::tempdir().unwrap();
        let repository = |name: &str, seconds: u64| {
            let folder = root.path().join(format!("{name}-0123456789ab"));
            fs::create_dir_all(folder.join("w0/target")).unwrap();
            fs::write(folder.join("w0/target/a"), vec![7; MIB]).unwrap();
            fs::create_dir(folder.join("w0/control.git")).unwrap();
            let when = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::open(folder.join("w0/control.git")).unwrap().set_modified(when).unwrap();
            drop(Lock::take(&folder).unwrap());
            folder
        };
        let (busy, own) = (repository("busy", 1), repository("own", 2));
        let (new, old) = (repository("new", 4), repository("old", 3));
        let lock = Lock::take(&busy).unwrap();
        let free = |_: &Path| Some(if old.join("w0/target").exists() { GIB / 2 } else { 2 * GIB });
        let gone = make_room(root.path(), &own, 1, free).unwrap();
        assert_eq!(names(&gone, root.path()), ["old-0123456789ab/w0/target"]);
        assert!([&busy, &own, &new].iter().all(|folder| folder.join("w0/target/a").exists()));
        let gone = make_room(root.path(), &own, 1, |_| Some(0)).unwrap();
        assert_eq!(names(&gone, root.path()), ["new-0123456789ab/w0/target"], "one is busy, and one is the run's own");
        drop(lock);
    }

    #[test]
    fn a_file_with_two_names_counts_once() {
        let cache = stage();
        let one = size(&cache.path().join("w0/target"), &mut BTreeSet::new());
        assert!((MIB as u64..2 * MIB as u64).contains(&one), "{one}");
    }
}
