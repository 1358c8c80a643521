//! Asking devices to come that are waited for and are not in session.

use std::{sync::Arc, time::Duration};

use engine::port::{Documents, Secrets};
use pipeline::TenantName;

use super::facts::{DEVICE_COLLECTION, Facts};
use crate::{
    device::DeviceKey,
    wake::{Target, Waker},
};

/// How long a device that was asked has to come before it is asked again. After the last it is asked no more.
pub(crate) const PAUSES: [Duration; 4] = [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(1_800), Duration::from_secs(7_200)];

/// Sends connection requests to where devices said that they listen, with the passwords that they were given.
#[derive(Debug, Clone)]
pub struct Caller {
    documents: Arc<dyn Documents>,
    secrets: Arc<dyn Secrets>,
    waker: Arc<Waker>,
}

impl Caller {
    /// A caller over these documents.
    pub fn new(documents: Arc<dyn Documents>, secrets: Arc<dyn Secrets>, waker: Arc<Waker>) -> Self {
        Self { documents, secrets, waker }
    }

    /// What is known of a device that can be called. Of one that cannot, why.
    ///
    /// # Errors
    ///
    /// Why it cannot be called, for a person.
    pub async fn find(&self, device: &DeviceKey) -> Result<Facts, String> {
        let found = self.documents.get(DEVICE_COLLECTION, device.as_str()).await.map_err(|error| error.to_string())?;
        let facts: Facts =
            found.and_then(|document| serde_json::from_value(document.body).ok()).ok_or("the device has not contacted the host yet")?;
        if facts.connection_request.is_none() {
            return Err("the device has no password for connection requests".to_owned());
        }
        if facts.connection_request_url.is_empty() {
            return Err("the device has not said where it listens for connection requests".to_owned());
        }
        Ok(facts)
    }

    /// Asks a device to come. It has accepted when this returns.
    ///
    /// # Errors
    ///
    /// Why it does not come now, for a person.
    pub async fn call(&self, tenant: &TenantName, device: &DeviceKey, facts: &Facts) -> Result<(), String> {
        let wake = facts.connection_request.as_ref().ok_or("the device has no password for connection requests")?;
        let password = self.secrets.open(tenant, None, &wake.password).map_err(|error| format!("its password cannot be opened: {error}"))?;
        let target = Target { device, url: &facts.connection_request_url, peer: facts.peer, username: &wake.username, password: &password };
        self.waker.wake(target).await.map_err(|error| error.to_string())
    }
}
