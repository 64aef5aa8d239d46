//! `cargo xupgrade demo`: the real job on a small mixed repository that ships inside the program.
//! It makes a temporary folder with an offline world in it ([`world`]), starts this same program there and shows the
//! branch it leaves. Nothing outside that folder is touched, but for the Go build cache, which go itself trims.

pub mod archive;
pub mod goproxy;
pub mod pack;
pub mod registry;
#[cfg(test)]
mod stories;
pub mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use world::{GoBuildCache, World};

/// The demo's world, as one text.
pub const ARCHIVE: &str = include_str!("../../demo.txtar");

/// What becomes of the demo's folder at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It stays, to be looked at.
    Yes,
    /// It is deleted.
    No,
}

/// How to run the demo.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether the folder stays.
    pub keep: Keep,
    /// Where to write: a folder that does not exist or is empty. None: a temporary one.
    pub folder: Option<PathBuf>,
    /// Arguments handed on to the job (colour, verbosity, format).
    pub pass_through: Vec<String>,
}

/// Runs the demo and gives the exit code of the job. The job's standard output is ours; what the demo itself has to say
/// goes to standard error.
///
/// # Errors
/// The folder cannot be written, or `git` or this program cannot be started.
pub fn run(options: &Options) -> Result<i32> {
    let folder = Folder::make(options)?;
    let world = World::build_with(ARCHIVE, &folder.path, &users_go_build_cache())?;
    eprintln!("A small repository with a Cargo workspace and a Go module, its crates and modules beside it:");
    eprintln!("  {}\n", world.repo.display());
    let code = job(&world, &options.pass_through)?;
    let branch = newest_branch(&world)?;
    eprint!("\n{}", branch_shown(&world, branch.as_deref())?);
    eprint!("{}", last_words(&world.root, branch.as_deref(), options.keep));
    folder.end()?;
    Ok(code)
}

/// Writes the world of an archive and starts nothing: what `env.sh` in the folder enters.
///
/// # Errors
/// The archive cannot be read or has a mistake, or the folder is not empty or cannot be written.
pub fn write_world(archive: &Path, folder: &Path) -> Result<()> {
    ensure_free(folder)?;
    let text = std::fs::read_to_string(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    World::build_with(&text, folder, &users_go_build_cache()).map(drop)
}

fn job(world: &World, pass_through: &[String]) -> Result<i32> {
    let program = std::env::current_exe().context("cannot find the path of this program")?;
    let status = world
        .command(program)
        .args(["run", "--repo"])
        .arg(&world.repo)
        .args(pass_through)
        .status()
        .context("cannot start this program again")?;
    // A job that a signal ended has no code of its own; 130 is what shells and our own table say for an interrupt.
    Ok(status.code().unwrap_or(130))
}

/// The newest branch that the job left.
fn newest_branch(world: &World) -> Result<Option<String>> {
    let arguments = ["for-each-ref", "--format=%(refname:short)", "--sort=-committerdate", "refs/heads/xupgrade/"];
    Ok(world.git(&arguments)?.lines().next().map(str::to_owned))
}

/// The commits of a branch with the files that each changes.
fn branch_shown(world: &World, branch: Option<&str>) -> Result<String> {
    let Some(branch) = branch else {
        return Ok("No branch was made.\n".to_owned());
    };
    let range = format!("main..{branch}");
    let log = world.git(&["log", "--reverse", "--stat=76", "--format=%n%h %s", &range])?;
    Ok(format!("The branch {branch}, oldest commit first:\n{log}"))
}

fn last_words(root: &Path, branch: Option<&str>, keep: Keep) -> String {
    if keep == Keep::No {
        return "\nThe folder is deleted now. To keep one and look around: cargo xupgrade demo --keep\n\
                In a repository of your own: cargo xupgrade\n"
            .to_owned();
    }
    let root = root.display();
    let look = branch.map_or_else(|| "git status".to_owned(), |branch| format!("git log --patch main..{branch}"));
    format!(
        "\nKept in {root}\nTo look around (`env.sh` makes cargo and go use the demo's registries):\n  \
         . '{root}/env.sh' && cd '{root}/repo' && {look}\n\
         The report is in {root}/repo/xupgrade.out\n"
    )
}

/// The demo's folder, which deletes itself unless it is to stay.
struct Folder {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
    keep: Keep,
}

impl Folder {
    fn make(options: &Options) -> Result<Self> {
        let keep = options.keep;
        if let Some(path) = &options.folder {
            ensure_free(path)?;
            return Ok(Self { path: path.clone(), temporary: None, keep });
        }
        let mut temporary = tempfile::Builder::new()
            .prefix("xupgrade-demo-")
            .tempdir()
            .context("cannot make a temporary folder; name another with TMPDIR")?;
        // Told at once, so that a demo which ends early is also kept.
        temporary.disable_cleanup(keep == Keep::Yes);
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary), keep })
    }

    fn end(self) -> Result<()> {
        let what = || format!("cannot delete {}; delete it by hand", self.path.display());
        match (self.keep, self.temporary) {
            (Keep::Yes, _) => Ok(()),
            (Keep::No, Some(temporary)) => temporary.close().with_context(what),
            (Keep::No, None) => std::fs::remove_dir_all(&self.path).with_context(what),
        }
    }
}

fn ensure_free(folder: &Path) -> Result<()> {
    let Ok(mut entries) = folder.read_dir() else {
        return Ok(());
    };
    if entries.next().is_some() {
        bail!("the folder {} is not empty; name a new one for the demo", folder.display());
    }
    Ok(())
}

/// The user's Go build cache, so that the standard library need not be compiled again; the demo's own without Go.
fn users_go_build_cache() -> GoBuildCache {
    let output = Command::new("go").args(["env", "GOCACHE"]).env("GOTOOLCHAIN", "local").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if Path::new(&said).is_absolute() { GoBuildCache::Shared(said.into()) } else { GoBuildCache::Own }
}

/// Writes a file and the folders above it.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, bytes)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure_free(folder.path()).is_ok());
        assert!(ensure_free(&folder.path().join("new")).is_ok());
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let error = ensure_free(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
    }

    #[test]
    fn a_temporary_folder_goes_unless_it_is_kept() {
        for (keep, stays) in [(Keep::No, false), (Keep::Yes, true)] {
            let folder = Folder::make(&Options { keep, folder: None, pass_through: Vec::new() }).unwrap();
            let path = folder.path.clone();
            assert!(path.is_dir());
            folder.end().unwrap();
            assert_eq!(path.exists(), stays);
            let _ = std::fs::remove_dir_all(&path);
        }
    }

    #[test]
    fn the_newest_branch_of_ours_is_shown_with_its_commits() {
        let folder = tempfile::tempdir().unwrap();
        let world = World::build("-- repo/a --\none\n", folder.path()).unwrap();
        assert_eq!(newest_branch(&world).unwrap(), None);
        world.git(&["switch", "--quiet", "--create", "xupgrade/2025-06-02"]).unwrap();
        std::fs::write(world.repo.join("a"), "two\n").unwrap();
        world.git(&["commit", "--quiet", "--all", "--message=upgrade a"]).unwrap();
        let branch = newest_branch(&world).unwrap();
        assert_eq!(branch.as_deref(), Some("xupgrade/2025-06-02"));
        let shown = branch_shown(&world, branch.as_deref()).unwrap();
        assert!(shown.contains("upgrade a\n") && shown.contains("a | 2 +-"), "{shown}");
    }

    #[test]
    fn what_to_type_next_names_the_branch_and_the_folder() {
        let words = last_words(Path::new("/tmp/demo"), Some("xupgrade/x"), Keep::Yes);
        assert!(words.contains(". '/tmp/demo/env.sh'") && words.contains("main..xupgrade/x"), "{words}");
        assert!(last_words(Path::new("/tmp/demo"), None, Keep::No).contains("--keep"));
    }
}
