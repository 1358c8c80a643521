//! Answers that are lost: what must not be done twice is not sent a second time, and the device shows what came of it.

use std::sync::Arc;

use pipeline::Outcome;
use serde_json::{Value, json};

use super::{
    device::{Device, Wrong},
    world::{Setup, World},
};
use crate::{
    flow::{Command, Transfer},
    soap::{DeviceRpc, TransferComplete},
};

const VLANS: &str = "Device.Ethernet.VLANTermination.";

fn file() -> Transfer {
    serde_json::from_value(json!({"file-type": "1 Firmware Upgrade Image", "url": "http://192.0.2.1/fw.bin"})).unwrap()
}

/// What a command has come to: `done` with its output, `failed` with the message, or `waiting`.
async fn state(world: &World, run: &pipeline::RunId) -> (String, Value) {
    let document = engine::port::Documents::get(&*world.ground.store, crate::flow::COMMAND_COLLECTION, run.as_str()).await.unwrap().unwrap();
    let what = if document.body["output"].is_null() { document.body["message"].clone() } else { document.body["output"].clone() };
    (document.body["state"].as_str().unwrap().to_owned(), what)
}

async fn periodic(world: &World, device: &mut Device) {
    device.events.push(("2 PERIODIC".to_owned(), String::new()));
    world.session(device).await;
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_not_given_twice() {
    let transfer = || Command::Download(file());
    for (command, method, done, expected, asked) in [
        (Command::Reboot, "Reboot", true, "done", &["Reboot"][..]),
        (Command::Reboot, "Reboot", false, "failed", &["Reboot"]),
        (Command::FactoryReset, "FactoryReset", true, "done", &["FactoryReset"]),
        (Command::FactoryReset, "FactoryReset", false, "failed", &["FactoryReset"]),
        (Command::AddObject { object: VLANS.to_owned() }, "AddObject", true, "done", &["AddObject", "GetParameterNames"]),
        // Its parameter key shows that it did nothing.
        (Command::AddObject { object: VLANS.to_owned() }, "AddObject", false, "done", &["AddObject", "AddObject"]),
        (Command::DeleteObject { object: "Device.Old.3.".to_owned() }, "DeleteObject", true, "done", &["DeleteObject", "DeleteObject"]),
        (Command::DeleteObject { object: "Device.Old.3.".to_owned() }, "DeleteObject", false, "done", &["DeleteObject", "DeleteObject"]),
        (transfer(), "Download", true, "waiting", &["Download"]),
        (Command::Upload(file()), "Upload", true, "waiting", &["Upload"]),
    ] {
        let world = World::new(Setup::default()).await;
        let mut device = Device::new("S1", "Device.");
        device.values.insert("Device.Old.3.Name".to_owned(), "old".to_owned());
        world.provision(&mut device).await;
        device.asked.clear();
        device.wrong = Wrong::LeavesDuring { method, done };
        let case = format!("{command:?}, carried out: {done}");
        let run = world.intake.command(&device.key(), command, "ann").await.unwrap();
        for _ in 0..3 {
            periodic(&world, &mut device).await;
            world.at_rest(&run).await;
        }
        let (found, what) = state(&world, &run).await;
        let asked_for: Vec<&str> = device.asked.iter().map(String::as_str).filter(|name| asked.contains(name)).collect();
        assert_eq!((found.as_str(), &asked_for[..]), (expected, asked), "{case}: {what}");
        if found == "failed" {
            assert!(what.as_str().unwrap().contains(&format!("the answer to {method} was lost")), "{case}: {what}");
        }
        if method == "AddObject" {
            assert_eq!(what, json!({"instance": 11, "applied": "now"}), "{case}");
        }
    }
}

#[tokio::test]
async fn the_end_of_a_transfer_is_heard_though_nobody_heard_that_it_began() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    device.asked.clear();
    device.wrong = Wrong::LeavesDuring { method: "Upload", done: true };
    let run = world.intake.command(&device.key(), Command::Upload(file()), "ann").await.unwrap();
    periodic(&world, &mut device).await;
    let command_key = run.as_str().replace('-', "");
    device.events = vec![("7 TRANSFER COMPLETE".to_owned(), String::new()), ("M Upload".to_owned(), command_key.clone())];
    device.says = vec![DeviceRpc::TransferComplete(TransferComplete { command_key, ..TransferComplete::default() })];
    world.session(&mut device).await;
    assert_eq!((world.rest(&run).await, device.asked), (Some(Outcome::Completed), vec!["Upload".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_dies_while_a_device_restarts_does_not_restart_it_again() {
    for (carried_out, expected) in [(true, "done"), (false, "failed")] {
        let world = World::new(Setup::default()).await;
        let mut device = Device::new("S1", "Device.");
        world.provision(&mut device).await;
        device.asked.clear();
        let run = world.intake.command(&device.key(), Command::Reboot, "ann").await.unwrap();
        *world.lines.dies_after.lock().unwrap() = Some((0, carried_out));
        periodic(&world, &mut device).await;
        let host = World::on(world.ground.clone(), Setup::default()).await;
        periodic(&host, &mut device).await;
        host.rest(&run).await;
        assert_eq!((state(&host, &run).await.0.as_str(), device.asked.len()), (expected, usize::from(carried_out)));
        std::mem::forget(world);
    }
}

#[tokio::test]
async fn a_restart_that_a_configuration_needs_is_not_asked_for_twice() {
    for (done, expected) in [(true, "provisioned"), (false, "held")] {
        let builder = |request: &Value| {
            let mut configuration = super::story::configuration(request);
            configuration["reboot"] = true.into();
            Ok(configuration)
        };
        let world = World::new(Setup { builder: Arc::new(builder), ..Setup::default() }).await;
        let mut device = Device::new("S1", "Device.").with(Wrong::LeavesDuring { method: "Reboot", done });
        let told = world.provision(&mut device).await;
        assert_eq!(world.state_of(&device).await, expected, "{told}");
        assert_eq!(device.asked.iter().filter(|method| *method == "Reboot").count(), 1, "{told}");
    }
}
