//! The nine scenarios: each has the right result, once, the right duration, and the right spans.

use std::sync::Arc;

use expect_test::expect_file;
use pipeline::{Failure, FailureClass};
use serde_json::json;

use super::{
    device::{Device, Wrong},
    world::{Setup, World},
};
use crate::{acs::Work, flow::Options};

fn good() -> Device {
    Device::new("S1", "Device.")
}

/// The story of a device that is provisioned as far as it can be.
async fn story(setup: Setup, mut device: Device) -> (String, Device) {
    let world = World::new(setup).await;
    let told = world.provision(&mut device).await;
    assert_eq!(told.matches("cpe.provision.count{").count(), 1, "{told}");
    assert_eq!(told.matches("cpe.provision.duration{").count(), 1, "{told}");
    assert!(!told.contains("kept-secret") && !told.contains("jackfield-sealed"), "{told}");
    (told, device)
}

macro_rules! scenarios {
    ($($name:ident: $setup:expr, $device:expr;)+) => {
        $(#[tokio::test]
        async fn $name() {
            let (told, _) = story($setup, $device).await;
            expect_file![concat!("stories/", stringify!($name), ".txt")].assert_eq(&told);
        })+
    };
}

fn failing_profile(class: FailureClass, code: &'static str) -> Setup {
    Setup { profile: Some(Arc::new(move || Failure::new(class, code, "the BSS does not answer"))), ..Setup::default() }
}

/// A patience of nothing: whoever is waited for is given up at once.
fn impatient() -> Setup {
    let setup = Setup::default();
    Setup { options: Options { patience_s: 0, ..setup.options.clone() }, ..setup }
}

scenarios! {
    a_good_device_is_provisioned: Setup::default(), good();
    a_device_that_lacks_parameters_is_held_with_their_names: Setup::default(), good().with(Wrong::Lacks(vec!["Config.P6", "Config.P7"]));
    a_device_that_nobody_knows_fails: Setup::default(), Device::new("S2", "Device.");
    a_customer_without_a_profile_fails: failing_profile(FailureClass::Rejected, "no_profile"), good();
    a_silent_business_system_fails_as_a_timeout: failing_profile(FailureClass::Unavailable, "plugin.timeout"), good();
    a_refused_value_is_held_with_its_name: Setup::default(), good().with(Wrong::Refuses(9003, "Invalid arguments", Some("Config.P3")));
    a_device_that_vanishes_is_a_timeout: impatient(), good().with(Wrong::LeavesDuring { method: "SetParameterValues", done: false });
    a_liar_is_held: Setup::default(), good().with(Wrong::Lies);
}

#[tokio::test]
async fn ten_parameters_take_four_exchanges_and_are_all_read_back() {
    let (told, device) = story(Setup::default(), good()).await;
    assert!(told.contains("cpe.verify.checked=10"), "{told}");
    // With the Inform and the first empty body.
    assert_eq!(device.asked, ["SetParameterValues", "GetParameterValues"]);
    assert_eq!(device.value("WiFi.AccessPoint.1.Security.KeyPassphrase"), "kept-secret");
    assert_eq!(device.value("ManagementServer.ConnectionRequestUsername"), "00D09E-R-S1");
    assert_eq!(device.value("ManagementServer.ConnectionRequestPassword").len(), 24);
}

#[tokio::test]
async fn other_events_of_a_provisioned_device_are_for_nothing_and_have_a_span() {
    let world = World::new(Setup::default()).await;
    let mut device = good();
    world.provision(&mut device).await;
    for events in [
        &[("2 PERIODIC", "")][..],
        &[("4 VALUE CHANGE", "")],
        &[("6 CONNECTION REQUEST", "")],
        &[("7 TRANSFER COMPLETE", ""), ("M Download", "x")],
        &[("1 BOOT", ""), ("M Reboot", "by somebody")],
        &[("X 00D09E ODD", "")],
        &[],
    ] {
        device.events = events.iter().map(|(code, key)| ((*code).to_owned(), (*key).to_owned())).collect();
        device.asked.clear();
        assert_eq!((world.session(&mut device).await, device.asked.len()), (Work::None, 0), "{events:?}");
    }
    let spans = world.ground.spans.spans();
    let events: Vec<_> =
        spans.iter().map(|span| span.attributes.iter().find(|(key, _)| key == "cpe.event_codes").map(|(_, value)| json!(value))).collect();
    assert_eq!(events.len(), 7);
    assert_eq!(events[3], Some(json!("7 TRANSFER COMPLETE,M Download")));
    assert!(spans.iter().all(|span| span.name == "cpe.inform" && span.error.is_none()));
}

#[tokio::test]
async fn no_value_of_a_secret_is_in_the_journal_or_in_a_document() {
    let world = World::new(Setup::default()).await;
    let mut device = good().with(Wrong::Lies);
    world.provision(&mut device).await;
    let run = world.run_of(&device).await;
    let view = engine::api::Engine::query(&*world.driver, &run).await.unwrap().unwrap();
    let journal = serde_json::to_string(&view.records).unwrap();
    assert!(device.sent.iter().any(|(_, value)| value == "kept-secret"));
    for secret in ["kept-secret", "device-password"] {
        assert!(!journal.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_a_device_says_though_it_is_secret_is_not_written_down() {
    let (token, key) = ("Device.DeviceInfo.X_00D09E_Token", "Device.WiFi.AccessPoint.1.Security.KeyPassphrase");
    let set = json!({"hidden": [token], "read_first": [token]});
    let quirks = serde_json::from_value(json!([{"manufacturer": "Acme", "set": set}])).unwrap();
    let world = World::new(Setup { quirks, ..Setup::default() }).await;
    let mut device = good();
    device.values.insert(token.to_owned(), "told-secret".to_owned());
    world.provision(&mut device).await;
    let names = vec!["Device.DeviceInfo.".to_owned(), "Device.WiFi.".to_owned()];
    let get = world.intake.command(&device.key(), crate::flow::Command::Get { names }, "ann").await.unwrap();
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    world.session(&mut device).await;
    world.rest(&get).await;
    for run in [&world.run_of(&device).await, &get] {
        let records = engine::api::Engine::query(&*world.driver, run).await.unwrap().unwrap().records;
        let journal = serde_json::to_string(&records).unwrap();
        assert!(journal.contains(token) && !journal.contains("told-secret") && !journal.contains("kept-secret"), "{journal}");
    }
    let document = engine::port::Documents::get(&*world.ground.store, crate::flow::COMMAND_COLLECTION, get.as_str()).await.unwrap().unwrap();
    assert_eq!(document.body["output"]["secret"], json!([token, key]));
}
