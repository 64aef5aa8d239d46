//! The machine that all of it runs on: commands and processes, the disk, the clock, toolchains, and how a run ends.

pub mod command;
pub mod disk;
pub mod failure;
pub mod interrupt;
pub mod mutex;
pub mod now;
pub mod supervisor;
pub mod toml_text;
pub mod toolchain;
