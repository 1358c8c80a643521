//! So many in a time: `50/s`.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

use serde::Deserialize;

/// So many in a second, a minute or an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate {
    count: NonZeroU32,
    per: Duration,
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate: expected a number from 1 on and a time, for example 50/s, 300/m or 1000/h")]
pub struct RateError(String);

impl Rate {
    /// The time between two, where they are spread evenly.
    pub(crate) fn interval(self) -> Duration {
        self.per / self.count.get()
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || RateError(text.to_owned());
        let (count, per) = text.split_once('/').ok_or_else(wrong)?;
        let seconds = match per {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        Ok(Self { count: count.parse().map_err(|_| wrong())?, per: Duration::from_secs(seconds) })
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_time() {
        for (text, expected) in
            [("50/s", Some(20)), ("300/m", Some(200)), ("1/h", Some(3_600_000)), ("0/s", None), ("5", None), ("5/d", None), ("-1/s", None)]
        {
            let found = text.parse::<Rate>().ok().map(|rate| rate.interval().as_millis());
            assert_eq!(found, expected, "{text}");
        }
    }
}
