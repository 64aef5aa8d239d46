//! The edge: what kind of failure ends the program, with which exit code, and how it is told.

use std::fmt::Write as _;

/// Exit codes, as documented in `--help` and README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Done, or nothing to do.
    Done = 0,
    /// It could not be found out.
    Unknown = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// There were trials, and none of them gave a clear answer.
    Inconclusive = 3,
    /// No project compiles and has a test that passes before any upgrade.
    NoBaseline = 4,
    /// A failure to write the branch of what passed, which the report has all the same; or a certain one, seen before anything ran.
    Publishing = 5,
    /// Something is held, and `--fail-on-held` was given.
    Held = 10,
    /// The user interrupted it.
    Interrupted = 130,
}

impl Code {
    /// The meaning of another run's exit code; one that no run of ours ends with means that nothing is known.
    #[must_use]
    pub fn of_number(number: i32) -> Self {
        let all = [
            Self::Done,
            Self::Usage,
            Self::Inconclusive,
            Self::NoBaseline,
            Self::Publishing,
            Self::Held,
            Self::Interrupted,
        ];
        all.into_iter().find(|code| *code as i32 == number).unwrap_or(Self::Unknown)
    }
}

/// An error of the command line or the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// An error of git's that would keep any branch from being written, in its words.
#[derive(Debug, thiserror::Error)]
#[error("git can make no commit here, so nothing was tried: {words}; {next}, and run again")]
pub struct Unpublishable {
    /// Git's words.
    pub words: String,
    /// The next step.
    pub next: &'static str,
}

/// The end of a piece of work that the user interrupted.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// The exit code of an error.
#[must_use]
pub fn code_of(error: &anyhow::Error) -> Code {
    if error.chain().any(<dyn std::error::Error>::is::<Interrupted>) {
        return Code::Interrupted;
    }
    if error.chain().any(<dyn std::error::Error>::is::<Unpublishable>) {
        return Code::Publishing;
    }
    if error.chain().any(<dyn std::error::Error>::is::<Usage>) { Code::Usage } else { Code::Unknown }
}

/// An error as a person reads it: what, then the causes, one a line.
#[must_use]
pub fn tell(error: &anyhow::Error) -> String {
    let mut text = format!("error: {}", shown(&error.to_string()));
    for cause in error.chain().skip(1) {
        let _ = write!(text, "\n  because: {}", shown(&cause.to_string()));
    }
    text
}

/// Text of a foreign origin, safe for a terminal: control characters other than line ends and tabs are spelled out.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_a_trial_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\tc\nd"), "a\\u{1b}[2Jb\tc\nd");
    }

    #[test]
    fn a_usage_error_below_a_context_keeps_its_code() {
        let error = anyhow::Error::new(Usage("bad".into())).context("while reading");
        assert_eq!(code_of(&error), Code::Usage);
        assert_eq!(code_of(&anyhow::anyhow!("other")), Code::Unknown);
    }
}
