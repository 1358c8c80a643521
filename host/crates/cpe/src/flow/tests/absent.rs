//! Devices that are not there: they are called, and what waits for one that is forgotten ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use pipeline::Outcome;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{
    device::{Device, Wrong},
    world::{Setup, World},
};
use crate::{
    acs::Work,
    flow::{Command, CommandError, Trigger},
    wake::WakeOptions,
};

/// Something that accepts connection requests, and how many there were.
async fn listener() -> (String, Arc<AtomicU32>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, calls) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(AtomicU32::new(0)));
    let (mut serving, counted) = (JoinSet::new(), calls.clone());
    serving.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                head.push(char::from(stream.read_u8().await.unwrap()));
            }
            counted.fetch_add(1, Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        }
    });
    (url, calls, serving)
}

#[tokio::test]
async fn a_device_that_is_to_be_sent_something_and_is_not_there_is_called_less_and_less_often() {
    let (url, calls, _serving) = listener().await;
    let reach: WakeOptions = serde_json::from_str(r#"{"reach": ["127.0.0.1"], "interval_ms": 0}"#).unwrap();
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (trigger, url, called, expected) in [
        (Trigger::Changed, url.as_str(), 5, &[1, 5, 30, 120, 360, 360][..]),
        // A person said whether the device is to be called.
        (Trigger::Operator, &url, 0, &[360]),
        // Nobody knows where it listens.
        (Trigger::Changed, "", 0, &[360]),
    ] {
        let world = World::new(Setup { calls: Some(reach.clone()), ..Setup::default() }).await;
        let mut device = Device::new("S1", "Device.");
        device.values.insert("Device.ManagementServer.ConnectionRequestURL".to_owned(), url.to_owned());
        world.provision(&mut device).await;
        calls.store(0, Ordering::SeqCst);
        let run = world.intake.provision(&device.key(), trigger, None, None).await.unwrap();
        for (position, pause) in expected.iter().enumerate() {
            let found = world.goes_on_in(&run).await;
            assert!(found <= minutes(*pause) && found + minutes(1) > minutes(*pause), "{trigger:?} {position}: {found:?}");
            // As if that time had passed.
            assert!(engine::api::Engine::wake(&*world.driver, &run).await.unwrap());
            world.has_looked(&run, position + 2).await;
        }
        assert_eq!(calls.load(Ordering::SeqCst), called, "{trigger:?} {url}");
        device.events = vec![("6 CONNECTION REQUEST".to_owned(), String::new())];
        let told = world.provision(&mut device).await;
        assert!(told.contains("result=success") && world.run_of(&device).await == run, "{told}");
    }
}

#[tokio::test]
async fn what_waits_for_a_device_that_is_forgotten_ends() {
    for wrong in [Wrong::LeavesDuring { method: "SetParameterValues", done: false }, Wrong::Lies] {
        let world = World::new(Setup::default()).await;
        let mut device = Device::new("S1", "Device.").with(wrong.clone());
        world.session(&mut device).await;
        let run = world.run_of(&device).await;
        world.at_rest(&run).await;
        let command = world.intake.command(&device.key(), Command::Reboot, "ann").await.unwrap();
        world.at_rest(&command).await;
        world.intake.forget(&device.key()).await.unwrap();
        for run in [&run, &command] {
            let Some(Outcome::Failed { .. }) = world.rest_ended(run).await else { panic!("{run} goes on waiting, {wrong:?}") };
        }
        assert_eq!((world.state_of(&device).await.as_str(), device.asked.contains(&"Reboot".to_owned())), ("unknown", false), "{wrong:?}");
        // It begins anew.
        let told = world.provision(&mut Device::new("S1", "Device.")).await;
        assert!(told.contains("result=success"), "{told}");
    }
}

#[tokio::test]
async fn as_many_commands_wait_as_may_and_none_is_left_behind() {
    let world = World::new(Setup::default()).await;
    let mut device = Device::new("S1", "Device.");
    world.provision(&mut device).await;
    let (intake, key) = (&world.intake, &device.key());
    let give = |_| async move { intake.command(key, Command::Get { names: vec!["Device.Config.P1".to_owned()] }, "ann").await };
    let given = futures_util::future::join_all((0..70).map(give)).await;
    let refused = given.iter().filter(|one| matches!(one, Err(CommandError::TooMany(_)))).count();
    assert_eq!((given.iter().filter(|one| one.is_ok()).count(), refused), (64, 6));
    device.events = vec![("2 PERIODIC".to_owned(), String::new())];
    world.session(&mut device).await;
    for run in given.into_iter().flatten() {
        assert_eq!(world.rest(&run).await, Some(Outcome::Completed));
    }
    for _ in 0..500 {
        device.events = vec![("2 PERIODIC".to_owned(), String::new())];
        if world.session(&mut device).await == Work::None {
            return;
        }
    }
    panic!("a command is waited for that is over");
}
