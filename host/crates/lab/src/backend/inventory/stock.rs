//! What is in the inventory at the start: of each type that the lab's catalogue needs.

use serde_json::{Value, json};

use super::BASE;

/// The type, the network element, how many.
const STOCK: [(&str, &str, u32); 6] = [
    ("port", "olt-1", 64),
    ("port", "olt-2", 32),
    ("ipv4", "bng-1", 64),
    ("ipv6", "bng-1", 64),
    ("vlan", "olt-1", 64),
    ("equipment", "warehouse", 32),
];

/// The resources, all available.
pub(super) fn resources() -> Vec<Value> {
    STOCK.iter().flat_map(|(kind, element, count)| (1..=*count).map(|number| resource(kind, element, number))).collect()
}

fn resource(kind: &str, element: &str, number: u32) -> Value {
    let id = format!("{element}-{kind}-{number}");
    let (name, value) = match kind {
        "ipv4" => ("address", format!("198.51.100.{number}")),
        "ipv6" => ("prefix", format!("2001:db8:100:{number:x}00::/56")),
        "vlan" => ("vlan", (99 + number).to_string()),
        "equipment" => ("serial", format!("LAB-{number:05}")),
        _ => ("port", number.to_string()),
    };
    json!({
        "id": id, "href": format!("{BASE}/resource/{id}"), "@type": "LogicalResource", "name": format!("{kind} {number} of {element}"),
        "resourceStatus": "available", "administrativeState": "unlocked", "operationalState": "enable", "usageState": "idle",
        "resourceSpecification": { "id": format!("rs-{kind}"), "href": format!("/resourceSpecification/rs-{kind}"), "name": kind },
        "resourceCharacteristic": [{ "name": name, "valueType": "string", "value": value }],
        "resourceRelationship": [{ "relationshipType": "containedIn", "id": element, "href": format!("{BASE}/resource/{element}") }],
    })
}
