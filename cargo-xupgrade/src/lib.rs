//! cargo-xupgrade upgrades the dependencies of mixed Rust and Go repositories and proves every upgrade by running the
//! project's own checks. This is the code map, in the order in which the data flows; `DESIGN.md` tells the why.
//!
//! - What decides (words, rules, verdicts, messages), in a crate of its own, `xupgrade-core`: [`candidate`], [`project`], [`policy`],
//!   [`plan`], [`trial`], [`verdict`], [`report`], [`message`] and their kin; and the search, `xupgrade-search`.
//! - Ecosystems (discover, survey, edit, evidence): [`ecosystem`].
//! - The loop (search, run, judge): [`engine`], [`executor`], [`facts`].
//! - The outside world: [`repo`], [`worker`], [`outside`], [`toolchain`], [`environment`], [`command`], [`supervisor`],
//!   [`interrupt`], [`journal`], [`history`], [`disk`], [`now`].
//! - The face: [`cli`], [`config`], [`run`], [`app`], [`toml_text`], [`reporter`], [`failure`], [`demo`].

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod demo;
pub mod disk;
pub mod ecosystem;
pub mod engine;
pub mod environment;
pub mod executor;
pub mod facts;
pub mod failure;
pub mod history;
pub mod interrupt;
pub mod journal;
pub mod now;
pub mod outside;
pub mod repo;
pub mod reporter;
pub mod run;
pub mod supervisor;
pub mod toml_text;
pub mod toolchain;
pub mod worker;

pub use xupgrade_core::{
    candidate, clock, cooldown, digest, event, lineage, message, partner, phrases, plan, policy, priors, project,
    report, shell, trial, verdict, why,
};
