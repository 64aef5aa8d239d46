//! The commits of a branch below its tip, as text: what is known of them, what that took, and which upgrades are one commit
//! as nobody tried each by itself. Pure.

use super::{count, duration};
use crate::report::{Commit, CommitTrials, Report, Steady, Verified};

/// The lines, with names marked as the medium wants them.
pub(super) fn lines(report: &Report, mark: impl Fn(&str) -> String) -> Vec<String> {
    let below = report.commits.split_last().map(|(_, below)| below).unwrap_or_default();
    let kinds = [Verified::Matrix, Verified::Search, Verified::Gates, Verified::No];
    let kinds: Vec<String> = kinds.into_iter().filter_map(|kind| known(below, kind)).collect();
    let known = (!kinds.is_empty()).then(|| format!("below the tip: {}", kinds.join(", ")));
    let group = |commit: &Commit| {
        let names: Vec<String> = commit.atoms.iter().map(|atom| mark(&super::tree::spelled(atom))).collect();
        Some(format!("verified as a group of {}: {}", commit.group?, names.join(", ")))
    };
    // One pass excludes next to nothing.
    let steady = report.steady.iter().filter(|one| one.runs > 1 && report.branch.is_some()).map(steady);
    steady.chain(known).chain(took(&report.commit_trials)).chain(report.commits.iter().filter_map(group)).collect()
}

/// The statement about the tests of a check on the tip.
fn steady(one: &Steady) -> String {
    let check = format!("the {} of {}", one.check, one.project);
    let what = match &one.units[..] {
        [] => check,
        [unit] => format!("{unit} ({check})"),
        [first, others @ ..] => format!("{first} and {} ({check})", count(others.len(), "other")),
    };
    format!(
        "{what} passed {} times, which excludes (at 99 %) a test that the upgrades make fail in {:.0} % of its runs",
        one.runs,
        one.excluded * 100.0
    )
}

/// The number of commits of which the same is known.
fn known(below: &[Commit], kind: Verified) -> Option<String> {
    let number = below.iter().filter(|commit| commit.verified == kind).count();
    let words = match kind {
        Verified::Matrix => "passed the whole matrix",
        Verified::Search => "passed in the search",
        Verified::Gates if number == 1 => "compiles",
        Verified::Gates => "compile",
        Verified::No => "not tried",
    };
    (number > 0).then(|| format!("{} {words}", count(number, "commit")))
}

/// The seconds that the trials of commits took.
fn took(trials: &CommitTrials) -> Option<String> {
    let limit =
        trials.limit.map(|limit| format!(" of at most {} (all checks once)", duration(limit))).unwrap_or_default();
    let told = || format!("{} of commits took {}{limit}", count(trials.count, "trial"), duration(trials.seconds));
    (trials.count > 0).then(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(atoms: &[&str], verified: Verified, group: Option<usize>) -> Commit {
        let atoms = atoms.iter().map(|atom| format!("cargo:{atom}@1.1.0").as_str().into()).collect();
        Commit { id: "c".into(), tree: "t".into(), atoms, verified, trial: None, group }
    }

    fn told(commits: Vec<Commit>, commit_trials: CommitTrials) -> Vec<String> {
        lines(&Report { commits, commit_trials, ..Report::empty() }, |name| format!("`{name}`"))
    }

    #[test]
    fn units_of_tests_that_ran_more_or_less_often_than_others_are_named() {
        let one = |units: &[&str]| Steady {
            project: "cargo .".into(),
            check: "test".into(),
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            runs: 21,
            excluded: 0.2,
        };
        let told = |units: &[&str]| steady(&one(units)).split(" passed").next().unwrap().to_owned();
        assert_eq!(told(&[]), "the test of cargo .");
        assert_eq!(told(&["app src/lib.rs"]), "app src/lib.rs (the test of cargo .)");
        assert_eq!(told(&["m/a", "m/b", "m/c"]), "m/a and 2 others (the test of cargo .)");
    }

    #[test]
    fn what_is_known_of_commits_below_the_tip_is_counted_and_the_seconds_stand_beside_their_limit() {
        let all = [Verified::Gates, Verified::Search, Verified::Gates, Verified::Matrix];
        let commits = all.map(|verified| commit(&["a"], verified, None)).to_vec();
        let lines = told(commits, CommitTrials { count: 2, seconds: 3.25, limit: Some(61.0) });
        let trials = "2 trials of commits took 3.2 s of at most 1 min 01 s (all checks once)";
        assert_eq!(lines, ["below the tip: 1 commit passed in the search, 2 commits compile", trials]);
    }

    #[test]
    fn a_group_is_named_and_one_commit_alone_is_no_news() {
        let tip = commit(&["b", "c"], Verified::Matrix, Some(2));
        let lines = told(vec![commit(&["a"], Verified::No, None), tip], CommitTrials::default());
        assert_eq!(lines, ["below the tip: 1 commit not tried", "verified as a group of 2: `b 1.1.0`, `c 1.1.0`"]);
        assert_eq!(told(vec![commit(&["a"], Verified::Matrix, None)], CommitTrials::default()), [""; 0]);
    }
}
