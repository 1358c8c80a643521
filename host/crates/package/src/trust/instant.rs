//! Instants as operators write them: a date, which is its first moment in UTC, or a time of RFC 3339.

use std::fmt;

use jiff::civil::Date;
use pipeline::Timestamp;
use serde::Deserialize;

/// An instant in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Instant(jiff::Timestamp);

impl Instant {
    /// The instant of the engine's clock.
    pub fn of(timestamp: Timestamp) -> Self {
        let micros = i64::try_from(timestamp.0).ok().and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
        Self(micros.unwrap_or(jiff::Timestamp::MAX))
    }
}

impl TryFrom<String> for Instant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let date = |text: &str| text.parse::<Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|day| day.timestamp());
        let instant = if text.contains(['T', 't', ' ']) { text.parse().ok() } else { date(&text) };
        instant.map(Self).ok_or_else(|| {
            let given: String = text.chars().take(64).collect();
            format!("`{given}` is no date: expected one such as \"2027-06-30\" (its beginning, UTC) or \"2027-06-30T12:00:00Z\"")
        })
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_moment() {
        let of = |text: &str| Instant::try_from(text.to_owned());
        assert_eq!(of("2027-06-30").unwrap(), of("2027-06-30T00:00:00Z").unwrap());
        assert_eq!(of("2027-06-30T02:00:00+02:00").unwrap().to_string(), "2027-06-30T00:00:00Z");
        assert_eq!(of("1970-01-01").unwrap(), Instant::of(Timestamp(0)));
        assert!(of("1970-01-02").unwrap() > Instant::of(Timestamp(86_399_999_999)));
        for wrong in ["", "tomorrow", "2027-13-01", "2027-06-30T12:00:00"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
