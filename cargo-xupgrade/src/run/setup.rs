//! What a clone needs beside the files that git tracks: configuration from above the repository, and files of the user's
//! checkout that git ignores. Reads the checkout, writes into the worker's slot only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

use anyhow::{Context, Result, anyhow};

use crate::checkout::environment;
use crate::checkout::outside::{self, Outside, cargo_config};
use crate::checkout::repo::Repo;
use crate::checkout::worker::Worker;
use crate::event::{Event, Listener};
use crate::machine::failure::Usage;
use crate::machine::toml_text;
use crate::project::CONFIG_FILE;

/// Passes on what the repository reads from above itself, and says what that is.
pub fn look_outside(repo: &Repo, worker: &Worker, files: &[String], listener: &dyn Listener) -> Result<Outside> {
    remove_links(worker.slot())?;
    let mut outside = Outside::default();
    if repo.is_bare() {
        return Ok(outside);
    }
    if files.iter().any(|file| file.ends_with("Cargo.toml")) {
        outside = outside::pass_on_cargo(repo.root(), &worker.tree(), worker.slot(), &environment::cargo_home())?;
        let rust = outside::rustup::pass_on(repo.root(), worker.slot(), &environment::rustup_home())?;
        outside.read.extend(rust.read);
        rust.warnings.into_iter().for_each(|text| listener.tell(&Event::Warned { text }));
    }
    if files.iter().any(|file| file.ends_with("go.mod")) {
        let go = outside::go_work::pass_on(repo.root(), &worker.tree(), worker.slot())?;
        outside.read.extend(go.read);
        outside.go_work = go.variable;
        go.warnings.into_iter().for_each(|text| listener.tell(&Event::Warned { text }));
    }
    if !outside.read.is_empty() {
        listener.tell(&Event::Said { text: format!("also read: {}", outside.read.join(", ")) });
    }
    for file in &outside.strange {
        let text = format!(
            "{file} lies above the cache directory and not above the repository, and cargo reads it all the same; put the \
             cache elsewhere (XUPGRADE_CACHE_DIR)"
        );
        listener.tell(&Event::Warned { text });
    }
    Ok(outside)
}

/// What tools look for beside a manifest and above it.
const LOOKED_FOR: &[&str] =
    &[".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain", "go.work"];

/// Warns of configuration in the checkout that git does not track: the user's tools read it, and the clone has none.
pub fn warn_of_untracked(repo: &Repo, tree: &Path, files: &[String], listener: &dyn Listener) {
    let is_manifest = |file: &&String| matches!(file.rsplit('/').next(), Some("Cargo.toml" | "go.mod"));
    let folders: BTreeSet<&Path> =
        files.iter().filter(is_manifest).flat_map(|file| Path::new(file).ancestors().skip(1)).collect();
    let paths = folders.iter().flat_map(|folder| LOOKED_FOR.iter().map(|name| folder.join(name)));
    for path in paths.filter(|path| repo.root().join(path).is_file() && !tree.join(path).exists()) {
        let path = path.display();
        let text = format!(
            "{path} is not in git, so it takes no part; to use it put `copy = [\"{path}\"]` under `[setup]` in {CONFIG_FILE}"
        );
        listener.tell(&Event::Warned { text });
    }
}

/// Removes links that a set-up of an earlier run laid beside the clone; a worker has none of its own.
fn remove_links(slot: &Path) -> Result<()> {
    for entry in fs::read_dir(slot)? {
        let path = entry?.path();
        if path.is_symlink() {
            crate::machine::disk::remove(&path)?;
        }
    }
    Ok(())
}

/// Copies what `[setup] copy` names (files, folders, patterns) out of the user's checkout; what git tracks stays as it is
/// at the base commit, `tracked`. Gives the variables in the place of the credentials in cargo's configuration among it:
/// those are for fetches, and checks could read them in a copy.
///
/// # Errors
/// When a name leads out of the repository or names nothing that could be copied.
pub fn copy_named(repo: &Repo, tree: &Path, names: &[String], tracked: &[String]) -> Result<Vec<(String, String)>> {
    let mut credentials = Vec::new();
    for name in names {
        check_name(name).map_err(|why| refusal(name, &why))?;
        let found = repo.unrecorded(name).map_err(|error| refusal(name, &format!("{error:#}")))?;
        let found: Vec<&String> = found.iter().filter(|path| tracked.binary_search(path).is_err()).collect();
        if found.is_empty() {
            let why = "nothing in the checkout that git does not track; mend the name, or take the line away";
            return Err(refusal(name, why));
        }
        for path in found {
            let copied = copy(repo.root(), tree, path).and_then(|()| take_credentials(repo.root(), tree, path));
            credentials.extend(copied.map_err(|error| refusal(name, &format!("{path}: {error:#}")))?);
        }
    }
    Ok(credentials)
}

/// A digest of what was copied, as it lies in the clone.
///
/// # Errors
/// When git refuses.
pub fn digest_of(repo: &Repo, tree: &Path, names: &[String]) -> Result<String> {
    let mut all = BTreeSet::new();
    for name in names {
        all.extend(repo.unrecorded(name)?);
    }
    let one = |path: &String| {
        let bytes = fs::read(tree.join(path)).map(|bytes| crate::digest::sha256_hex(&bytes)).unwrap_or_default();
        format!("{bytes} {path}\n")
    };
    Ok(crate::digest::sha256_hex(all.iter().map(one).collect::<String>().as_bytes()))
}

/// Takes what opens a registry out of a copy, if it is of cargo's configuration; a link to such a file becomes a file.
fn take_credentials(root: &Path, tree: &Path, path: &str) -> Result<Vec<(String, String)>> {
    let (original, copied) = (root.join(path), tree.join(path));
    let in_folder = original.parent().is_some_and(|folder| folder.ends_with(".cargo"));
    let is_config = original.file_name().is_some_and(|name| name == "config" || name == "credentials")
        || original.extension().is_some_and(|ending| ending == "toml");
    if !in_folder || !is_config || !original.is_file() {
        return Ok(Vec::new());
    }
    let whole = toml_text::parse(&fs::read_to_string(&original)?).map_err(|why| anyhow!("cargo refuses it: {why}"))?;
    let mut table = whole.clone();
    cargo_config::strip(&mut table);
    if table != whole {
        crate::machine::disk::remove(&copied)?;
        fs::write(&copied, table.to_string())?;
    }
    Ok(cargo_config::credentials(&whole))
}

fn refusal(name: &str, why: &str) -> anyhow::Error {
    Usage(format!("{CONFIG_FILE}: `[setup] copy` names `{name}`: {why}")).into()
}

/// A name stays below the root and out of git's own folder.
fn check_name(name: &str) -> Result<(), String> {
    let mut parts = Path::new(name).components().peekable();
    if parts.peek().is_none() || parts.clone().all(|part| part == Component::CurDir) {
        return Err("name files or folders, not the whole repository".into());
    }
    for part in parts {
        match part {
            Component::Normal(part) if part.eq_ignore_ascii_case(".git") => {
                return Err("git's own folder is not copied".into());
            }
            Component::Normal(_) | Component::CurDir => {}
            _ => return Err("only what lies below the repository's root can be copied".into()),
        }
    }
    Ok(())
}

/// Copies one file or link; `path` is as git lists it, so no folder above it is a link in the checkout.
fn copy(root: &Path, tree: &Path, path: &str) -> Result<()> {
    let (from, to) = (root.join(path), tree.join(path));
    if path.ends_with('/') {
        return Err(anyhow!("it is a git repository of its own"));
    }
    make_folders(tree, path)?;
    let kind = fs::symlink_metadata(&from)?.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(&from)?;
        if target.is_absolute() || !from.canonicalize().is_ok_and(|real| real.starts_with(root)) {
            return Err(anyhow!("the link leads to {}; only links within the repository are copied", target.display()));
        }
        crate::machine::disk::remove(&to)?;
        return std::os::unix::fs::symlink(&target, &to).context("cannot make the link");
    }
    if !kind.is_file() {
        return Err(anyhow!("it is neither a file nor a link"));
    }
    crate::machine::disk::remove(&to)?;
    fs::copy(&from, &to).map(drop).context("it cannot be copied")
}

/// Makes the folders above a file of the clone, through no link: one could lead out of the clone.
fn make_folders(tree: &Path, path: &str) -> Result<()> {
    let mut folder = tree.to_owned();
    for part in Path::new(path).parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        if folder.is_symlink() {
            return Err(anyhow!("{} is a link in the base commit", folder.display()));
        }
        if !folder.is_dir() {
            fs::create_dir(&folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_copied_through_a_link_of_the_base_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (checkout, tree) = (folder.path().join("checkout"), folder.path().join("tree"));
        fs::create_dir_all(checkout.join("data")).unwrap();
        fs::write(checkout.join("data/file"), "mine").unwrap();
        fs::create_dir_all(tree.join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", tree.join("data")).unwrap();
        let error = copy(&checkout, &tree, "data/file").unwrap_err().to_string();
        assert!(error.contains("is a link in the base commit"), "{error}");
        assert!(!tree.join("elsewhere/file").exists());
    }

    #[test]
    fn a_copy_of_cargos_configuration_that_is_a_link_keeps_no_token_either() {
        let folder = tempfile::tempdir().unwrap();
        let (checkout, tree) = (folder.path().join("checkout"), folder.path().join("tree"));
        fs::create_dir_all(checkout.join(".cargo")).unwrap();
        fs::create_dir_all(&tree).unwrap();
        fs::write(checkout.join("mine"), "[registry]\ntoken = \"s3cret\"\n[build]\njobs = 1\n").unwrap();
        let path = ".cargo/config.toml";
        std::os::unix::fs::symlink("../mine", checkout.join(path)).unwrap();
        copy(&checkout.canonicalize().unwrap(), &tree, path).unwrap();
        let credentials = take_credentials(&checkout, &tree, path).unwrap();
        assert_eq!(credentials, [("CARGO_REGISTRY_TOKEN".to_owned(), "s3cret".to_owned())]);
        fs::write(tree.join("mine"), "nothing").unwrap();
        let text = fs::read_to_string(tree.join(path)).unwrap();
        assert!(text.contains("jobs") && !text.contains("s3cret"), "{text}");
    }
}
