//! What travels between tool, guard and warden: one order in, one report out, single bytes for "stop".
//! The order goes over the control pipe and not through arguments, so its size has no limit, any bytes may be in it,
//! and no other user of the machine reads it in the process list.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{Containment, Exit, Job, RunAs};

/// The byte on the control pipe that asks for TERM, grace, KILL.
pub(super) const STOP_GENTLY: u8 = b'g';
/// The byte on the control pipe that asks for KILL.
pub(super) const STOP_NOW: u8 = b'k';

/// Longer times than a year are cut to it, so that adding them to the clock cannot overflow.
const FOR_EVER: Duration = Duration::from_hours(365 * 24);

/// What the tool asks of the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Order {
    pub program: OsString,
    pub args: Vec<OsString>,
    pub dir: OsString,
    pub run_as: RunAs,
    pub env: Vec<(OsString, OsString)>,
    pub limit: Duration,
    pub grace: Duration,
    /// The pipe with tokens that the job gets open.
    pub jobserver: Option<OsString>,
    /// The containment to use; without one, the best that is allowed.
    pub containment: Option<Containment>,
}

impl Order {
    pub(super) fn new(job: &Job, containment: Option<Containment>) -> Self {
        Self {
            program: job.program.clone(),
            args: job.args.clone(),
            dir: job.dir.clone().into_os_string(),
            run_as: job.run_as,
            env: job.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            limit: job.limit.min(FOR_EVER),
            grace: job.grace.min(FOR_EVER),
            jobserver: job.jobserver.clone().map(PathBuf::into_os_string),
            containment,
        }
    }

    /// Writes the order, its length in eight bytes first, so that the reader takes nothing of what follows it.
    pub(super) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        to.write_all(&(text.len() as u64).to_le_bytes())?;
        to.write_all(&text)
    }

    pub(super) fn read(mut from: impl Read) -> anyhow::Result<Self> {
        let mut length = [0; 8];
        from.read_exact(&mut length).context("the tool closed the pipe before it sent a job")?;
        let length = usize::try_from(u64::from_le_bytes(length))?;
        let mut text = vec![0; length];
        from.read_exact(&mut text).context("the tool closed the pipe in the middle of a job")?;
        serde_json::from_slice(&text).context("the job is not in the form of this version of the supervisor")
    }
}

/// What the supervisor answers, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Report {
    Ran {
        exit: Exit,
        seconds: f64,
        containment: Containment,
        strays: usize,
    },
    /// The supervisor itself could not do its work.
    Failed(String),
}

/// What the warden tells the guard, one line of JSON each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Note {
    /// The job is about to run; this is its process (and group) id, as the warden sees it.
    Started(i32),
    Finished(Report),
}

/// Writes `value` as one line.
pub(super) fn write_line(mut to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;

    #[test]
    fn an_order_keeps_bytes_that_are_no_text_and_leaves_what_follows_it() {
        let odd = OsString::from_vec(vec![b'a', 0xff, b'\n']);
        let order = Order {
            program: odd.clone(),
            args: vec![odd.clone()],
            dir: odd.clone(),
            run_as: RunAs::Ordinary,
            env: vec![(odd.clone(), odd)],
            limit: Duration::from_millis(1500),
            grace: Duration::ZERO,
            jobserver: None,
            containment: Some(Containment::Subreaper),
        };
        let mut wire = Vec::new();
        order.write(&mut wire).unwrap();
        wire.push(STOP_NOW);
        let mut from = wire.as_slice();
        assert_eq!(Order::read(&mut from).unwrap(), order);
        assert_eq!(from, [STOP_NOW]);
    }

    #[test]
    fn an_order_cut_short_is_an_error() {
        let error = Order::read([9, 0, 0, 0, 0, 0, 0, 0, b'{'].as_slice()).unwrap_err();
        assert!(error.to_string().contains("in the middle of a job"), "{error}");
    }
}
