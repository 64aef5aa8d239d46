//! Words and lines, as a shell reads them. Pure; `shlex` is named here only.

/// Words as a person would type them in a shell: quoted where they have to be, and only there.
#[must_use]
pub fn typed(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.contains('\'') {
        return format!("'{word}'");
    }
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

/// The words of a line, as a shell would split it; `None` where a quote is left open.
#[must_use]
pub fn split(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_just_where_a_shell_would_read_them_otherwise() {
        let words = ["go", "test", "-run=^$", "--message-format=json", "a b", ""].map(str::to_owned);
        let line = typed(&words);
        assert_eq!(line, "go test '-run=^$' --message-format=json 'a b' ''");
        assert_eq!(split(&line).unwrap(), words);
    }
}
