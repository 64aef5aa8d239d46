//! Runs one cell (a command of the project under trial) so that nothing of it outlives it, whatever it does and
//! however the tool itself ends. This file holds the words: what a job is and what became of it.
//!
//! ```text
//! tool (client) --control pipe--> guard --fork--> warden --spawn--> the command and all it starts
//! ```
//!
//! Guard and warden are the same binary, started as `cargo-xupgrade __supervise`. The warden runs the command and
//! ends what it leaves behind; the guard does so when the warden is killed; both end everything when the tool's end
//! of the pipe closes, which the system does even for SIGKILL. `XUPGRADE_CONTAINMENT=pid-namespace|subreaper|group`
//! forces one way of finding what was left behind; it is for debugging.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod client;
mod guard;
mod output;
mod tokens;
mod unix;
mod warden;
mod wire;

pub use client::{Launcher, run, this_program};
pub use guard::main;
pub use tokens::Tokens;
pub use unix::{account, end_tree, is_root};

/// The hidden subcommand that makes this binary a supervisor.
pub const SUBCOMMAND: &str = "__supervise";

/// The variable that forces a containment; see [`Containment::from_str`] for its values.
pub const CONTAINMENT_VARIABLE: &str = "XUPGRADE_CONTAINMENT";

/// The usual time between TERM and KILL.
pub const USUAL_GRACE: Duration = Duration::from_secs(5);

/// The usual number of bytes kept from the start of a job's output.
pub const USUAL_LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// One command to run to its end.
#[derive(Debug, Clone)]
pub struct Job {
    /// The program: a path, or a name looked up in the `PATH` of [`Job::env`].
    pub program: OsString,
    /// Its arguments, without the program.
    pub args: Vec<OsString>,
    /// The folder it runs in.
    pub dir: PathBuf,
    /// The account that it runs as.
    pub run_as: RunAs,
    /// The whole environment: nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
    /// How long it may run before it is ended.
    pub limit: Duration,
    /// How long it may take to end itself after TERM, before KILL.
    pub grace: Duration,
    /// Where its output goes. The file is appended to, so a caller may write a heading first.
    pub log: PathBuf,
    /// The pipe with a token for each compiler that may start ([`Tokens`]), where several jobs share the machine.
    pub jobserver: Option<PathBuf>,
    /// Bytes of output kept from the start. The last 256 KiB are kept too; the log says how much is left out between.
    pub log_limit: u64,
}

/// The account that a job runs as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunAs {
    /// The tool's own.
    #[default]
    Own,
    /// An ordinary user, to whom something can be forbidden, though the tool's account is root: in a user namespace where
    /// root's files are this user's own (`user_namespaces(7)`). Linux only, where the machine allows it.
    Ordinary,
}

/// How a job ended: a fact, not a judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It ended itself with this code.
    Code(i32),
    /// A signal that was not ours ended it. 9 is what the kernel sends when memory runs out.
    Signal(i32),
    /// Its time was up, and it was ended.
    TimedOut,
    /// The tool was told to stop, and ended it.
    Killed,
    /// It could not be started, and why (the program is not there, may not be run, ...).
    NotStarted(String),
}

/// How what a job leaves behind is found and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Containment {
    /// The job ran in a process-id namespace of its own: the kernel ends whatever is left. Nothing can leave it.
    #[serde(rename = "pid-namespace")]
    PidNamespace,
    /// Orphans of the job came to the supervisor, which ended all its descendants. Only a job that kills both
    /// supervisor processes at one instant gets away.
    #[serde(rename = "subreaper")]
    Subreaper,
    /// Only the job's process group was ended: a process that left the group (`setsid`) is not found.
    #[serde(rename = "group")]
    ProcessGroup,
}

impl fmt::Display for Containment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PidNamespace => "pid-namespace",
            Self::Subreaper => "subreaper",
            Self::ProcessGroup => "group",
        })
    }
}

impl FromStr for Containment {
    type Err = anyhow::Error;

    /// Reads `pid-namespace`, `subreaper` or `group`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::PidNamespace, Self::Subreaper, Self::ProcessGroup];
        all.into_iter().find(|one| one.to_string() == text).ok_or_else(|| {
            anyhow::anyhow!("`{CONTAINMENT_VARIABLE}` is `{text}`; use `pid-namespace`, `subreaper` or `group`")
        })
    }
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// How it ended.
    pub exit: Exit,
    /// Wall time from its start to its end, in seconds.
    pub seconds: f64,
    /// How its processes were contained.
    pub containment: Containment,
    /// Processes that the job left running and that were killed. In a group that was not empty this is 1.
    pub strays: usize,
    /// Bytes of output, counted before any were left out of the log.
    pub output_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containment_reads_back_as_it_is_written() {
        for one in [Containment::PidNamespace, Containment::Subreaper, Containment::ProcessGroup] {
            assert_eq!(one.to_string().parse::<Containment>().unwrap(), one);
            assert_eq!(serde_json::to_string(&one).unwrap(), format!("\"{one}\""));
        }
    }

    #[test]
    fn an_unknown_containment_is_refused_with_the_ones_there_are() {
        let error = "cage".parse::<Containment>().unwrap_err().to_string();
        assert!(error.contains("`cage`") && error.contains("`subreaper`"), "{error}");
    }
}
