//! What is done with devices besides provisioning them, over real HTTP: once, also where the device or the host is gone in the middle of it.

use std::sync::{Arc, Mutex};

use cpe::flow::{Command, Transfer};
use lab::device::{Device, DeviceOptions, Faults, Model, Vanish};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

use super::{
    host::{Ground, Host},
    kills::die_when_cut,
    relay::Relay,
};

const VLANS: &str = "Device.Ethernet.VLANTermination.";

/// Takes files, and shows what it got.
async fn file_server() -> (String, Arc<Mutex<Vec<String>>>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, got) = (format!("http://{}/kept.cfg", listener.local_addr().unwrap()), Arc::<Mutex<Vec<String>>>::default());
    let (mut serving, kept) = (JoinSet::new(), got.clone());
    serving.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                head.push(char::from(stream.read_u8().await.unwrap()));
            }
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            kept.lock().unwrap().push(head + &String::from_utf8(body).unwrap());
            stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        }
    });
    (url, got, serving)
}

fn upload(url: &str) -> Command {
    let transfer: Transfer = serde_json::from_value(json!({"file-type": "1 Vendor Configuration File", "url": url})).unwrap();
    Command::Upload(transfer)
}

/// A router that has what it is to have.
async fn provisioned(host: &Host, serial: &str) -> Device {
    let device = host.device(Model::Tr181Router, serial, Faults::default()).await;
    assert_eq!(host.provision(&device).await.1, "provisioned");
    device
}

/// What a command comes to in a few sessions, and the requests of that time that are none that only look.
async fn carried_out(host: &Host, device: &Device, command: Command) -> (Value, Vec<String>) {
    let run = host.give(device, command).await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        let session = device.session(&["2 PERIODIC"]).await.unwrap();
        asked.extend(session.rpcs.into_iter().filter(|rpc| !rpc.starts_with("Get")));
        device.set_faults(Faults::default());
        let found = host.command(&run).await;
        if found["state"] != "waiting" {
            return (found, asked);
        }
    }
    (host.command(&run).await, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_come_and_go_once_also_where_nobody_hears_of_it() {
    let host = Host::start(json!([])).await;
    for (number, vanishes) in [None, Some(true), Some(false)].into_iter().enumerate() {
        let device = provisioned(&host, &format!("C{number}")).await;
        let lost = |rpc: &str| Faults { vanishes: vanishes.map(|done| Vanish { rpc: rpc.to_owned(), done }), ..Faults::default() };
        assert_eq!(device.instances(VLANS), [1, 2]);
        device.set_faults(lost("AddObject"));
        let (found, _) = carried_out(&host, &device, Command::AddObject { object: VLANS.to_owned() }).await;
        assert_eq!((&found["output"], device.instances(VLANS)), (&json!({"instance": 3, "applied": "now"}), vec![1, 2, 3]), "{vanishes:?} {found}");
        device.set_faults(lost("DeleteObject"));
        let (found, _) = carried_out(&host, &device, Command::DeleteObject { object: format!("{VLANS}3.") }).await;
        assert_eq!((&found["output"], device.instances(VLANS)), (&json!({"applied": "now"}), vec![1, 2]), "{vanishes:?} {found}");
        // An instance that was never there is no success.
        let (found, _) = carried_out(&host, &device, Command::DeleteObject { object: format!("{VLANS}9.") }).await;
        assert_eq!(found["state"], "failed", "{found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_delivered_once_and_a_session_is_asked_for() {
    let host = Host::start(json!([])).await;
    let (url, got, _serving) = file_server().await;
    for (number, lost) in [false, true].into_iter().enumerate() {
        let device = provisioned(&host, &format!("U{number}")).await;
        let vanishes = lost.then(|| Vanish { rpc: "Upload".to_owned(), done: true });
        device.set_faults(Faults { vanishes, ..Faults::default() });
        let (found, asked) = carried_out(&host, &device, upload(&url)).await;
        assert_eq!((&found["state"], &found["output"]["url"], asked), (&json!("done"), &json!(url), vec!["Upload".to_owned()]), "{found}");
        let files = std::mem::take(&mut *got.lock().unwrap());
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(files[0].starts_with("PUT /kept.cfg ") && files[0].contains("Home & away"), "{files:?}");
        let (found, asked) = carried_out(&host, &device, Command::ScheduleInform { delay_s: 1 }).await;
        assert_eq!((&found["state"], asked), (&json!("done"), vec!["ScheduleInform".to_owned()]), "{found}");
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let session = device.session(&[]).await.unwrap();
        assert_eq!(session.events, ["3 SCHEDULED", "M ScheduleInform"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_reset_once_also_where_the_host_dies() {
    // In the request, and in the end of the session.
    for (answers, heard, expected) in [(2, true, "done"), (2, false, "failed"), (3, true, "done"), (3, false, "done")] {
        let (ground, relay) = (Ground::default(), Relay::start().await);
        let device = Device::new(DeviceOptions { acs_url: relay.url.clone(), ..DeviceOptions::of(Model::Tr181Router, "F1") });
        let first = Host::on(ground.clone(), json!([])).await;
        first.sell().await;
        first.import(std::slice::from_ref(&device)).await;
        relay.lead_to(first.address);
        assert_eq!(first.provision(&device).await.1, "provisioned");
        let run = first.give(&device, Command::FactoryReset).await;
        relay.cut_after(answers, heard);
        let end = die_when_cut(first, &relay, &device, &["2 PERIODIC"]).await;
        let second = Host::on(ground, json!([])).await;
        relay.stay_whole();
        relay.lead_to(second.address);
        let mut asked = 0;
        for _ in 0..3 {
            let session = device.session(&["2 PERIODIC"]).await.unwrap();
            asked += session.rpcs.iter().filter(|rpc| *rpc == "FactoryReset").count();
        }
        let found = second.command(&run).await;
        let case = format!("{answers} {heard}: {end:?} {found}");
        assert_eq!((&found["state"], asked), (&json!(expected), 0), "{case}");
        assert_eq!(second.state(&device).await["trigger"] == "bootstrap", expected == "done", "{case}");
    }
}
