//! Runs a command of our own for a limited time: one that waits for a server which never answers is ended with all that it
//! started. It stays in our process group, so that it may ask at the terminal and Ctrl-C reaches it.

use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::supervisor;

/// A command was not done within its limit, and was ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{words}` was not done within {limit:?} and was ended; try again later")]
pub struct TimedOut {
    /// The command as typed.
    pub words: String,
    /// Its limit.
    pub limit: Duration,
}

/// How often the end of a command is looked for that has closed its output already.
const PAUSE: Duration = Duration::from_millis(10);

/// What came of a command; none when it was ended.
pub(super) fn output(command: &mut Command, limit: Duration) -> io::Result<Option<Output>> {
    let until = Instant::now() + limit;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    // What it started may hold a pipe open, so the pipes have the same limit.
    let bytes = |pipe: &Receiver<Vec<u8>>| pipe.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    if let (Some(stdout), Some(stderr)) = (bytes(&stdout), bytes(&stderr))
        && let Some(status) = wait(&mut child, until)?
    {
        return Ok(Some(Output { status, stdout, stderr }));
    }
    supervisor::end_tree(child.id());
    // Where its children are not known, it goes alone.
    let _ = child.kill();
    child.wait()?;
    Ok(None)
}

fn wait(child: &mut Child, until: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            None if Instant::now() < until => thread::sleep(PAUSE),
            end => return Ok(end),
        }
    }
}

/// Reads a pipe to its end in a thread of its own, which ends with the pipe.
fn read(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // An end in an error is an end all the same; the exit status tells what it was worth.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        // Nobody listens any more where the command was ended.
        let _ = send.send(bytes);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::command::Tool;

    /// No test ends because this much time is over.
    const AGES: Duration = Duration::from_hours(1);

    #[test]
    fn a_command_that_ends_in_time_is_heard_to_its_end() {
        let tool = Tool::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).limit(AGES);
        let output = tool.output().unwrap();
        let told = (output.status.code(), output.stdout, output.stderr);
        assert_eq!(told, (Some(3), b"out\n".to_vec(), b"err\n".to_vec()));
    }

    #[test]
    fn a_command_that_waits_for_ever_is_ended_with_what_it_started() {
        // A number of seconds that no other process sleeps; the grandchild holds the pipes open.
        let mark = format!("3600.{}", std::process::id());
        let script = format!("sleep {mark} & wait");
        let limit = Duration::from_secs(1);
        let error = Tool::new("sh").args(["-c", &script]).limit(limit).output().unwrap_err();
        assert_eq!(error.downcast::<TimedOut>().unwrap(), TimedOut { words: format!("sh -c {script}"), limit });
        // They were told to end, and the kernel may take a moment.
        let is_gone = |_| {
            thread::sleep(PAUSE);
            !lives(&mark)
        };
        assert!((0..500).any(is_gone), "something is left");
    }

    /// Whether a process has this word in its command line; those that ended have none.
    fn lives(word: &str) -> bool {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut lines = processes.filter_map(|one| std::fs::read(one.path().join("cmdline")).ok());
        lines.any(|line| String::from_utf8_lossy(&line).contains(word))
    }
}
