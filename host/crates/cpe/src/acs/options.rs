//! What an operator may decide about the server.

mod check;

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

pub(super) use self::check::is_realm;
use super::session::Limits;
use crate::digest::Algorithm;

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
    /// After so many wrong secrets for one user name from one address no more are looked at; the device is told to come again later. Default: 20.
    pub wrong_secrets: u32,
    /// One wrong secret is forgotten in so many seconds. So this is also how often somebody can try another one who never stops. Default: 30.
    pub wrong_secret_s: u64,
    /// The largest body, in bytes as they arrive. Default: 1 MiB.
    pub body_bytes: usize,
    /// The largest body once it is decompressed. Default: 4 MiB.
    pub inflated_bytes: usize,
    /// How many bodies of more than 32 KiB are taken in at a time, over all listeners; who sends one more is told to come again later. Default: 64.
    pub large_bodies: usize,
    /// How long the head of a request may take to arrive, how long a connection may be idle, and how long a device may read nothing of an answer, in
    /// milliseconds. Default: 35,000, more than a session lasts that the device asked no other time for. A session that lasts longer than its connection goes on with
    /// its cookie.
    pub head_ms: u64,
    /// How long a body may take to arrive, in milliseconds. Default: 15,000.
    pub body_ms: u64,
    /// How many connections there are at a time, over all listeners; one more is told to come again later. Default: 16,384.
    pub connections: usize,
    /// How many devices are in session at a time; one more is told to come again later. Default: 65,536.
    pub sessions: usize,
    /// How many Informs are with the intake at a time; one more is told to come again later. Default: 512, so that a device has its answer soon or is sent away
    /// at once, and not after it has given up.
    pub informs: usize,
    /// How long the intake may take with an Inform or an event, in milliseconds; then the device is told to come again later. Default: 20,000, because devices wait
    /// 30 s for an answer.
    pub inform_ms: u64,
    /// How long a session lives without a word from the device, in milliseconds. A device may ask for another time. Default: 30,000.
    pub session_ms: u64,
    /// The longest time that a device may ask for, in milliseconds. Default: 300,000.
    pub session_max_ms: u64,
    /// How long a session lives however much the device says, in milliseconds. Default: 3,600,000, an hour.
    pub session_total_ms: u64,
    /// How many requests of the device a session takes. Default: 20,000, more than reading and setting every parameter one by one takes.
    pub session_exchanges: u32,
    /// How long a device is kept waiting for a request that may come, in milliseconds. Default: 20,000, because devices wait 30 s for an answer.
    pub hold_ms: u64,
    /// The shortest time after which a device that finds us busy comes again, in seconds; the longest is twice that. Default: 30.
    pub retry_after_s: u64,
    /// Whether a request without a cookie belongs to the session of its connection. Default: true, because some devices send no cookies; false where a proxy
    /// sends requests of several devices over one connection.
    pub bind_connections: bool,
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

impl Default for Options {
    fn default() -> Self {
        Self {
            auth: AuthMode::Required,
            realm: "cwmp".to_owned(),
            algorithms: vec![Algorithm::Md5, Algorithm::Sha256],
            allow_basic_plain: false,
            nonce_s: 3_600,
            nonces: 262_144,
            wrong_secrets: 20,
            wrong_secret_s: 30,
            body_bytes: 1 << 20,
            inflated_bytes: 4 << 20,
            large_bodies: 64,
            head_ms: 35_000,
            body_ms: 15_000,
            connections: 16_384,
            sessions: 65_536,
            informs: 512,
            inform_ms: 20_000,
            session_ms: 30_000,
            session_max_ms: 300_000,
            session_total_ms: 3_600_000,
            session_exchanges: 20_000,
            hold_ms: 20_000,
            retry_after_s: 30,
            bind_connections: true,
            close_after_session: true,
        }
    }
}

impl Options {
    /// How long a device is silent until its session is over, as it asked for that many seconds, or for nothing.
    pub(super) fn patience(&self, asked_s: Option<u32>) -> Duration {
        let asked = asked_s.filter(|&seconds| seconds > 0).map(|seconds| Duration::from_secs(seconds.into()));
        asked.unwrap_or(Duration::from_millis(self.session_ms)).min(Duration::from_millis(self.session_max_ms))
    }

    /// How long a session lives that begins now.
    pub(super) fn limits(&self, asked_s: Option<u32>) -> Limits {
        let until = Instant::now() + Duration::from_millis(self.session_total_ms);
        Limits { patience: self.patience(asked_s), until, exchanges: self.session_exchanges }
    }

    /// How long a device with this patience is kept waiting for a request.
    pub(super) fn hold(&self, patience: Duration) -> Duration {
        Duration::from_millis(self.hold_ms).min(patience * 2 / 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default_and_unknown_keys_are_refused() {
        let options: Options = serde_json::from_str(r#"{"auth": "optional", "algorithms": ["sha-256"], "hold_ms": 5}"#).unwrap();
        assert_eq!(options, Options { auth: AuthMode::Optional, algorithms: vec![Algorithm::Sha256], hold_ms: 5, ..Options::default() });
        assert_eq!(serde_json::from_str::<Options>("{}").unwrap(), Options::default());
        assert!(serde_json::from_str::<Options>(r#"{"auht": "none"}"#).unwrap_err().to_string().contains("unknown field `auht`"));
    }

    #[test]
    fn a_device_asks_for_its_time_within_bounds_and_is_never_kept_longer() {
        let options = Options { session_ms: 30_000, session_max_ms: 300_000, hold_ms: 20_000, ..Options::default() };
        for (asked, patience_s, hold_s) in [(None, 30, 20), (Some(0), 30, 20), (Some(15), 15, 10), (Some(60), 60, 20), (Some(u32::MAX), 300, 20)] {
            let patience = options.patience(asked);
            assert_eq!((patience, options.hold(patience)), (Duration::from_secs(patience_s), Duration::from_secs(hold_s)), "{asked:?}");
        }
    }
}
