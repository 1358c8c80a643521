//! What an operator says about a certificate authority.

use std::{fmt, net::SocketAddr};

use serde::Deserialize;
use zeroize::Zeroizing;

/// A certificate authority that speaks ACME.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeOptions {
    /// Where ACME begins there: `https://...`.
    pub directory: String,
    /// Whom the authority may write to: `mailto:` addresses. Default: nobody.
    #[serde(default)]
    pub contacts: Vec<String>,
    /// Certificates of authorities that vouch for its server besides the known ones, in PEM form. Default: none.
    #[serde(default)]
    pub roots: Option<String>,
    /// A name server, by address and port, that must show the proofs before the authority is told to look for them. Default: none is asked.
    #[serde(default)]
    pub name_server: Option<SocketAddr>,
    /// How long one request may take in milliseconds. Default: 10,000.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u64,
    /// How often an order is looked at that the authority works on, in milliseconds, unless it asks for a longer pause. Default: 5,000.
    #[serde(default = "five_seconds")]
    pub poll_ms: u64,
    /// After so many seconds nobody waits for a certificate any more. Default: 3,600.
    #[serde(default = "one_hour")]
    pub give_up_s: u64,
}

/// An account elsewhere that the account is bound to (RFC 8555, section 7.3.4).
#[derive(Clone)]
pub struct AcmeBinding {
    /// What the authority knows the key by.
    pub id: String,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for AcmeBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcmeBinding").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AcmeOptions {
    pub(super) fn check(&self) -> Result<(), String> {
        let uri = self.directory.parse::<http::Uri>().map_err(|error| format!("`directory` is no address: {error}"))?;
        if uri.scheme_str() != Some("https") {
            return Err("`directory` has to begin with https://".to_owned());
        }
        match self.contacts.iter().find(|contact| !contact.starts_with("mailto:") || contact.chars().any(char::is_control)) {
            Some(_) => Err("`contacts` are `mailto:` addresses".to_owned()),
            None => Ok(()),
        }
    }
}

fn ten_seconds() -> u64 {
    10_000
}

fn five_seconds() -> u64 {
    5_000
}

fn one_hour() -> u64 {
    3_600
}
