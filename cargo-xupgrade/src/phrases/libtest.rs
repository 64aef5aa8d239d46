//! The words of libtest and of Rust's panics, as test programs print them. Seen: Rust 1.95.

/// The end of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// `ok`
    Ok,
    /// `FAILED`
    Failed,
    /// `ignored`
    Ignored,
}

/// Name and end of a test: `test a::b ... ok`, also with a time or a reason behind it. The name is without ` - should
/// panic`; that of a documentation test carries a line number: `src/lib.rs - f (line 3)`.
#[must_use]
pub fn ended(line: &str) -> Option<(&str, End)> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let end = match result.split([' ', ',', '<']).next()? {
        "ok" => End::Ok,
        "FAILED" => End::Failed,
        "ignored" => End::Ignored,
        _ => return None,
    };
    Some((name.strip_suffix(" - should panic").unwrap_or(name), end))
}

/// The name by which a test is selected: without all that libtest adds to it in its output.
#[must_use]
pub fn bare_name(name: &str) -> &str {
    name.split(" - ").next().unwrap_or(name)
}

/// The first line of a panic in any thread, or in a build script.
#[must_use]
pub fn is_panic(line: &str) -> bool {
    line.contains("panicked at")
}

/// The first line of a panic that a test program prints: `thread 'a::b' (24527) panicked at src/lib.rs:6:48:`.
#[must_use]
pub fn is_panic_of_thread(line: &str) -> bool {
    line.starts_with("thread '") && is_panic(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_test_program_are_names_and_ends() {
        assert_eq!(ended("test i ... ignored, long"), Some(("i", End::Ignored)));
        assert_eq!(ended("test s - should panic ... ok"), Some(("s", End::Ok)));
        assert_eq!(bare_name("s - should panic"), "s");
        assert_eq!(ended("test t ... FAILED"), Some(("t", End::Failed)));
        assert_eq!(ended("test src/lib.rs - g (line 3) ... ok"), Some(("src/lib.rs - g (line 3)", End::Ok)));
        assert_eq!(ended("test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured"), None);
    }

    #[test]
    fn a_panic_is_known_with_the_number_of_its_thread_and_without() {
        assert!(is_panic_of_thread("thread 't' (24527) panicked at src/lib.rs:6:48:"));
        assert!(is_panic_of_thread("thread 't' panicked at src/lib.rs:6:48:"));
        assert!(is_panic("  thread 'main' panicked at build.rs:10:9:"));
    }
}
