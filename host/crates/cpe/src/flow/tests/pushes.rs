//! What is sent besides values, in which parts, and in what form.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    device::Device,
    world::{Builder, Setup, World},
};
use crate::quirks::QuirkRecord;

fn quirks(set: Value) -> Vec<QuirkRecord> {
    vec![serde_json::from_value(json!({"manufacturer": "Acme", "set": set})).unwrap()]
}

/// The usual configuration, changed.
fn built(change: impl Fn(&Value, &mut Value) + Send + Sync + 'static) -> Builder {
    Arc::new(move |request| {
        let mut configuration = super::story::configuration(request);
        change(request, &mut configuration);
        Ok(configuration)
    })
}

async fn provisioned(setup: Setup) -> (Device, String) {
    let world = World::new(setup).await;
    let mut device = Device::new("S1", "Device.");
    device.values.insert("Device.Old.3.Name".to_owned(), "old".to_owned());
    device.values.extend(["Name", "Other"].map(|name| (format!("Device.Port.7.{name}"), String::new())));
    let told = world.provision(&mut device).await;
    (device, told)
}

#[tokio::test]
async fn removals_come_before_and_notifications_after_the_values() {
    let builder = built(|_, configuration| {
        configuration["removals"] = json!(["Device.Old.3.", "Device.Old.4."]);
        configuration["notifications"] = json!([{"name": "Device.Config.P1", "level": 2}]);
    });
    let (device, told) = provisioned(Setup { builder, ..Setup::default() }).await;
    assert!(told.contains("result=success"), "{told}");
    // The second object is gone already, which is as well.
    assert_eq!(device.asked, ["DeleteObject", "DeleteObject", "SetParameterValues", "SetParameterAttributes", "GetParameterValues"]);
    assert_eq!(device.value("Old.3.Name"), "(none)");
}

#[tokio::test]
async fn a_device_that_takes_few_values_at_once_is_sent_them_in_parts() {
    let (device, told) = provisioned(Setup { quirks: quirks(json!({"set_batch": 5, "get_batch": 4})), ..Setup::default() }).await;
    assert!(told.contains("result=success"), "{told}");
    assert_eq!(device.asked.iter().filter(|method| *method == "SetParameterValues").count(), 3);
    assert_eq!(device.asked.iter().filter(|method| *method == "GetParameterValues").count(), 3);
    assert!(!device.value("ManagementServer.ParameterKey").contains('/'), "the last part has the key of the whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_a_device_has_are_not_sent_again_after_the_host_died() {
    for exchanges in 0..3 {
        let setup = Setup { quirks: quirks(json!({"set_batch": 5})), ..Setup::default() };
        let world = World::new(setup.clone()).await;
        let mut device = Device::new("S1", "Device.");
        *world.lines.dies_after.lock().unwrap() = Some((exchanges, true));
        world.session(&mut device).await;
        let host = World::on(world.ground.clone(), setup).await;
        device.events.push(("1 BOOT".to_owned(), String::new()));
        let told = host.provision(&mut device).await;
        assert!(told.contains("result=success"), "after {exchanges}: {told}");
        let mut names: Vec<&String> = device.sent.iter().map(|(name, _)| name).collect();
        let sent = names.len();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), sent), (12, 12), "after {exchanges}: {:?}", device.sent);
        std::mem::forget(world);
    }
}

#[tokio::test]
async fn values_are_read_first_where_the_quirks_say_so_and_the_plugin_sees_them() {
    let builder = built(|request, configuration| {
        let current = request["current"].as_array().unwrap();
        let seen = current.iter().any(|parameter| parameter["name"] == "Device.Config.P9" && parameter["value"] == "old");
        configuration["assignments"][0]["value"] = json!({"text": if seen { "seen" } else { "unseen" }});
    });
    let setup = Setup { builder, quirks: quirks(json!({"read_first": ["Device.Config.P9", "Device.Port.{i}.Name"]})), ..Setup::default() };
    let (device, told) = provisioned(setup).await;
    assert!(told.contains("result=success") && told.contains("span cpe.provision.read_device cpe.read.param_count=2"), "{told}");
    assert_eq!((device.asked.len(), device.value("Config.P1")), (3, "seen"));
}

#[tokio::test]
async fn a_plugin_may_say_how_the_device_is_and_the_operator_knows_better() {
    let says = || {
        built(|_, configuration| {
            configuration["quirks"] = json!([{"name": "boolean", "value": "true"}]);
            configuration["hidden"] = json!(["Device.Config.P1"]);
        })
    };
    for (set, expected) in [(json!({}), "true"), (json!({"set_batch": 64}), "true")] {
        let (device, told) = provisioned(Setup { builder: says(), quirks: quirks(set), ..Setup::default() }).await;
        assert!(told.contains("result=success") && told.contains("cpe.verify.hidden=3"), "{told}");
        assert_eq!(device.value("Config.Enable"), expected);
    }
    let word = Setup { builder: built(|_, configuration| configuration["quirks"] = json!([{"name": "boolean", "value": "1"}])), ..Setup::default() };
    let (device, _) = provisioned(Setup { quirks: quirks(json!({"boolean": "true"})), ..word }).await;
    assert_eq!(device.value("Config.Enable"), "true");
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_held_before_anything_is_sent() {
    for (builder, expected) in [
        (built(|_, it| it["assignments"][9]["value"] = json!({"secret": "jackfield-sealed.1."})), "to a secret that the profile does not have"),
        (built(|_, it| it["assignments"][0]["name"] = "Device.{nothing}.X".into()), "`Device.{nothing}.X` is no name of a parameter"),
        (built(|_, it| it["assignments"][1]["name"] = it["assignments"][0]["name"].clone()), "`Device.Config.P1` is set twice"),
        (built(|_, it| it["objects"] = json!([{"label": "a", "path": "Device.X", "key": []}])), "has no dot at its end"),
        (built(|_, it| it["assignments"] = json!("none")), "the answer of `configuration` does not fit"),
        (built(|_, it| it["quirks"] = json!([{"name": "cookie_path", "value": "/"}])), "cookie_path"),
    ] {
        let (device, told) = provisioned(Setup { builder, ..Setup::default() }).await;
        assert!(told.contains("fallout: ") && told.contains(expected), "{expected}: {told}");
        assert!(device.asked.is_empty(), "{expected}: {:?}", device.asked);
    }
}
