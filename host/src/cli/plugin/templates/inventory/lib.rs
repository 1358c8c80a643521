//! The `inventory` contract: takes a resource from a list that the operator writes.
//!
//! The setting `resources` is JSON: `{"port": ["olt-1/port/1", "olt-1/port/2"]}`, the ids of all resources by type. Which are taken is kept in the host's
//! store: `resource/{type}/{id}` exists while one is, and `owner/{idempotency key}` leads a repeated call to what it has.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{
    Call, Capabilities, Characteristic, Contract, Failure, Inventory, Manifest, Observed, Outcome, Resource, Setting, Verb, characteristic, config,
    inventory, kv,
};
use serde::{Deserialize, Serialize};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "inventory", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        keyvalue: Some("remembers which service has which resource"),
        config: &[Setting::new("resources", "which resources there are").schema(r#"{"type": "object"}"#).required()],
        ..Capabilities::NONE
    },
    failure_codes: &[NO_INVENTORY, BAD_CONFIG, BAD_STORE],
    ..Manifest::EMPTY
};

/// Nothing of the wanted type is free.
const NO_INVENTORY: &str = "no_inventory";
/// The setting `resources` is missing or not as described.
const BAD_CONFIG: &str = "bad_config";
/// A key holds something that this plugin did not write.
const BAD_STORE: &str = "bad_store";

/// The characteristic of a receipt that says whose it is: `undo` is called with another idempotency key than `apply`.
const OWNER: &str = "owner";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

/// A resource that is taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Taken {
    key: String,
    id: String,
    resource_type: String,
    service: String,
}

impl Inventory for Plugin {
    fn apply(call: &Call, request: inventory::Request) -> Result<inventory::Outcome, Failure> {
        if let Some(taken) = read(&owner(&call.idempotency_key))? {
            return Ok(Outcome::Done(receipt(taken)));
        }
        let resources: BTreeMap<String, Vec<String>> = config::json("resources", BAD_CONFIG)?;
        let wanted = request.service.resource_type;
        for id in resources.get(&wanted).into_iter().flatten() {
            let taken = Taken {
                key: call.idempotency_key.clone(),
                id: id.clone(),
                resource_type: wanted.clone(),
                service: request.service.name.clone(),
            };
            let text = serde_json::to_string(&taken).expect("a taken resource is plain text");
            // Of two calls at the same time, one finds the key there already.
            match kv::swap(&slot(&wanted, id), None, &text) {
                Ok(_) => {
                    kv::set(&owner(&call.idempotency_key), &text)?;
                    return Ok(Outcome::Done(receipt(taken)));
                }
                Err(kv::Error::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::rejected(NO_INVENTORY, format!("No available {wanted}")))
    }

    fn observe(call: &Call, _: inventory::Request) -> Result<inventory::Observed, Failure> {
        Ok(read(&owner(&call.idempotency_key))?.map_or(Observed::Absent, |taken| Observed::Ours(receipt(taken))))
    }

    fn undo(_: &Call, receipt: inventory::Receipt) -> Result<inventory::Outcome, Failure> {
        let slot = slot(&receipt.resource_type, &receipt.id);
        // What became somebody else's meanwhile stays theirs.
        if let Some(taken) = read(&slot)?
            && characteristic(&receipt.characteristics, OWNER) == Some(&taken.key)
        {
            kv::delete(&slot)?;
            kv::delete(&owner(&taken.key))?;
        }
        Ok(Outcome::Undone)
    }
}

fn slot(resource_type: &str, id: &str) -> String {
    format!("resource/{resource_type}/{id}")
}

fn owner(key: &str) -> String {
    format!("owner/{key}")
}

fn read(key: &str) -> Result<Option<Taken>, Failure> {
    let Some(found) = kv::get(key)? else { return Ok(None) };
    let taken = serde_json::from_str(&found.value);
    taken.map(Some).map_err(|error| Failure::rejected(BAD_STORE, format!("the key {key} is not as expected: {error}")))
}

fn receipt(taken: Taken) -> Resource {
    let network_element = taken.id.split('/').next().unwrap_or_default().to_owned();
    let characteristics = vec![Characteristic::new(OWNER, taken.key)];
    Resource { id: taken.id, resource_type: taken.resource_type, service: taken.service, network_element, characteristics }
}

jackfield_plugin_sdk::export!(Plugin: inventory; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        ServiceSpec,
        testing::{self, Config, KeyValue},
    };

    use super::*;

    fn request() -> inventory::Request {
        let service = ServiceSpec { name: "access".into(), resource_type: "port".into(), characteristics: Vec::new() };
        inventory::Request { order: "4711".into(), customer: None, location: None, service, preferred_element: None }
    }

    fn take(key: &str) -> Result<Resource, Failure> {
        match Plugin::apply(&testing::call(key), request())? {
            Outcome::Done(resource) => Ok(resource),
            other => panic!("expected a resource, got {other:?}"),
        }
    }

    #[test]
    fn each_resource_is_given_once_and_a_repetition_gets_its_own() {
        Config::set("resources", r#"{"port": ["olt-1/port/1", "olt-1/port/2"]}"#);
        let (first, second) = (take("a").unwrap(), take("b").unwrap());
        assert_eq!((first.id.as_str(), second.id.as_str()), ("olt-1/port/1", "olt-1/port/2"));
        assert_eq!(take("a").unwrap(), first);
        assert_eq!(take("c"), Err(Failure::rejected("no_inventory", "No available port")));
    }

    #[test]
    fn undo_gives_back_and_leaves_nothing_behind() {
        Config::set("resources", r#"{"port": ["olt-1/port/1"]}"#);
        let taken = take("a").unwrap();
        assert_eq!(Plugin::observe(&testing::call("a"), request()), Ok(Observed::Ours(taken.clone())));
        for _ in 0..2 {
            assert_eq!(Plugin::undo(&testing::call("undo"), taken.clone()), Ok(Outcome::Undone));
        }
        assert_eq!(KeyValue::entries(), []);
        assert_eq!(Plugin::observe(&testing::call("a"), request()), Ok(Observed::Absent));
        assert_eq!(take("b").unwrap().id, "olt-1/port/1");
        Plugin::undo(&testing::call("undo"), taken).unwrap();
        assert!(take("c").is_err(), "what became another's was given away");
    }

    #[test]
    fn a_missing_setting_is_rejected() {
        assert_eq!(take("a"), Err(Failure::rejected("bad_config", "the setting resources is missing")));
    }
}
