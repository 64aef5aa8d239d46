//! Checks, targets and tests that fail before any upgrade and proved nothing, at the end of the table and in Markdown. Pure.

use std::fmt::Write as _;

use crate::machine::failure::shown;
use crate::report::Report;

/// The sentences about them, in the order of the projects.
fn sentences(report: &Report) -> impl Iterator<Item = &String> {
    report.projects.iter().flat_map(|project| &project.left_out)
}

/// The lines of the table; nothing where nothing was left out.
pub(super) fn lines(report: &Report) -> String {
    let mut text = String::new();
    for sentence in sentences(report) {
        let head = if text.is_empty() { "\nleft out: these fail before any upgrade\n" } else { "" };
        let _ = writeln!(text, "{head}  {}", shown(sentence));
    }
    text
}

/// The section of the Markdown; nothing where nothing was left out.
pub(super) fn section(report: &Report, code: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for sentence in sentences(report) {
        let head = if text.is_empty() { "## Left out\n\nThese fail before any upgrade.\n\n" } else { "" };
        let _ = writeln!(text, "{head}- {}", code(sentence));
    }
    if text.is_empty() { text } else { text + "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::project::Project;
    use crate::report::ProjectSummary;

    #[test]
    fn what_fails_before_any_upgrade_is_listed_in_the_table_and_in_markdown() {
        let mut report = Report::empty();
        assert_eq!((lines(&report), section(&report, str::to_owned)), (String::new(), String::new()));
        let left_out = ["cargo .: 1 test fails", "cargo .: `cargo check` fails"].map(str::to_owned).to_vec();
        let project = ProjectSummary {
            project: Project::of(EcosystemKind::Cargo, ".", &[]),
            checks: vec![],
            baseline_seconds: None,
            tested_lock: None,
            left_out,
            flaky: vec![],
        };
        report.projects = vec![project];
        let table =
            "\nleft out: these fail before any upgrade\n  cargo .: 1 test fails\n  cargo .: `cargo check` fails\n";
        assert_eq!(lines(&report), table);
        assert!(
            section(&report, str::to_owned).ends_with("- cargo .: 1 test fails\n- cargo .: `cargo check` fails\n\n")
        );
    }
}
