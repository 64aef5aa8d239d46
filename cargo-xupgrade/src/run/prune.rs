//! Keeps the target directories of a repository below a limit: before a run, while nobody builds in them, those that were
//! used least lately are removed whole.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;

use crate::worker::remove;

/// The limit where nobody says otherwise, in GiB.
pub const USUAL_LIMIT: u64 = 20;

/// One target directory.
#[derive(Debug)]
struct Target {
    folder: PathBuf,
    bytes: u64,
    /// When its worker was made ready last.
    used: SystemTime,
}

/// Removes target directories of a repository's folder in the cache until the rest is within the limit (in GiB), and
/// gives those that went with their sizes.
///
/// # Errors
/// When the disk refuses.
pub fn prune(cache: &Path, limit: u64) -> Result<Vec<(PathBuf, u64)>> {
    let mut targets = targets(cache);
    // The first worker's goes last: every run uses it.
    targets.sort_by_key(|one| (one.folder.ends_with("w0/target"), one.used, one.folder.clone()));
    let mut whole: u64 = targets.iter().map(|one| one.bytes).sum();
    let mut gone = Vec::new();
    for target in targets {
        if whole <= limit.saturating_mul(1 << 30) {
            break;
        }
        remove(&target.folder)?;
        whole -= target.bytes;
        gone.push((target.folder, target.bytes));
    }
    Ok(gone)
}

/// What was removed, in words.
#[must_use]
pub fn words(removed: &[(PathBuf, u64)]) -> String {
    let mebibytes: u64 = removed.iter().map(|(_, bytes)| bytes >> 20).sum();
    let names: Vec<String> = removed.iter().map(|(folder, _)| folder.display().to_string()).collect();
    format!("target directories over the limit were removed ({mebibytes} MiB): {}", names.join(", "))
}

fn targets(cache: &Path) -> Vec<Target> {
    let mut found = Vec::new();
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix('w'));
        let is_worker = number.is_some_and(|number| number.parse::<usize>().is_ok());
        let folder = entry.path().join("target");
        if is_worker && folder.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            // The clone is made anew for each run.
            let used = entry.path().join("control.git").metadata().and_then(|data| data.modified());
            let bytes = size(&folder, &mut BTreeSet::new());
            found.push(Target { folder, bytes, used: used.unwrap_or(SystemTime::UNIX_EPOCH) });
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
        assert!(prune(cache.path(), USUAL_LIMIT).unwrap().is_empty());
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
    fn a_file_with_two_names_counts_once() {
        let cache = stage();
        let one = size(&cache.path().join("w0/target"), &mut BTreeSet::new());
        assert!((MIB as u64..2 * MIB as u64).contains(&one), "{one}");
    }
}
