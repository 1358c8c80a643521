//! Commands: what a device does at once, after a restart, and in its own time.

use pipeline::Outcome;
use serde_json::{Value, json};

use super::{
    device::Device,
    world::{Setup, World},
};
use crate::{
    flow::{Assignment, Command, SettingValue, Transfer, ValueKind},
    soap::{DeviceRpc, TransferComplete},
};

async fn provisioned() -> (World, Device) {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    device.asked.clear();
    (world, device)
}

fn periodic(device: &mut Device) {
    device.events.push(("2 PERIODIC".to_owned(), String::new()));
}

/// What a command returned.
async fn output(world: &World, run: &pipeline::RunId) -> Value {
    assert_eq!(world.rest(run).await, Some(Outcome::Completed));
    let document = engine::port::Documents::get(&*world.ground.store, crate::flow::COMMAND_COLLECTION, run.as_str()).await.unwrap().unwrap();
    document.body["output"].clone()
}

#[tokio::test]
async fn values_are_read_and_set_in_the_next_session() {
    let (world, mut device) = provisioned().await;
    let names = vec!["Device.Config.P1".to_owned(), "Device.Config.None".to_owned()];
    let value = Assignment { name: "Device.Config.P9".to_owned(), value: SettingValue::Text("new".to_owned()), kind: ValueKind::String };
    let get = world.intake.command(&device.key(), Command::Get { names }, "ann").await.unwrap();
    let set = world.intake.command(&device.key(), Command::Set { values: vec![value] }, "ann").await.unwrap();
    periodic(&mut device);
    world.session(&mut device).await;
    assert_eq!(output(&world, &set).await, json!({"applied": "now", "checked": 1}));
    let read = json!({"values": [{"name": "Device.Config.P1", "value": "v1", "kind": "string"}], "absent": ["Device.Config.None"]});
    assert_eq!(output(&world, &get).await, read);
    assert_eq!(device.value("Config.P9"), "new");
}

#[tokio::test]
async fn many_values_are_no_part_of_the_journal() {
    let (world, mut device) = provisioned().await;
    let names: Vec<String> = (0..20).map(|n| format!("Device.Config.Q{n}")).collect();
    for name in &names {
        device.values.insert(name.clone(), "v".to_owned());
    }
    let run = world.intake.command(&device.key(), Command::Get { names }, "ann").await.unwrap();
    periodic(&mut device);
    world.session(&mut device).await;
    let read = output(&world, &run).await;
    assert!(read["digest"].is_string() && read["values"].is_null(), "{read}");
    let mut shown = read.clone();
    crate::flow::answers::with_values(&*world.ground.store, run.as_str(), &mut shown).await.unwrap();
    let values = shown["values"].as_array().unwrap();
    assert_eq!((values.len(), read["count"].as_u64(), &values[0]["value"]), (20, Some(20), &json!("v")));
}

#[tokio::test]
async fn a_restart_is_over_when_the_device_is_back() {
    let (world, mut device) = provisioned().await;
    let run = world.intake.command(&device.key(), Command::Reboot, "ann").await.unwrap();
    periodic(&mut device);
    world.session(&mut device).await;
    assert!(device.events.iter().any(|(code, _)| code == "M Reboot"));
    let view = engine::api::Engine::query(&*world.driver, &run).await.unwrap().unwrap();
    assert_eq!(view.run.outcome(), None);
    world.session(&mut device).await;
    assert_eq!(world.rest(&run).await, Some(Outcome::Completed));
    assert_eq!(device.asked, ["Reboot"]);
}

#[tokio::test]
async fn a_download_is_over_when_the_device_says_so_also_to_another_host() {
    for (fault_code, expected) in [(0, "completed"), (9010, "failed")] {
        let (world, mut device) = provisioned().await;
        let file = json!({"file-type": "1 Firmware Upgrade Image", "url": "http://192.0.2.1/fw.bin", "size": 7});
        let transfer: Transfer = serde_json::from_value(file).unwrap();
        let run = world.intake.command(&device.key(), Command::Download(transfer), "ann").await.unwrap();
        periodic(&mut device);
        world.session(&mut device).await;
        assert_eq!(device.asked, ["Download"]);
        let command_key = run.as_str().replace('-', "");
        let options = crate::flow::Options {
            push_config: crate::flow::StepOptions { max_attempts: std::num::NonZeroU32::MIN, ..world.setup.options.push_config },
            ..world.setup.options.clone()
        };
        let host = World::on(world.ground.clone(), Setup { options, ..Setup::default() }).await;
        let complete = TransferComplete {
            command_key: command_key.clone(),
            fault_code,
            fault_string: "File transfer failure".to_owned(),
            ..TransferComplete::default()
        };
        device.events = vec![("7 TRANSFER COMPLETE".to_owned(), String::new()), ("M Download".to_owned(), command_key)];
        device.says = vec![DeviceRpc::TransferComplete(complete)];
        let told = host.session(&mut device).await;
        assert_eq!(told, crate::acs::Work::Expected);
        let outcome = match host.rest(&run).await {
            Some(Outcome::Completed) => "completed",
            Some(Outcome::Failed { failure, .. }) => {
                assert_eq!((failure.error_type.as_str(), failure.message.as_str()), ("cwmp.fault", "Download fault: File transfer failure"));
                "failed"
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((outcome, device.asked.len()), (expected, 1));
    }
}
