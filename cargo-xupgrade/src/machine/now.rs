//! The clock of this machine: the one place that asks what day it is. `clock` counts with the answer.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::Instant;

/// This moment, to the second. Ask once per run and hand it down: two readings make two plans.
#[must_use]
pub fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::from_epoch(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
