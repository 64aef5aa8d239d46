//! Bars on a terminal: one line for the running cell with its command and time, one for the whole.
//! indicatif is named here only.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{clock, lines, print_line, table};
use crate::cli::Talk;
use crate::event::{Event, Listener};
use crate::failure::shown;

/// Bars, and plain lines above them.
pub struct Bars {
    talk: Talk,
    area: MultiProgress,
    whole: RefCell<Option<ProgressBar>>,
    running: RefCell<Option<ProgressBar>>,
}

impl Bars {
    /// With the flags of the command line.
    pub fn new(talk: Talk) -> Self {
        Self { talk, area: MultiProgress::new(), whole: RefCell::default(), running: RefCell::default() }
    }

    fn say(&self, text: &str) {
        let _ = self.area.println(shown(text));
    }

    fn run(&self, text: &str) {
        self.rest();
        let bar = self.area.add(ProgressBar::new_spinner().with_style(style("  {spinner} {elapsed:>4} {wide_msg}")));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(shown(text));
        *self.running.borrow_mut() = Some(bar);
    }

    fn rest(&self) {
        if let Some(bar) = self.running.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }

    fn show_whole(&self, text: &str) {
        let mut whole = self.whole.borrow_mut();
        let bar =
            whole.get_or_insert_with(|| self.area.add(ProgressBar::new_spinner().with_style(style("{wide_msg}"))));
        bar.set_message(shown(text));
    }

    fn finish(&self) {
        self.rest();
        if let Some(bar) = self.whole.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}

impl Listener for Bars {
    fn tell(&self, event: &Event) {
        match event {
            Event::Began { what } => self.run(what),
            Event::Progressed { what, done, total } => {
                if let Some(bar) = &*self.running.borrow() {
                    bar.set_message(shown(&format!("{what}: {done} of {total}")));
                }
            }
            Event::Ended { .. } => self.rest(),
            Event::TrialBegan { trial, fresh, accepted, remaining, seconds_left } => {
                let left = seconds_left.map(|seconds| format!(", about {} left", clock(seconds))).unwrap_or_default();
                let trying = lines::trying(fresh, *accepted);
                self.show_whole(&format!("{trial}: {trying} ({remaining} more trials at a guess{left})"));
            }
            Event::CellBegan { project, command, .. } => self.run(&format!("{project}: {command}")),
            Event::Finished { report } => {
                self.finish();
                print_line(table::report(report, &self.talk, super::colour(&self.talk)).trim_end());
            }
            other => {
                if matches!(other, Event::CellEnded { .. }) {
                    self.rest();
                }
                if let Some(line) = lines::line(other, &self.talk) {
                    self.say(&line);
                }
            }
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.finish();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
