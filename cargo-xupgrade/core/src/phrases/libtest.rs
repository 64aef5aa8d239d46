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
    let rest = line.strip_prefix("test ")?;
    let whole = rest.rsplit_once(" ... ").and_then(|(name, result)| Some((name, end(result)?)));
    let (name, end) =
        whole.or_else(|| rest.split_once(" ... ").and_then(|(name, result)| Some((name, end(result)?))))?;
    Some((plain_name(name), end))
}

/// The name of a test whose end is not on its line: libtest writes name and end apart, and what a test writes to its
/// standard error itself, past the capture (loggers do), may come between them.
#[must_use]
pub fn begun(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("test ")?.split_once(" ... ").filter(|_| ended(line).is_none())?;
    Some(plain_name(name))
}

/// The end of a test that a text begins with; what follows may be anybody's but no longer word.
#[must_use]
pub fn end(text: &str) -> Option<End> {
    let ends = [("ok", End::Ok), ("FAILED", End::Failed), ("ignored", End::Ignored)];
    ends.into_iter().find_map(|(word, end)| {
        let rest = text.strip_prefix(word)?;
        (!rest.starts_with(|next: char| next.is_alphabetic() || next == '_')).then_some(end)
    })
}

/// The time at the end of a unit of tests, in milliseconds: `test result: ok. 3 passed; … finished in 0.02s`.
#[must_use]
pub fn finished_in(line: &str) -> Option<u64> {
    let (_, seconds) = line.strip_prefix("test result: ")?.rsplit_once("finished in ")?;
    let (whole, part) = seconds.strip_suffix('s')?.split_once('.')?;
    let part: u64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 1000 + part)
}

fn plain_name(name: &str) -> &str {
    name.strip_suffix(" - should panic").unwrap_or(name)
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
        assert_eq!(finished_in("test result: ok. 1 passed; 0 filtered out; finished in 1.25s"), Some(1250));
        assert_eq!(begun("test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured"), None);
    }

    #[test]
    fn what_a_logger_writes_into_the_line_of_a_test_hides_neither_its_name_nor_its_end() {
        assert_eq!(ended("test a::b ... ok2026-11-30T12:36:19Z DEBUG x ... y"), Some(("a::b", End::Ok)));
        assert_eq!(begun("test a::b ... 2026-11-30T12:36:19Z DEBUG x ... y"), Some("a::b"));
        assert_eq!((begun("test a::b ... ok"), end("okay"), end("ok")), (None, None, Some(End::Ok)));
    }

    #[test]
    fn a_panic_is_known_with_the_number_of_its_thread_and_without() {
        assert!(is_panic_of_thread("thread 't' (24527) panicked at src/lib.rs:6:48:"));
        assert!(is_panic_of_thread("thread 't' panicked at src/lib.rs:6:48:"));
        assert!(is_panic("  thread 'main' panicked at build.rs:10:9:"));
    }
}
