//! Orders over the real binary: the five plugins, the lab's back ends, HTTP and the command line, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

mod intake;
mod restart;
mod trouble;

use end_to_end_tests::harness::{Host, Lab, Setup};
use serde_json::{Value, json};

/// A host with all plugins in front of a lab.
fn setup(lab: &Lab) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 8},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"},
        "equipment": {"element": "warehouse", "count": 2},
    });
    let http = |name: &str, back_end: &str| json!({"http": {name: {"url": lab.url(back_end), "methods": ["GET", "POST", "PUT", "DELETE"]}}});
    let mut activation = http("activation", "activation");
    activation["config"] = json!({"poll_ms": "100"});
    let mut setup = Setup::default()
        .plugin("catalog-tmf633", http("catalog", "catalogue"))
        .plugin("inventory-pool", json!({"keyvalue": true, "config": {"pools": pools.to_string()}}))
        .plugin("provisioning-restconf", http("element", "element"))
        .plugin("activation-tmf640", activation)
        .plugin("billing-rest", http("billing", "billing"));
    for step in ["decompose", "allocate_inventory", "provision", "activate", "billing_setup"] {
        setup = setup.config(&format!("[orders.{step}]\nretry_initial_ms = 100\nmax_attempts = 8"));
    }
    setup
}

fn order(offering: &str) -> Value {
    json!({"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": offering}}]})
}

/// The reason of the first open fallout.
fn fallout(host: &Host, id: &str) -> Value {
    host.run(id)["open_fallouts"][0]["reason"].clone()
}

/// How many effects of a kind a back end has had.
fn effects(lab: &Lab, back_end: &str, action: &str) -> usize {
    lab.ledger(back_end).as_array().unwrap().iter().filter(|effect| effect["action"] == action).count()
}
