//! The outer of the two supervisor processes: reads the order, chooses the containment, starts the warden, and sees
//! to it that nothing is left when the warden itself was killed or hangs. Its report is the last thing it does, so
//! the tool hears of the end only when everything has ended.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::unix::{self, Fork, Reaped};
use super::warden;
use super::wire::{Note, Order, Report, write_line};
use super::{Containment, Exit};

/// How long after its time the warden may take before it counts as hung.
const SLACK: Duration = Duration::from_secs(20);

/// What `cargo-xupgrade __supervise` does: standard input is the control pipe, standard output takes the report,
/// standard error is the job's output.
///
/// It forks, so it must be called before the process starts any thread.
#[must_use]
pub fn main() -> ExitCode {
    let report = supervise().unwrap_or_else(|error| Report::Failed(format!("{error:#}")));
    match write_line(io::stdout(), &report) {
        Ok(()) => ExitCode::SUCCESS,
        // The tool is gone: there is nobody to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn supervise() -> anyhow::Result<Report> {
    unix::stand_alone().context("could not leave the tool's session")?;
    let control = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let order = Order::read(&control)?;
    let containment = unix::contain(order.containment)?;
    let (notes, to_guard) = io::pipe()?;
    let (started, id) = (Instant::now(), std::process::id());
    match unix::fork().context("could not start the second supervisor process")? {
        Fork::Child => {
            drop(notes);
            warden::main(&order, containment, &control, &to_guard, id)
        }
        Fork::Parent(warden) => {
            drop(to_guard);
            let status = outlast(warden, &control, started + order.limit + order.grace + SLACK);
            Ok(conclude(status, notes, containment, started))
        }
    }
}

/// Waits for the warden, and kills it when it is still there long after it should have ended everything.
fn outlast(warden: i32, control: &File, mut patience: Instant) -> ExitStatus {
    let mut tool_lives = true;
    let mut pace = unix::Pace::default();
    loop {
        match unix::reap() {
            Reaped::Ended(id, status) if id == warden => return status,
            Reaped::Ended(..) => continue,
            // Cannot happen while the warden is our child; an honest answer all the same.
            Reaped::NoChildren => return ExitStatus::from_raw(1 << 8),
            Reaped::Nothing => {}
        }
        if tool_lives && unix::has_hung_up(control.as_fd()) {
            tool_lives = false;
            patience = patience.min(Instant::now() + SLACK);
        }
        if Instant::now() > patience {
            unix::kill_one(warden);
        }
        pace.pause();
    }
}

/// The warden's own report; without one, ends what the warden can no longer end and says what killed the warden.
fn conclude(status: ExitStatus, notes: PipeReader, containment: Containment, started: Instant) -> Report {
    let mut leader = None;
    let lines = BufReader::new(notes).lines().map_while(Result::ok);
    for note in lines.map_while(|line| serde_json::from_str(&line).ok()) {
        match note {
            Note::Started(id) => leader = Some(id),
            Note::Finished(report) => return report,
        }
    }
    let strays = unix::end_all(containment, leader);
    Report::Ran {
        exit: Exit::Signal(status.signal().unwrap_or(9)),
        seconds: started.elapsed().as_secs_f64(),
        containment,
        strays,
    }
}
