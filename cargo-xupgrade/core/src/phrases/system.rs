//! The words for failures of the machine and of the network, which every tool passes on: libc's (`strerror`, as Rust prints
//! them), those of Rust's and Go's standard libraries, and curl's within git. Seen: Linux with glibc, Rust 1.95, go 1.26.

use super::has_any;

/// The reason for a name server or a network that does not answer.
const NETWORK: &str = "the network does not answer";

/// Signs in a line that a failure lies outside of the project, each with its reason.
const NOISE: &[(&str, &str)] = &[
    ("No space left on device", "no space left on the disk"),
    ("Cannot allocate memory", "out of memory"),
    ("(signal: 9, SIGKILL: kill)", "a process was killed from outside, most likely for want of memory"),
    ("signal: killed", "a process was killed from outside, most likely for want of memory"),
    ("Too many open files", "too many open files"),
    ("Resource temporarily unavailable", "out of processes or memory"),
    ("Disk quota exceeded", "no space left on the disk"),
    ("Temporary failure in name resolution", NETWORK),
    ("failed to lookup address information", NETWORK),
    ("Could not resolve host", NETWORK),
    ("etwork is unreachable", NETWORK),
    ("TLS handshake timeout", NETWORK),
    // Another cargo was at work there at the same time.
    ("config.json not found in registry", "cargo's own downloads changed while they were read"),
];

/// The reason for a failure that lies outside of the project, from a line of its output.
#[must_use]
pub fn noise(line: &str) -> Option<&'static str> {
    NOISE.iter().find(|(sign, _)| line.contains(sign)).map(|(_, why)| *why)
}

/// A disk that is full, as libc words it.
#[must_use]
pub fn is_disk_full(words: &str) -> bool {
    words.contains("No space left")
}

/// A file that is missing, named or not: libc's words, Go's, and those of an error that Rust prints by `{:?}`.
#[must_use]
pub fn is_file_missing(words: &str) -> bool {
    has_any(words, &["No such file or directory", "no such file or directory", "kind: NotFound"])
}

/// A variable that is not set and not named: Rust's words for `VarError`, as it is shown and as `{:?}` has it.
#[must_use]
pub fn is_variable_missing(words: &str) -> bool {
    has_any(words, &["environment variable not found", "value: NotPresent"])
}

/// Something that the account has no right to, in libc's words, or in Go's and Rust's.
#[must_use]
pub fn is_refused(words: &str) -> bool {
    has_any(words, &["ermission denied", "peration not permitted", "kind: PermissionDenied"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_known_in_the_words_of_a_panic() {
        let line = "called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: \"No such file or \
            directory\" }";
        assert!(is_file_missing(line));
        assert_eq!(noise(line), None);
    }
}
