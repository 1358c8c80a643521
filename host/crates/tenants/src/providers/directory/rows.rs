//! What the directory keeps.

use std::fmt;

use engine::port::{Document, Documents};
use pipeline::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{ACCOUNT_COLLECTION, CERTIFICATE_COLLECTION, DIRECTORY_COLLECTION, SLUG_COLLECTION, document};
use crate::{
    contract::{CertificateReceipt, Tenant},
    providers::effect::{body, unreadable},
};

/// A tenant in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its id, which never changes.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
    /// What it calls itself.
    pub name: String,
    /// Where it is found.
    pub domain: String,
    /// Whether it can be used.
    pub active: bool,
    /// When it was entered: microseconds since 1970.
    pub created: u64,
}

impl Entry {
    pub(super) fn new(tenant: Tenant, name: String, domain: String, created: u64) -> Self {
        let Tenant { id, slug, plan, region } = tenant;
        Self { id, slug, plan, region, name, domain, active: false, created }
    }

    /// Whether it says the same, whenever it was entered and whether or not it is active.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        *self == Self { active: self.active, created: self.created, ..other.clone() }
    }

    pub(super) fn document(&self, rank: u64) -> Document {
        let state = if self.active { "active" } else { "inactive" };
        let attributes = vec![("slug", self.slug.clone()), ("state", state.to_owned())];
        document(DIRECTORY_COLLECTION, &self.id, rank, json!(self), attributes)
    }
}

/// Who has a slug.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SlugRow {
    pub(super) id: String,
}

impl SlugRow {
    pub(super) fn document(&self, slug: &str, rank: u64) -> Document {
        document(SLUG_COLLECTION, slug, rank, json!(self), Vec::new())
    }
}

/// The account of a tenant's administrator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The address. Personal data.
    pub email: String,
    /// The password, sealed.
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn document(&self, id: &str, rank: u64) -> Document {
        document(ACCOUNT_COLLECTION, id, rank, json!(self), Vec::new())
    }
}

/// A certificate with its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The certificate.
    pub certificate: CertificateReceipt,
    /// The private key, sealed.
    pub key: String,
}

/// The certificate in use, and the one before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Certificates {
    pub(super) current: Installed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<Installed>,
}

impl Certificates {
    pub(super) fn document(&self, id: &str, rank: u64) -> Document {
        document(CERTIFICATE_COLLECTION, id, rank, json!(self), Vec::new())
    }
}

pub(super) async fn read<T: DeserializeOwned>(documents: &dyn Documents, collection: &str, id: &str) -> Result<Option<T>, Failure> {
    let found = documents.get(collection, id).await.map_err(|error| unreadable(&error))?;
    found.map(|document| body(collection, &document.body)).transpose()
}
