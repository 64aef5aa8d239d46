//! The words of cargo about a registry that it asks: which crates it found, which credentials it lacks (`cargo
//! generate-lockfile`). Seen: cargo 1.95.

use super::super::has_any;

/// The complaint that no version fits, which comes after every index file was read.
#[must_use]
pub fn has_read_all(words: &str) -> bool {
    has_any(words, &["failed to select a version for the requirement", "no matching package"])
}

/// Credentials that are wanted, or not taken.
#[must_use]
pub fn wants_credentials(words: &str) -> bool {
    const SIGNS: &[&str] = &[
        "no token found",
        "token rejected",
        "credential",
        "got 401",
        "got 403",
        "authentication",
        "cargo login",
        "authorization failed",
    ];
    has_any(words, SIGNS)
}

/// A failure that concerns the registry as a whole, not one crate in it.
#[must_use]
pub fn is_of_whole_registry(words: &str) -> bool {
    has_any(words, &["config.json", "no token found", "token rejected"])
}

/// Advice of cargo's own on the way to credentials.
#[must_use]
pub fn has_advice(words: &str) -> bool {
    words.contains("cargo login")
}

/// The causes on one line, without the package that cargo was asked about.
#[must_use]
pub fn causes(words: &str) -> String {
    let told = words.split_once("Caused by:").map_or(words, |(_, causes)| causes);
    let lines = told.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "body:");
    let mut text = String::new();
    for line in lines.map(|line| line.trim_start_matches(super::ERROR)) {
        match line {
            "Caused by:" => text.push(':'),
            line if text.is_empty() => text.push_str(line),
            line => text = format!("{text} {line}"),
        }
    }
    text
}
