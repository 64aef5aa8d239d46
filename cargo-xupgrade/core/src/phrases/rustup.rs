//! The words of rustup where it is asked for a toolchain that is not there. Seen: rustup 1.29, the first sign only.

use super::has_any;

/// A toolchain that is not there: `error: toolchain '1.50.0-x86_64-unknown-linux-gnu' is not installed` (any command of the
/// toolchain; `RUSTUP_AUTO_INSTALL=0`).
#[must_use]
pub fn is_toolchain_missing(words: &str) -> bool {
    (words.contains("toolchain") && is_not_installed(words))
        || has_any(words, &["invalid toolchain", "specifies an uninstalled toolchain"])
}

/// A toolchain or a component that is not installed.
#[must_use]
pub fn is_not_installed(line: &str) -> bool {
    line.contains("is not installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_that_is_not_installed_is_missing() {
        // `cargo +1.50.0 --version`.
        assert!(is_toolchain_missing(
            "error: toolchain '1.50.0-x86_64-unknown-linux-gnu' is not installed\nhelp: run ..."
        ));
        assert!(!is_toolchain_missing("error: no such command: `nextest`"));
    }
}
