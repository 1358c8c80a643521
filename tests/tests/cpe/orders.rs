//! From an order to a device: the order names it, and its provisioning belongs to the order's trace.

use end_to_end_tests::harness::{
    Lab, Setup,
    orders::{all_plugins, order},
    until,
};
use lab::device::Model;
use serde_json::{Value, json};

use super::support::{alive, device, import, key, runs, session, settled, stock, with_devices};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn setup(lab: &Lab) -> Setup {
    let pools = json!({"port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"},
                       "equipment": {"element": "warehouse", "count": 8}});
    with_devices(all_plugins(lab, &pools), "", "[cpe.wake]\nreach = [\"127.0.0.1\"]\ninterval_ms = 1")
}

/// An order about a device for a customer.
fn about(customer: &str, key: &str, plan: &str) -> Value {
    let mut order = order("fibre-100");
    order["relatedParty"] = json!([{"id": customer, "role": "customer", "@referredType": "Customer"}]);
    order["productOrderItem"][0]["product"] = json!({"productCharacteristic": [{"name": "cpe", "value": key}, {"name": "cpe-plan", "value": plan}]});
    order
}

#[test]
fn an_order_that_is_completed_provisions_its_device_in_its_own_trace() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let stock = |serial: &str| {
        let mut stock = stock(Model::Tr181Router, serial);
        // The operator knows how the devices prove who they are, and not yet whose they are.
        let device = stock["devices"][0].as_object_mut().unwrap();
        ["customer", "plan", "location"].iter().for_each(|field| drop(device.remove(*field)));
        stock
    };
    for serial in ["R0000001", "R0000002"] {
        import(&host, &stock(serial));
    }
    let submit_for = |customer: &str, key: &str, plan: &str| {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let id = host.submit_with(&about(customer, key, plan), &[("traceparent", &parent)]);
        host.wait(&id, &["completed"]);
    };
    let submit = |key: &str, plan: &str| submit_for("C-7", key, plan);
    let input = |run: &Value| host.run(run["run"].as_str().unwrap())["records"][0]["event"].clone();

    // One that was never seen: it is provisioned when it comes.
    let first = device(&host, Model::Tr181Router, "R0000001", |_| {});
    submit(&key(&first), "gold");
    let path = format!("/api/v1/cpe/devices/{}", key(&first).replace('%', "%25"));
    until("the assignment", || host.request("GET", &path, &[], "").body["customer"] == "C-7");
    assert_eq!(runs(&host, "cpe").len(), 0);
    session(&first, &["0 BOOTSTRAP", "1 BOOT"]);
    settled(&host);
    assert_eq!(first.value("Device.WiFi.SSID.1.SSID").as_deref(), Some("Gold"));
    let started = input(&runs(&host, "cpe")[0]);
    assert_eq!((&started["input"]["trigger"], &started["trace"]["trace_id"]), (&json!("bootstrap"), &json!(TRACE)));

    // One that came before anybody had ordered it: it is unknown, and then it is not.
    let second = device(&host, Model::Tr181Router, "R0000002", |_| {});
    session(&second, &["0 BOOTSTRAP", "1 BOOT"]);
    settled(&host);
    assert_ne!(second.value("Device.WiFi.SSID.1.SSID").as_deref(), Some("Gold"));
    submit(&second.options().username(), "gold");
    until("the provisioning that the order asks for", || runs(&host, "cpe").len() == 3);
    session(&second, &["2 PERIODIC"]);
    settled(&host);
    assert_eq!(second.value("Device.WiFi.SSID.1.SSID").as_deref(), Some("Gold"));
    let ordered: Vec<Value> = runs(&host, "cpe").iter().map(input).filter(|started| started["input"]["trigger"] == "order").collect();
    assert_eq!(ordered.iter().map(|started| &started["trace"]["trace_id"]).collect::<Vec<_>>(), [&json!(TRACE)]);

    // Another plan for one that can be called: it comes at once.
    let mut silver = stock("R0000003");
    (silver["plans"][0]["name"], silver["plans"][0]["settings"][2]["value"]) = (json!("silver"), json!("Silver"));
    import(&host, &silver);
    let living = alive(first);
    until("the device to be there again", || living.device.statistics().done >= 2);
    submit(&key(&living.device), "silver");
    until("the other plan", || living.device.value("Device.WiFi.SSID.1.SSID").as_deref() == Some("Silver"));

    // Another customer's order takes the device from nobody: it is done, but for the device.
    let runs_before = runs(&host, "cpe").len();
    submit_for("C-8", &key(&living.device), "gold");
    until("the refusal", || host.log().contains("belongs to another customer than C-8"));
    let shown = host.request("GET", &path, &[], "").body;
    assert_eq!((&shown["customer"], &shown["assigned-plan"]), (&json!("C-7"), &json!("silver")));
    assert_eq!(runs(&host, "cpe").len(), runs_before);
}
