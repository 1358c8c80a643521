//! What the types of a manifest do not say.

use std::collections::BTreeSet;

use semver::Version;

use super::{Asked, Capabilities, Manifest, ManifestError, Setting, VerbName, Wanted};

const MAX_CONTRACTS: usize = 32;
const MAX_NAMES: usize = 64;
/// Sixteen of the plugin's own and those that the SDK adds for its clients.
const MAX_CODES: usize = 32;
/// Values of `error.type` that only the host gives.
const RESERVED: [&str; 2] = ["plugin.", "host."];
/// A reason is a sentence, in bytes.
const MAX_WHY: usize = 256;

impl Manifest {
    pub(super) fn check(&self) -> Result<(), ManifestError> {
        name(".name", &self.name, 64, is_label, "[a-z0-9-]")?;
        Version::parse(&self.version).map_err(|e| error(".version", format!("`{}` is not a semantic version: {e}", cut(&self.version))))?;
        sentence(".vendor", &self.vendor)?;
        self.check_contracts()?;
        self.capabilities.check()?;
        count(".failure_codes", self.failure_codes.len(), MAX_CODES)?;
        for code in &self.failure_codes {
            name(".failure_codes", code, 48, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.', "[a-z0-9_.]")?;
            if let Some(prefix) = RESERVED.iter().find(|prefix| code.starts_with(**prefix)) {
                return Err(error(".failure_codes", format!("`{code}` begins with `{prefix}`, which only the host gives")));
            }
        }
        self.telemetry.as_ref().map_or(Ok(()), super::Telemetry::check)
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
            if !form || !track || declared.contract.len() > 128 || declared.contract.chars().any(char::is_control) {
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
}

impl Capabilities {
    fn check(&self) -> Result<(), ManifestError> {
        let Self { http, tcp, keyvalue, secrets, config } = self;
        // It stands where a URL has its host, so it must be a host name.
        listed("http", http, 63, is_label, "[a-z0-9-]")?;
        listed("secrets", secrets, 63, is_label, "[a-z0-9-]")?;
        for (at, wanted) in [(".capabilities.tcp", tcp), (".capabilities.keyvalue", keyvalue)] {
            reason(at, wanted.as_ref().and_then(|Wanted { why }| why.as_deref()))?;
        }
        count(".capabilities.config", config.len(), MAX_NAMES)?;
        for Setting { name: key, why, .. } in config {
            name(".capabilities.config", key, 128, |b| b.is_ascii_graphic() && b != b'"' && b != b'\\', "printable ASCII without spaces and quotes")?;
            reason(".capabilities.config", why.as_deref())?;
        }
        once(".capabilities.config", config.iter().map(|setting| setting.name.as_str()))
    }
}

fn listed(kind: &str, all: &[Asked], most: usize, allowed: fn(u8) -> bool, described: &str) -> Result<(), ManifestError> {
    let at = format!(".capabilities.{kind}");
    count(&at, all.len(), MAX_NAMES)?;
    for Asked { name: one, why } in all {
        name(&at, one, most, allowed, described)?;
        reason(&at, why.as_deref())?;
    }
    once(&at, all.iter().map(|asked| asked.name.as_str()))
}

fn reason(at: &str, why: Option<&str>) -> Result<(), ManifestError> {
    match why {
        Some(why) if why.trim().is_empty() => Err(error(at, "a reason is empty: say what it is for, or leave `why` out")),
        Some(why) => sentence(&format!("{at}: why"), why),
        None => Ok(()),
    }
}

/// A text that is shown to people in one line.
pub(super) fn sentence(at: &str, text: &str) -> Result<(), ManifestError> {
    if text.len() > MAX_WHY {
        return Err(error(at, format!("it has {} bytes, expected at most {MAX_WHY}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(error(at, "it has a control character: expected a text of one line"));
    }
    Ok(())
}

pub(super) fn once<'a>(at: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ManifestError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(error(at, format!("`{name}` is listed twice")));
        }
    }
    Ok(())
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

pub(super) fn name(at: &str, text: &str, most: usize, allowed: fn(u8) -> bool, described: &str) -> Result<(), ManifestError> {
    if (1..=most).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(error(at, format!("`{}` is not valid: expected 1 to {most} characters of {described}", cut(text))))
}

pub(super) fn count(at: &str, given: usize, most: usize) -> Result<(), ManifestError> {
    if given <= most { Ok(()) } else { Err(error(at, format!("it has {given} entries, expected at most {most}"))) }
}

pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

pub(super) fn error(at: &str, problem: impl Into<String>) -> ManifestError {
    ManifestError { at: at.to_owned(), problem: problem.into() }
}
