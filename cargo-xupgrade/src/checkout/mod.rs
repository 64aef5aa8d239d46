//! The repository and what is made of it: the clones in which upgrades are tried, the environment of checks, and the
//! configuration that lies outside.

pub mod environment;
pub mod outside;
pub mod repo;
pub mod worker;
