//! How old a release must be before it is taken, and who says so: the command line, `xupgrade.toml`, cargo's
//! `min-publish-age` keys, or nobody. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::Instant;

/// A span of time that releases must have lain in their registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cooldown {
    /// The registry that it is for, by its name in cargo's configuration; none for every one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registry: Option<String>,
    /// The span in seconds; 0 switches the cooldown off.
    pub seconds: u64,
    /// The span as it was written (`14 days`).
    pub span: String,
    /// Who says so: a flag, or a key and its file.
    pub whence: String,
}

/// How long units are. A month is a twelfth of 365.2425 days, as in cargo (`src/util/time_span.rs`).
const UNITS: [(&str, u64); 6] =
    [("second", 1), ("minute", 60), ("hour", 3_600), ("day", 86_400), ("week", 604_800), ("month", 2_629_746)];

impl Cooldown {
    /// A cooldown of whole days, for every registry.
    #[must_use]
    pub fn of_days(days: u32, whence: &str) -> Self {
        let span = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        Self { registry: None, seconds: u64::from(days) * 86_400, span, whence: whence.to_owned() }
    }

    /// Reads a span as cargo does: `"0"`, or a whole number and a unit from seconds to months
    /// (<https://doc.rust-lang.org/nightly/cargo/reference/config.html#registryglobal-min-publish-age>).
    #[must_use]
    pub fn read(span: &str, whence: &str, registry: Option<&str>) -> Option<Self> {
        let seconds = if span == "0" { 0 } else { seconds(span)? };
        let registry = registry.map(str::to_owned);
        Some(Self { registry, seconds, span: span.to_owned(), whence: whence.to_owned() })
    }

    /// The instant after which a release is too young; none where there is no cooldown.
    #[must_use]
    pub fn cutoff(&self, as_of: Instant) -> Option<Instant> {
        let seconds = i64::try_from(self.seconds).unwrap_or(i64::MAX);
        (seconds > 0).then(|| Instant::from_epoch(as_of.epoch().saturating_sub(seconds)))
    }

    /// One line for people.
    #[must_use]
    pub fn words(&self) -> String {
        let span = if self.seconds == 0 { "off" } else { &self.span };
        let registry = self.registry.as_ref().map(|name| format!(" for `{name}`")).unwrap_or_default();
        format!("cooldown{registry}: {span} ({})", self.whence)
    }
}

fn seconds(span: &str) -> Option<u64> {
    let end = span.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = span.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, factor) =
        UNITS.iter().find(|(name, _)| unit.strip_prefix(name).is_some_and(|end| matches!(end, "" | "s")))?;
    count.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_cargo_reads_them() {
        let read = |span| Cooldown::read(span, "x", None).map(|one| one.seconds);
        for (span, seconds) in [
            ("0", 0),
            ("1second", 1),
            ("5 minutes", 300),
            ("2 hours", 7_200),
            ("14 days", 1_209_600),
            ("2 weeks", 1_209_600),
        ] {
            assert_eq!(read(span), Some(seconds), "{span}");
        }
        assert_eq!(read("6 months"), Some(6 * 2_629_746));
        for span in ["", "1", "days", "-1 days", "1.5 days", "1 dayz", "1  day", " 1 day", "1 day ", "never"] {
            assert_eq!(read(span), None, "{span}");
        }
    }

    #[test]
    fn the_cutoff_lies_the_span_before_as_of_and_zero_has_none() {
        let as_of = Instant::parse("2026-01-15T00:00:00Z").unwrap();
        let cutoff = |span| Cooldown::read(span, "x", None).unwrap().cutoff(as_of);
        assert_eq!(cutoff("14 days"), Some(Instant::parse("2026-01-01T00:00:00Z").unwrap()));
        assert_eq!(cutoff("0"), None);
        assert_eq!(cutoff("0 days"), None);
    }
}
