//! What a plugin says about itself: JSON in the custom section `jackfield.manifest`.

mod capability;
mod check;
mod telemetry;

use semver::Version;
use serde::{Deserialize, Serialize};

use self::check::error;
pub use self::{
    capability::{Asked, Capabilities, Setting, Wanted},
    telemetry::{Metric, MetricKind, RESERVED_TELEMETRY, Telemetry},
};

/// The name of the custom section.
pub const SECTION: &str = "jackfield.manifest";

/// The largest manifest that is read, in bytes: thirty times what the largest of ours needs.
const MAX_BYTES: usize = 65_536;

/// What a plugin says about itself. Fields that a manifest leaves out are empty, so that manifests from before they existed are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name: 1 to 64 characters of `[a-z0-9-]`. It is also the namespace of the plugin's keys.
    pub name: String,
    /// The semantic version.
    pub version: String,
    /// Who makes it.
    #[serde(default)]
    pub vendor: String,
    /// The contracts it implements.
    pub contracts: Vec<DeclaredContract>,
    /// What it may reach if the operator grants it, and why it asks.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The codes of its failures, each 1 to 48 characters of `[a-z0-9_.]`.
    #[serde(default)]
    pub failure_codes: Vec<String>,
    /// The telemetry it may emit. A manifest that says nothing about it was written before manifests did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
}

/// A contract that a plugin implements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredContract {
    /// The interface, with or without a major track: `jackfield:order/inventory` or `jackfield:order/inventory@1`.
    pub contract: String,
    /// The verbs that work.
    pub verbs: Vec<VerbName>,
    /// Whether a repeated `apply` with the same key has no second effect.
    pub idempotent: bool,
}

/// A function of an effectful contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerbName {
    /// Makes the effect.
    Apply,
    /// Goes on after `pending`.
    Resume,
    /// Looks.
    Observe,
    /// Takes the effect away.
    Undo,
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("manifest{at}: {problem}")]
pub struct ManifestError {
    /// Where, beginning with a dot, or nothing.
    pub at: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl VerbName {
    /// The name of the function.
    pub fn function(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Resume => "resume",
            Self::Observe => "observe",
            Self::Undo => "undo",
        }
    }
}

impl DeclaredContract {
    /// The interface without a track.
    pub fn interface(&self) -> &str {
        self.contract.split_once('@').map_or(&self.contract, |(interface, _)| interface)
    }

    /// The major track, if the manifest names one.
    pub fn major(&self) -> Option<u64> {
        self.contract.split_once('@').and_then(|(_, major)| major.parse().ok())
    }

    /// Whether a verb works.
    pub fn has(&self, verb: VerbName) -> bool {
        self.verbs.contains(&verb)
    }
}

impl Manifest {
    /// Reads and checks the JSON text. Whether the schemas of settings are JSON Schemas is for [`Manifest::check_schemas`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_BYTES {
            return Err(error("", format!("it has {} bytes, expected at most {MAX_BYTES}", bytes.len())));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| error("", e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Name, version and vendor, as a line about it begins.
    pub fn title(&self) -> String {
        let by = if self.vendor.is_empty() { String::new() } else { format!(" by {}", self.vendor) };
        format!("{} {}{by}", self.name, self.version)
    }

    /// Whether a failure code is declared.
    pub fn declares(&self, code: &str) -> bool {
        self.failure_codes.iter().any(|declared| declared == code)
    }

    /// The version, parsed.
    pub fn semver(&self) -> Version {
        Version::parse(&self.version).expect("a manifest was checked when it was read")
    }
}

#[cfg(test)]
mod tests;
