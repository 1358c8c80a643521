//! Orders over all shipped plugins, in front of a lab.

use serde_json::{Value, json};

use super::{Lab, Setup};

/// The steps of an order.
pub const STEPS: [&str; 5] = ["decompose", "allocate_inventory", "provision", "activate", "billing_setup"];

/// A host with all plugins in front of a lab. `pools` is what the inventory may give away.
pub fn all_plugins(lab: &Lab, pools: &Value) -> Setup {
    let inventory = json!({"keyvalue": true, "config": {"pools": pools.to_string()}});
    plugins(lab, Setup::default().plugin("inventory-pool", inventory))
}

/// The same without a plugin that answers the inventory contract.
pub fn all_plugins_but_inventory(lab: &Lab) -> Setup {
    plugins(lab, Setup::default())
}

fn plugins(lab: &Lab, setup: Setup) -> Setup {
    let http = |name: &str, back_end: &str| json!({"http": {name: {"url": lab.url(back_end), "methods": ["GET", "POST", "PUT", "DELETE"]}}});
    let mut activation = http("activation", "activation");
    activation["config"] = json!({"poll_ms": "100"});
    setup
        .plugin("catalog-tmf633", http("catalog", "catalogue"))
        .plugin("provisioning-restconf", http("element", "element"))
        .plugin("activation-tmf640", activation)
        .plugin("billing-rest", http("billing", "billing"))
}

/// An order of one item.
pub fn order(offering: &str) -> Value {
    json!({"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": offering}}]})
}
