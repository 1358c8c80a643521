//! With what devices prove who they are: digests of their passwords, by user name.

use async_trait::async_trait;
use engine::port::Document;
use pipeline::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracing::warn;

use super::{CREDENTIAL_COLLECTION, Inventory, InventoryError};
use crate::{
    acs::{Credential, Credentials, Unavailable},
    device::DeviceKey,
    digest::Algorithm,
};

/// A credential as it is kept. Whoever has the digests can pass for the device at this server, and nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CredentialRow {
    pub(super) username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<DeviceKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oui: Option<String>,
    md5: String,
    sha256: String,
}

impl std::fmt::Debug for CredentialRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialRow").field("username", &self.username).finish_non_exhaustive()
    }
}

impl CredentialRow {
    pub(super) fn new(
        username: String,
        device: Option<&DeviceKey>,
        oui: Option<String>,
        realm: &str,
        password: &str,
    ) -> Result<Self, InventoryError> {
        if username.is_empty() || username.len() > 256 || username.contains(':') || username.chars().any(char::is_control) {
            return Err(InventoryError::Invalid("username: expected 1 to 256 bytes without `:` and control characters".to_owned()));
        }
        if password.is_empty() || password.len() > 256 {
            return Err(InventoryError::Invalid("password: expected 1 to 256 bytes".to_owned()));
        }
        let [md5, sha256] = [Algorithm::Md5, Algorithm::Sha256].map(|algorithm| algorithm.secret(&username, realm, password));
        Ok(Self { username, device: device.cloned(), oui: oui.map(|oui| oui.to_uppercase()), md5, sha256 })
    }

    pub(super) fn document(&self, now: Timestamp) -> Document {
        let attributes = self.device.iter().map(|device| ("device", device.to_string())).collect();
        Document { collection: CREDENTIAL_COLLECTION, id: self.username.clone(), rank: now.0, body: json!(self), attributes }
    }
}

#[async_trait]
impl Credentials for Inventory {
    async fn of(&self, username: &str) -> Result<Option<Credential>, Unavailable> {
        if username.len() > 256 {
            return Ok(None);
        }
        let found = self.credentials.get(&*self.documents, CREDENTIAL_COLLECTION, username).await.map_err(|error| {
            warn!("credentials of devices cannot be looked up: {error}");
            Unavailable
        })?;
        Ok(found.map(|row| {
            let CredentialRow { username: _, device, oui, md5, sha256 } = &*row;
            Credential { device: device.clone(), oui: oui.clone(), md5: md5.clone(), sha256: sha256.clone() }
        }))
    }
}
