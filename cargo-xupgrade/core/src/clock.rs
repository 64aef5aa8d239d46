//! Points in time, to the second, in UTC: what the registries write, what `--as-of` takes, what the
//! plan and the report print. Pure: nobody here asks what time it is. The only module that names the time
//! library, so that every age in a report is counted by one rule.

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Seconds of a day, as registries and cooldowns count them: leap seconds do not exist here.
const DAY: i64 = 86_400;

/// A point in time, whole seconds, UTC. Prints and serialises as RFC 3339 (`2026-01-01T00:00:00Z`),
/// so the order of the strings is the order of the instants for the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(Timestamp);

/// A text that is no RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no RFC 3339 instant ({why}); write it as 2026-01-01T00:00:00Z")]
pub struct BadInstant {
    text: String,
    why: String,
}

impl Instant {
    /// Reads RFC 3339 with any offset (`Z`, `+02:00`); fractions of a second are cut off.
    ///
    /// # Errors
    /// When the text has no date, no time or no offset, or names a day that does not exist.
    pub fn parse(text: &str) -> Result<Self, BadInstant> {
        match text.parse::<Timestamp>() {
            Ok(stamp) => Ok(Self::whole(stamp)),
            Err(why) => Err(BadInstant { text: text.to_owned(), why: why.to_string() }),
        }
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z; far values stop at the years -9999 and 9999.
    #[must_use]
    pub fn from_epoch(seconds: i64) -> Self {
        let limit = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self::whole(Timestamp::from_second(seconds).unwrap_or(limit))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn epoch(self) -> i64 {
        self.0.as_second()
    }

    /// This instant, `days` times 24 hours earlier.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        Self::from_epoch(self.epoch().saturating_sub(i64::from(days) * DAY))
    }

    /// Whole days (24 hours each) from `earlier` to this instant, rounded down; negative when
    /// `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.epoch() - earlier.epoch()).div_euclid(DAY)
    }

    /// The day in UTC, as `2026-01-01`.
    #[must_use]
    pub fn date(self) -> String {
        self.0.to_zoned(TimeZone::UTC).date().to_string()
    }

    fn whole(stamp: Timestamp) -> Self {
        let second = stamp.as_nanosecond().div_euclid(1_000_000_000);
        let second = i64::try_from(second).expect("a timestamp's seconds fit 64 bits");
        Self(Timestamp::from_second(second).unwrap_or(stamp))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Instant {
    type Err = BadInstant;

    fn from_str(text: &str) -> Result<Self, BadInstant> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Instant {
    type Error = BadInstant;

    fn try_from(text: String) -> Result<Self, BadInstant> {
        Self::parse(&text)
    }
}

impl From<Instant> for String {
    fn from(instant: Instant) -> Self {
        instant.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn an_instant_prints_in_utc_whatever_offset_it_came_with() {
        assert_eq!(at("2026-01-01T02:00:00+02:00").to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(at("2025-12-31T16:00:00-08:00"), at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn fractions_of_a_second_are_cut_off() {
        assert_eq!(at("2026-10-16T22:56:46.999Z").to_string(), "2026-10-16T22:56:46Z");
        assert_eq!(at("1969-12-31T23:59:59.5Z").epoch(), -1);
    }

    #[test]
    fn a_text_without_offset_or_with_an_impossible_day_is_refused_with_the_right_form() {
        for text in ["2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "soon", ""] {
            let words = Instant::parse(text).unwrap_err().to_string();
            assert!(words.contains(&format!("`{text}`")), "{words}");
            assert!(words.contains("2026-01-01T00:00:00Z"), "{words}");
        }
    }

    #[test]
    fn days_are_counted_down_so_that_a_release_of_23_hours_is_0_days_old() {
        let now = at("2026-01-04T00:00:00Z");
        assert_eq!(now.days_since(at("2026-01-03T01:00:00Z")), 0);
        assert_eq!(now.days_since(at("2026-01-01T00:00:00Z")), 3);
        assert_eq!(now.days_since(at("2026-01-04T00:00:01Z")), -1);
    }

    #[test]
    fn taking_days_away_crosses_years_and_never_overflows() {
        assert_eq!(at("2026-01-01T12:00:00Z").minus_days(3).to_string(), "2025-12-29T12:00:00Z");
        assert!(at("2026-01-01T00:00:00Z").minus_days(u32::MAX) < at("0001-01-01T00:00:00Z"));
        assert!(Instant::from_epoch(i64::MAX) > at("9999-01-01T00:00:00Z"));
    }

    #[test]
    fn the_date_is_the_day_in_utc() {
        assert_eq!(at("2026-01-01T00:30:00+02:00").date(), "2025-12-31");
    }

    #[test]
    fn json_carries_the_text_and_refuses_a_bad_one() {
        let json = serde_json::to_string(&at("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(json, "\"2026-01-01T00:00:00Z\"");
        assert_eq!(serde_json::from_str::<Instant>(&json).unwrap(), at("2026-01-01T00:00:00Z"));
        assert!(serde_json::from_str::<Instant>("\"yesterday\"").is_err());
    }
}
