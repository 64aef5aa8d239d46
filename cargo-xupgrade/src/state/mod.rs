//! The memory of runs: the journal that an interrupted run is taken up from, the facts that it holds, and the history
//! of earlier runs.

pub mod facts;
pub mod history;
pub mod journal;
