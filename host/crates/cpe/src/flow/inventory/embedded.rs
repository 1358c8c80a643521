//! The contracts `inventory` and `profile` answered from what the host itself keeps.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, ReadError, Runner, Verb};
use pipeline::{Attributes, Failure, FailureClass};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Inventory, version};
use crate::{
    device::DeviceKey,
    flow::contract::{Device, ProfileRequest, ServiceProfile, Setting, Subscription},
};

/// Answers `jackfield:cpe/inventory`.
#[derive(Debug, Clone)]
pub struct EmbeddedInventory(pub Arc<Inventory>);

/// Answers `jackfield:cpe/profile`.
#[derive(Debug, Clone)]
pub struct EmbeddedProfile(pub Arc<Inventory>);

#[derive(Deserialize)]
struct InventoryRequest {
    device: Device,
}

#[async_trait]
impl Runner for EmbeddedInventory {
    async fn call(&self, call: Call) -> CallReport {
        report(match read::<InventoryRequest>(&call) {
            Ok(request) => self.0.subscription(&request.device).await.map(|subscription| json!(subscription)),
            Err(failure) => Err(failure),
        })
    }
}

#[async_trait]
impl Runner for EmbeddedProfile {
    async fn call(&self, call: Call) -> CallReport {
        report(match read::<ProfileRequest>(&call) {
            Ok(request) => self.0.profile(&request).await.map(|profile| json!(profile)),
            Err(failure) => Err(failure),
        })
    }
}

impl Inventory {
    async fn subscription(&self, device: &Device) -> Result<Subscription, Failure> {
        let key = key(device);
        let row = self.row(&key).await.map_err(|error| unreadable(&error))?;
        let row = row.ok_or_else(|| rejected("unknown_device", format!("device {key} is not in the inventory")))?;
        Ok(Subscription {
            customer_id: row.customer.clone(),
            service_plan: row.plan.clone(),
            location_id: row.location.clone(),
            characteristics: row.characteristics.clone(),
        })
    }

    /// What the plan says, and over it what is set on the device alone.
    async fn profile(&self, request: &ProfileRequest) -> Result<ServiceProfile, Failure> {
        let name = &request.service_plan;
        let plan = self.plan(name).await.map_err(|error| unreadable(&error))?;
        let plan = plan.ok_or_else(|| rejected("no_profile", format!("there is no plan `{name}`")))?;
        let row = self.row(&key(&request.device)).await.map_err(|error| unreadable(&error))?;
        let own: &[Setting] = row.as_deref().map_or(&[], |row| &row.settings);
        let common = plan.settings.iter().filter(|setting| own.iter().all(|other| other.name != setting.name));
        Ok(ServiceProfile {
            version: version(&plan, row.as_deref()),
            services: plan.services.clone(),
            wifi_bands: plan.wifi_bands.clone(),
            settings: common.chain(own).cloned().collect(),
        })
    }
}

fn key(device: &Device) -> DeviceKey {
    DeviceKey::new(&device.oui, &device.product_class, &device.serial)
}

fn read<T: for<'a> Deserialize<'a>>(call: &Call) -> Result<T, Failure> {
    match &call.verb {
        Verb::Apply => T::deserialize(&*call.request)
            .map_err(|error| Failure::new(FailureClass::Held, "plugin.contract", format!("the request does not fit: {error}"))),
        Verb::Resume { .. } | Verb::Observe | Verb::Undo { .. } => {
            Err(Failure::new(FailureClass::Held, "plugin.contract", format!("a pure contract has no `{}`", call.verb.function())))
        }
    }
}

fn rejected(code: &str, message: String) -> Failure {
    Failure::new(FailureClass::Rejected, code, message)
}

fn unreadable(error: &ReadError) -> Failure {
    Failure::new(FailureClass::Unavailable, "host.internal", error.to_string())
}

fn report(answer: Result<Value, Failure>) -> CallReport {
    CallReport { answer: answer.map(Answer::Done), sent: false, attributes: Attributes::new(), writes: Vec::new() }
}
