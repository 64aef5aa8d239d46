//! Which versions exist, as far as a run is concerned: the instant the registries are looked at and the
//! cooldown, in one rule, and the page of an index file that this rule leaves. Pure.

use std::collections::BTreeSet;

use semver::Version;

use super::super::index::{Glance, glances};
use crate::clock::Instant;

/// What a version without a publication time counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownAge {
    /// As published a moment ago: hidden.
    TooYoung,
    /// As published long ago: shown.
    Old,
}

/// The rule. A version that is locked already is exempt; see [`super::View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What was published after this instant does not exist yet.
    pub as_of: Option<Instant>,
    /// What was published after this instant is too young to be taken.
    pub cutoff: Option<Instant>,
    /// Versions of unknown age; too young matters only where there is a cutoff.
    pub unknown_age: UnknownAge,
}

/// How one version stands under a [`Rule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be taken.
    Open,
    /// It was published after the instant the registries are looked at.
    NotYet,
    /// It is younger than the cooldown allows, or of unknown age.
    TooYoung,
}

impl Rule {
    /// A rule: the registries as of `as_of` (`now` when nobody asked for another instant),
    /// and a cooldown of `min_age` days before it; 0 days is no cooldown.
    #[cfg(test)]
    pub(crate) fn new(as_of: Option<Instant>, now: Instant, min_age: u32) -> Self {
        let cutoff = (min_age > 0).then(|| as_of.unwrap_or(now).minus_days(min_age));
        let unknown_age = if min_age > 0 { UnknownAge::TooYoung } else { UnknownAge::Old };
        Self { as_of, cutoff, unknown_age }
    }

    /// How a version published then stands; `None` is an unknown time.
    #[must_use]
    pub fn standing(&self, published: Option<Instant>) -> Standing {
        let Some(published) = published else {
            return match (self.cutoff, self.unknown_age) {
                (Some(_), UnknownAge::TooYoung) => Standing::TooYoung,
                _ => Standing::Open,
            };
        };
        if self.as_of.is_some_and(|as_of| published > as_of) {
            Standing::NotYet
        } else if self.cutoff.is_some_and(|cutoff| published > cutoff) {
            Standing::TooYoung
        } else {
            Standing::Open
        }
    }
}

/// An index file as the rule leaves it.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The lines that stay, byte for byte.
    pub body: Vec<u8>,
    /// The versions that were taken out.
    pub hidden: BTreeSet<Version>,
}

/// Takes out of `body` what `rule` hides and `locked` does not exempt. Yanked lines stay, since cargo
/// knows what to do with them, and so do lines that cannot be read, which cargo leaves out itself.
#[must_use]
pub fn page(body: &[u8], rule: &Rule, locked: &BTreeSet<Version>) -> Page {
    let mut page = Page { body: Vec::with_capacity(body.len()), hidden: BTreeSet::new() };
    for (line, glance) in glances(body) {
        if let Some(Glance { version, published, .. }) = glance
            && !locked.contains(&version)
            && rule.standing(published) != Standing::Open
        {
            page.hidden.insert(version);
            continue;
        }
        page.body.extend_from_slice(line);
        page.body.push(b'\n');
    }
    page
}

/// The lines of the locked versions and no others; `None` where a locked version is not among them.
#[must_use]
pub fn only_locked(body: &[u8], locked: &BTreeSet<Version>) -> Option<Vec<u8>> {
    let (mut kept, mut found) = (Vec::new(), BTreeSet::new());
    for (line, glance) in glances(body) {
        if let Some(Glance { version, .. }) = glance.filter(|glance| locked.contains(&glance.version)) {
            kept.extend_from_slice(line);
            kept.push(b'\n');
            found.insert(version);
        }
    }
    (!found.is_empty() && found == *locked).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn new_year() -> Rule {
        Rule::new(Some(at("2026-01-01T00:00:00Z")), at("2026-06-01T00:00:00Z"), 3)
    }

    #[test]
    fn a_release_of_the_very_instant_exists_and_one_second_later_does_not() {
        let rule = Rule::new(Some(at("2026-01-01T00:00:00Z")), at("2026-06-01T00:00:00Z"), 0);
        assert_eq!(rule.standing(Some(at("2026-01-01T00:00:00Z"))), Standing::Open);
        assert_eq!(rule.standing(Some(at("2026-01-01T00:00:01Z"))), Standing::NotYet);
    }

    #[test]
    fn the_cooldown_counts_back_from_as_of_and_not_from_now() {
        assert_eq!(new_year().standing(Some(at("2025-12-29T00:00:00Z"))), Standing::Open);
        assert_eq!(new_year().standing(Some(at("2025-12-29T00:00:01Z"))), Standing::TooYoung);
        assert_eq!(new_year().standing(Some(at("2026-03-01T00:00:00Z"))), Standing::NotYet);
    }

    #[test]
    fn without_as_of_the_cooldown_counts_back_from_now() {
        let rule = Rule::new(None, at("2026-01-10T00:00:00Z"), 3);
        assert_eq!(rule.standing(Some(at("2026-01-07T00:00:00Z"))), Standing::Open);
        assert_eq!(rule.standing(Some(at("2026-01-07T00:00:01Z"))), Standing::TooYoung);
    }

    #[test]
    fn an_unknown_age_is_too_young_where_there_is_a_cooldown_and_open_where_there_is_none() {
        assert_eq!(new_year().standing(None), Standing::TooYoung);
        let no_cooldown = Rule::new(Some(at("2026-01-01T00:00:00Z")), at("2026-01-01T00:00:00Z"), 0);
        assert_eq!(no_cooldown.standing(None), Standing::Open);
    }

    #[test]
    fn of_an_old_copy_the_locked_lines_stay_and_one_that_lacks_a_locked_version_is_of_no_use() {
        let body = b"{\"name\":\"x\",\"vers\":\"1.0.0\"}\n{\"name\":\"x\",\"vers\":\"1.1.0\"}\n";
        let locked = BTreeSet::from([Version::new(1, 1, 0)]);
        assert_eq!(only_locked(body, &locked).unwrap(), b"{\"name\":\"x\",\"vers\":\"1.1.0\"}\n");
        assert_eq!(only_locked(body, &BTreeSet::from([Version::new(1, 1, 0), Version::new(1, 2, 0)])), None);
        assert_eq!(only_locked(body, &BTreeSet::new()), None);
    }

    #[test]
    fn a_page_keeps_yanked_and_unreadable_lines_and_the_locked_young_one() {
        let body = br#"{"name":"x","vers":"1.0.0","pubtime":"2020-01-01T00:00:00Z","yanked":true}
this line is of a later format
{"name":"x","vers":"1.1.0","pubtime":"2025-12-31T00:00:00Z","yanked":true}
{"name":"x","vers":"1.2.0","pubtime":"2025-12-31T00:00:00Z"}
{"name":"x","vers":"1.3.0"}
"#;
        let locked = BTreeSet::from([Version::new(1, 1, 0)]);
        let page = page(body, &new_year(), &locked);
        let kept = String::from_utf8(page.body).unwrap();
        let start: Vec<&str> = kept.lines().map(|line| &line[..27.min(line.len())]).collect();
        assert_eq!(
            start,
            [r#"{"name":"x","vers":"1.0.0","#, "this line is of a later for", r#"{"name":"x","vers":"1.1.0","#]
        );
        assert_eq!(page.hidden, BTreeSet::from([Version::new(1, 2, 0), Version::new(1, 3, 0)]));
    }
}
