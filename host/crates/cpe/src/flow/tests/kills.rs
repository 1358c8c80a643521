//! The host dies between any two exchanges: the device is provisioned in its next session, and nothing is sent twice.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    device::Device,
    world::{Setup, World},
};

/// The usual parameters, and those of two objects that must be there.
fn with_objects(request: &Value) -> Value {
    let mut configuration = super::story::configuration(request);
    let vlan = |id: &str| json!([{"name": "VLANID", "value": {"text": id}, "kind": "unsigned-int"}]);
    configuration["objects"] = json!([
        {"label": "tv", "path": "Device.Ethernet.VLANTermination.", "key": vlan("100")},
        {"label": "voice", "path": "Device.Ethernet.VLANTermination.", "key": vlan("200")},
    ]);
    let named = |name: &str, value: &str| json!({"name": name, "value": {"text": value}, "kind": "string"});
    let assignments = configuration["assignments"].as_array_mut().unwrap();
    assignments.push(named("Device.Ethernet.VLANTermination.{tv}.Name", "tv"));
    assignments.push(named("Device.Ethernet.VLANTermination.{voice}.Name", "voice"));
    configuration
}

fn setup() -> Setup {
    Setup { builder: Arc::new(|request| Ok(with_objects(request))), ..Setup::default() }
}

#[tokio::test]
async fn objects_are_found_or_added_and_named_in_the_values() {
    let world = World::new(setup()).await;
    let mut device = Device::new("S1", "Device.");
    device.values.insert("Device.Ethernet.VLANTermination.3.VLANID".to_owned(), "200".to_owned());
    device.values.insert("Device.Ethernet.VLANTermination.3.Name".to_owned(), "mine".to_owned());
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    // One look at what is there, one object added, the values, and the look back.
    assert_eq!(device.asked, ["GetParameterValues", "AddObject", "SetParameterValues", "GetParameterValues"]);
    let names =
        [("Ethernet.VLANTermination.3.Name", "voice"), ("Ethernet.VLANTermination.11.Name", "tv"), ("Ethernet.VLANTermination.11.VLANID", "100")];
    for (name, value) in names {
        assert_eq!(device.value(name), value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_dies_between_any_two_exchanges_finishes_in_the_next_session() {
    for carried_out in [false, true] {
        for exchanges in 0..5 {
            let world = World::new(setup()).await;
            let mut device = Device::new("S1", "Device.");
            *world.lines.dies_after.lock().unwrap() = Some((exchanges, carried_out));
            world.session(&mut device).await;
            let died = world.lines.is_dead();
            assert!(died, "after {exchanges} exchanges the host was to die");
            let (ground, setup) = (world.ground.clone(), world.setup.clone());
            // The old host is fenced by the new one; its tasks hang where they were.
            let host = World::on(ground, setup).await;
            device.events.push(("1 BOOT".to_owned(), String::new()));
            let told = host.provision(&mut device).await;
            let case = format!("after {exchanges} exchanges, the last carried out: {carried_out}\n{told}\n{:?}", device.asked);
            assert!(told.contains("result=success"), "{case}");
            let secrets = device.sent.iter().filter(|(_, value)| value == "kept-secret").count();
            assert_eq!(secrets, 1, "{case}");
            // The session in which it went on names the run that another host began.
            let links: Vec<usize> = host.ground.spans.spans().iter().map(|span| span.links.len()).collect();
            assert!(!links.is_empty() && links.iter().all(|count| *count == 1), "{links:?} {case}");
            let vlans = device.values.keys().filter(|name| name.contains("VLANTermination") && name.ends_with("VLANID")).count();
            assert_eq!(vlans, 2, "{case}");
            std::mem::forget(world);
        }
    }
}
