//! Which candidates the names in a failure's words mean: those that should move along with what failed. Pure.

use std::collections::BTreeSet;

use super::Plan;
use crate::candidate::Candidate;
use crate::rules::is_named;

/// The candidates that should move along with the fresh atoms of a failed trial, by their position in the plan: those that
/// the words name come first, then those that require what the words name.
#[must_use]
pub fn partners(names: &[String], plan: &Plan, fresh: &[usize]) -> Vec<usize> {
    let near = |index: usize, one: &Candidate| !fresh.contains(&index) && is_near(plan, one, fresh);
    let others = || plan.candidates.iter().enumerate().filter(|(index, one)| near(*index, one));
    let mut found: Vec<usize> = Vec::new();
    for name in names {
        found.extend(others().filter(|(_, one)| is_named(one, name)).map(|(index, _)| index));
    }
    for name in names {
        found.extend(others().filter(|(_, one)| one.over.contains(name)).map(|(index, _)| index));
    }
    let mut seen = BTreeSet::new();
    found.retain(|index| seen.insert(*index));
    found
}

/// Whether a candidate and a fresh one are of one ecosystem, in one project or in two of which one uses the other.
fn is_near(plan: &Plan, one: &Candidate, fresh: &[usize]) -> bool {
    let uses = |a: &Candidate, b: &Candidate| a.id.project == b.id.project || plan.reached(a).contains(&b.id.project);
    fresh.iter().map(|index| &plan.candidates[*index]).any(|other| uses(one, other) || uses(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;

    fn candidate(ecosystem: EcosystemKind, name: &str, over: &[&str]) -> Candidate {
        let over = over.iter().map(|name| (*name).to_owned()).collect();
        let mut candidate = Candidate { over, ..Candidate::of(name, &["1.1.0"]) };
        candidate.id.project.ecosystem = ecosystem;
        candidate
    }

    fn plan(candidates: Vec<Candidate>) -> Plan {
        Plan::of("base", candidates)
    }

    fn of(words: &[&str], plan: &Plan, fresh: usize) -> Vec<usize> {
        partners(&words.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), plan, &[fresh])
    }

    #[test]
    fn the_partner_is_the_candidate_that_is_named() {
        use EcosystemKind::{Cargo, Go};
        let all = plan(vec![candidate(Cargo, "fine", &[]), candidate(Cargo, "one", &[]), candidate(Cargo, "two", &[])]);
        assert_eq!(of(&["helper", "two", "app", "one"], &all, 1), [2]);
        assert_eq!(of(&["helper", "two", "app", "one"], &all, 2), [1]);
        let all = plan(vec![
            candidate(Go, "demo.test/codec", &[]),
            candidate(Go, "demo.test/free/v2", &[]),
            candidate(Go, "demo.test/sender/v2", &[]),
            candidate(Cargo, "codec", &[]),
        ]);
        assert_eq!(of(&["sender", "codec", "demo.test/message"], &all, 2), [0]);
    }

    #[test]
    fn where_only_the_doubled_crate_is_named_the_partner_is_who_requires_it() {
        use EcosystemKind::Cargo;
        let all = plan(vec![
            candidate(Cargo, "fine", &["libc"]),
            candidate(Cargo, "sender", &["message"]),
            candidate(Cargo, "taker", &["libc", "message"]),
        ]);
        assert_eq!(of(&["message", "tower-http"], &all, 1), [2]);
        assert_eq!(of(&["message", "tower-http"], &all, 2), [1]);
    }

    #[test]
    fn the_doubled_crate_itself_comes_before_who_requires_it() {
        use EcosystemKind::Cargo;
        let all = plan(vec![
            candidate(Cargo, "axum", &["message"]),
            candidate(Cargo, "sender", &[]),
            candidate(Cargo, "message", &[]),
        ]);
        assert_eq!(of(&["message", "tower-http"], &all, 1), [2, 0]);
    }

    #[test]
    fn a_candidate_of_another_project_is_no_partner() {
        use EcosystemKind::Cargo;
        let mut elsewhere = candidate(Cargo, "two", &[]);
        elsewhere.id.project.path = "fuzz".into();
        let all = plan(vec![candidate(Cargo, "one", &[]), elsewhere]);
        assert_eq!(of(&["helper", "two", "app", "one"], &all, 0), [0; 0]);
    }
}
