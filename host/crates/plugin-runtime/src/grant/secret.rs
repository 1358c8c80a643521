//! A text that is never printed.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A text that is never printed, and whose memory is cleared when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Zeroizing<String>,
    /// It is nobody's but the host's: the operator wrote where it is, not what it is.
    referenced: bool,
}

/// The two forms in a grant: a text as it is, or one that a reference led to.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Plain(String),
    Referenced { secret: String },
}

impl Secret {
    /// What a reference led to.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Zeroizing::new(text.into()), referenced: true }
    }

    /// The text, for the wire only.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    /// Whether a reference led to it. A header that is written out in a configuration is often none: `accept`.
    pub(crate) fn is_referenced(&self) -> bool {
        self.referenced
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Plain(text) => Self { text: Zeroizing::new(text), referenced: false },
            Form::Referenced { secret: text } => Self { text: Zeroizing::new(text), referenced: true },
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_both_forms_and_printed_in_none() {
        for (json, referenced) in [(r#""hunter2""#, false), (r#"{"secret":"hunter2"}"#, true)] {
            let secret: Secret = serde_json::from_str(json).unwrap();
            assert_eq!((secret.reveal(), secret.is_referenced()), ("hunter2", referenced));
            assert_eq!(format!("{secret:?}"), "Secret(..)");
        }
        let error = serde_json::from_str::<Secret>(r#"{"secrets":"hunter2"}"#).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
