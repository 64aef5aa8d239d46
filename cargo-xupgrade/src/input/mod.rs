//! What a user asks for: flags and configuration.

pub mod cli;
pub mod config;
