//! Bars on a terminal: one line for each running cell with its command and time, one for the whole.
//! indicatif is named here only.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{lines, print_line, table};
use crate::event::{Event, Listener};
use crate::input::cli::Talk;
use crate::machine::failure::shown;
use crate::machine::mutex::lock;

/// Bars, and plain lines above them.
pub struct Bars {
    talk: Talk,
    area: MultiProgress,
    whole: Mutex<Option<ProgressBar>>,
    /// What runs, each with its name; ecosystems work side by side, and so do workers.
    running: Mutex<Vec<(String, ProgressBar)>>,
}

impl Bars {
    /// With the flags of the command line.
    pub fn new(talk: Talk) -> Self {
        Self { talk, area: MultiProgress::new(), whole: Mutex::default(), running: Mutex::default() }
    }

    fn say(&self, text: &str) {
        let _ = self.area.println(shown(text));
    }

    /// Shows that something runs, with a text, under its name: a trial runs one cell at a time.
    fn run(&self, what: &str, text: &str) {
        self.rest(what);
        let bar = self.area.add(ProgressBar::new_spinner().with_style(style("  {spinner} {elapsed:>4} {wide_msg}")));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(shown(text));
        lock(&self.running).push((what.to_owned(), bar));
    }

    fn progress(&self, what: &str, done: usize, total: usize) {
        if let Some((_, bar)) = lock(&self.running).iter().find(|(name, _)| name == what) {
            bar.set_message(shown(&format!("{what}: {done} of {total}")));
        }
    }

    fn rest(&self, what: &str) {
        for (_, bar) in lock(&self.running).extract_if(.., |(name, _)| name == what) {
            bar.finish_and_clear();
        }
    }

    fn rest_all(&self) {
        for (_, bar) in lock(&self.running).drain(..) {
            bar.finish_and_clear();
        }
    }

    fn show_whole(&self, text: &str) {
        let mut whole = lock(&self.whole);
        let bar =
            whole.get_or_insert_with(|| self.area.add(ProgressBar::new_spinner().with_style(style("{wide_msg}"))));
        bar.set_message(shown(text));
    }

    fn finish(&self) {
        self.rest_all();
        if let Some(bar) = lock(&self.whole).take() {
            bar.finish_and_clear();
        }
    }
}

impl Listener for Bars {
    fn tell(&self, event: &Event) {
        match event {
            Event::Began { what } => self.run(what, what),
            Event::Progressed { what, done, total } => self.progress(what, *done, *total),
            Event::Ended { what } => self.rest(what),
            Event::TrialBegan { trial, why, fresh, accepted, remaining, seconds_left, .. } => {
                let (trying, left) = (lines::trying(*why, fresh, *accepted), lines::left(*remaining, *seconds_left));
                self.show_whole(&format!("{trial}: {trying}{left}"));
            }
            Event::CellBegan { trial, project, command } => {
                self.run(trial, &format!("{trial}: {project}: {command}"));
            }
            Event::Finished { report } => {
                self.finish();
                print_line(table::report(report, &self.talk, super::colour(&self.talk)).trim_end());
            }
            other => {
                if let Event::CellEnded { trial, .. } = other {
                    self.rest(trial);
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
