//! Every way a device can be wrong, with both data models: nothing is called provisioned that is not, and nothing is called wrong that is right.

use lab::device::{Device, End, Faults, Later, Lie, Missing, Model, Vanish};
use serde_json::json;

use super::host::{Host, key_of, settings};

fn cases() -> Vec<(Faults, &'static str)> {
    let vanishes = |rpc: &str, done| Some(Vanish { rpc: rpc.to_owned(), done });
    let missing = |silent| Some(Missing { names: vec![".1.SSID".to_owned()], silent });
    vec![
        (Faults::default(), "provisioned"),
        (Faults { lie: Some(Lie::Everything), ..Faults::default() }, "held"),
        (Faults { lie: Some(Lie::About("Channel".to_owned())), ..Faults::default() }, "held"),
        (Faults { missing: missing(false), ..Faults::default() }, "held"),
        (Faults { missing: missing(true), ..Faults::default() }, "held"),
        (Faults { status1: Some(Later::Reboot), ..Faults::default() }, "provisioned"),
        (Faults { status1: Some(Later::End), ..Faults::default() }, "provisioned"),
        (Faults { status1: Some(Later::Now), ..Faults::default() }, "provisioned"),
        (Faults { status1: Some(Later::Now), lie: Some(Lie::Everything), ..Faults::default() }, "held"),
        (Faults { refuses: Some((9007, "Channel".to_owned())), ..Faults::default() }, "held"),
        (Faults { other_forms: true, ..Faults::default() }, "provisioned"),
        (Faults { shows_hidden: true, ..Faults::default() }, "provisioned"),
        (Faults { no_cookies: true, ..Faults::default() }, "provisioned"),
        (Faults { new_connections: true, ..Faults::default() }, "provisioned"),
        (Faults { no_id: true, ..Faults::default() }, "provisioned"),
        (Faults { odd_xml: true, ..Faults::default() }, "provisioned"),
        (Faults { short_length: true, ..Faults::default() }, "provisioned"),
        (Faults { slow_ms: 20, ..Faults::default() }, "provisioned"),
        (Faults { reboot_after: Some(2), ..Faults::default() }, "provisioned"),
        (Faults { reboot_after: Some(3), ..Faults::default() }, "provisioned"),
        (Faults { reboot_after: Some(4), ..Faults::default() }, "provisioned"),
        (Faults { vanishes: vanishes("SetParameterValues", false), ..Faults::default() }, "provisioned"),
        (Faults { vanishes: vanishes("SetParameterValues", true), ..Faults::default() }, "provisioned"),
        (Faults { vanishes: vanishes("GetParameterValues", true), ..Faults::default() }, "provisioned"),
        (Faults { vanishes: vanishes("AddObject", true), ..Faults::default() }, "provisioned"),
    ]
}

/// A device has everything that it is to have.
fn is_right(device: &Device) -> bool {
    let root = device.options().model.root();
    let is = |name: &str, wanted: &str| device.value(name).is_some_and(|value| value == wanted || (wanted == "true" && value == "1"));
    let object = root != "Device." || device.instances("Device.Ethernet.VLANTermination.") == [1, 2];
    object && settings(root).iter().all(|(name, value, _)| is(name, value)) && is(&key_of(root), "kept-secret")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_a_device_is_true() {
    let host = Host::start(json!([])).await;
    let mut wrong = Vec::new();
    for model in [Model::Tr181Router, Model::Tr098Ont] {
        for (number, (faults, expected)) in cases().into_iter().enumerate() {
            let device = host.device(model, &format!("S{number}"), faults.clone()).await;
            let vanishes = faults.vanishes.is_some();
            let first = if vanishes {
                let first = device.session(&["0 BOOTSTRAP"]).await.unwrap();
                device.set_faults(Faults::default());
                Some(first)
            } else {
                None
            };
            let (sessions, state) = host.provision(&device).await;
            let complaints: Vec<_> = sessions.iter().chain(&first).flat_map(|session| session.complaints.clone()).collect();
            let ends: Vec<_> = sessions.iter().chain(&first).map(|session| session.ended.clone()).filter(|end| *end != End::Done).collect();
            let once = device.writes(&key_of(model.root())) <= 1;
            if state != expected || is_right(&device) != (expected == "provisioned") || !complaints.is_empty() || !(once || expected == "held") {
                let rpcs: Vec<_> = first.iter().chain(&sessions).map(|session| (session.rpcs.clone(), session.refused.clone())).collect();
                wrong.push(format!(
                    "{model:?} {faults:?}:\n  {state}, expected {expected}; right: {}; once: {once}; {ends:?} {complaints:?}\n  {rpcs:?}",
                    is_right(&device)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
