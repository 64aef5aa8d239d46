//! The inner of the two supervisor processes, parent of the job: starts it, waits for its end, its time limit, or the
//! word to stop, and then ends everything that is left. TERM, grace, KILL; and KILL also after the command itself has
//! gone, because a test that ignores TERM outlives the `cargo test` that started it.

use std::fs::File;
use std::io::{self, PipeWriter, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::unix::{self, Reaped};
use super::wire::{Note, Order, Report, STOP_GENTLY, write_line};
use super::{Containment, Exit};

/// How long processes that are just ending (the left side of a pipe) have before they count as left behind.
const SETTLE: Duration = Duration::from_millis(100);

/// Runs the order and tells the guard, whose process id is `id`; never returns.
pub(super) fn main(order: &Order, containment: Containment, control: &File, guard: &PipeWriter, id: u32) -> ! {
    let report = match unix::settle(containment, id) {
        Ok(()) => run(order, containment, control, guard),
        Err(error) => Report::Failed(format!("could not set up `{containment}`: {error}")),
    };
    if write_line(guard, &Note::Finished(report.clone())).is_err() {
        // The guard was killed. The tool still listens to what was the guard's voice.
        let _ = write_line(io::stdout(), &report);
    }
    std::process::exit(0)
}

fn run(order: &Order, containment: Containment, control: &File, guard: &PipeWriter) -> Report {
    let started = Instant::now();
    let leader = match start(order, guard) {
        Ok(leader) => leader,
        Err(text) => {
            return Report::Ran { exit: Exit::NotStarted(text), seconds: 0.0, containment, strays: 0 };
        }
    };
    let mut watch = Watch { order, leader, control, guard, cause: None, status: None, until: started + order.limit };
    watch.until_over();
    let seconds = started.elapsed().as_secs_f64();
    if watch.cause.is_none() {
        watch.let_settle(containment);
    }
    let strays = unix::end_all(containment, Some(leader));
    Report::Ran { exit: watch.exit(), seconds, containment, strays }
}

/// Starts the command in a process group of its own and hands back its id, which the guard knows first. The text says
/// why it could not be started.
fn start(order: &Order, guard: &PipeWriter) -> Result<i32, String> {
    let (program, dir) = (order.program.display(), Path::new(&order.dir));
    if !dir.is_dir() {
        return Err(format!("the folder `{}` is not there", dir.display()));
    }
    let output = || io::stderr().as_fd().try_clone_to_owned().map_err(|error| error.to_string());
    let mut command = Command::new(&order.program);
    command.args(&order.args).current_dir(dir).env_clear().process_group(0);
    command.envs(order.env.iter().map(|(name, value)| (name, value)));
    // Open until the command has started; without it cargo makes tokens of its own, as ever.
    let pipe = order.jobserver.as_ref().and_then(|path| unix::open_for_the_job(Path::new(path)).ok());
    if let Some([read, write]) = &pipe {
        let (read, write) = (read.as_raw_fd(), write.as_raw_fd());
        // Both words: older makes know the first one only. The bare `-j` says that there is no limit but the tokens.
        command.env("CARGO_MAKEFLAGS", format!("-j --jobserver-fds={read},{write} --jobserver-auth={read},{write}"));
    }
    command.stdin(Stdio::null()).stdout(output()?).stderr(output()?);
    let guard = guard.try_clone().map_err(|error| error.to_string())?;
    unix::prepare(&mut command, order.run_as, move |id| {
        // A guard that is gone is noticed in the watch.
        let _ = write_line(&guard, &Note::Started(id));
    });
    let child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("`{program}` was not found"),
        io::ErrorKind::PermissionDenied => format!("`{program}` may not be run: {error}"),
        _ => format!("`{program}` could not be started: {error}"),
    })?;
    Ok(i32::try_from(child.id()).expect("process ids are positive 32-bit numbers"))
}

/// One job being waited for.
struct Watch<'a> {
    order: &'a Order,
    leader: i32,
    control: &'a File,
    guard: &'a PipeWriter,
    /// Why it was asked to end, if it was.
    cause: Option<Exit>,
    /// How the command itself ended, once it has.
    status: Option<ExitStatus>,
    /// The end of its time; once it was asked to end, the end of its grace.
    until: Instant,
}

/// What was heard in one pause.
enum Heard {
    Nothing,
    StopGently,
    /// The word came, or the tool is gone.
    StopNow,
    /// Something killed the guard.
    GuardGone,
}

impl Watch<'_> {
    /// Waits until the job is over or is to be killed.
    fn until_over(&mut self) {
        let mut pace = unix::Pace::default();
        loop {
            self.reap();
            if self.is_over() {
                return;
            }
            match self.listen(pace.next()) {
                Heard::Nothing => {}
                Heard::StopGently => self.ask_to_end(Exit::Killed),
                Heard::StopNow => return self.cause = Some(Exit::Killed),
                // Only KILL ends the guard, and it was not the tool's.
                Heard::GuardGone => return self.cause = Some(Exit::Signal(9)),
            }
            if Instant::now() >= self.until {
                if self.cause.is_some() {
                    return;
                }
                self.ask_to_end(Exit::TimedOut);
            }
        }
    }

    /// The command ended; and if it was asked to, so did its whole group (which shares the grace).
    fn is_over(&self) -> bool {
        self.status.is_some() && (self.cause.is_none() || !unix::group_lives(self.leader))
    }

    /// Takes in every process that ended, orphans of the job too.
    fn reap(&mut self) {
        loop {
            match unix::reap() {
                Reaped::Ended(id, status) if id == self.leader => self.status = Some(status),
                Reaped::Ended(..) => {}
                Reaped::Nothing | Reaped::NoChildren => return,
            }
        }
    }

    fn listen(&self, pause: Duration) -> Heard {
        let heard = unix::listen(self.control.as_fd(), self.guard.as_fd(), pause);
        if heard.guard_gone {
            return Heard::GuardGone;
        }
        if !heard.control_ready {
            return Heard::Nothing;
        }
        let mut byte = [0];
        let mut control = self.control;
        match control.read(&mut byte) {
            Ok(1) if byte[0] == STOP_GENTLY => Heard::StopGently,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Heard::Nothing,
            // The byte for "now", or the end of the pipe: the tool is gone.
            _ => Heard::StopNow,
        }
    }

    /// TERM to the job's group, once. The first cause is the one that is reported.
    fn ask_to_end(&mut self, cause: Exit) {
        if self.cause.is_none() {
            self.cause = Some(cause);
            self.until = Instant::now() + self.order.grace;
            unix::terminate_group(self.leader);
        }
    }

    /// Gives processes that are about to end by themselves the time for it.
    fn let_settle(&mut self, containment: Containment) {
        let until = Instant::now() + SETTLE;
        let mut pace = unix::Pace::default();
        while Instant::now() < until && unix::count_left(containment, Some(self.leader)) > 0 {
            pace.pause();
            self.reap();
        }
    }

    fn exit(&self) -> Exit {
        let ended = |status: ExitStatus| match status.code() {
            Some(code) => Exit::Code(code),
            None => Exit::Signal(status.signal().unwrap_or(9)),
        };
        self.cause.clone().or(self.status.map(ended)).unwrap_or(Exit::Killed)
    }
}
