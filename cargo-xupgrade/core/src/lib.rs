//! The part of cargo-xupgrade that decides, with the values that it is about. Nothing here has an effect: no file, no process, no
//! network, no variable, no clock (`clippy.toml` beside this crate refuses them). Modules in the order in which they build on one another:
//!
//! - Words: [`clock`], [`digest`], [`shell`], [`phrases`], [`cooldown`], [`candidate`], [`project`];
//!   the rules of each ecosystem: [`rules`].
//! - What may be tried: [`policy`], [`priors`], [`plan`].
//! - What trials said: [`trial`], [`partner`], [`verdict`]; and a trial for another process: [`task`].
//! - What is told: [`why`], [`report`], [`event`], [`lineage`], [`message`].

pub mod candidate;
pub mod clock;
pub mod cooldown;
pub mod digest;
pub mod event;
pub mod lineage;
pub mod message;
mod pairs;
pub mod partner;
pub mod phrases;
pub mod plan;
pub mod policy;
pub mod priors;
pub mod project;
pub mod report;
pub mod rules;
pub mod shell;
pub mod task;
pub mod trial;
pub mod verdict;
pub mod why;
