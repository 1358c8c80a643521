//! The version of the protocol that a device speaks, by its XML namespace.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The namespace of the messages of one version. There is none of 1.3 and 1.4, whose messages are those of 1.2; devices send them all the same, and are answered in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Namespace {
    /// `urn:dslforum-org:cwmp-1-0`.
    #[default]
    #[serde(rename = "cwmp-1-0")]
    V1_0,
    /// `urn:dslforum-org:cwmp-1-1`.
    #[serde(rename = "cwmp-1-1")]
    V1_1,
    /// `urn:dslforum-org:cwmp-1-2`.
    #[serde(rename = "cwmp-1-2")]
    V1_2,
    /// `urn:dslforum-org:cwmp-1-3`, which no standard defines.
    #[serde(rename = "cwmp-1-3")]
    V1_3,
    /// `urn:dslforum-org:cwmp-1-4`, which no standard defines.
    #[serde(rename = "cwmp-1-4")]
    V1_4,
}

impl Namespace {
    /// All of them, the oldest first.
    pub const ALL: [Self; 5] = [Self::V1_0, Self::V1_1, Self::V1_2, Self::V1_3, Self::V1_4];

    /// The URI.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::V1_0 => "urn:dslforum-org:cwmp-1-0",
            Self::V1_1 => "urn:dslforum-org:cwmp-1-1",
            Self::V1_2 => "urn:dslforum-org:cwmp-1-2",
            Self::V1_3 => "urn:dslforum-org:cwmp-1-3",
            Self::V1_4 => "urn:dslforum-org:cwmp-1-4",
        }
    }

    /// The last part of the URI, as in `cwmp-1-2`.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.uri()["urn:dslforum-org:".len()..]
    }

    /// The namespace with a URI, in any case and with white space around it.
    #[must_use]
    pub fn of_uri(uri: &[u8]) -> Option<Self> {
        let uri = uri.trim_ascii();
        Self::ALL.into_iter().find(|namespace| namespace.uri().as_bytes().eq_ignore_ascii_case(uri))
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Namespace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|namespace| namespace.name() == text);
        found.ok_or_else(|| format!("expected `cwmp-1-0`, `cwmp-1-1`, `cwmp-1-2`, `cwmp-1-3` or `cwmp-1-4`, found `{text}`"))
    }
}
