//! A vendor plugin that loops, crashes or takes memory costs the attempts of its own devices and nobody else's session.

use std::sync::Arc;

use end_to_end_tests::harness::{Setup, until};
use lab::device::{Device, DeviceOptions, End, Model};
use serde_json::{Value, json};

use super::support::{acs_url, import, session};

const CONFIG: &str = r#"
[cpe]
listen = "127.0.0.1:0"
[cpe.acs]
auth = "none"
[cpe.provisioning]
allow_unproven = true
[cpe.provisioning.build_config]
max_attempts = 1
"#;

/// Devices by what is built for them; the others are honest.
const HARM: [(&str, &str); 3] = [("loop", "plugin.cpu_limit"), ("crash", "plugin.trap"), ("memory", "plugin.out_of_memory")];

fn device(host: &end_to_end_tests::harness::Host, serial: &str) -> Device {
    Device::new(DeviceOptions { acs_url: acs_url(host), ..DeviceOptions::of(Model::Tr181Router, serial) })
}

#[test]
fn harm_costs_the_attempt_of_its_own_device_only() {
    let host = Setup::default().config(CONFIG).plugin("hostile-configuration", json!({})).start();
    let honest: Vec<String> = (1..=8).map(|number| format!("HONEST{number}")).collect();
    let known = |serial: &str, settings: Value| {
        let options = DeviceOptions::of(Model::Tr181Router, serial);
        json!({"oui": options.oui, "product-class": options.product_class, "serial": serial, "customer": "C-1", "plan": "plan", "settings": settings})
    };
    let harmful = HARM.map(|(what, _)| known(what, json!([{"name": "behaviour", "value": what}])));
    let devices: Vec<Value> = harmful.into_iter().chain(honest.iter().map(|serial| known(serial, json!([])))).collect();
    import(&host, &json!({"plans": [{"name": "plan", "services": ["internet"]}], "devices": devices}));

    // The harmful ones first, and all at once with the others.
    let host = Arc::new(host);
    let sessions: Vec<_> = HARM
        .iter()
        .map(|(what, _)| (*what).to_owned())
        .chain(honest.iter().cloned())
        .map(|serial| {
            let device = device(&host, &serial);
            std::thread::spawn(move || (session(&device, &["0 BOOTSTRAP"]).ended, device))
        })
        .collect();
    let ended: Vec<(End, Device)> = sessions.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(ended.iter().all(|(end, _)| *end == End::Done), "{:?}", ended.iter().map(|(end, _)| end).collect::<Vec<_>>());
    for (_, device) in &ended[HARM.len()..] {
        assert_eq!(device.value("Device.DeviceInfo.ProvisioningCode").as_deref(), Some("fine"));
    }
    let state = |serial: &str| {
        let list = host.request("GET", &format!("/api/v1/cpe/devices?serial={serial}"), &[], "").body;
        list["devices"][0].clone()
    };
    for serial in &honest {
        until("the device to be provisioned", || state(serial)["state"] == "provisioned");
    }
    for (what, error) in HARM {
        until("the harm to be told", || state(what)["state"] == "held");
        let run = host.run(state(what)["run"].as_str().unwrap());
        let told = run.to_string();
        assert!(told.contains(error), "{what}: expected {error}: {told}");
    }
}
