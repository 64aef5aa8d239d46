//! A run that is over, or was killed, as it is shown later.

use serde_json::Value;

use super::Report;

/// A run that is over, or was killed.
#[derive(Debug)]
pub struct Past {
    /// Its findings; where it was killed, those until then.
    pub report: Report,
    /// Its end.
    pub ended: Ended,
}

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Reached: it wrote its report.
    Yes,
    /// Missing: it wrote no report, as it was killed or is still at work.
    No,
}

impl Past {
    /// The first thing that a reader has to know, if the run has no end.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let trials = &self.report.trials;
        let last = trials.last().map(|trial| format!(", the last one {}", trial.id)).unwrap_or_default();
        let text = format!(
            "this run has no end yet: it was killed, or is still at work; {} trials are over{last}; nothing is published",
            trials.len()
        );
        (self.ended == Ended::No).then_some(text)
    }

    /// The report as JSON, in the format of `report.json`.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn json(&self) -> serde_json::Result<Value> {
        let mut value = serde_json::to_value(&self.report)?;
        if let (Ended::No, Some(fields)) = (self.ended, value.as_object_mut()) {
            // Neither the plan nor the journal tells it.
            fields.remove("min_age");
        }
        Ok(value)
    }
}
