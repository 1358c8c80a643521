//! From orders to devices: an order that is completed and names the device of an item assigns it to the customer and the plan, and provisions it.
//!
//! The item says it by characteristics: `cpe` is the device's key (`OUI-ProductClass-Serial`), `cpe-plan` the plan where it is not called as the offering. The
//! provisioning belongs to the trace of the order. A device that never contacted the host is provisioned when it does.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use cpe::{
    api::Api,
    device::DeviceKey,
    flow::{Inventory, InventoryError, Owner, ProvisionError, Trigger},
};
use engine::{
    api::InboundTrace,
    port::{Clock, Observer, ObserverError, OwnedTransition, Position, SystemClock},
};
use orders::{ItemAction, OrderInput};
use pipeline::{Event, Outcome, RunId, Timestamp};
use store_sqlite::Store;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// The name under which the cursor is kept.
const NAME: &str = "cpe.orders";
/// The characteristic that names the device.
const DEVICE: &str = "cpe";
/// The characteristic that names the plan.
const PLAN: &str = "cpe-plan";
/// Where nothing was to be done, the cursor is saved so often.
const SAVE_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Follows orders.
#[derive(Debug)]
pub(super) struct OrderedDevices {
    store: Arc<Store>,
    inventory: Arc<Inventory>,
    api: OnceLock<Api>,
    saved: Mutex<Timestamp>,
    /// Connection requests under way. Nobody waits for them: a device that does not come is provisioned when it does.
    calling: Mutex<JoinSet<()>>,
}

/// A device that an order is about.
#[derive(Debug, PartialEq)]
struct Ordered {
    item: String,
    device: DeviceKey,
    owner: Owner,
}

impl OrderedDevices {
    pub(super) fn new(store: Arc<Store>, inventory: Arc<Inventory>) -> Self {
        Self { store, inventory, api: OnceLock::new(), saved: Mutex::default(), calling: Mutex::default() }
    }

    /// Tells it what begins provisionings. Before, it waits.
    pub(super) fn connect(&self, api: Api) {
        let _connected_before = self.api.set(api);
    }

    /// What an order asks for is done again after a crash and only then; doing it twice changes nothing.
    async fn carry_out(&self, run: &RunId, trace: &InboundTrace, ordered: Ordered) -> Result<(), ObserverError> {
        let refused = |error: &dyn std::fmt::Display| ObserverError(error.to_string());
        let api = self.api.get().ok_or_else(|| ObserverError("the engine is being opened".to_owned()))?;
        let Ordered { item, device, owner } = ordered;
        match self.inventory.assign(&device, owner, Some(trace.clone())).await {
            Ok(()) => {}
            Err(error @ (InventoryError::Invalid(_) | InventoryError::Taken { .. } | InventoryError::Secrets(_))) => {
                warn!(order = %run, "the device of item {item} is not assigned: {error}");
                return Ok(());
            }
            Err(error) => return Err(refused(&error)),
        }
        match api.intake.provision(&device, Trigger::Order, Some(trace.clone()), Some(format!("order:{run}:{item}"))).await {
            Ok(begun) => {
                info!(order = %run, run = %begun, "device {device} of item {item} is provisioned");
                self.call(api.clone(), device);
            }
            Err(ProvisionError::NotSeen(_)) => info!(order = %run, "device {device} of item {item} is provisioned when it contacts the host"),
            Err(error @ ProvisionError::Busy) => return Err(refused(&error)),
        }
        Ok(())
    }

    /// Asks a device to come.
    fn call(&self, api: Api, device: DeviceKey) {
        let mut calling = self.calling.lock().unwrap_or_else(PoisonError::into_inner);
        while calling.try_join_next().is_some() {}
        calling.spawn(async move {
            if let Err(why) = api.call(&device).await {
                info!("device {device} is provisioned when it contacts the host: {why}");
            }
        });
    }

    /// Whether the cursor is to be saved although nothing was done.
    fn is_time(&self) -> bool {
        let now = SystemClock.now();
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = now.since(*saved) >= SAVE_EVERY;
        if is_time {
            *saved = now;
        }
        is_time
    }
}

#[async_trait]
impl Observer for OrderedDevices {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn cursor(&self) -> Result<Position, ObserverError> {
        self.store.cursor(NAME).await.map_err(|error| ObserverError(error.to_string()))
    }

    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        let mut did = false;
        for transition in batch {
            let completed = matches!(transition.record.event, Event::RunEnded { outcome: Outcome::Completed });
            if !completed || transition.definition.name.as_str() != orders::PIPELINE {
                continue;
            }
            let run = &*transition.after;
            let Ok(input) = serde_json::from_value::<OrderInput>(run.input().clone()) else { continue };
            let started = &run.started().trace;
            let trace = InboundTrace {
                trace_id: started.trace_id.clone(),
                parent_span_id: started.span_id.clone(),
                sampled: started.sampled,
                trace_state: started.trace_state.clone(),
            };
            for ordered in devices(run.id(), &input) {
                did = true;
                self.carry_out(run.id(), &trace, ordered).await?;
            }
        }
        match batch.last() {
            // What was done is not done again by the next process, which may meet another owner of the device.
            Some(last) if did || self.is_time() => {
                self.store.save_cursor(NAME, last.position).await.map_err(|error| ObserverError(error.to_string()))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The devices that an order is about.
fn devices(run: &RunId, input: &OrderInput) -> Vec<Ordered> {
    let items = input.items.iter().filter(|item| item.action != ItemAction::Delete);
    let ordered = items.filter_map(|item| {
        let of = |name: &str| item.characteristics().find(|(given, _)| *given == name).map(|(_, value)| value);
        let device = of(DEVICE)?;
        let found = DeviceKey::read(device);
        match (found, &input.customer) {
            (Ok(device), Some(customer)) => {
                let others = item.characteristics().filter(|(name, _)| *name != DEVICE && *name != PLAN);
                let characteristics = others.map(|(name, value)| cpe::flow::Characteristic { name: name.to_owned(), value: value.to_owned() });
                let owner = Owner {
                    customer: customer.clone(),
                    plan: of(PLAN).unwrap_or(&item.offering).to_owned(),
                    location: item.location.clone(),
                    characteristics: characteristics.collect(),
                };
                Some(Ordered { item: item.id.clone(), device, owner })
            }
            (Err(error), _) => {
                warn!(order = %run, "item {} names no device: {error}", item.id);
                None
            }
            (Ok(device), None) => {
                warn!(order = %run, "item {} names device {device}, and the order no customer to assign it to", item.id);
                None
            }
        }
    });
    ordered.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ordered(order: Value) -> Vec<(String, String, String, Option<String>, usize)> {
        let input = OrderInput::read(order, &[]);
        let run = RunId::new("00000000-0000-7000-8000-000000000001").unwrap();
        let devices = devices(&run, &input).into_iter();
        let line = |Ordered { item, device, owner }: Ordered| (item, device.to_string(), owner.plan, owner.location, owner.characteristics.len());
        devices.map(line).collect()
    }

    #[test]
    fn items_name_their_devices() {
        let item = |id: &str, action: &str, characteristics: Value| {
            let place = json!([{"role": "installation", "name": "7 Main"}]);
            json!({"id": id, "action": action, "productOffering": {"id": "fibre-100"},
                   "product": {"place": place, "productCharacteristic": characteristics}})
        };
        let characteristic = |name: &str, value: &str| json!({"name": name, "value": value});
        let device = || characteristic("cpe", "00D09E-RX-1");
        let items = json!([
            item("1", "add", json!([device(), characteristic("speed", "100")])),
            item("2", "add", json!([device(), characteristic("cpe-plan", "gold")])),
            item("3", "delete", json!([device()])),
            item("4", "add", json!([characteristic("cpe", "a router")])),
            item("5", "add", json!([characteristic("speed", "100")])),
        ]);
        let customer = json!([{"id": "C-1", "role": "customer"}]);
        let place = || Some("7 Main".to_owned());
        let key = || "00D09E-RX-1".to_owned();
        assert_eq!(
            ordered(json!({"relatedParty": customer, "productOrderItem": items})),
            [("1".to_owned(), key(), "fibre-100".to_owned(), place(), 1), ("2".to_owned(), key(), "gold".to_owned(), place(), 0)]
        );
        assert_eq!(ordered(json!({"productOrderItem": items})), [], "nobody to assign it to");
    }
}
