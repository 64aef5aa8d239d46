//! TOML string literals as bytes of a file: exchanges what one says and keeps its quotes. Pure text.

/// The literal, quotes included, that says `new` in the quotes of `old`; escapes in `old` go with what they said.
/// Fails with the reason when that cannot be.
pub(super) fn exchanged(old: &str, new: &str) -> Result<String, String> {
    if let Err(error) = semver::VersionReq::parse(new) {
        return Err(format!("`{new}` is no version requirement ({error}); nothing was written"));
    }
    if old.starts_with("'''") || old.starts_with("\"\"\"") {
        return Err("a requirement in a multi-line string is not edited; write it on one line".to_owned());
    }
    match old.chars().next() {
        Some(quote @ ('\'' | '"')) => Ok(format!("{quote}{new}{quote}")),
        _ => Err("a requirement must be written in quotes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::exchanged;

    #[test]
    fn the_quotes_stay_and_the_escapes_go() {
        assert_eq!(exchanged("'1.5'", "1.6").as_deref(), Ok("'1.6'"));
        assert_eq!(exchanged("\"1\\u002E5\"", "1.6").as_deref(), Ok("\"1.6\""));
        assert_eq!(exchanged("\"\"", "1.6").as_deref(), Ok("\"1.6\""));
    }

    #[test]
    fn a_multi_line_string_is_refused() {
        assert!(exchanged("'''1.5'''", "1.6").is_err_and(|why| why.contains("multi-line")));
        assert!(exchanged("\"\"\"1.5\"\"\"", "1.6").is_err_and(|why| why.contains("multi-line")));
    }

    #[test]
    fn what_is_no_requirement_is_never_written() {
        assert!(exchanged("'1.5'", "1.6' # x").is_err_and(|why| why.contains("no version requirement")));
        assert!(exchanged("'1.5'", "").is_err());
    }
}
