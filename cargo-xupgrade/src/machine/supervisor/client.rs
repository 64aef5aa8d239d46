//! The tool's side of a supervised job: starts the supervisor, hands it the order, passes output on, relays the wish
//! to stop, and reads the report. However this ends (an error, a panic), the control pipe closes and the job with it.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};

use super::output::{Lines, Log};
use super::wire::{Order, Report, STOP_GENTLY, STOP_NOW};
use super::{CONTAINMENT_VARIABLE, Containment, Exit, Job, Ran, SUBCOMMAND};
use crate::machine::interrupt::{Level, Stop};

/// How long a process that escaped may hold the output open after the report came.
const LINGER: Duration = Duration::from_secs(2);
/// How long after limit and grace the supervisor itself may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(90);
/// The size of the pieces in which output is read.
const PIECE: usize = 64 * 1024;

/// Runs `job` to its end with this binary as the supervisor; see [`Launcher::run`].
///
/// # Errors
/// As [`Launcher::run`], and when `XUPGRADE_CONTAINMENT` has no known value.
pub fn run(job: &Job, stop: &Stop, on_line: &mut dyn FnMut(&str)) -> anyhow::Result<Ran> {
    Launcher::this_binary()?.run(job, stop, on_line)
}

/// The program that runs now, also where its file was replaced or deleted meanwhile (`cargo install`).
///
/// # Errors
/// Where the system cannot name it.
pub fn this_program() -> io::Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if link.exists() { Ok(link.to_owned()) } else { std::env::current_exe() }
}

/// Which binary is started as the supervisor, and how it shall contain jobs.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
    containment: Option<Containment>,
}

impl Launcher {
    /// The binary that runs now, and the containment of `XUPGRADE_CONTAINMENT`.
    ///
    /// # Errors
    /// When the binary cannot be named or the variable has no known value.
    pub fn this_binary() -> anyhow::Result<Self> {
        let program = this_program()?;
        let forced = std::env::var(CONTAINMENT_VARIABLE).ok().filter(|value| !value.is_empty());
        let containment = forced.map(|value| value.parse()).transpose()?;
        Ok(Self { program, containment })
    }

    /// Another binary that calls [`super::main`] on [`SUBCOMMAND`], with the best containment allowed.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), containment: None }
    }

    /// The same binary, with this containment or none.
    #[must_use]
    pub fn with_containment(self, containment: Containment) -> Self {
        Self { containment: Some(containment), ..self }
    }

    /// Runs `job` until it and all it started have ended. `on_line` sees each line of its output (both streams, in
    /// the order they were written). When `stop` rises, the job is ended: gently with TERM, grace and KILL, or now.
    ///
    /// # Errors
    /// When the log cannot be written, or the supervisor cannot be started or does not do its work.
    /// A job that fails, or cannot be started, is no error: see [`Exit`].
    pub fn run(&self, job: &Job, stop: &Stop, on_line: &mut dyn FnMut(&str)) -> anyhow::Result<Ran> {
        let log = job.log.display();
        let mut sink = Sink {
            log: Log::open(&job.log, job.log_limit).with_context(|| format!("could not open the log `{log}`"))?,
            lines: Lines::default(),
            on_line,
        };
        let mut supervised = Supervised::start(&self.program)?;
        let (sender, events) = sync_channel(16);
        supervised.listen(&sender)?;
        // Where there is no room somebody reads, and looks at the wish, too.
        let _waking = stop.on_rise(move || drop(sender.try_send(Event::Woken)));
        let order = Order::new(job, self.containment);
        supervised.order(&order)?;
        let give_up = Instant::now() + order.limit + order.grace + PATIENCE;
        let report = supervised
            .watch(&events, stop, &mut sink, give_up)
            .with_context(|| format!("while `{}` ran (log `{log}`)", job.program.display()))?;
        sink.finish().with_context(|| format!("could not write the log `{log}`"))?;
        supervised.read(&report, self.containment, sink.log.bytes)
    }
}

/// Where output goes.
struct Sink<'a> {
    log: Log,
    lines: Lines,
    on_line: &'a mut dyn FnMut(&str),
}

impl Sink<'_> {
    fn take(&mut self, piece: &[u8]) -> anyhow::Result<()> {
        self.log.take(piece).context("could not write the log")?;
        self.lines.take(piece, self.on_line);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lines.finish(self.on_line);
        self.log.finish()
    }
}

/// The words of the two reading threads, and of the wish to stop.
enum Event {
    /// The wish to stop rose.
    Woken,
    Output(Vec<u8>),
    OutputEnded,
    /// All that the supervisor wrote on its own account; empty when it was killed.
    Report(String),
}

/// A supervisor that runs. Dropping it closes the control pipe, which ends the job, and waits for that.
struct Supervised {
    child: Child,
    control: Option<ChildStdin>,
    relayed: Level,
    started: Instant,
}

impl Supervised {
    fn start(program: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        // The environment of the supervisor can be read by the job, so the tool's credentials are kept out of it.
        command.arg0("cargo-xupgrade").arg(SUBCOMMAND).env_clear();
        let libraries = std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path));
        command.envs(libraries).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("could not start the supervisor `{}`", program.display()))?;
        let control = child.stdin.take();
        Ok(Self { child, control, relayed: Level::None, started: Instant::now() })
    }

    /// Starts the threads that read. They end when their pipes do, or when nobody listens any more.
    fn listen(&mut self, sender: &SyncSender<Event>) -> anyhow::Result<()> {
        let mut output = self.child.stderr.take().expect("was asked for as a pipe");
        let mut report = self.child.stdout.take().expect("was asked for as a pipe");
        let from_output = sender.clone();
        spawn_reader("job-output", move || read_output(&mut output, &from_output))?;
        let sender = sender.clone();
        spawn_reader("job-report", move || {
            let mut text = String::new();
            // A report cut short does not parse, and is then treated as one that is missing.
            let _ = report.read_to_string(&mut text);
            let _ = sender.send(Event::Report(text));
        })
    }

    /// Sends the order. A supervisor that died before it took it shows by its missing report.
    fn order(&mut self, order: &Order) -> anyhow::Result<()> {
        let control = self.control.as_mut().expect("is closed only on drop");
        match order.write(control) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("could not hand the job to its supervisor")
            }
            _ => Ok(()),
        }
    }

    /// Passes output on until it ended and the report came.
    fn watch(
        &mut self,
        events: &Receiver<Event>,
        stop: &Stop,
        sink: &mut Sink<'_>,
        give_up: Instant,
    ) -> anyhow::Result<String> {
        let (mut report, mut ended, mut linger) = (None, false, None);
        loop {
            self.relay(stop);
            let until = linger.map_or(give_up, |linger| give_up.min(linger));
            match events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Output(piece)) => sink.take(&piece)?,
                Ok(Event::OutputEnded) => ended = true,
                Ok(Event::Report(text)) => {
                    report = Some(text);
                    linger = Some(Instant::now() + LINGER);
                }
                Ok(Event::Woken) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            let lingered = linger.is_some_and(|until| Instant::now() >= until);
            if let Some(text) = report.take_if(|_| ended || lingered) {
                return Ok(text);
            }
            if Instant::now() >= give_up {
                self.child.kill().context("could not end a supervisor that hangs")?;
                bail!(
                    "the supervisor did not end in time and was killed; look for processes in an endless system call"
                );
            }
        }
    }

    /// Tells the supervisor when the wish to stop rose.
    fn relay(&mut self, stop: &Stop) {
        let level = stop.requested();
        if level <= self.relayed {
            return;
        }
        self.relayed = level;
        let byte = if level == Level::Now { STOP_NOW } else { STOP_GENTLY };
        if let Some(control) = self.control.as_mut() {
            // A supervisor that has just ended needs no telling.
            let _ = control.write_all(&[byte]);
        }
    }

    /// Makes the report, or its absence, the result.
    fn read(&mut self, report: &str, wanted: Option<Containment>, output_bytes: u64) -> anyhow::Result<Ran> {
        let status = self.child.wait().context("could not wait for a supervisor")?;
        match serde_json::from_str(report) {
            Ok(Report::Ran { exit, seconds, containment, strays }) => {
                Ok(Ran { exit, seconds, containment, strays, output_bytes })
            }
            Ok(Report::Failed(text)) => Err(anyhow!("the supervisor failed: {text}")),
            Err(_) => {
                let signal = status.signal();
                let signal = signal.ok_or_else(|| anyhow!("the supervisor ended without a report: {status}"))?;
                // Something killed the supervisor. Its containment is not known, so no more than a group is claimed.
                Ok(Ran {
                    exit: if self.relayed == Level::None { Exit::Signal(signal) } else { Exit::Killed },
                    seconds: self.started.elapsed().as_secs_f64(),
                    containment: wanted.unwrap_or(Containment::ProcessGroup),
                    strays: 0,
                    output_bytes,
                })
            }
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.control.take());
        let _ = self.child.wait();
    }
}

fn spawn_reader(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).context("could not start a thread that reads a job's output")
}

fn read_output(output: &mut impl io::Read, events: &SyncSender<Event>) {
    let mut piece = vec![0; PIECE];
    loop {
        match output.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => {
                if events.send(Event::Output(piece[..length].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = events.send(Event::OutputEnded);
}
