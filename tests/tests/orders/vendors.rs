//! Two vendors of one contract: orders run over whichever is bound, and what was taken is given back to the same.

use end_to_end_tests::harness::{Host, Lab};
use serde_json::json;

use super::{fallout, order, setup};

fn over_tmf639(lab: &Lab) -> Host {
    let grant = json!({"http": {"inventory": {"url": lab.url("inventory"), "methods": ["GET", "PATCH"]}}});
    setup(lab).plugin("inventory-tmf639", grant).config("[bindings]\n\"jackfield:order/inventory@1\" = \"inventory-tmf639\"\n").start()
}

#[test]
fn an_order_reserves_over_tmf639_and_activates_what_it_reserved() {
    let lab = Lab::start();
    let host = over_tmf639(&lab);
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed"]);
    assert_eq!((lab.effects("inventory", "reserved"), lab.effects("inventory", "released")), (2, 0), "a port and an address");
    // The activation refers to the resources where the inventory has them.
    let records = host.run(&id)["records"].to_string();
    assert!(records.contains("/tmf-api/resourceInventoryManagement/v4/resource/olt-"), "{records}");
}

#[test]
fn what_an_order_reserved_over_tmf639_is_released_when_it_cannot_go_on() {
    let lab = Lab::start();
    let host = over_tmf639(&lab);
    lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "body": "ipv4"}));
    // The first release is done and nobody hears of it.
    lab.switch("inventory", "drop-answer", json!({"method": "PATCH", "body": "available"}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held"]);
    assert_eq!(fallout(&host, &id), "provisioning_failed");
    assert_eq!((lab.effects("inventory", "reserved"), lab.effects("inventory", "released")), (2, 2));
}
