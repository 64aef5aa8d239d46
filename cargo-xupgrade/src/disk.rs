//! How much room a disk has. `rustix` is named here only.

use std::path::Path;

/// Free bytes for this user on the disk that a folder (or the nearest one above it that exists) lies on.
#[must_use]
pub fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}
