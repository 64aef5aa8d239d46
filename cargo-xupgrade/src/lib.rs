//! cargo-xupgrade upgrades the dependencies of mixed Rust and Go repositories and proves every upgrade by running the
//! project's own checks. This is the code map, in the order in which the data flows; `DESIGN.md` tells the why.
//!
//! - Words and pure rules: [`candidate`], [`project`], [`cooldown`], [`policy`], [`priors`], [`plan`], [`trial`], [`partner`],
//!   [`phrases`], [`verdict`], [`message`], [`report`], [`why`], [`lineage`], [`shell`], [`clock`],
//!   [`toml_text`].
//! - Ecosystems (discover, survey, edit, evidence): [`ecosystem`].
//! - The loop (search, run, judge): [`engine`], [`executor`], [`event`], [`facts`].
//! - The outside world: [`repo`], [`worker`], [`outside`], [`toolchain`], [`environment`], [`command`], [`supervisor`],
//!   [`interrupt`], [`journal`], [`history`], [`digest`], [`disk`].
//! - The face: [`cli`], [`config`], [`run`], [`app`], [`reporter`], [`failure`], [`demo`].

pub mod app;
pub mod candidate;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod cooldown;
pub mod demo;
pub mod digest;
pub mod disk;
pub mod ecosystem;
pub mod engine;
pub mod environment;
pub mod event;
pub mod executor;
pub mod facts;
pub mod failure;
pub mod history;
pub mod interrupt;
pub mod journal;
pub mod lineage;
pub mod message;
pub mod outside;
pub mod partner;
pub mod phrases;
pub mod plan;
pub mod policy;
pub mod priors;
pub mod project;
pub mod repo;
pub mod report;
pub mod reporter;
pub mod run;
pub mod shell;
pub mod supervisor;
pub mod toml_text;
pub mod toolchain;
pub mod trial;
pub mod verdict;
pub mod why;
pub mod worker;
