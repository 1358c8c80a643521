//! The host dies between any two exchanges of a provisioning: the device finishes at its next sessions, and nothing is done twice.

use lab::device::{Device, DeviceOptions, End, Model};
use serde_json::json;

use super::{
    host::{Ground, Host, key_of},
    objects::is_right,
    relay::Relay,
};

/// More answers than a provisioning takes.
const ANSWERS: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_dies_between_two_exchanges_finishes_what_it_began() {
    let mut wrong = Vec::new();
    let mut cut = 0;
    for model in [Model::Tr181Router, Model::Tr098Ont] {
        for (answers, heard) in (1..=ANSWERS).flat_map(|answers| [(answers, false), (answers, true)]) {
            let (ground, relay) = (Ground::default(), Relay::start().await);
            let device = Device::new(DeviceOptions { acs_url: relay.url.clone(), ..DeviceOptions::of(model, "K1") });
            let first = Host::on(ground.clone(), json!([])).await;
            first.sell().await;
            first.import(std::slice::from_ref(&device)).await;
            relay.lead_to(first.address);
            relay.cut_after(answers, heard);
            let session = die_when_cut(first, &relay, &device, &["0 BOOTSTRAP", "1 BOOT"]).await;
            cut += u32::from(session != End::Done);
            let second = Host::on(ground, json!([])).await;
            relay.stay_whole();
            relay.lead_to(second.address);
            let (sessions, state) = second.provision(&device).await;
            let writes = device.writes(&key_of(model.root()));
            if state != "provisioned" || !is_right(&device) || writes != 1 {
                let rpcs: Vec<_> = sessions.iter().map(|session| (&session.ended, &session.rpcs)).collect();
                wrong.push(format!("{model:?} {answers} {heard}: {session:?}, {state}, right {}, writes {writes}, {rpcs:?}", is_right(&device)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cut >= 14, "{cut} sessions were cut");
}

/// A session at a host that is gone as soon as the relay is cut. How the session ended.
pub(crate) async fn die_when_cut(host: Host, relay: &Relay, device: &Device, events: &[&str]) -> End {
    let mut host = Some(host);
    let session = device.session(events);
    tokio::pin!(session);
    loop {
        tokio::select! {
            report = &mut session => return report.unwrap().ended,
            () = relay.is_cut(), if host.is_some() => drop(host.take()),
        }
    }
}
