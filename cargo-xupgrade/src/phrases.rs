//! Phrases: the words of other tools that the product reads, one file for each tool, so that a new version of a tool is
//! met in one place. Pure: lines in, facts out; each item names the command that prints it and the version that was seen.

pub mod cargo;
