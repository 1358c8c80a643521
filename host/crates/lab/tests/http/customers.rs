//! The inventory of devices and the profiles of customers over real HTTP.

use super::client::Client;
use hyper::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_device_is_found_by_its_identity() {
    let client = Client::new(0).await;
    let base = client.lab.urls().device_inventory.clone();
    let devices = format!("{base}/devices");
    let found = client.get(&format!("{devices}?oui=0a11ce&productClass=NR-2200&serial=R0000001")).await.body;
    let expected = json!([{"oui": "0A11CE", "productClass": "NR-2200", "serial": "R0000001", "customer": "C-1", "plan": "plan-triple", "location": "L-1",
        "characteristics": {}}]);
    assert_eq!(found, expected);
    for query in ["oui=0A11CE&productClass=NR-2200&serial=R9", "oui=FFFFFF&productClass=NR-2200&serial=R0000001", "serial=nobody"] {
        assert_eq!(client.get(&format!("{devices}?{query}")).await.body, json!([]), "{query}");
    }
    assert_eq!(client.get(&format!("{devices}?oui=0AF0CC")).await.body.as_array().unwrap().len(), 100);

    let new = json!([{"oui": "00D09E", "productClass": "RX 500", "serial": "S1", "customer": "C-7"}]);
    assert_eq!((client.post(&devices, &new).await.status, client.post(&devices, &new).await.status), (201, 409));
    assert_eq!(client.get(&format!("{devices}?oui=00D09E&productClass=RX%20500&serial=S1")).await.body, new);
    let one = format!("{devices}/00D09E-RX%20500-S1");
    let moved = json!({"oui": "00D09E", "productClass": "RX 500", "serial": "S1", "customer": "C-8"}).to_string();
    assert_eq!(client.send(Method::PUT, &one, &[], &moved).await.status, 200);
    assert_eq!(client.get(&one).await.body["customer"], "C-8");
    assert_eq!((client.delete(&one).await.status, client.delete(&one).await.status), (204, 404));
    let id = "device 00D09E-RX 500-S1";
    assert_eq!(client.ledger(&base).await, [format!("created {id} C-7"), format!("replaced {id} C-8"), format!("deleted {id} ")]);
    let bad = client.post(&devices, &json!({"oui": "00D09E"})).await;
    assert_eq!((bad.status, &bad.body["error"]), (422, &json!("productClass is missing: expected text")));
}

#[tokio::test]
async fn a_customer_has_what_the_plan_says() {
    let client = Client::new(0).await;
    let base = client.lab.urls().profiles.clone();
    let profile = async |customer: &str, plan: &str| client.get(&format!("{base}/customers/{customer}/profile?plan={plan}")).await;
    let names = |profile: &Value| profile["settings"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let triple = profile("C-1", "plan-triple").await.body;
    assert_eq!(
        (&triple["version"], &triple["services"], &triple["wifiBands"]),
        (&json!("1"), &json!(["internet", "voip", "iptv"]), &json!(["2.4GHz", "5GHz"]))
    );
    let all = [
        "acs.inform-interval",
        "internet.password",
        "internet.username",
        "iptv.vlan",
        "voip.1.number",
        "voip.1.password",
        "voip.1.username",
        "voip.proxy",
        "wifi.2.4.key",
        "wifi.2.4.ssid",
        "wifi.5.key",
        "wifi.5.ssid",
    ];
    assert_eq!(names(&triple), all);
    assert!(triple["settings"]["wifi.5.key"]["secret"].as_str().unwrap().len() >= 8, "a network takes keys of eight characters and more");
    let (small, other) = (profile("C-1", "plan-fibre-100").await.body, profile("C-2", "plan-triple").await.body);
    assert_eq!(names(&small), ["acs.inform-interval", "internet.password", "internet.username", "wifi.2.4.key", "wifi.2.4.ssid"]);
    assert_ne!(triple["settings"]["wifi.5.key"], other["settings"]["wifi.5.key"]);
    for (customer, plan) in [("C-1", "none"), ("nobody", "plan-triple"), ("C-1", "")] {
        assert_eq!(profile(customer, plan).await.status, 404, "{customer} {plan}");
    }

    let url = format!("{base}/customers/C-1/profile?plan=plan-triple");
    let patch = json!({"settings": {"wifi.5.ssid": "Castle", "iptv.vlan": null}, "services": ["internet", "voip"]}).to_string();
    assert_eq!(client.send(Method::PATCH, &url, &[], &patch).await.status, 200);
    let changed = client.get(&url).await.body;
    assert_eq!(
        (&changed["version"], &changed["settings"]["wifi.5.ssid"], &changed["settings"]["iptv.vlan"]),
        (&json!("2"), &json!("Castle"), &Value::Null)
    );
    assert_eq!(client.ledger(&base).await, ["replaced profile C-1 plan-triple "]);
    for (body, error) in [("7", "the body is no merge patch of a profile: expected an object"), ("{", "the body is not JSON: ")] {
        let refused = client.send(Method::PATCH, &url, &[], body).await;
        assert!(refused.status == 400 && refused.body["error"].as_str().unwrap().starts_with(error), "{refused:?}");
    }
    assert_eq!(client.get(&url).await.body, changed, "what is refused changes nothing");
    client.switch(&base, "fail", json!({})).await;
    assert_eq!((client.get(&url).await.status, client.get(&url).await.status), (503, 200));
}
