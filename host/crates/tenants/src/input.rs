//! What runs are started with. These types are journaled: a field is never renamed, only added. Nothing in them is secret: what is, is named by the handle
//! under which the host keeps it sealed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{Characteristic, Tenant};

/// The input of the pipeline `tenant`: a sign-up that was accepted, with all that its plan decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TenantInput {
    /// The tenant's id: `t-` and 20 characters. The owner of everything that is made for it, also by later runs.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What it calls itself.
    pub name: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
    /// Where it will be found: the slug in the zone.
    pub domain: String,
    /// The zone of the domain, without the last dot.
    pub zone: String,
    /// How long others may remember its records, in seconds.
    pub ttl: u32,
    /// Where its domain leads: addresses, or one name.
    pub target: Vec<String>,
    /// Whom to write to.
    pub admin: Admin,
    /// What is written on everything that can be labelled.
    #[serde(default)]
    pub labels: Vec<Characteristic>,
    /// The data that its database begins with, if its plan has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the data says.
    #[serde(default)]
    pub settings: Vec<Characteristic>,
    /// Whom to tell of it.
    #[serde(default)]
    pub integrations: Vec<IntegrationInput>,
    /// Whether its plan has a certificate.
    pub certificate: bool,
    /// Whether it is ready before it has one: then a run of `tenant_certificate` fetches it.
    #[serde(default)]
    pub ready_without_tls: bool,
    /// What the host keeps sealed.
    pub sealed: Sealed,
    /// The signing request of its certificate: DER in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_request: Option<String>,
}

/// The administrator of a tenant. Personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Admin {
    /// The address of the administrator's mail.
    pub email: String,
    /// What to call the administrator.
    pub name: String,
}

/// Another system that is told of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntegrationInput {
    /// The system, as the plan names it.
    pub name: String,
    /// What the plan says about it.
    #[serde(default)]
    pub settings: Vec<Characteristic>,
}

/// The handles of secrets that the host keeps sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sealed {
    /// The password of the database's role.
    pub database: String,
    /// The administrator's first password.
    pub admin: String,
    /// The private key of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_key: Option<String>,
}

/// The input of the pipeline `tenant_certificate`: a tenant that is to have a new certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateInput {
    /// The tenant's id.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
    /// Where it is found.
    pub domain: String,
    /// The zone of the domain, without the last dot.
    pub zone: String,
    /// How long others may remember its records, in seconds.
    pub ttl: u32,
    /// The private key of the new certificate, sealed.
    pub certificate_key: String,
    /// The signing request of the new certificate: DER in base64.
    pub signing_request: String,
}

/// The input of the pipeline `tenant_repair`: what a tenant had and has not, or not as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RepairInput {
    /// The tenant's id.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
    /// What to make again.
    pub items: Vec<RepairItem>,
}

/// One thing that is to be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RepairItem {
    /// The step of the pipeline `tenant` that made it: one of [`crate::REPAIRED_STEPS`].
    pub step: String,
    /// What a person calls it; empty where the step has one item.
    #[serde(default)]
    pub label: String,
    /// The request with which it was made.
    pub request: Value,
}

impl TenantInput {
    /// The tenant as every step knows it.
    pub fn tenant(&self) -> Tenant {
        Tenant { id: self.id.clone(), slug: self.slug.clone(), plan: self.plan.clone(), region: self.region.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journaled_form_is_the_one_that_earlier_versions_wrote() {
        let journaled = serde_json::json!({
            "id": "t-0123456789abcdefghij", "slug": "acme", "name": "Acme", "plan": "pro", "region": "eu", "domain": "acme.example.com",
            "zone": "example.com", "ttl": 300, "target": ["192.0.2.1"], "admin": {"email": "a@example.net", "name": "Ann"}, "certificate": true,
            "sealed": {"database": "sealed:1", "admin": "sealed:2", "certificate-key": "sealed:3"}, "signing-request": "MII=", "template": "shop",
            "integrations": [{"name": "crm"}],
        });
        let input: TenantInput = serde_json::from_value(journaled).unwrap();
        assert!(!input.ready_without_tls && input.labels.is_empty());
        let again: TenantInput = serde_json::from_value(serde_json::to_value(&input).unwrap()).unwrap();
        assert_eq!(again, input);
    }
}
