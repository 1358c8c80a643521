//! The `inventory` contract of device provisioning over an inventory of devices that speaks JSON.
//!
//! `GET {inventory}/devices?oui=..&productClass=..&serial=..` answers a list of devices, each with `oui`, `productClass`, `serial`, `customer`, `plan` and
//! perhaps `location` and `characteristics` (an object of texts). A serial number is unique within an OUI and a product class only, so a list that holds
//! more than one device of these three is an inventory that contradicts itself, and a device that nobody has is unknown.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{
    Call, Capabilities, Characteristic, Contract, DeviceInventory, Endpoint, Failure, Manifest,
    cpe::Device,
    device_inventory::{Request, Subscription},
    http,
};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "device-inventory-rest",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract::pure("device_inventory")],
    capabilities: Capabilities { http: &[Endpoint::new("inventory", "looks devices up")], ..Capabilities::NONE },
    failure_codes: &[UNKNOWN_DEVICE, BAD_INVENTORY],
    ..Manifest::EMPTY
};

/// The inventory does not have the device, or nobody has it.
const UNKNOWN_DEVICE: &str = "unknown_device";
/// The inventory contradicts itself.
const BAD_INVENTORY: &str = "bad_inventory";

/// The plugin.
#[derive(Debug)]
pub struct Rest;

/// A device of the inventory. What else it says is ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    oui: String,
    #[serde(default)]
    product_class: String,
    serial: String,
    customer: Option<String>,
    plan: Option<String>,
    location: Option<String>,
    #[serde(default)]
    characteristics: BTreeMap<String, String>,
}

impl Entry {
    fn is(&self, device: &Device) -> bool {
        self.oui.eq_ignore_ascii_case(&device.oui) && self.product_class == device.product_class && self.serial == device.serial
    }
}

impl DeviceInventory for Rest {
    fn apply(_: &Call, Request { device }: Request) -> Result<Subscription, Failure> {
        let [oui, class, serial] = [&device.oui, &device.product_class, &device.serial].map(|part| http::encode(part));
        let url = format!("http://inventory/devices?oui={oui}&productClass={class}&serial={serial}");
        let answer = http::Request::get(url).header("accept", "application/json").send()?;
        if answer.status() == 404 {
            return Err(unknown(&device));
        }
        // An inventory may search more widely than it was asked to: another vendor's device of this serial number is another device.
        let mut found: Vec<Entry> = answer.require_success(BAD_INVENTORY)?.json()?;
        found.retain(|entry| entry.is(&device));
        if found.len() > 1 {
            return Err(Failure::rejected(BAD_INVENTORY, format!("the inventory has {} devices that are {}", found.len(), name(&device))));
        }
        let Some(Entry { customer: Some(customer_id), plan: Some(service_plan), location, characteristics, .. }) = found.pop() else {
            return Err(unknown(&device));
        };
        let characteristics = characteristics.into_iter().map(|(name, value)| Characteristic { name, value }).collect();
        Ok(Subscription { customer_id, service_plan, location_id: location, characteristics })
    }
}

fn unknown(device: &Device) -> Failure {
    Failure::rejected(UNKNOWN_DEVICE, format!("the inventory has no customer for {}", name(device)))
}

fn name(Device { oui, product_class, serial, .. }: &Device) -> String {
    format!("{oui}-{product_class}-{serial}")
}

jackfield_plugin_sdk::export!(Rest: device_inventory; MANIFEST);
