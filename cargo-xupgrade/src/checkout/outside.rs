//! What a repository reads from outside of itself: configuration in folders above it, which its owner's tools find by
//! walking upwards, and which nothing would find above the clone in the cache directory. It is laid into the worker's
//! slot, beside the tree, so that every tool finds it there by the same walk, ours and the project's alike.
//! Reads around the user's repository, writes into the slot only.

pub mod cargo_config;
pub mod go_work;
pub mod rustup;

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::machine::disk::remove;
use crate::machine::failure::Usage;

/// What was found above a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// The files, as seen from the repository's root, for the talk before the first build.
    pub read: Vec<String>,
    /// Files above the cache directory that tools read in the clone and would not read in the repository.
    pub strange: Vec<String>,
    /// Variables with what opens a registry, for fetches; checks never get them.
    pub credentials: Vec<(String, String)>,
    /// The value of `GOWORK` for the clone, where the user has set it.
    pub go_work: Option<String>,
}

/// Lays cargo's configuration from above `repository` into `slot`, with credentials apart. What leads into the repository
/// leads into `tree` there: no check may work on the user's checkout.
///
/// # Errors
/// When a configuration file cannot be read (cargo refuses it, too), or the disk refuses.
pub fn pass_on_cargo(repository: &Path, tree: &Path, slot: &Path, cargo_home: &Path) -> Result<Outside> {
    let own = slot.join(".cargo");
    remove(&own)?;
    let above = |folder: &Path| cargo_config::chain(folder.parent().unwrap_or(folder), cargo_home);
    let (wanted, there) = (above(repository), above(slot));
    let shared = wanted.iter().rev().zip(there.iter().rev()).take_while(|(a, b)| a == b).count();
    let (missing, shared) = wanted.split_at(wanted.len() - shared);
    let strange = there.iter().filter(|file| !wanted.contains(file));
    let in_home = |file: &&PathBuf| !is_same(file.parent(), Some(cargo_home));
    let mut outside = Outside {
        read: wanted.iter().filter(in_home).map(|file| seen_from(repository, file)).collect(),
        strange: strange.map(|file| file.display().to_string()).collect(),
        ..Outside::default()
    };
    let mut merged = cargo_config::Table::new();
    if missing.iter().any(|file| in_home(&file)) {
        for file in missing {
            let mut table = cargo_config::read(file).map_err(|why| Usage(format!("{why}; cargo refuses it, too")))?;
            cargo_config::lead(&mut table, repository, tree);
            cargo_config::merge(&mut merged, table);
        }
        outside.credentials = cargo_config::credentials(&merged);
        cargo_config::strip(&mut merged);
    }
    // These are found from the clone as well; one that cannot be read is cargo's to refuse.
    for table in shared.iter().filter_map(|file| cargo_config::read(file).ok()) {
        cargo_config::merge(&mut merged, cargo_config::led(&table, repository, tree));
    }
    if !merged.is_empty() {
        lay(&own, &merged)?;
    }
    Ok(outside)
}

fn lay(folder: &Path, table: &cargo_config::Table) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = folder.join("config.toml");
    std::fs::write(&file, table.to_string()).with_context(|| format!("cannot write {}", file.display()))
}

fn is_same(a: Option<&Path>, b: Option<&Path>) -> bool {
    let real = |path: Option<&Path>| path.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    real(a) == real(b)
}

/// A path without `.` and `..` in it.
#[must_use]
pub fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// A path above a folder, as a person in that folder would write it.
#[must_use]
pub fn seen_from(folder: &Path, path: &Path) -> String {
    for (steps, above) in folder.ancestors().enumerate() {
        if let Ok(below) = path.strip_prefix(above) {
            // From the root of the disk the absolute path says the same and is shorter.
            return if above.parent().is_none() && steps > 0 {
                path.display().to_string()
            } else {
                format!("{}{}", "../".repeat(steps), below.display())
            };
        }
    }
    path.display().to_string()
}

#[cfg(test)]
mod tests;
