//! A git folder made by hand that borrows the objects of another one and gives none back (what `git clone --shared`
//! makes, gitrepository-layout). By hand, because a clone through git's transport copies the objects of a shallow
//! repository each time, obeys the user's `protocol.*` rules and refuses a repository of another owner. The lender is read.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::machine::command::git;

/// Settings of our own git folders: nothing tidies up behind our back, no log of refs grows, and an index is one file.
const SETTINGS: &[(&str, &str)] = &[
    ("core.bare", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.logAllRefUpdates", "false"),
    ("core.splitIndex", "false"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
];

/// Makes a git folder with the branches and tags of another one, without remotes, at a commit.
///
/// # Errors
/// When git or the disk refuses.
pub fn borrow(lender: &Path, target: &Path, commit: &str) -> Result<()> {
    git()
        .args(["-c", "init.defaultRefFormat=files", "init", "--quiet", "--bare", "--template=", "--object-format=sha1"])
        .arg(target)
        .run()?;
    for (key, value) in SETTINGS {
        git().arg("--git-dir").arg(target).args(["config", key, value]).run()?;
    }
    lend(lender, target)?;
    let refs = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"];
    let refs = git().arg("--git-dir").arg(lender).args(refs).run()?;
    write(&target.join("packed-refs"), &[b"# pack-refs with: sorted \n", refs.as_slice()].concat())?;
    point(target, commit)
}

/// A twin of one of our own git folders, for the code under trial: its objects are borrowed, too.
///
/// # Errors
/// When the disk refuses.
pub fn twin(ours: &Path, target: &Path, commit: &str) -> Result<()> {
    for folder in ["refs/heads", "refs/tags"] {
        fs::create_dir_all(target.join(folder)).with_context(|| format!("cannot make {}", target.display()))?;
    }
    lend(ours, target)?;
    for file in ["config", "packed-refs"] {
        let from = ours.join(file);
        fs::copy(&from, target.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    point(target, commit)
}

/// Lets one of our own git folders read and write its objects in another one of ours. Git writes each object to a file of
/// its own, under its final name only when it is whole, so that several may do so at once.
///
/// # Errors
/// When the disk refuses.
pub fn share_objects(first: &Path, other: &Path) -> Result<()> {
    let place = other.join("objects");
    crate::machine::disk::remove(&place)?;
    std::os::unix::fs::symlink(first.join("objects"), &place)
        .with_context(|| format!("cannot link {}", place.display()))
}

/// Objects, and where a shallow history ends.
fn lend(lender: &Path, target: &Path) -> Result<()> {
    let mut objects = lender.join("objects").into_os_string().into_encoded_bytes();
    objects.push(b'\n');
    write(&target.join("objects/info/alternates"), &objects)?;
    for file in ["shallow", "info/attributes"] {
        match fs::read(lender.join(file)) {
            Ok(bytes) => write(&target.join(file), &bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", lender.join(file).display())),
        }
    }
    Ok(())
}

fn point(target: &Path, commit: &str) -> Result<()> {
    write(&target.join("HEAD"), format!("{commit}\n").as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
