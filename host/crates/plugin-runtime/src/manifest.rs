//! What a plugin says about itself: JSON in the custom section `jackfield.manifest`.

use semver::Version;
use serde::{Deserialize, Serialize};

/// The name of the custom section.
pub const SECTION: &str = "jackfield.manifest";

/// The largest manifest that is read, in bytes: thirty times what the largest of ours needs.
const MAX_BYTES: usize = 65_536;

const MAX_CONTRACTS: usize = 32;
const MAX_NAMES: usize = 64;
/// Sixteen of the plugin's own and those that the SDK adds for its clients.
const MAX_CODES: usize = 32;
/// Values of `error.type` that only the host gives.
const RESERVED: [&str; 2] = ["plugin.", "host."];

/// What a plugin says about itself.
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
    /// What it may reach if the operator grants it.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The codes of its failures, each 1 to 48 characters of `[a-z0-9_.]`.
    #[serde(default)]
    pub failure_codes: Vec<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a plugin may reach if the operator grants it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Logical names of HTTP endpoints: `element` is reached as `http://element/...`.
    pub http: Vec<String>,
    /// Whether it keeps something in the host's key-value store.
    pub keyvalue: bool,
    /// The settings it reads.
    pub config: Vec<String>,
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
    /// Reads and checks the JSON text.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_BYTES {
            return Err(error("", format!("it has {} bytes, expected at most {MAX_BYTES}", bytes.len())));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|e| error("", e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether a failure code is declared.
    pub fn declares(&self, code: &str) -> bool {
        self.failure_codes.iter().any(|declared| declared == code)
    }

    fn check(&self) -> Result<(), ManifestError> {
        name(".name", &self.name, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-', "[a-z0-9-]")?;
        Version::parse(&self.version).map_err(|e| error(".version", format!("`{}` is not a semantic version: {e}", cut(&self.version))))?;
        if self.vendor.len() > 256 {
            return Err(error(".vendor", format!("it has {} bytes, expected at most 256", self.vendor.len())));
        }
        self.check_contracts()?;
        self.check_capabilities()?;
        count(".failure_codes", self.failure_codes.len(), MAX_CODES)?;
        for code in &self.failure_codes {
            name(".failure_codes", code, 48, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.', "[a-z0-9_.]")?;
            if let Some(prefix) = RESERVED.iter().find(|prefix| code.starts_with(**prefix)) {
                return Err(error(".failure_codes", format!("`{code}` begins with `{prefix}`, which only the host gives")));
            }
        }
        Ok(())
    }

    fn check_contracts(&self) -> Result<(), ManifestError> {
        if self.contracts.is_empty() {
            return Err(error(".contracts", "it is empty, expected at least one contract"));
        }
        count(".contracts", self.contracts.len(), MAX_CONTRACTS)?;
        for (index, declared) in self.contracts.iter().enumerate() {
            let at = format!(".contracts[{index}]");
            let form = declared.interface().split_once(':').is_some_and(|(_, rest)| rest.contains('/'));
            let track = declared.contract.contains('@') == declared.major().is_some();
            if !form || !track || declared.contract.len() > 128 {
                let expected = "expected an interface such as jackfield:order/inventory, optionally with @1";
                return Err(error(&format!("{at}.contract"), format!("`{}` is not a contract: {expected}", cut(&declared.contract))));
            }
            if !declared.has(VerbName::Apply) {
                return Err(error(&format!("{at}.verbs"), "`apply` is missing: every contract has it"));
            }
            if self.contracts[..index].iter().any(|earlier| earlier.contract == declared.contract) {
                return Err(error(&format!("{at}.contract"), format!("`{}` is listed twice", declared.contract)));
            }
        }
        Ok(())
    }

    fn check_capabilities(&self) -> Result<(), ManifestError> {
        let Capabilities { http, keyvalue: _, config } = &self.capabilities;
        count(".capabilities.http", http.len(), MAX_NAMES)?;
        count(".capabilities.config", config.len(), MAX_NAMES)?;
        for endpoint in http {
            // It stands where a URL has its host, so it must be a host name.
            name(".capabilities.http", endpoint, 63, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-', "[a-z0-9-]")?;
        }
        for key in config {
            name(".capabilities.config", key, 128, |b| b.is_ascii_graphic(), "printable ASCII without spaces")?;
        }
        Ok(())
    }
}

fn name(at: &str, text: &str, most: usize, allowed: fn(u8) -> bool, described: &str) -> Result<(), ManifestError> {
    if (1..=most).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(error(at, format!("`{}` is not valid: expected 1 to {most} characters of {described}", cut(text))))
}

fn count(at: &str, given: usize, most: usize) -> Result<(), ManifestError> {
    if given <= most { Ok(()) } else { Err(error(at, format!("it has {given} entries, expected at most {most}"))) }
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

fn error(at: &str, problem: impl Into<String>) -> ManifestError {
    ManifestError { at: at.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let found = match Manifest::parse(json.as_bytes()) {
            Ok(manifest) => format!("ok {} {}", manifest.name, manifest.version),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_manifest_is_read_and_each_rule_is_checked() {
        let contract = r#"{"contract":"jackfield:order/inventory","verbs":["apply","undo"],"idempotent":true}"#;
        let of = |rest: &str| format!(r#"{{"name":"pool","version":"1.2.3","contracts":[{contract}]{rest}}}"#);
        check(&of(""), "ok pool 1.2.3");
        check(
            &of(r#","colour":1"#),
            "manifest: unknown field `colour`, expected one of `name`, `version`, `vendor`, `contracts`, `capabilities`, `failure_codes` at line 1 column 139",
        );
        check("{", "manifest: EOF while parsing an object at line 1 column 1");
        check(&of(r#","failure_codes":["plugin.trap"]"#), "manifest.failure_codes: `plugin.trap` begins with `plugin.`, which only the host gives");
        check(&of(r#","failure_codes":["No!"]"#), "manifest.failure_codes: `No!` is not valid: expected 1 to 48 characters of [a-z0-9_.]");
        check(&of(r#","capabilities":{"http":["a/b"]}"#), "manifest.capabilities.http: `a/b` is not valid: expected 1 to 63 characters of [a-z0-9-]");
        check(
            r#"{"name":"pool","version":"1","contracts":[]}"#,
            "manifest.version: `1` is not a semantic version: unexpected end of input while parsing major version number",
        );
        check(r#"{"name":"pool","version":"1.0.0","contracts":[]}"#, "manifest.contracts: it is empty, expected at least one contract");
        check(
            r#"{"name":"pool","version":"1.0.0","contracts":[{"contract":"a:b/c","verbs":["undo"],"idempotent":false}]}"#,
            "manifest.contracts[0].verbs: `apply` is missing: every contract has it",
        );
        check(
            r#"{"name":"pool","version":"1.0.0","contracts":[{"contract":"inventory","verbs":["apply"],"idempotent":false}]}"#,
            "manifest.contracts[0].contract: `inventory` is not a contract: expected an interface such as jackfield:order/inventory, optionally with @1",
        );
    }
}
