//! Contracts and pins: what a step calls, and what exactly a scheduled step was bound to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::id::{Digest, InvalidId};

/// A contract on a major track, such as `jackfield:order/inventory@1`: any 1.x of the interface may answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContractTrack {
    interface: Box<str>,
    major: u32,
}

impl ContractTrack {
    /// The interface without its version: `jackfield:order/inventory`.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The major version that a provider's export must have.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Whether an exact contract version, such as `jackfield:order/inventory@1.1.0`, is on the track.
    pub fn admits(&self, exact: &str) -> bool {
        let Some((interface, version)) = exact.split_once('@') else { return false };
        interface == self.interface() && version.split('.').next().and_then(|major| major.parse().ok()) == Some(self.major)
    }

    /// The short name of the interface: `inventory`.
    pub fn short(&self) -> &str {
        self.interface.rsplit('/').next().unwrap_or(&self.interface)
    }
}

impl FromStr for ContractTrack {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            what: "contract",
            given: text.chars().take(64).collect(),
            expected: "a WIT interface on a major track such as jackfield:order/inventory@1",
        };
        let (interface, major) = text.split_once('@').ok_or_else(invalid)?;
        let (package, name) = interface.split_once('/').ok_or_else(invalid)?;
        let (namespace, package) = package.split_once(':').ok_or_else(invalid)?;
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if ![namespace, package, name].into_iter().all(word) {
            return Err(invalid());
        }
        Ok(Self { interface: interface.into(), major: major.parse().map_err(|_| invalid())? })
    }
}

impl TryFrom<String> for ContractTrack {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<ContractTrack> for String {
    fn from(track: ContractTrack) -> String {
        track.to_string()
    }
}

impl fmt::Display for ContractTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.interface, self.major)
    }
}

/// What answers a contract.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// A component, identified by the digest of its bytes.
    Plugin {
        /// The plugin's name in its manifest.
        name: String,
        /// The plugin's semantic version in its manifest.
        version: String,
        /// The sha256 of its bytes.
        digest: Digest,
    },
    /// An implementation inside the host.
    Native {
        /// The name it is registered under.
        name: String,
    },
}

impl Provider {
    /// The name people know it by.
    pub fn name(&self) -> &str {
        match self {
            Self::Plugin { name, .. } | Self::Native { name } => name,
        }
    }

    /// The plugin's digest; `None` for an implementation inside the host.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Plugin { digest, .. } => Some(digest),
            Self::Native { .. } => None,
        }
    }
}

/// What a provider can do beside `apply`, copied from its manifest into the pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Verbs {
    /// `observe` tells whether an effect exists.
    pub observe: bool,
    /// `resume` continues a pending operation.
    pub resume: bool,
    /// `undo` takes a completed effect back.
    pub undo: bool,
}

/// The binding of one scheduled item: written when the step is scheduled, kept to the end of the run, undo included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pin {
    /// What answers.
    pub provider: Provider,
    /// The exact contract version it answers, such as `jackfield:order/inventory@1.1.0`.
    pub contract: String,
    /// What it can do beside `apply`.
    pub verbs: Verbs,
    /// Whether calling `apply` again with the same key is safe.
    pub idempotent: bool,
}

impl Pin {
    /// Whether an attempt whose outcome is unknown can be settled without a person.
    pub fn can_settle_doubt(&self) -> bool {
        self.idempotent || self.verbs.observe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_parses_prints_and_refuses() {
        let track: ContractTrack = "jackfield:order/inventory@1".parse().unwrap();
        assert_eq!((track.interface(), track.major(), track.short()), ("jackfield:order/inventory", 1, "inventory"));
        assert_eq!(track.to_string(), "jackfield:order/inventory@1");
        assert!(track.admits("jackfield:order/inventory@1.1.0") && track.admits("jackfield:order/inventory@1"));
        assert!(!track.admits("jackfield:order/inventory@11.0.0") && !track.admits("jackfield:order/billing@1.0.0"));
        for bad in ["inventory", "jackfield:order/inventory", "jackfield:order/inventory@1.0", "Jackfield:order/inventory@1", "a:b/@1"] {
            assert!(bad.parse::<ContractTrack>().is_err(), "{bad}");
        }
    }
}
