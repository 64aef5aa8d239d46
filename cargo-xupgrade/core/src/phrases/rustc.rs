//! The words of rustc's diagnostics, as cargo passes them on. Seen: rustc 1.95.

use super::cargo::crate_name;
use super::{has_any, quoted};

/// An error with a code: `error[E0308]: mismatched types`.
#[must_use]
pub fn is_error(line: &str) -> bool {
    line.starts_with("error[")
}

/// The place of a diagnostic: ` --> src/lib.rs:1:20`.
#[must_use]
pub fn is_place(line: &str) -> bool {
    line.trim_start().starts_with("-->")
}

/// Two copies of one crate that meet, or the crate that brings one of them (tests/ui/traits/
/// similarly-named-trait-from-different-crates in rust-lang/rust); until 1.83 the words were others.
#[must_use]
pub fn tells_of_copies(line: &str) -> bool {
    const SIGNS: &[&str] = &[
        "there are multiple different versions of crate `",
        "perhaps two different versions of crate `",
        "as a dependency of crate `",
    ];
    has_any(line, SIGNS)
}

/// The crates that a line of such a diagnostic names: in its note, and as `.../registry/src/<registry>/<name>-<version>/...`
/// where it points to the sources of one.
#[must_use]
pub fn copies(line: &str) -> Vec<&str> {
    if tells_of_copies(line) {
        return quoted(line, '`').filter_map(crate_name).collect();
    }
    let folder = line.split_once("/registry/src/").and_then(|(_, rest)| rest.split('/').nth(1));
    let name = folder.and_then(|folder| {
        let ends = folder.match_indices('-').map(|(at, _)| at);
        // A name may have a dash, and so may a version; the version is the first part that begins with a digit.
        let end = ends.into_iter().find(|at| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit()))?;
        Some(&folder[..end])
    });
    name.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_code_and_a_place() {
        // `cargo check`.
        assert!(is_error("error[E0308]: mismatched types") && !is_error("error: could not compile `a` (lib)"));
        assert!(is_place(" --> src/lib.rs:1:20"));
    }

    #[test]
    fn the_sources_of_a_crate_tell_its_name() {
        let line = " --> /w/registry/src/-6ba8c9a88c8b17bb/tower-http-1.0.0-rc.1/src/lib.rs:1:8";
        assert_eq!(copies(line), ["tower-http"]);
    }
}
