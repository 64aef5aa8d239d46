//! What flapped, at the end of the table: one line for each test, and no more lines than a person reads. Pure.

use std::fmt::Write as _;

use crate::input::cli::Talk;
use crate::machine::failure::shown;
use crate::trial::flap::Flap;

/// How many are shown without `--all`.
const SHOWN: usize = 8;

/// The lines; nothing where nothing flapped.
pub(super) fn lines(flaps: &[Flap], talk: &Talk) -> String {
    if flaps.is_empty() {
        return String::new();
    }
    let most = if talk.all { flaps.len() } else { SHOWN };
    let mut text = "\nflaky: with the very same packages these passed and failed\n".to_owned();
    for flap in flaps.iter().take(most) {
        let _ = writeln!(text, "  {}: {}", shown(&what(flap)), often(flap));
    }
    if flaps.len() > most {
        let _ = writeln!(text, "  {} more (--all lists them)", flaps.len() - most);
    }
    text
}

/// The test and its check.
pub(super) fn what(flap: &Flap) -> String {
    match &flap.test {
        Some(name) => format!("{name} ({} of {})", flap.check, flap.project),
        None => format!("the whole {} of {}, which names no test", flap.check, flap.project),
    }
}

/// How often it passed and failed, and where it failed.
pub(super) fn often(flap: &Flap) -> String {
    format!("passed {}, failed {} ({})", times(flap.passed), times(flap.failed), places(&flap.failed_in))
}

fn times(count: usize) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        count => format!("{count} times"),
    }
}

fn places(trials: &[String]) -> String {
    const NAMED: usize = 3;
    let mut text = trials.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if trials.len() > NAMED {
        let _ = write!(text, " and {} more", trials.len() - NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flap(test: Option<&str>, failed: usize) -> Flap {
        Flap {
            test: test.map(str::to_owned),
            project: "cargo .".into(),
            check: "test".into(),
            passed: 1,
            failed,
            passed_in: vec!["baseline-1".into()],
            failed_in: (1..=failed).map(|number| format!("t{number}")).collect(),
        }
    }

    #[test]
    fn each_test_that_flapped_has_a_line_and_a_long_list_is_cut() {
        let one = lines(&[flap(Some("app src/lib.rs a"), 2), flap(None, 5)], &Talk::default());
        assert!(one.contains("  app src/lib.rs a (test of cargo .): passed once, failed twice (t1, t2)\n"), "{one}");
        assert!(
            one.contains(
                "the whole test of cargo ., which names no test: passed once, failed 5 times (t1, t2, t3 and 2 more)"
            ),
            "{one}"
        );
        let many = vec![flap(Some("x"), 1); 20];
        assert!(lines(&many, &Talk::default()).ends_with("  12 more (--all lists them)\n"));
        assert!(lines(&[], &Talk::default()).is_empty());
    }
}
