//! What contacts are for: resets begin anew, devices that fail are not tried too often, and what changed is noticed.

use engine::{
    api::{Decision, Engine as _},
    port::Documents,
};
use pipeline::{Outcome, Resolution};
use serde_json::json;

use super::{
    device::{Device, Wrong},
    world::{Setup, World},
};
use crate::{
    acs::Work,
    flow::{DEVICE_COLLECTION, NewPlan, Owner, Trigger},
};

#[tokio::test]
async fn a_reset_takes_over_from_a_run_that_waits() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.").with(Wrong::LeavesDuring { method: "SetParameterValues", done: false });
    world.session(&mut device).await;
    let first = world.run_of(&device).await;
    device.events = vec![("0 BOOTSTRAP".to_owned(), String::new())];
    world.session(&mut device).await;
    let second = world.run_of(&device).await;
    assert_ne!(first, second);
    assert_eq!(world.rest(&second).await, Some(Outcome::Completed));
    let Some(Outcome::Failed { failure, .. }) = world.rest_ended(&first).await else { panic!("the first run goes on") };
    assert_eq!(failure.error_type, "host.cancelled");
    assert_eq!(world.state_of(&device).await, "provisioned");
}

#[tokio::test]
async fn a_reset_takes_over_from_a_run_that_is_held() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.").with(Wrong::Lies);
    world.provision(&mut device).await;
    let first = world.run_of(&device).await;
    assert_eq!(world.state_of(&device).await, "held");
    device.wrong = Wrong::Nothing;
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    assert_eq!(world.session(&mut device).await, Work::None);
    device.events = vec![("0 BOOTSTRAP".to_owned(), String::new())];
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    assert!(matches!(world.rest(&first).await, Some(Outcome::Failed { .. })));
    assert_eq!(world.state_of(&device).await, "provisioned");
}

#[tokio::test]
async fn a_device_that_nobody_knows_is_tried_once_in_a_while() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S9", "Device.");
    world.provision(&mut device).await;
    let first = world.run_of(&device).await;
    for events in ["0 BOOTSTRAP", "1 BOOT", "2 PERIODIC"] {
        device.events = vec![(events.to_owned(), String::new())];
        assert_eq!(world.session(&mut device).await, Work::None, "{events}");
    }
    assert_eq!(world.run_of(&device).await, first);
}

#[tokio::test]
async fn another_plugin_or_plan_is_noticed_and_only_what_differs_is_sent() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let periodic = || vec![("2 PERIODIC".to_owned(), String::new())];
    // Another plan of the same name: the same parameters but for what the plugin makes of it.
    let mut plan = super::story::plan();
    plan["services"] = json!(["internet"]);
    world.inventory.put_plan(serde_json::from_value::<NewPlan>(plan).unwrap()).await.unwrap();
    (device.events, device.asked) = (periodic(), Vec::new());
    device.sent.clear();
    device.values.insert("Device.Config.P2".to_owned(), "changed by hand".to_owned());
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    assert_eq!(device.asked, ["GetParameterValues", "SetParameterValues", "GetParameterValues"]);
    let sent: Vec<&str> = device.sent.iter().map(|(name, _)| name.as_str()).collect();
    assert!(sent.contains(&"Device.Config.P2") && !sent.contains(&"Device.Config.P1"), "{sent:?}");
    // A host that comes up with another plugin provisions the device anew as well; one with the same does not.
    for (plugin, expected) in [("builder", Work::None), ("other", Work::Expected)] {
        let host = World::on(world.ground.clone(), Setup { plugin, ..Setup::default() }).await;
        device.events = periodic();
        assert_eq!(host.session(&mut device).await, expected, "{plugin}");
    }
}

#[tokio::test]
async fn a_person_can_ask_for_a_provisioning_and_an_order_brings_its_trace() {
    let world = World::new(Setup::default()).await;
    let trace = engine::api::InboundTrace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "").unwrap();
    let mut device = Device::new("S5", "Device.");
    let not_seen = world.intake.provision(&device.key(), Trigger::Operator, None, None).await.unwrap_err();
    assert!(not_seen.to_string().contains("has not contacted the host yet"), "{not_seen}");
    let owner = Owner { customer: "c-5".to_owned(), plan: "fibre-100".to_owned(), location: None, characteristics: Vec::new() };
    world.inventory.assign(&device.key(), owner, Some(trace)).await.unwrap();
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    let run = world.run_of(&device).await;
    let view = engine::api::Engine::query(&*world.driver, &run).await.unwrap().unwrap();
    assert_eq!(view.run.started().trace.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
    let again = world.intake.provision(&device.key(), Trigger::Operator, None, Some("once".to_owned())).await.unwrap();
    assert_eq!(world.intake.provision(&device.key(), Trigger::Operator, None, Some("once".to_owned())).await.unwrap(), again);
    device.events = vec![("6 CONNECTION REQUEST".to_owned(), String::new())];
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    assert_eq!(world.run_of(&device).await, again);
}

#[tokio::test]
async fn a_comparison_with_the_profile_sends_what_differs_and_secrets_only_then() {
    const SECRET: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    const WAKE: &str = "Device.ManagementServer.ConnectionRequestPassword";
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let another = |key: &str| {
        let mut plan = super::story::plan();
        plan["settings"][1]["secret"] = key.into();
        serde_json::from_value::<NewPlan>(plan).unwrap()
    };
    for (by_hand, key, expected) in [
        (None, None, &[][..]),
        (Some("else"), None, &["Device.Config.P4", SECRET, WAKE]),
        (None, None, &[]),
        // Nothing that can be read is another one, but the profile is.
        (None, Some("other-secret"), &[SECRET, WAKE]),
    ] {
        if let Some(value) = by_hand {
            device.values.insert("Device.Config.P4".to_owned(), value.to_owned());
        }
        if let Some(key) = key {
            world.inventory.put_plan(another(key)).await.unwrap();
        }
        let run = world.intake.provision(&device.key(), Trigger::Drift, None, None).await.unwrap();
        device.asked.clear();
        device.sent.clear();
        device.events = vec![("2 PERIODIC".to_owned(), String::new())];
        world.provision(&mut device).await;
        assert_eq!((world.rest(&run).await, world.run_of(&device).await), (Some(Outcome::Completed), run));
        let asked =
            if expected.is_empty() { &["GetParameterValues"; 2][..] } else { &["GetParameterValues", "SetParameterValues", "GetParameterValues"] };
        let sent: Vec<_> = device.sent.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((&device.asked[..], &sent[..]), (&asked.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..], expected));
    }
    assert_eq!(device.value("WiFi.AccessPoint.1.Security.KeyPassphrase"), "other-secret");
}

#[tokio::test]
async fn a_request_that_is_repeated_leaves_a_newer_run_alone() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let again = async || world.intake.provision(&device.key(), Trigger::Operator, None, Some("once".to_owned())).await.unwrap();
    let first = again().await;
    let mut liar = Device::new("S1", "Device.").with(Wrong::Lies);
    world.provision(&mut liar).await;
    let second = world.run_of(&device).await;
    assert_eq!((again().await == first, first < second, world.rest(&second).await), (true, true, None));
    assert_eq!((world.run_of(&device).await, world.state_of(&device).await.as_str()), (second, "held"));
}

#[tokio::test]
async fn values_are_read_first_also_where_a_person_asked() {
    let quirks = serde_json::from_value(json!([{"manufacturer": "Acme", "set": {"read_first": ["Device.Config.P9"]}}])).unwrap();
    let world = World::new(Setup { quirks, ..Setup::default() }).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    world.intake.provision(&device.key(), Trigger::Operator, None, None).await.unwrap();
    device.events = vec![("6 CONNECTION REQUEST".to_owned(), String::new())];
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success") && told.contains("span cpe.provision.read_device cpe.read.param_count=1"), "{told}");
}

#[tokio::test]
async fn what_a_person_says_of_a_device_is_not_what_was_read_back() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.").with(Wrong::Lies);
    world.provision(&mut device).await;
    let (run, skipped) = (world.run_of(&device).await, Resolution::SkipWith(json!({"checked": 10, "hidden": 2})));
    let decision = Decision { run: run.clone(), fallout: None, resolution: skipped, by: "ann".to_owned(), note: String::new() };
    world.driver.resolve(decision).await.unwrap();
    assert_eq!((world.rest(&run).await, world.state_of(&device).await.as_str()), (Some(Outcome::Completed), "unverified"));
    // It has what it is to have as far as anybody knows: nothing is begun by itself, and a reset begins anew.
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    assert_eq!(world.session(&mut device).await, Work::None);
}

#[tokio::test]
async fn a_device_that_a_plugin_could_not_serve_is_tried_again_with_another() {
    let refuses = |_: &serde_json::Value| Err(pipeline::Failure::new(pipeline::FailureClass::Rejected, "plugin.trap", "it crashed"));
    let world = World::new(Setup { builder: std::sync::Arc::new(refuses), plugin: "bad", ..Setup::default() }).await;
    let mut device = Device::new("S1", "Device.");
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=error") && device.asked.is_empty(), "{told}");
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    assert_eq!(world.session(&mut device).await, Work::None);
    let host = World::on(world.ground.clone(), Setup::default()).await;
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    let told = host.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
}

#[tokio::test]
async fn who_only_claims_to_be_a_device_changes_nothing() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let run = world.run_of(&device).await;
    let facts = async || Documents::get(&*world.ground.store, DEVICE_COLLECTION, device.key().as_str()).await.unwrap().unwrap().body;
    let before = facts().await;
    for proof in [crate::acs::Proof::Shared, crate::acs::Proof::None] {
        let host = World::on(world.ground.clone(), Setup { proof, ..Setup::default() }).await;
        let mut stranger = Device::new("S1", "Device.");
        stranger.values.insert("Device.ManagementServer.ConnectionRequestURL".to_owned(), "http://203.0.113.1/".to_owned());
        assert_eq!((host.session(&mut stranger).await, stranger.asked.len()), (Work::None, 0));
        assert_eq!((host.run_of(&device).await, facts().await), (run.clone(), before.clone()));
    }
}

#[tokio::test]
async fn facts_are_kept_when_they_change() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let facts = async || Documents::get(&*world.ground.store, DEVICE_COLLECTION, device.key().as_str()).await.unwrap().unwrap().body;
    let before = facts().await;
    assert_eq!((&before["device"]["model"], &before["proven"]), (&json!("R-1"), &json!(true)));
    assert_eq!(before["connection-request-url"], json!("http://192.0.2.7:7547/"));
    let mut moved = device.clone();
    moved.values.insert("Device.ManagementServer.ConnectionRequestURL".to_owned(), "http://192.0.2.8:7547/".to_owned());
    moved.events = vec![("4 VALUE CHANGE".to_owned(), String::new())];
    assert_eq!(world.session(&mut moved).await, Work::None);
    let after = facts().await;
    assert_eq!(after["connection-request-url"], json!("http://192.0.2.8:7547/"));
    assert_eq!((&after["connection-request"], &after["first-seen"]), (&before["connection-request"], &before["first-seen"]));
}

#[tokio::test]
async fn what_could_not_be_kept_of_a_device_is_kept_at_its_next_contact() {
    let world = World::new(Setup::default()).await;
    let keeps_nothing = &world.setup.keeps_nothing;
    keeps_nothing.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut device = Device::new("S1", "Device.");
    world.try_session(&mut device).await.unwrap_err();
    let key = device.key();
    let facts = async || Documents::get(&*world.ground.store, DEVICE_COLLECTION, key.as_str()).await.unwrap();
    assert_eq!(facts().await, None);
    keeps_nothing.store(false, std::sync::atomic::Ordering::SeqCst);
    device.events = vec![("1 BOOT".to_owned(), String::new())];
    let told = world.provision(&mut device).await;
    assert!(told.contains("result=success"), "{told}");
    // The password that the device was given is the one that is kept.
    let kept = facts().await.unwrap().body;
    let handle = kept["connection-request"]["password"].as_str().unwrap();
    let tenant = pipeline::TenantName::new("default").unwrap();
    let password = engine::port::Secrets::open(&*world.ground.secrets, &tenant, None, handle).unwrap();
    assert_eq!(device.value("ManagementServer.ConnectionRequestPassword"), password.as_str());
}

impl World {
    /// Waits until a run is over.
    pub(super) async fn rest_ended(&self, run: &pipeline::RunId) -> Option<Outcome> {
        for _ in 0..500 {
            if let Some(outcome) = self.rest(run).await {
                return Some(outcome);
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        None
    }
}
