//! The disk: how much room it has, and removal that leaves nothing. `rustix` is named here only.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Free bytes for this user on the disk that a folder (or the nearest one above it that exists) lies on.
#[must_use]
pub fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Removes a file or a folder, also one that somebody made read-only; nothing there is fine.
///
/// # Errors
/// A refusal of the disk.
pub fn remove(path: &Path) -> Result<()> {
    let Ok(data) = fs::symlink_metadata(path) else { return Ok(()) };
    if !data.is_dir() {
        return fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()));
    }
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    make_writable(path);
    match fs::remove_dir_all(path) {
        Ok(()) => Ok(()),
        Err(error) => bail!("cannot remove {}: {error}", path.display()),
    }
}

fn make_writable(folder: &Path) {
    let Ok(data) = fs::metadata(folder) else { return };
    let mut mode = data.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a folder of our own cache that is about to be removed")]
    mode.set_readonly(false);
    let _ = fs::set_permissions(folder, mode);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}
