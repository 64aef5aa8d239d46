//! The words of cargo on stderr, and the lines of `cargo test` and `cargo tree`. Seen: cargo 1.95.

use super::has_any;

pub mod registry;
pub mod resolver;

/// The mark before the first line of an error of cargo's or rustc's.
const ERROR: &str = "error: ";

/// The words without the mark of an error before them.
#[must_use]
pub fn without_mark(words: &str) -> &str {
    words.strip_prefix(ERROR).unwrap_or(words)
}

/// An error of cargo's or of rustc's, with a code or without one.
#[must_use]
pub fn is_error(line: &str) -> bool {
    line.starts_with("error")
}

/// A download that `CARGO_NET_OFFLINE` or `--offline` refuses.
#[must_use]
pub fn is_offline(words: &str) -> bool {
    words.contains("--offline was specified")
}

/// The package that does not compile: ``error: could not compile `app` (lib) due to 1 previous error``.
#[must_use]
pub fn not_compiled(line: &str) -> Option<&str> {
    line.strip_prefix("error: could not compile `")?.split(['`', ' ']).next()
}

/// The target that does not compile: ``error: could not compile `app` (bench "speed") due to 1 previous error``, and of a
/// build script that fails ``error: failed to run custom build command for `app v0.1.0 (/path)` ``.
#[must_use]
pub fn unbuilt(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("error: failed to run custom build command for `") {
        return rest.split([' ', '`']).next().map(|package| format!("{package} (build script)"));
    }
    let package = not_compiled(line)?;
    let (_, rest) = line.split_once("` (")?;
    Some(format!("{package} ({})", rest.split(')').next()?))
}

/// The refusal to repair a lockfile that does not fit the manifests: `cannot update the lock file .../Cargo.lock because
/// --locked was passed to prevent this` (any command with `--locked`).
#[must_use]
pub fn is_stale_lock(words: &str) -> bool {
    words.contains("--locked was passed")
}

/// The refusal of a crate's file that is not the one that the lockfile promises (`cargo fetch`).
#[must_use]
pub fn is_bad_checksum(words: &str) -> bool {
    words.contains("checksum")
}

/// The crate of such a refusal, name and version: ``failed to verify the checksum of `x v1.0.0` ``.
#[must_use]
pub fn bad_checksum(words: &str) -> Option<(&str, &str)> {
    let spec = words.split("failed to verify the checksum of `").nth(1)?;
    let (name, rest) = spec.split_once(" v")?;
    Some((name, &rest[..rest.find([' ', '`']).unwrap_or(rest.len())]))
}

/// The address of a git dependency that cannot be reached, in words on one line: `Unable to update https://...`, in lower
/// case as a cause.
#[must_use]
pub fn unreachable_source(words: &str) -> Option<&str> {
    words.split("nable to update ").nth(1)?.split(';').next()
}

/// Words on one line without the progress at their beginning: `Updating crates.io index`, `Locking 3 packages ...`.
#[must_use]
pub fn without_progress(words: &str) -> String {
    let parts: Vec<&str> =
        words.split("; ").filter(|part| !part.starts_with("Updating ") && !part.starts_with("Locking ")).collect();
    parts.join("; ")
}

/// An edition that this cargo does not know, which is a wish for a newer one (any command that reads the manifest). Older
/// cargos list what they support.
#[must_use]
pub fn is_unknown_edition(words: &str) -> bool {
    has_any(words, &["this version of Cargo is older than", "supported edition values are `2015`"])
}

/// A package that wants a newer Rust: `rustc 1.95.0 is not supported by the following package:` (any command that builds).
#[must_use]
pub fn is_rust_too_old(line: &str) -> bool {
    line.contains("rustc ") && line.contains(" is not supported by the following package")
}

/// The test program that begins: `Running unittests src/lib.rs (target/debug/deps/app-0123456789abcdef)` (`cargo test`).
#[must_use]
pub fn running(line: &str) -> Option<&str> {
    line.strip_prefix("Running ")
}

/// Source file and executable of a test program that begins; the executable is empty where it is not told.
#[must_use]
pub fn test_program(running: &str) -> (&str, &str) {
    let (source, path) = running.split_once(" (").unwrap_or((running, ""));
    (source.strip_prefix("unittests ").unwrap_or(source), path.trim_end_matches(')'))
}

/// The crate whose documentation tests begin: `Doc-tests app` (`cargo test`).
#[must_use]
pub fn doc_tests(line: &str) -> Option<&str> {
    line.strip_prefix("Doc-tests ")
}

/// The end of a unit of tests that failed: cargo 1.95 says `error: test failed, to rerun pass` and how.
#[must_use]
pub fn is_failed_unit(line: &str) -> bool {
    line.starts_with("error: test failed, to rerun pass") || line.starts_with("error: doctest failed, to rerun pass")
}

/// The line after it, where the program did not end with the code of a test that failed but was killed or gave up.
#[must_use]
pub fn is_cause(line: &str) -> bool {
    line == "Caused by:"
}

/// A line of `cargo tree` without the mark of a subtree that was printed before.
#[must_use]
pub fn tree_line(line: &str) -> &str {
    line.trim_end().trim_end_matches("(*)").trim_end()
}

/// The crate's name at the beginning of `name`, `name v1.0.0`, `name v1.0.0 (/path)`, `name@1.0.0` or `name = "^1"`.
#[must_use]
pub fn crate_name(quoted: &str) -> Option<&str> {
    let name = quoted.split([' ', '@']).next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_dependency_that_cannot_be_asked_is_named() {
        // `cargo generate-lockfile` with `GIT_ALLOW_PROTOCOL=none`, joined to one line.
        let words = "failed to get `b` as a dependency of package `a v0.1.0`; Caused by:; failed to load source for \
            dependency `b`; Caused by:; unable to update https://example.invalid/b; Caused by:; failed to clone into";
        assert_eq!(unreachable_source(words), Some("https://example.invalid/b"));
        assert_eq!(unreachable_source("Updating git repository `https://example.invalid/b`"), None);
    }

    #[test]
    fn a_lockfile_that_locked_keeps_from_repair_is_stale() {
        // `cargo fetch --locked` after an edit of the manifest.
        let words = "error: cannot update the lock file /r/Cargo.lock because --locked was passed to prevent this\n\
            help: to generate the lock file without accessing the network, remove the --locked flag and use --offline \
            instead.\n";
        assert!(is_stale_lock(words) && !is_bad_checksum(words));
    }

    #[test]
    fn a_file_that_is_not_the_promised_one_is_named_with_its_version() {
        let words =
            "failed to download `x v1.0.0`\n\nCaused by:\n  failed to verify the checksum of `x v1.0.0 (registry `c`)`";
        assert!(is_bad_checksum(words));
        assert_eq!(bad_checksum(words), Some(("x", "1.0.0")));
        assert_eq!(bad_checksum("failed to verify the checksum of `x v1.0.0`"), Some(("x", "1.0.0")));
    }

    #[test]
    fn wishes_for_a_newer_rust_are_known() {
        // `cargo check` of a package with `rust-version = "1.99"`, and of one with `edition = "2027"`.
        assert!(is_rust_too_old("error: rustc 1.95.0 is not supported by the following package:"));
        assert!(is_unknown_edition(
            "this version of Cargo is older than the `2027` edition, and only supports `2015`, `2018`, `2021`, and `2024` \
             editions."
        ));
    }

    #[test]
    fn a_test_program_has_a_source_and_an_executable() {
        // `cargo test` writes the line with five blanks before it.
        let rest = running("Running unittests src/lib.rs (target/debug/deps/a-de22c1bda0609b20)").unwrap();
        assert_eq!(test_program(rest), ("src/lib.rs", "target/debug/deps/a-de22c1bda0609b20"));
        assert_eq!(test_program("tests/it.rs"), ("tests/it.rs", ""));
        assert_eq!(doc_tests("Doc-tests a"), Some("a"));
    }

    #[test]
    fn a_unit_that_failed_is_told_by_the_way_to_run_it_again() {
        assert!(is_failed_unit("error: test failed, to rerun pass `-p app --test it`"));
        assert!(is_failed_unit("error: doctest failed, to rerun pass `--doc`"));
        assert!(!is_failed_unit("error: 2 targets failed:"));
    }

    #[test]
    fn progress_is_no_reason() {
        let words = "Updating crates.io index; Locking 3 packages to latest compatible versions; no solution; b";
        assert_eq!(without_progress(words), "no solution; b");
    }

    #[test]
    fn a_target_that_does_not_compile_is_named() {
        // `cargo build --all-targets --keep-going`.
        let said = "error: could not compile `app` (bin \"a\" test) due to 2 previous errors; 1 warning emitted\n\
            error: could not compile `app` (lib)\nerror: failed to run custom build command for `sys v0.1.0 (/x)`\n\
            error: could not find `Cargo.toml` in `/x` (or above)";
        let names = ["app (bin \"a\" test)", "app (lib)", "sys (build script)"];
        assert_eq!(said.lines().filter_map(unbuilt).collect::<Vec<_>>(), names);
    }
}
