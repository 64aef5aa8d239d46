//! Holds of the configuration: the dependencies that a `[[hold]]` means, and what to say of one that means none. Pure.

use std::collections::BTreeSet;

use super::{HoldRule, Policy, names};
use crate::candidate::{Dependency, DependencyRef, Reason, ReasonKind};

fn is_named(one: &DependencyRef, rule: &HoldRule) -> bool {
    names(std::slice::from_ref(&rule.name), one)
}

fn is_meant(one: &DependencyRef, rule: &HoldRule) -> bool {
    is_named(one, rule)
        && rule.ecosystem.is_none_or(|kind| kind == one.project.ecosystem)
        && rule.project.as_ref().is_none_or(|path| *path == one.project.path)
}

/// The hold of the configuration that counts for a dependency.
pub(super) fn configured_hold(dependency: &Dependency, policy: &Policy) -> Option<Reason> {
    let counts =
        |rule: &&HoldRule| is_meant(&dependency.id, rule) && rule.until.is_none_or(|until| policy.as_of < until);
    let rule = policy.holds.iter().find(counts)?;
    let text = match rule.until {
        Some(until) => format!("held in xupgrade.toml until {}: {}", until.date(), rule.reason),
        None => format!("held in xupgrade.toml: {}", rule.reason),
    };
    Some(Reason::new(ReasonKind::HeldByUser, text))
}

/// The words on holds that mean nothing which a project requires, one line each.
#[must_use]
pub fn idle_holds(rules: &[HoldRule], known: &[&DependencyRef]) -> Vec<String> {
    rules.iter().filter(|rule| !known.iter().any(|one| is_meant(one, rule))).map(|rule| told(rule, known)).collect()
}

fn told(rule: &HoldRule, known: &[&DependencyRef]) -> String {
    let name = &rule.name;
    let elsewhere: BTreeSet<String> =
        known.iter().filter(|one| is_named(one, rule)).map(|one| one.project.to_string()).collect();
    let what_to_do = if !elsewhere.is_empty() {
        let places = elsewhere.into_iter().collect::<Vec<_>>().join(", ");
        format!("it is in {places}; mend its `project` or `ecosystem`")
    } else if let Some(near) = nearest(name, known) {
        format!("`{near}` is near; mend the name, or take the hold out")
    } else {
        "mend the name, or take the hold out".to_owned()
    };
    format!(
        "the `[[hold]]` of `{name}` in xupgrade.toml holds nothing, for no project that it is for requires it: {what_to_do}"
    )
}

/// The known name, or key, that is written most like another one.
fn nearest<'a>(name: &str, known: &[&'a DependencyRef]) -> Option<&'a str> {
    let keys = |one: &&'a DependencyRef| one.places.iter().map(|place| place.key.as_str()).chain([one.name.as_str()]);
    let all: BTreeSet<&str> = known.iter().flat_map(keys).collect();
    let most = (name.chars().count() / 3).max(1);
    let near = all.into_iter().map(|other| (distance(name, other), other)).filter(|(steps, _)| *steps <= most);
    near.min().map(|(_, other)| other)
}

/// The letters to write, to strike or to exchange between two names (Levenshtein); `-` and `_` count as one, and so do small
/// and big ones.
fn distance(a: &str, b: &str) -> usize {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    strsim::levenshtein(&plain(a), &plain(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::Place;

    fn known(name: &str, key: &str) -> DependencyRef {
        let place =
            Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: key.into(), registry: None };
        DependencyRef { places: vec![place], ..DependencyRef::of(name) }
    }

    fn rule(name: &str) -> HoldRule {
        HoldRule { name: name.into(), ecosystem: None, project: None, reason: "ours".into(), until: None }
    }

    #[test]
    fn a_hold_by_key_or_by_name_is_not_idle() {
        let one = known("serde_json", "json");
        assert_eq!(idle_holds(&[rule("json"), rule("serde_json")], &[&one]), [""; 0]);
    }

    #[test]
    fn a_hold_that_names_nothing_is_told_with_the_nearest_name_if_there_is_one() {
        let (json, serde) = (known("serde_json", "json"), known("serde", "serde"));
        let all = [&json, &serde];
        for (name, near) in [("serde-jsn", "`serde_json` is near"), ("jsom", "`json` is near"), ("Serde", "`serde` is")]
        {
            let told = idle_holds(&[rule(name)], &all);
            assert!(told.len() == 1 && told[0].contains(near) && told[0].contains(&format!("`{name}`")), "{told:?}");
        }
        let told = idle_holds(&[rule("tokio")], &all);
        assert!(told[0].ends_with("requires it: mend the name, or take the hold out"), "{told:?}");
    }

    #[test]
    fn a_hold_for_another_project_is_told_where_the_name_is() {
        let told =
            idle_holds(&[HoldRule { project: Some("svc".into()), ..rule("serde") }], &[&known("serde", "serde")]);
        assert!(told[0].ends_with("it is in cargo .; mend its `project` or `ecosystem`"), "{told:?}");
    }
}
