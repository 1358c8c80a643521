//! A list entry of the YANG module `jackfield-service`, in the JSON encoding of RFC 7951.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{Call, Characteristic, provisioning};
use serde::{Deserialize, Serialize};

/// The document of one entry: a list instance is an array of one (RFC 8040, section 4.3).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    #[serde(rename = "jackfield-service:service")]
    pub(crate) service: Vec<Entry>,
}

/// One configured resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) order: String,
    pub(crate) name: String,
    pub(crate) resource_type: String,
    pub(crate) network_element: String,
    /// Sorted by name on both sides: a list without `ordered-by user` may come back in any order.
    #[serde(default, with = "parameters")]
    pub(crate) parameter: BTreeMap<String, String>,
}

impl Entry {
    /// What the call wants to be there. What the inventory says goes over what the catalogue says.
    pub(crate) fn new(call: &Call, request: &provisioning::Request) -> Self {
        let provisioning::Request { order, location: _, service, resource } = request;
        let known = service.characteristics.iter().chain(&resource.characteristics);
        Self {
            id: resource.id.clone(),
            owner: call.idempotency_key.clone(),
            order: order.clone(),
            name: service.name.clone(),
            resource_type: resource.resource_type.clone(),
            network_element: resource.network_element.clone(),
            parameter: known.map(|it| (it.name.clone(), it.value.clone())).collect(),
        }
    }
}

/// A map as a YANG list with the key `name`.
mod parameters {
    use super::{BTreeMap, Characteristic, Deserialize, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(map: &BTreeMap<String, String>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().map(|(name, value)| Characteristic::new(name, value)).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
        Ok(Vec::<Characteristic>::deserialize(from)?.into_iter().map(|it| (it.name, it.value)).collect())
    }
}
