//! The requests and receipts of the contracts in `wit/order`, in their JSON form: kebab-case names, absent options left out.

use serde::{Deserialize, Serialize};

use crate::input::ItemAction;

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Characteristic {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// One service of a decomposition, and the kind of resource it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ServiceSpec {
    pub(crate) name: String,
    pub(crate) resource_type: String,
    pub(crate) characteristics: Vec<Characteristic>,
}

/// A resource that was taken for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) resource_type: String,
    pub(crate) service: String,
    pub(crate) network_element: String,
    pub(crate) characteristics: Vec<Characteristic>,
}

/// The request of `catalog`. `noChange` never gets here, and what comes of any action but `add` is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CatalogRequest {
    pub(crate) offering: String,
    pub(crate) action: ItemAction,
    pub(crate) quantity: u32,
    pub(crate) characteristics: Vec<Characteristic>,
}

/// The answer of `catalog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decomposition {
    pub(crate) services: Vec<ServiceSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<String>,
}

/// The request of `inventory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InventoryRequest {
    pub(crate) order: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    pub(crate) service: ServiceSpec,
}

/// The request of `provisioning`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProvisioningRequest {
    pub(crate) order: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    pub(crate) service: ServiceSpec,
    pub(crate) resource: Resource,
}

/// The request of `activation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActivationRequest {
    pub(crate) order: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
    pub(crate) services: Vec<ServiceSpec>,
    pub(crate) resources: Vec<Resource>,
}

/// The receipt of `activation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ActivationReceipt {
    pub(crate) service_id: String,
    pub(crate) result: String,
    pub(crate) test_passed: bool,
}

/// The request of `billing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct BillingRequest {
    pub(crate) order: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<String>,
    pub(crate) offering: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<String>,
    pub(crate) service_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requested_date: Option<String>,
}
