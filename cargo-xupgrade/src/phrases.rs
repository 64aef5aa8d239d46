//! Phrases: the words of other tools that the product reads, one file for each tool, so that a new version of a tool is
//! met in one place. Pure: lines in, facts out; each item names the command that prints it and the version that was seen.

pub mod cargo;
pub mod git;
pub mod go;
pub mod libtest;
pub mod rustc;
pub mod rustup;
pub mod system;

/// The texts that stand between two marks of a kind, as in "crate `x` of package `y`".
pub fn quoted(line: &str, mark: char) -> impl Iterator<Item = &str> {
    line.split(mark).skip(1).step_by(2)
}

/// The sign of a failure in the output of a tool that is not known.
#[must_use]
pub fn is_alarm(line: &str) -> bool {
    line.starts_with("error") || line.contains("FAIL") || line.contains("panic")
}

fn has_any(words: &str, signs: &[&str]) -> bool {
    signs.iter().any(|sign| words.contains(sign))
}
