//! The folders below the cache directory that are this tool's: one for each repository, with a lock in it, and those that
//! all repositories share, with a tag in it. Removes nothing else: the user may have named a folder that has other files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::checkout::environment;
use crate::machine::command::variable;
use crate::machine::disk::remove;
use crate::state::journal::Lock;

/// The folders that all repositories share: what registries and proxies said, and the Go companion.
const SHARED: &[&str] = &["companion", "index", "modules"];

/// The folder of processes that run trials by themselves, in that of their repository.
pub(super) const PROCESSES: &str = "processes";

/// The mark of a cache (bford.info/cachedir), which programs that make backups heed, with our name in it.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by cargo-xupgrade; `cargo xupgrade clean --all` removes this folder.\n";
const TAG_FILE: &str = "CACHEDIR.TAG";

/// The folder of clones and target directories.
#[must_use]
pub fn cache_root() -> PathBuf {
    let usual = || variable("XDG_CACHE_HOME").map_or_else(|| environment::home().join(".cache"), PathBuf::from);
    let named = variable("XUPGRADE_CACHE_DIR").map_or_else(|| usual().join("cargo-xupgrade"), PathBuf::from);
    // Commands of ours run in other folders than the one that it may be named from.
    std::path::absolute(&named).unwrap_or(named)
}

/// Makes the shared folders that are not there yet, each with its tag; one that somebody else made gets none.
///
/// # Errors
/// When the disk refuses.
pub fn make_shared(root: &Path) -> Result<()> {
    for folder in SHARED.iter().map(|name| root.join(name)).filter(|folder| !folder.exists()) {
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join(TAG_FILE), TAG))
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Ok(())
}

/// Whose cache to remove.
#[derive(Debug)]
pub enum Clean {
    /// That of one repository: the named one, or the one around the current folder.
    One(Option<PathBuf>),
    /// All of it.
    All,
}

/// Removes the cache of a repository, or of all, and tells which folders went.
///
/// # Errors
/// When the disk refuses, or a run is under way; then nothing is removed.
pub fn clean(what: Clean) -> Result<Vec<PathBuf>> {
    let root = cache_root();
    let Clean::One(repo) = what else { return clean_all(&root) };
    let here = match repo {
        Some(folder) => folder,
        None => std::env::current_dir().context("cannot tell the current folder")?,
    };
    let cache = root.join(crate::checkout::repo::Repo::discover(&here)?.cache_key());
    if !cache.exists() {
        return Ok(Vec::new());
    }
    let lock = take(&cache)?;
    remove(&cache)?;
    drop(lock);
    Ok(vec![cache])
}

fn clean_all(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    let (repositories, others): (Vec<_>, Vec<_>) = folders.into_iter().partition(|folder| is_of_a_repository(folder));
    // All locks first: a run that is under way needs what is shared, too.
    let locks = repositories.iter().map(|folder| take(folder)).collect::<Result<Vec<_>>>()?;
    let gone: Vec<PathBuf> = repositories.into_iter().chain(others.into_iter().filter(|one| is_shared(one))).collect();
    gone.iter().try_for_each(|folder| remove(folder))?;
    drop(locks);
    // It stays if anything else is in it.
    let _ = fs::remove_dir(root);
    Ok(gone)
}

fn take(cache: &Path) -> Result<Lock> {
    Lock::take(cache).map_err(|error| anyhow!("cannot clean {}: {error}", cache.display()))
}

/// The mark of a repository's folder in the cache: named as [`crate::checkout::repo::Repo::cache_key`] names one, and has a lock as [`Lock`] writes it.
pub(super) fn is_of_a_repository(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let hash = name.rsplit_once('-').map_or("", |(_, hash)| hash);
    let is_named_so = hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_named_so && fs::read_to_string(folder.join("lock")).is_ok_and(|text| text.starts_with("process "))
}

fn is_shared(folder: &Path) -> bool {
    let is_named_so = SHARED.iter().any(|name| folder.ends_with(name));
    is_named_so && fs::read_to_string(folder.join(TAG_FILE)).is_ok_and(|text| text == TAG)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache directory with a repository's folder, what is shared, and things of somebody else.
    fn stage() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        for foreign in ["other/file", "index/file", "mine-0123456789ab/lock", "notes-2025/lock"] {
            let file = root.path().join(foreign);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "mine").unwrap();
        }
        make_shared(root.path()).unwrap();
        let repository = root.path().join("app-0123456789ab");
        drop(Lock::take(&repository).unwrap());
        (root, repository)
    }

    fn left(root: &Path) -> Vec<String> {
        let names = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn clean_all_removes_what_the_tool_made_and_nothing_else() {
        let (root, repository) = stage();
        let gone = clean_all(root.path()).unwrap();
        assert_eq!(gone, [repository, root.path().join("companion"), root.path().join("modules")]);
        assert_eq!(left(root.path()), ["index", "mine-0123456789ab", "notes-2025", "other"]);
    }

    #[test]
    fn clean_all_removes_nothing_while_a_run_is_under_way() {
        let (root, repository) = stage();
        let before = left(root.path());
        let lock = Lock::take(&repository).unwrap();
        let error = clean_all(root.path()).unwrap_err().to_string();
        assert!(error.contains("app-0123456789ab") && error.contains("another run works"), "{error}");
        assert_eq!(left(root.path()), before);
        drop(lock);
    }

    #[test]
    fn clean_all_leaves_no_empty_folder() {
        let root = tempfile::tempdir().unwrap();
        let cache = root.path().join("cache");
        make_shared(&cache).unwrap();
        assert_eq!(clean_all(&cache).unwrap().len(), SHARED.len());
        assert!(!cache.exists());
        assert_eq!(clean_all(&cache).unwrap().len(), 0, "a second time there is nothing to remove");
    }
}
