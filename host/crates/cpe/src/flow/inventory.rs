//! Devices, plans and credentials that the host itself keeps: for operators without an inventory of their own, for tests and for small networks.
//!
//! | collection | id | what |
//! |---|---|---|
//! | `cpe-inventory` | key of the device | whose it is, and what is set on it and no other |
//! | `cpe-plan` | name of the plan | services, Wi-Fi bands and settings |
//! | `cpe-credential` | user name | digests of the password with which a device proves who it is |
//!
//! Secrets are sealed before they are kept; of passwords of devices digests are kept only.

mod cache;
mod credentials;
mod embedded;
mod rows;

use std::{fmt, sync::Arc};

use engine::{
    api::InboundTrace,
    port::{Clock, Document, DocumentError, Documents, MOST_DOCUMENTS, ReadError, Secrets, SecretsError},
};
use pipeline::TenantName;

use self::{
    cache::Cache,
    credentials::CredentialRow,
    rows::{Plan, Row, Trace},
};
pub use self::{
    embedded::{EmbeddedInventory, EmbeddedProfile},
    rows::{NewDevice, NewPlan, NewSetting, Owner},
};
use super::contract::{Setting, SettingValue};
use crate::device::DeviceKey;

/// The collection of devices.
pub const INVENTORY_COLLECTION: &str = "cpe-inventory";
/// The collection of plans.
pub(crate) const PLAN_COLLECTION: &str = "cpe-plan";
/// The collection of credentials.
pub(crate) const CREDENTIAL_COLLECTION: &str = "cpe-credential";

/// How many rows of each kind are kept in memory.
const CACHED: usize = 131_072;

/// What the version of every profile that the host keeps begins with.
pub(crate) const EMBEDDED: &str = "embedded:";

/// Devices, plans and credentials that the host itself keeps.
pub struct Inventory {
    documents: Arc<dyn Documents>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    tenant: TenantName,
    realm: String,
    devices: Cache<Row>,
    plans: Cache<Plan>,
    credentials: Cache<CredentialRow>,
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory").field("tenant", &self.tenant).field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Why something was not kept. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// It is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The device is another customer's.
    #[error("device {device} belongs to another customer than {customer}: release it first, by importing it for its new owner or by forgetting it")]
    Taken {
        /// The device.
        device: DeviceKey,
        /// Whom it was to be assigned to.
        customer: String,
    },
    /// A secret cannot be sealed.
    #[error("a secret cannot be sealed: {0}")]
    Secrets(#[from] SecretsError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store cannot be written to.
    #[error(transparent)]
    Write(#[from] DocumentError),
}

impl Inventory {
    /// What is kept in these documents. Digests of passwords are made for this realm.
    pub fn new(documents: Arc<dyn Documents>, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>, tenant: TenantName, realm: String) -> Self {
        let (devices, plans, credentials) = (Cache::new(CACHED), Cache::new(CACHED), Cache::new(CACHED));
        Self { documents, secrets, clock, tenant, realm, devices, plans, credentials }
    }

    /// Says whose a device is and which plan it has. What is set on it alone stays: that is its customer's, secrets included, and so a device does not change
    /// hands here. Nobody's becomes the customer's; another customer's must be released first ([`Self::import`], [`Self::forget`]).
    /// A trace is where its first provisioning belongs.
    ///
    /// # Errors
    ///
    /// The owner is not valid, the device is another customer's, or the store has no room.
    pub async fn assign(&self, device: &DeviceKey, owner: Owner, trace: Option<InboundTrace>) -> Result<(), InventoryError> {
        owner.check()?;
        let settings = match self.row(device).await? {
            None => Vec::new(),
            Some(row) if row.customer == owner.customer => row.settings.clone(),
            Some(_) => return Err(InventoryError::Taken { device: device.clone(), customer: owner.customer }),
        };
        self.write_rows(vec![Row::new(device, owner, settings, trace.map(Trace::from))]).await
    }

    /// Takes in devices, over those that may be there, with the passwords with which they prove who they are. All of them or none.
    ///
    /// # Errors
    ///
    /// A device is not valid, or the store has no room.
    pub async fn import(&self, devices: Vec<NewDevice>) -> Result<Vec<DeviceKey>, InventoryError> {
        if devices.len() > MOST_DOCUMENTS / 2 {
            return Err(InventoryError::Invalid(format!("{} devices at once: expected at most {}", devices.len(), MOST_DOCUMENTS / 2)));
        }
        let (mut keys, mut rows, mut credentials) = (Vec::new(), Vec::new(), Vec::new());
        for (position, device) in devices.into_iter().enumerate() {
            let at = |error: InventoryError| match error {
                InventoryError::Invalid(what) => InventoryError::Invalid(format!("[{position}]: {what}")),
                InventoryError::Taken { .. } | InventoryError::Secrets(_) | InventoryError::Read(_) | InventoryError::Write(_) => error,
            };
            let key = device.key().map_err(at)?;
            if let Some(password) = &device.password {
                let username = device.username.clone().unwrap_or_else(|| key.to_string());
                credentials.push(CredentialRow::new(username, Some(&key), None, &self.realm, password).map_err(at)?);
            }
            if let Some(owner) = device.owner() {
                owner.check().map_err(at)?;
                let settings = self.sealed(device.settings).map_err(at)?;
                rows.push(Row::new(&key, owner, settings, None));
            }
            keys.push(key);
        }
        self.write_credentials(credentials).await?;
        self.write_rows(rows).await?;
        Ok(keys)
    }

    /// Keeps a plan, over one of its name.
    ///
    /// # Errors
    ///
    /// The plan is not valid, or the store has no room.
    pub async fn put_plan(&self, plan: NewPlan) -> Result<(), InventoryError> {
        plan.check()?;
        let settings = self.sealed(plan.settings)?;
        let plan = Plan::new(plan.name, plan.services, plan.wifi_bands, settings);
        self.documents.put(vec![plan.document(self.clock.now())]).await?;
        self.plans.put(plan.name.clone(), Some(plan.into()));
        Ok(())
    }

    /// Keeps the credential that a fleet of one manufacturer shares.
    ///
    /// # Errors
    ///
    /// The name is not valid, or the store has no room.
    pub async fn put_shared_credential(&self, username: String, oui: Option<String>, password: &str) -> Result<(), InventoryError> {
        let row = CredentialRow::new(username, None, oui, &self.realm, password)?;
        self.write_credentials(vec![row]).await
    }

    /// Forgets whose a device is and how it proves who it is.
    ///
    /// # Errors
    ///
    /// The store cannot be written to.
    pub async fn forget(&self, device: &DeviceKey) -> Result<(), InventoryError> {
        self.documents.remove(INVENTORY_COLLECTION, device.as_str()).await.map_err(DocumentError::from)?;
        self.devices.put(device.to_string(), None);
        let query = engine::port::DocumentQuery {
            collection: CREDENTIAL_COLLECTION,
            equal: vec![("device".to_owned(), device.to_string())],
            offset: 0,
            limit: 16,
        };
        for document in self.documents.find(query).await?.documents {
            self.documents.remove(CREDENTIAL_COLLECTION, &document.id).await.map_err(DocumentError::from)?;
            self.credentials.put(document.id, None);
        }
        Ok(())
    }

    /// The version of the profile that the host keeps for a device; `None` where it keeps none.
    pub(crate) async fn version(&self, device: &DeviceKey) -> Option<String> {
        let row = self.row(device).await.ok()??;
        let plan = self.plan(&row.plan).await.ok()??;
        Some(version(&plan, Some(&row)))
    }

    /// The trace that the first provisioning of a device belongs to.
    pub(crate) async fn trace_of(&self, device: &DeviceKey) -> Option<InboundTrace> {
        self.row(device).await.ok()??.trace.as_ref().map(InboundTrace::from)
    }

    async fn row(&self, device: &DeviceKey) -> Result<Option<Arc<Row>>, ReadError> {
        self.devices.get(&*self.documents, INVENTORY_COLLECTION, device.as_str()).await
    }

    async fn plan(&self, name: &str) -> Result<Option<Arc<Plan>>, ReadError> {
        self.plans.get(&*self.documents, PLAN_COLLECTION, name).await
    }

    async fn write_rows(&self, rows: Vec<Row>) -> Result<(), InventoryError> {
        let now = self.clock.now();
        self.write(rows.iter().map(|row| row.document(now)).collect()).await?;
        rows.into_iter().for_each(|row| self.devices.put(row.id.clone(), Some(row.into())));
        Ok(())
    }

    async fn write_credentials(&self, rows: Vec<CredentialRow>) -> Result<(), InventoryError> {
        let now = self.clock.now();
        self.write(rows.iter().map(|row| row.document(now)).collect()).await?;
        rows.into_iter().for_each(|row| self.credentials.put(row.username.clone(), Some(row.into())));
        Ok(())
    }

    async fn write(&self, documents: Vec<Document>) -> Result<(), InventoryError> {
        if documents.is_empty() { Ok(()) } else { Ok(self.documents.put(documents).await?) }
    }

    fn sealed(&self, settings: Vec<NewSetting>) -> Result<Vec<Setting>, InventoryError> {
        let sealed = settings.into_iter().map(|NewSetting { name, value, secret }| {
            let value = match (value, secret) {
                (Some(text), None) => SettingValue::Text(text),
                (None, Some(secret)) => SettingValue::Secret(self.secrets.seal(&self.tenant, &secret)?),
                (Some(_), Some(_)) | (None, None) => {
                    return Err(InventoryError::Invalid(format!("setting `{name}`: expected either `value` or `secret`")));
                }
            };
            Ok(Setting { name, value })
        });
        sealed.collect()
    }
}

/// The version of a profile.
fn version(plan: &Plan, row: Option<&Row>) -> String {
    format!("{EMBEDDED}{:016x}.{:016x}", plan.revision, row.map_or(0, |row| row.revision))
}
