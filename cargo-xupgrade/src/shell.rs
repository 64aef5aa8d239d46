//! Words and lines, as a shell reads them. Pure; `shlex` is named here only.

/// Words as a person would type them in a shell: quoted where they have to be.
#[must_use]
pub fn typed(words: &[String]) -> String {
    let quoted =
        words.iter().map(|word| shlex::try_quote(word).map_or_else(|_| word.clone(), std::borrow::Cow::into_owned));
    quoted.collect::<Vec<_>>().join(" ")
}

/// The words of a line, as a shell would split it; `None` where a quote is left open.
#[must_use]
pub fn split(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}
