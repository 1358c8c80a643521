//! Asking a device to begin a session: the connection request of TR-069, an HTTP GET that the device answers with "yes" before it comes.
//!
//! Where the request goes is what the device said of itself, so it is believed only as far as [`WakeOptions`] allows: a device must not send the host to
//! places that it could not reach itself.

mod reach;
mod request;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine::port::Clock;
use http::Uri;
use ipnet::IpNet;
use pipeline::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

use self::request::Secret;
use crate::{
    device::DeviceKey,
    setting::{BadSetting, MAX_MS, within},
};

/// The settings of connection requests, one table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WakeOptions {
    /// Addresses that devices may be reached at beside the one that they last came from. Loopback, link-local and metadata addresses are reached only if they
    /// are in one of these, a metadata service only by its own address. Default: none.
    #[serde(deserialize_with = "ranges")]
    pub reach: Vec<IpNet>,
    /// How long a request may take in all, in milliseconds. Default: 5,000.
    pub timeout_ms: u64,
    /// The shortest time between two requests to one device, in milliseconds. Default: 10,000.
    pub interval_ms: u64,
    /// Whether a device may ask for the password in the open (Basic). Default: false.
    pub allow_basic: bool,
}

/// Ranges as in `10.0.0.0/8`, single addresses as they are.
fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let range = |text: String| {
        let range = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        range.map_err(|_| D::Error::custom(format!("`{text}` is no range of addresses; expected one as in `10.0.0.0/8`")))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(range).collect()
}

impl WakeOptions {
    /// Whether requests can be sent with these settings.
    ///
    /// # Errors
    /// The first setting that cannot be.
    pub fn check(&self) -> Result<(), BadSetting> {
        within("timeout_ms", self.timeout_ms, 1..=MAX_MS)?;
        within("interval_ms", self.interval_ms, 0..=MAX_MS)
    }
}

impl Default for WakeOptions {
    fn default() -> Self {
        Self { reach: Vec::new(), timeout_ms: 5_000, interval_ms: 10_000, allow_basic: false }
    }
}

/// Whom to wake, and how.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The device.
    pub device: &'a DeviceKey,
    /// What it reported as its `ConnectionRequestURL`.
    pub url: &'a str,
    /// Where its last session came from.
    pub peer: Option<IpAddr>,
    /// The user name that it expects.
    pub username: &'a str,
    /// The password that it expects.
    pub password: &'a str,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("device", self.device).field("url", &self.url).field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Why a device was not woken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WakeError {
    /// The address is none.
    #[error("`{0}` is no address of a device; expected a URL as in `http://192.0.2.1:7547/path`")]
    Url(String),
    /// The name in the address leads nowhere.
    #[error("`{0}` cannot be resolved")]
    Unresolved(String),
    /// The address is none that may be reached.
    #[error("{0} may not be reached: it is not where the device came from, nor granted in `reach`")]
    Forbidden(IpAddr),
    /// The device was asked a moment ago.
    #[error("the device was asked a moment ago; it can be asked again in {} ms", .0.as_millis())]
    TooSoon(Duration),
    /// No connection, or one that broke.
    #[error("the device cannot be reached: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("the device did not answer in time")]
    Timeout,
    /// The device cannot come now.
    #[error("the device is busy")]
    Busy,
    /// The device does not know these credentials, or asks for something that is not given.
    #[error("the device does not accept the credentials")]
    Refused,
    /// The device answered something else.
    #[error("the device answered with status {0}")]
    Status(u16),
}

/// Sends connection requests.
#[derive(Debug)]
pub struct Waker {
    options: WakeOptions,
    clock: Arc<dyn Clock>,
    /// When devices were asked. Those whose time is over are dropped when there are many.
    asked: Mutex<HashMap<DeviceKey, Timestamp>>,
}

/// From so many devices on, those that may be asked again are dropped from memory.
const MANY: usize = 4_096;

impl Waker {
    /// With these settings.
    #[must_use]
    pub fn new(options: WakeOptions, clock: Arc<dyn Clock>) -> Self {
        Self { options, clock, asked: Mutex::default() }
    }

    /// Asks a device to begin a session. It has accepted when this returns; it comes when it likes.
    ///
    /// # Errors
    /// See [`WakeError`]. Nothing is sent to an address that may not be reached.
    pub async fn wake(&self, target: Target<'_>) -> Result<(), WakeError> {
        let limit = Duration::from_millis(self.options.timeout_ms);
        let uri = address(target.url)?;
        tokio::time::timeout(limit, self.request(&uri, target)).await.map_err(|_| WakeError::Timeout)?
    }

    async fn request(&self, uri: &Uri, target: Target<'_>) -> Result<(), WakeError> {
        let address = self.resolve(uri, target.peer).await?;
        // What is never sent costs the device no peace.
        self.space(target.device)?;
        let secret = Secret { username: target.username, password: target.password, allow_basic: self.options.allow_basic };
        request::send(address, uri, secret).await
    }

    /// The address to connect to. The name is resolved once, so that what was checked is what is connected to.
    async fn resolve(&self, uri: &Uri, peer: Option<IpAddr>) -> Result<SocketAddr, WakeError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let unresolved = || WakeError::Unresolved(host.chars().take(LONGEST_SHOWN).collect());
        let port = uri.port_u16().unwrap_or(80);
        let all: Vec<_> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((host, port)).await.map_err(|_| unresolved())?.collect(),
        };
        let first = all.first().ok_or_else(unresolved)?.ip();
        all.into_iter().find(|address| reach::allows(address.ip(), peer, &self.options.reach)).ok_or(WakeError::Forbidden(first))
    }

    /// Lets a device have some peace between two requests.
    fn space(&self, device: &DeviceKey) -> Result<(), WakeError> {
        let (now, interval) = (self.clock.now(), Duration::from_millis(self.options.interval_ms));
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= MANY {
            asked.retain(|_, last| now.since(*last) < interval);
        }
        match asked.get(device) {
            Some(&last) if now.since(last) < interval => Err(WakeError::TooSoon(interval.saturating_sub(now.since(last)))),
            Some(_) | None => {
                asked.insert(device.clone(), now);
                Ok(())
            }
        }
    }
}

const LONGEST_SHOWN: usize = 256;

fn address(url: &str) -> Result<Uri, WakeError> {
    let wrong = || WakeError::Url(url.chars().take(LONGEST_SHOWN).collect());
    let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let plain = uri.scheme_str() == Some("http") && !authority.host().is_empty() && !authority.as_str().contains('@');
    if plain { Ok(uri) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_from_their_texts() {
        let options: WakeOptions = serde_json::from_str(r#"{"reach": ["10.0.0.0/8", "::1"]}"#).unwrap();
        assert_eq!(options.reach, ["10.0.0.0/8", "::1/128"].map(|range| range.parse().unwrap()));
        assert_eq!(serde_json::from_str::<WakeOptions>("{}").unwrap(), WakeOptions::default());
        assert_eq!(options.check(), Ok(()));
        let error = WakeOptions { timeout_ms: 0, ..options }.check().unwrap_err().to_string();
        assert_eq!(error, "timeout_ms is 0: expected a number from 1 to 86400000");
        let error = serde_json::from_str::<WakeOptions>(r#"{"reach": ["10.0.0.0/99"]}"#).unwrap_err().to_string();
        assert!(error.contains("`10.0.0.0/99` is no range of addresses"), "{error}");
    }
}
