//! Which trial led to which: a group that failed leads to the parts that it is split into, a version that failed to the
//! one below it. Derived from what the trials tried, as the search itself keeps no such record. Pure.

use crate::candidate::UpgradeName;
use crate::report::{TrialSummary, VerdictKind};
use crate::why::Why;

/// A trial that is over, as far as it can lead to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past<'a> {
    /// Its name.
    pub id: &'a str,
    /// Why it was chosen.
    pub why: Option<Why>,
    /// What was new in it.
    pub fresh: &'a [UpgradeName],
    /// How it ended.
    pub end: End,
}

/// How a trial ended, as far as it can lead to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It passed: nothing follows from it but trust.
    Passed,
    /// It failed, or gave no answer.
    NotPassed,
}

impl End {
    /// The end that a verdict means.
    #[must_use]
    pub fn of(verdict: VerdictKind) -> Self {
        if verdict == VerdictKind::Passed { Self::Passed } else { Self::NotPassed }
    }
}

/// The newest of the `earlier` trials whose end made this one.
#[must_use]
pub fn parent<'a>(why: Option<Why>, fresh: &[UpgradeName], earlier: &[Past<'a>]) -> Option<&'a str> {
    let newest = |fits: &dyn Fn(&Past<'a>) -> bool| {
        // What runs failed tests again only tells of the failure; what follows, follows from that.
        let is_told = |past: &&Past<'a>| matches!(past.why, Some(Why::Confirm | Why::Bracket));
        let all = earlier.iter().rev().filter(|past| past.end == End::NotPassed && !is_told(past));
        all.into_iter().find(|past| fits(past)).map(|past| past.id)
    };
    let holds_all = |past: &Past<'a>| !fresh.is_empty() && fresh.iter().all(|one| past.fresh.contains(one));
    let package = |one: &UpgradeName| (one.ecosystem, one.target.name.clone());
    let same_name =
        |past: &Past<'a>| fresh.iter().any(|one| past.fresh.iter().any(|other| package(one) == package(other)));
    match why? {
        Why::Half | Why::Suspect | Why::Retry | Why::SecondLook | Why::Confirm => newest(&holds_all),
        Why::Leaf => newest(&holds_all).or_else(|| newest(&|past| past.fresh.len() == 1 && same_name(past))),
        Why::Bisect | Why::Neighbour | Why::Pair => newest(&same_name),
        Why::Bracket => newest(&|past| !past.fresh.is_empty()),
        Why::First | Why::Group | Why::LastTime | Why::AtOnce | Why::Union | Why::Verify | Why::Often | Why::Commit => {
            None
        }
    }
}

/// Writes into each trial which one led to it, where that is not known yet.
pub fn link(trials: &mut [TrialSummary]) {
    for at in 0..trials.len() {
        let (earlier, rest) = trials.split_at_mut(at);
        let past: Vec<Past<'_>> = earlier
            .iter()
            .map(|one| Past { id: &one.id, why: one.why, fresh: one.fresh_atoms(), end: End::of(one.verdict) })
            .collect();
        let one = &rest[0];
        if one.parent.is_none() {
            rest[0].parent = parent(one.why, one.fresh_atoms(), &past).map(str::to_owned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<UpgradeName> {
        text.split_whitespace().map(|one| format!("cargo:{one}").as_str().into()).collect()
    }

    /// The parent of a trial after trials written as `id verdict upgrade …`.
    fn led_by(why: Why, fresh: &str, before: &[&str]) -> Option<String> {
        let lines = before.iter().map(|line| line.splitn(3, ' ').collect::<Vec<_>>());
        let told: Vec<(&str, &str, Vec<UpgradeName>)> = lines.map(|line| (line[0], line[1], names(line[2]))).collect();
        let past: Vec<Past<'_>> = told
            .iter()
            .map(|(id, verdict, fresh)| Past {
                id,
                why: None,
                fresh,
                end: End::of(serde_json::from_value((*verdict).into()).unwrap()),
            })
            .collect();
        parent(Some(why), &names(fresh), &past).map(str::to_owned)
    }

    #[test]
    fn a_part_comes_from_the_newest_failure_that_held_all_of_it() {
        let before = ["t1 failed a@1.0.0 b@1.0.0 c@1.0.0 d@1.0.0", "t2 failed a@1.0.0 b@1.0.0", "t3 passed a@1.0.0"];
        assert_eq!(led_by(Why::Leaf, "b@1.0.0", &before).as_deref(), Some("t2"));
        assert_eq!(led_by(Why::Half, "c@1.0.0", &before).as_deref(), Some("t1"));
    }

    #[test]
    fn what_passed_leads_to_nothing() {
        assert_eq!(led_by(Why::Half, "a@1.0.0", &["t1 passed a@1.0.0 b@1.0.0"]), None);
    }

    #[test]
    fn a_new_group_has_no_parent_although_its_parts_failed_before() {
        assert_eq!(led_by(Why::Group, "a@1.0.0 b@1.0.0", &["t1 failed a@1.0.0 b@1.0.0 c@1.0.0"]), None);
    }

    #[test]
    fn a_lower_version_comes_from_the_failure_of_the_higher_one() {
        assert_eq!(
            led_by(Why::Leaf, "a@1.1.0", &["t1 failed a@1.2.0 b@1.0.0", "t2 failed a@1.2.0"]).as_deref(),
            Some("t2")
        );
        assert_eq!(led_by(Why::Leaf, "a@1.1.0", &["t1 failed a@1.2.0 b@1.0.0"]), None, "that was a group");
    }

    #[test]
    fn nothing_comes_from_a_trial_that_only_looks_at_a_failure_again() {
        let fresh = names("a@1.2.0");
        let past = |id, why| Past { id, why: Some(why), fresh: &fresh, end: End::NotPassed };
        let earlier = [past("t1", Why::Leaf), past("t2", Why::Confirm)];
        assert_eq!(parent(Some(Why::Leaf), &names("a@1.1.0"), &earlier), Some("t1"));
    }

    #[test]
    fn a_second_try_comes_from_the_one_without_an_answer() {
        assert_eq!(led_by(Why::Retry, "a@1.0.0 b@1.0.0", &["t1 inconclusive a@1.0.0 b@1.0.0"]).as_deref(), Some("t1"));
    }

    #[test]
    fn a_bracket_comes_from_the_newest_failure() {
        assert_eq!(
            led_by(Why::Bracket, "", &["t1 failed a@1.0.0 b@1.0.0", "t2 failed a@1.0.0"]).as_deref(),
            Some("t2")
        );
    }
}
