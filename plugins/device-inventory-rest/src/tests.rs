//! The plugin against a scripted inventory.

use jackfield_plugin_sdk::{
    DeviceInventory as _, Failure,
    cpe::Device,
    device_inventory::{Request, Subscription},
    testing::{self, Http, Reply},
};
use serde_json::{Value, json};

use crate::Rest;

const URL: &str = "http://inventory/devices?oui=00D09E&productClass=RX%20500&serial=S1";

fn device() -> Device {
    Device { product_class: "RX 500".into(), ..testing::device("Device.") }
}

fn apply(status: u16, answer: &Value) -> Result<Subscription, Failure> {
    testing::reset();
    Http::on("GET", URL, Reply::json(status, &answer.to_string()));
    Rest::apply(&testing::call("key"), Request { device: device() })
}

fn entry(oui: &str, customer: Option<&str>) -> Value {
    json!({"oui": oui, "productClass": "RX 500", "serial": "S1", "customer": customer, "plan": "fibre-500", "location": "L-7", "colour": 1,
        "characteristics": {"region": "west"}})
}

#[test]
fn a_device_is_found_by_all_three_parts_of_its_identity() {
    let found = apply(200, &json!([entry("AABBCC", Some("C-other")), entry("00d09e", Some("C-1"))])).unwrap();
    assert_eq!((found.customer_id.as_str(), found.service_plan.as_str(), found.location_id.as_deref()), ("C-1", "fibre-500", Some("L-7")));
    assert_eq!((found.characteristics[0].name.as_str(), found.characteristics[0].value.as_str()), ("region", "west"));
}

#[test]
fn what_the_inventory_cannot_say_has_a_code() {
    let cases = [
        (404, json!({}), "unknown_device"),
        (200, json!([]), "unknown_device"),
        (200, json!([entry("AABBCC", Some("C-other"))]), "unknown_device"),
        (200, json!([entry("00D09E", None)]), "unknown_device"),
        (200, json!([entry("00D09E", Some("C-1")), entry("00D09E", Some("C-2"))]), "bad_inventory"),
        (400, json!({}), "bad_inventory"),
    ];
    for (status, answer, code) in cases {
        let reason = testing::rejected(apply(status, &answer));
        assert_eq!(reason.code, code, "{answer}: {}", reason.message);
    }
    assert!(matches!(apply(503, &json!({})), Err(Failure::Unavailable(_))));
}
