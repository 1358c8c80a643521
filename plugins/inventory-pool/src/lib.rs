//! The `inventory` contract over pools of ports, addresses, VLANs and equipment.
//!
//! The operator describes the pools in the setting `pools` (see the module `pools`); which resource is taken is kept in
//! the host's key-value store, one key per resource (see the module `claims`). No outside system is needed.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod claims;
mod pools;
#[cfg(test)]
mod tests;

use claims::Claim;
use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Failure, Inventory, Manifest, Observed, Outcome, Resource, Setting, Telemetry, Verb, config, inventory,
    telemetry::{self, Level},
};
use pools::{Pool, Pools};

const MANIFEST: Manifest = Manifest {
    name: "inventory-pool",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "inventory", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        keyvalue: Some("remembers which resource belongs to which service"),
        config: &[Setting::new("pools", "which resources there are, by type").schema(r#"{"type": "object"}"#).required()],
        ..Capabilities::NONE
    },
    failure_codes: &[NO_INVENTORY, BAD_CONFIG],
    telemetry: Telemetry { attributes: &["inventory_pool.*"], ..Telemetry::NONE },
};

/// Failure code: every resource of the type is taken, or there is no pool of that type at that place.
const NO_INVENTORY: &str = "no_inventory";
/// Failure code: the setting `pools` is missing or not as described.
const BAD_CONFIG: &str = "bad_config";

/// The plugin.
#[derive(Debug)]
pub struct InventoryPool;

impl Inventory for InventoryPool {
    fn apply(call: &Call, request: inventory::Request) -> Result<inventory::Outcome, Failure> {
        if let Some(claim) = claims::of(&call.idempotency_key)? {
            return Ok(Outcome::Done(receipt(claim)));
        }
        let wanted = &request.service.resource_type;
        let pools: Pools = config::json("pools", BAD_CONFIG)?;
        for pool in pools.suitable(&request)? {
            if let Some(claim) = claims::claim(call, &request, &pool)? {
                telemetry::annotate([("inventory_pool.probes", claim.probes.into())]);
                return Ok(Outcome::Done(receipt(claim)));
            }
        }
        let message = format!("No available {wanted}");
        telemetry::log(Level::Warn, &message, [("inventory_pool.configured", pools.has(wanted).into())]);
        Err(Failure::rejected(NO_INVENTORY, message))
    }

    fn observe(call: &Call, request: inventory::Request) -> Result<inventory::Observed, Failure> {
        let Some(claim) = claims::of(&call.idempotency_key)? else {
            return Ok(Observed::Absent);
        };
        let fits = claim.resource_type == request.service.resource_type && claim.service == request.service.name;
        Ok(if fits { Observed::Ours(receipt(claim)) } else { Observed::Drifted(receipt(claim)) })
    }

    fn undo(_: &Call, receipt: inventory::Receipt) -> Result<inventory::Outcome, Failure> {
        claims::release(&receipt)?;
        Ok(Outcome::Undone)
    }
}

fn receipt(claim: Claim) -> Resource {
    let mut characteristics = claim.characteristics;
    characteristics.push(claims::mark(&claim.key));
    Resource { id: claim.id, resource_type: claim.resource_type, service: claim.service, network_element: claim.element, characteristics }
}

jackfield_plugin_sdk::export!(InventoryPool: inventory; MANIFEST);
