//! The rights that checks have where the tool is root's: those of an ordinary user, or tests that expect to be refused
//! something would fail. Asked of the machine by one small job, since containers and file owners may stand against it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::remove_file;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::machine::interrupt::Stop;
use crate::machine::supervisor::{self, Exit, Job, RunAs};

/// A script that prints the first folder that cannot be written or, behind `--`, cannot be read. One below a folder that may not be
/// entered looks as if it were not there.
const LOOK: &str = r#"may=-w; for folder; do
if [ "$folder" = -- ]; then may=-r; elif ! [ $may "$folder" ] || ! [ -x "$folder" ]; then echo "$folder"; exit 1; fi
done"#;

/// The folders that checks cannot do without.
pub(super) struct Needed {
    /// Folders that they write into.
    pub(super) written: Vec<PathBuf>,
    /// Folders that they only read.
    pub(super) read: Vec<PathBuf>,
}

/// The account for the checks of a tool that is root's, and why that is root all the same, if so. `folder` is for a log.
pub(super) fn beside_root(needed: &Needed, folder: &Path, stop: &Stop) -> Result<(RunAs, Option<String>)> {
    let log = folder.join("rights.log");
    let mut blocked = String::new();
    let ran = supervisor::run(&look(needed, folder, &log), stop, &mut |line: &str| line.clone_into(&mut blocked))?;
    // Nobody reads it where it could be done.
    let _ = remove_file(&log);
    let why = match ran.exit {
        Exit::Code(0) => return Ok((RunAs::Ordinary, None)),
        Exit::Code(_) => format!("an ordinary user cannot use {blocked}"),
        Exit::NotStarted(_) => "this machine allows no user namespace".to_owned(),
        Exit::Signal(_) | Exit::TimedOut | Exit::Killed => return Ok((RunAs::Own, None)),
    };
    Ok((RunAs::Own, Some(why)))
}

fn look(needed: &Needed, folder: &Path, log: &Path) -> Job {
    let there = |folder: &&PathBuf| folder.exists();
    let words = ["-c", LOOK, "look"].map(OsString::from).into_iter();
    let written = needed.written.iter().filter(there).map(OsString::from).chain(["--".into()]);
    Job {
        program: "/bin/sh".into(),
        args: words.chain(written).chain(needed.read.iter().filter(there).map(OsString::from)).collect(),
        dir: folder.to_owned(),
        run_as: RunAs::Ordinary,
        env: BTreeMap::new(),
        limit: Duration::from_mins(1),
        grace: supervisor::USUAL_GRACE,
        log: log.to_owned(),
        jobserver: None,
        log_limit: supervisor::USUAL_LOG_LIMIT,
    }
}
