//! What an operator may decide about the server.

use std::time::Duration;

use serde::Deserialize;

/// The settings of the server, one table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether devices must prove who they are. Default: `required`.
    pub auth: AuthMode,
    /// The realm of the challenges; the digests of credentials are made with it. Default: `cwmp`.
    pub realm: String,
    /// The algorithms of Digest that are offered, in this order. Default: MD5 and SHA-256, because most devices look at the first one only and know MD5.
    pub algorithms: Vec<Algorithm>,
    /// Whether Basic is accepted without TLS, where anybody on the way reads the secret. Default: false.
    pub allow_basic_plain: bool,
    /// How long a nonce is good, in seconds. A device that keeps one saves the exchange of the challenge. Default: 3,600.
    pub nonce_s: u64,
    /// How many nonces are remembered with their count; when there are more, the oldest ones are good no longer. Default: 262,144, about 12 MiB.
    pub nonces: usize,
    /// The largest body, in bytes as they arrive. Default: 1 MiB.
    pub body_bytes: usize,
    /// The largest body once it is decompressed. Default: 4 MiB.
    pub inflated_bytes: usize,
    /// How long the head of a request may take to arrive, and how long a connection may be idle, in milliseconds. Default: 35,000, more than a session lasts.
    pub head_ms: u64,
    /// How long a body may take to arrive, in milliseconds. Default: 15,000.
    pub body_ms: u64,
    /// How many connections there are at a time, over all listeners; one more is told to come again later. Default: 16,384.
    pub connections: usize,
    /// How many devices are in session at a time; one more is told to come again later. Default: 65,536.
    pub sessions: usize,
    /// How long a session lives without a word from the device, in seconds. A device may ask for another time. Default: 30.
    pub session_s: u64,
    /// The longest time that a device may ask for, in seconds. Default: 300.
    pub session_max_s: u64,
    /// How long a device is kept waiting for a request that may come, in milliseconds. Default: 20,000, because devices wait 30 s for an answer.
    pub hold_ms: u64,
    /// The shortest time after which a device that finds us busy comes again, in seconds; the longest is twice that. Default: 30.
    pub retry_after_s: u64,
    /// Whether the connection is closed when a session has ended. Default: true, because some devices wait for it.
    pub close_after_session: bool,
}

/// Whether devices must prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthMode {
    /// They must.
    #[default]
    Required,
    /// What is presented is checked; a device that presents nothing is let in, and known to be unproven.
    Optional,
    /// Nothing is asked and nothing is checked: no device is proven, except by a certificate.
    None,
}

/// An algorithm of Digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// MD5.
    #[serde(rename = "md5")]
    Md5,
    /// SHA-256.
    #[serde(rename = "sha-256")]
    Sha256,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: AuthMode::Required,
            realm: "cwmp".to_owned(),
            algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
            allow_basic_plain: false,
            nonce_s: 3_600,
            nonces: 262_144,
            body_bytes: 1 << 20,
            inflated_bytes: 4 << 20,
            head_ms: 35_000,
            body_ms: 15_000,
            connections: 16_384,
            sessions: 65_536,
            session_s: 30,
            session_max_s: 300,
            hold_ms: 20_000,
            retry_after_s: 30,
            close_after_session: true,
        }
    }
}

impl Options {
    pub(crate) fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_ms)
    }
}
