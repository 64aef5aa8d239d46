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

/// A commit without an author: `fatal: empty ident name (for <>) not allowed`, `fatal: unable to auto-detect email address
/// (got 'me@host.(none)')`, `fatal: no email was given and auto-detection is disabled`.
#[must_use]
pub fn is_identity_missing(words: &str) -> bool {
    super::has_any(words, &["ident name", "auto-detect", "no email was given", "no name was given"])
}

/// The filters that a checkout, or the way back, could not do without (`fatal: a.bin: smudge filter toy failed`, of a clean
/// filter with quotes around its name).
#[must_use]
pub fn failed_filters(words: &str) -> Vec<String> {
    let name = |line: &str| {
        let (_, rest) = line.split_once(": smudge filter ").or_else(|| line.split_once(": clean filter "))?;
        Some(rest.strip_suffix(" failed")?.trim_matches('\'').to_owned())
    };
    words.lines().filter(|line| line.starts_with("fatal: ")).filter_map(name).collect()
}

/// The commands of filters that ended with an error: `error: external filter 'cat' failed 127`, without a number for one that
/// stays alive between files, `error: initialization for subprocess 'cat' failed` for one of these that does not start.
#[must_use]
pub fn failed_commands(words: &str) -> Vec<String> {
    const MARKS: [&str; 2] = ["error: external filter '", "error: initialization for subprocess '"];
    let command = |line: &str| {
        let rest = MARKS.iter().find_map(|mark| line.strip_prefix(mark))?;
        Some(rest.rsplit_once("' failed")?.0.to_owned())
    };
    words.lines().filter_map(command).collect()
}

/// The words of a filter that failed: the first line that is not git's, else git's first one.
#[must_use]
pub fn words_of_filter(words: &str) -> String {
    const LONGEST: usize = 200;
    let is_gits = |line: &&str| ["error: ", "fatal: "].iter().any(|mark| line.starts_with(mark));
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines.clone().find(|line| !is_gits(line)).or_else(|| lines.next()).unwrap_or("without a word");
    line.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_author_is_told_from_a_missing_key() {
        assert!(is_identity_missing("fatal: unable to auto-detect email address (got 'me@host.(none)')"));
        assert!(!is_identity_missing("error: gpg failed to sign the data; fatal: failed to write commit object"));
    }

    #[test]
    fn filters_that_fail_are_named_by_their_commands_or_by_themselves() {
        // `git read-tree --reset -u HEAD`, then `git hash-object a.bin`, with such a filter that is required.
        let words = "x: line 1: no key\nerror: external filter 'sh -c 'x' %f' failed 127\n\
            error: external filter 'sh -c 'x' %f' failed\nfatal: secrets/a b.env: smudge filter toy failed\n\
            fatal: a.bin: clean filter 'other' failed\n";
        assert_eq!(failed_filters(words), ["toy", "other"]);
        assert_eq!(failed_commands(words), ["sh -c 'x' %f", "sh -c 'x' %f"]);
        assert_eq!(words_of_filter(words), "x: line 1: no key");
        assert_eq!(failed_filters("fatal: unable to read tree\n"), [""; 0]);
    }

    #[test]
    fn a_transport_that_is_not_allowed_is_shut_off() {
        // `GIT_ALLOW_PROTOCOL=none git ls-remote https://example.invalid/x`.
        assert!(is_shut_off("fatal: transport 'https' not allowed\n"));
        assert!(!is_shut_off("fatal: unable to access 'https://example.invalid/x/': Could not resolve host"));
    }
}
