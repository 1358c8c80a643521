//! What an operator says about a mail server.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpOptions {
    /// Its name or address. With TLS its certificate is for this.
    pub host: String,
    /// Its port. Default: 465 with `tls`, 587 with `starttls`, else 25.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is protected. Default: `starttls`.
    #[serde(default)]
    pub tls: SmtpTls,
    /// Certificates of authorities that vouch for it besides the known ones, in PEM form. Default: none.
    #[serde(default)]
    pub roots: Option<String>,
    /// What this host calls itself when it greets. Default: `localhost`.
    #[serde(default)]
    pub hello: Option<String>,
    /// Who sends: `Name <address>` or an address.
    pub from: String,
    /// How long a message may take in milliseconds. Default: 30,000.
    #[serde(default = "half_a_minute")]
    pub timeout_ms: u64,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmtpTls {
    /// Not at all.
    None,
    /// TLS begins after a greeting; a server that does not offer it gets nothing.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// Who this host is to a mail server.
#[derive(Clone)]
pub struct SmtpLogin {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for SmtpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpLogin").field("name", &self.name).finish_non_exhaustive()
    }
}

fn half_a_minute() -> u64 {
    30_000
}
