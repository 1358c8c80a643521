//! What devices prove themselves with.

use std::fmt;

use async_trait::async_trait;

use crate::device::DeviceKey;

/// Knows the credentials of devices.
#[async_trait]
pub trait Credentials: fmt::Debug + Send + Sync {
    /// The credential with this user name, if there is one. Asked once per session that presents it.
    async fn of(&self, username: &str) -> Result<Option<Credential>, Unavailable>;
}

/// A user name's secret, as digests of it, and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The one device that may use it; `None` where a fleet shares it.
    pub device: Option<DeviceKey>,
    /// Where a fleet shares it: the manufacturer whose devices these are. `None`: any.
    pub oui: Option<String>,
    /// MD5 of `username:realm:password` in lower-case hexadecimal digits.
    pub md5: String,
    /// SHA-256 of the same.
    pub sha256: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("device", &self.device).field("oui", &self.oui).finish_non_exhaustive()
    }
}

/// Credentials cannot be looked up now; the device is told to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("credentials cannot be looked up now")]
pub struct Unavailable;
