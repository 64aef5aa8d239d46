//! Phrases: the words of other tools that the product reads, one file for each tool, so that a new version of a tool is
//! met in one place. Pure: lines in, facts out; each item names the command that prints it and the version that was seen.

pub mod cargo;
pub mod git;
pub mod go;
pub mod libtest;
pub mod rustc;
pub mod rustup;
pub mod system;

/// The texts that stand between two marks of a kind, as in "crate `x` of package `y`".
pub fn quoted(line: &str, mark: char) -> impl Iterator<Item = &str> {
    line.split(mark).skip(1).step_by(2)
}

/// The sign of a failure in the output of a tool that is not known.
#[must_use]
pub fn is_alarm(line: &str) -> bool {
    line.starts_with("error") || line.contains("FAIL") || line.contains("panic")
}

/// The lines of a tool on one line. A line that ends in a colon goes on in the next one.
#[must_use]
pub fn one_line(words: &str) -> String {
    let mut text = String::new();
    for line in words.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let between = match text.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        };
        text.push_str(between);
        text.push_str(line);
    }
    text
}

fn has_any(words: &str, signs: &[&str]) -> bool {
    signs.iter().any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_lines_keep_their_blanks_and_what_a_colon_announces_follows_it() {
        // `go vet ./...`, and `cargo metadata`.
        let go = "missing go.sum entry for module providing package ex.com/lib; to add:\n\tgo get ex.com/app\n";
        assert_eq!(
            one_line(go),
            "missing go.sum entry for module providing package ex.com/lib; to add: go get ex.com/app"
        );
        assert_eq!(one_line("error: no\n\nCaused by:\n  a b  \r\n  c\n"), "error: no; Caused by: a b; c");
        assert_eq!(one_line("\n"), "");
    }
}
