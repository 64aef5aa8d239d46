//! cargo-xupgrade upgrades the dependencies of mixed Rust and Go repositories and proves every upgrade by running the
//! project's own checks. This is the code map, in the order in which the data flows; `DESIGN.md` tells the why.
//!
//! - What decides (words, rules, verdicts, messages), in a crate of its own, `xupgrade-core`: [`candidate`], [`project`], [`policy`],
//!   [`plan`], [`trial`], [`verdict`], [`report`], [`message`] and their kin; and the search, `xupgrade-search`.
//! - Ecosystems (discover, survey, edit, evidence): [`ecosystem`].
//! - The loop (search, run, judge) and where its trials run: [`engine`].
//! - The outside world: [`checkout`] (repository, clones, environment), [`state`] (journal, history), [`machine`] (commands,
//!   processes, disk, clock).
//! - The face: [`input`] (flags, configuration), [`run`] (the job), [`reporter`], [`app`] (where the program ends; the demo).

pub mod app;
pub mod checkout;
pub mod ecosystem;
pub mod engine;
pub mod input;
pub mod machine;
pub mod reporter;
pub mod run;
pub mod state;

pub use xupgrade_core::{
    candidate, clock, cooldown, digest, event, lineage, message, partner, phrases, plan, policy, priors, project,
    report, rules, shell, task, trial, verdict, why,
};
