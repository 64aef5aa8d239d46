//! The words of git and of libgit2. Seen: git 2.39, libgit2 as vendored by git2 0.21.

/// A git repository that was to be asked without the network (`GIT_ALLOW_PROTOCOL=none`; with `LC_ALL=C`, for git
/// translates): `fatal: transport 'https' not allowed`.
#[must_use]
pub fn is_shut_off(words: &str) -> bool {
    words.contains("fatal: transport '") && words.contains("' not allowed")
}

/// A repository with an object format that libgit2 does not read (SHA-256): `unknown object format 'sha256'`, or the name
/// of the extension that asks for it (its `repository.c`).
#[must_use]
pub fn is_unknown_object_format(words: &str) -> bool {
    words.contains("objectformat") || words.contains("object format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_that_is_not_allowed_is_shut_off() {
        // `GIT_ALLOW_PROTOCOL=none git ls-remote https://example.invalid/x`.
        assert!(is_shut_off("fatal: transport 'https' not allowed\n"));
        assert!(!is_shut_off("fatal: unable to access 'https://example.invalid/x/': Could not resolve host"));
    }
}
