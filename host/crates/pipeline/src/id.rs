//! Identifiers and instants: newtypes, valid by construction, with one text form that is also the persisted one.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};

/// A text that is not the identifier it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{given}` is not valid: expected {expected}")]
pub struct InvalidId {
    /// Which identifier was wanted.
    pub what: &'static str,
    /// The text that was given, cut to 64 characters.
    pub given: String,
    /// The accepted form.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(what: &'static str, given: &str, expected: &'static str) -> Self {
        Self { what, given: given.chars().take(64).collect(), expected }
    }
}

/// Declares a text newtype that is checked when parsed and when deserialised. Clones share the text.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// Parses and checks the text form.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text = text.as_ref();
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(InvalidId::new($what, text, $expected)) }
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                (*name.0).to_owned()
            }
        }
    };
}

/// Whether `text` is 1 to 48 characters of `[a-z0-9_.]`: short enough for a span name and a metric label.
fn is_word(text: &str) -> bool {
    (1..=48).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.')
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

name!(
    /// The name of a pipeline, such as `order`.
    PipelineName, "pipeline name", "1 to 48 characters of [a-z0-9_.]", is_word
);
name!(
    /// The name of a step inside its pipeline, such as `allocate_inventory`.
    StepName, "step name", "1 to 48 characters of [a-z0-9_.]", is_word
);
name!(
    /// Whose run it is. A single-tenant host uses `default`.
    TenantName, "tenant name", "1 to 48 characters of [a-z0-9_.]", is_word
);
name!(
    /// The sha256 of a plugin's bytes: 64 lower-case hexadecimal digits.
    Digest, "digest", "64 lower-case hexadecimal digits (sha256)", |t| is_hex(t, 64)
);
name!(
    /// The content hash of one revision of the binding table: 64 lower-case hexadecimal digits (blake3).
    Revision, "binding-table revision", "64 lower-case hexadecimal digits (blake3)", |t| is_hex(t, 64)
);
name!(
    /// The text form of a run's identity: a UUID (version 7 when the engine makes it), lower case, with hyphens.
    RunId, "run id", "a lower-case UUID such as 01890a5d-ac96-774b-bcce-b302099a8057", |t| {
        t.len() == 36 && t.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
    }
);

/// The sequence number of a record in its run's journal; the first is 1, 0 means "nothing written yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Which opening of the store wrote a record. It rises by one each time a process takes the store over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// An instant in microseconds since 1970-01-01T00:00:00Z, read from the store's clock by the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The instant `after` later, saturating.
    #[must_use]
    pub fn plus(self, after: std::time::Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(after.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long it is from `earlier` to this instant; zero when the clock stepped back.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_checked_when_parsed_and_when_deserialised() {
        assert_eq!(StepName::new("allocate_inventory").unwrap().as_str(), "allocate_inventory");
        let error = StepName::new("Allocate!").unwrap_err();
        assert_eq!(error.to_string(), "step name `Allocate!` is not valid: expected 1 to 48 characters of [a-z0-9_.]");
        assert!(serde_json::from_str::<Digest>("\"abc\"").is_err());
        assert!(RunId::new("01890a5d-ac96-774b-bcce-b302099a8057").is_ok());
        assert!(RunId::new("01890A5D-ac96-774b-bcce-b302099a8057").is_err());
    }

    #[test]
    fn an_interval_never_goes_below_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), std::time::Duration::ZERO);
    }
}
