//! Sessions with virtual devices, which speak HTTP and SOAP of their own: good ones, odd ones, and many at once.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "acs/server.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod server;

use std::{sync::Arc, time::Duration};

use cpe::{
    acs::{AskError, Options, Proof, SessionEnd, Work},
    device::DeviceKey,
    soap::{Answer, Rpc, SetValue},
    value::ValueType,
    wake::{Target, WakeError, WakeOptions, Waker},
};
use engine::port::SystemClock;
use lab::{
    device::{Device, DeviceOptions, End, Faults, Login, Model, Vanish},
    storm::{Storm, StormOptions},
};
use server::{Known, Server};

const SSID: &str = "Device.WiFi.SSID.1.SSID";

fn key(options: &DeviceOptions) -> DeviceKey {
    DeviceKey::new(&options.oui, &options.product_class, &options.serial)
}

fn options(serial: &str) -> DeviceOptions {
    DeviceOptions::of(Model::Tr181Router, serial)
}

/// A server that knows the passwords that these devices left the factory with.
async fn server(work: Work, serials: &[String]) -> Server {
    let known = serials.iter().fold(Known::default(), |known, serial| {
        let options = options(serial);
        known.with(&options.username(), &options.password, Some(key(&options)), None)
    });
    Server::with(Options { session_ms: 60_000, ..Options::default() }, work, known, None).await
}

fn device(server: &Server, options: DeviceOptions) -> Device {
    Device::new(DeviceOptions { acs_url: format!("http://{}/acs", server.address), ..options })
}

fn set(values: &[(&str, &str)]) -> Rpc {
    let value = |&(name, value): &(&str, &str)| SetValue { name: name.into(), value: value.into(), kind: ValueType::String };
    Rpc::SetParameterValues { list: values.iter().map(value).collect(), parameter_key: "key".into() }
}

/// Sets a value and reads it, as soon as the device is in session.
async fn configure(server: &Server, key: &DeviceKey) -> Result<String, AskError> {
    server.contacted(1).await;
    server.ask(key, set(&[(SSID, "Home")]), None).await?;
    let answer = server.ask(key, Rpc::GetParameterValues { names: vec![SSID.into()] }, None).await?;
    server.expect(key, false);
    let Answer::GetParameterValues(values) = answer else { panic!("{answer:?}") };
    Ok(values[0].value.clone())
}

#[tokio::test]
async fn odd_devices_are_configured_in_one_session() {
    let faults = Faults::default;
    for (what, login, faults) in [
        ("a good one", Login::Digest, faults()),
        ("MD5 only", Login::DigestMd5, faults()),
        ("SHA-256 only", Login::DigestSha256, faults()),
        ("no cookies", Login::Digest, Faults { no_cookies: true, ..faults() }),
        ("a connection for each request", Login::Digest, Faults { new_connections: true, ..faults() }),
        ("no IDs", Login::Digest, Faults { no_id: true, ..faults() }),
        ("odd XML", Login::Digest, Faults { odd_xml: true, ..faults() }),
        ("wrong lengths", Login::Digest, Faults { short_length: true, ..faults() }),
    ] {
        let options = DeviceOptions { login, faults, ..options("S1") };
        let server = server(Work::Expected, &["S1".to_owned()]).await;
        let device = device(&server, options.clone());
        let key = key(&options);
        let (report, configured) = tokio::join!(device.session(&["1 BOOT"]), configure(&server, &key));
        let report = report.unwrap();
        assert_eq!((configured, &report.ended, &report.complaints[..]), (Ok("Home".into()), &End::Done, &[][..]), "{what}: {report:?}");
        assert_eq!((device.value(SSID).as_deref(), report.authenticated_exchanges), (Some("Home"), 4), "{what}");
        assert_eq!(server.ended().await, (key, SessionEnd::Done), "{what}");
        assert_eq!(server.intake.contacts.lock().unwrap()[0].proof, Proof::Own, "{what}");
    }
}

#[tokio::test]
async fn a_device_that_is_gone_leaves_its_request_in_doubt() {
    for faults in [
        Faults { vanishes: Some(Vanish { rpc: "SetParameterValues".into(), done: true }), ..Faults::default() },
        Faults { reboot_after: Some(2), ..Faults::default() },
    ] {
        let options = DeviceOptions { faults, ..options("S1") };
        let server = server(Work::Expected, &["S1".to_owned()]).await;
        let device = device(&server, options.clone());
        let key = key(&options);
        let sessions = async {
            let gone = device.session(&["1 BOOT"]).await.unwrap();
            // It comes back: its session before is over.
            device.set_faults(Faults::default());
            let back = async {
                server.contacted(2).await;
                server.expect(&key, false);
            };
            (gone, tokio::join!(device.session(&["1 BOOT"]), back).0.unwrap())
        };
        let ((gone, back), asked) = tokio::join!(sessions, configure(&server, &key));
        assert_ne!(gone.ended, End::Done);
        assert_eq!((back.ended, asked), (End::Done, Err(AskError::Lost { sent: true })));
        assert_eq!([server.ended().await.1, server.ended().await.1], [SessionEnd::Superseded, SessionEnd::Done]);
    }
}

#[tokio::test]
async fn nobody_is_somebody_else() {
    let server = server(Work::None, &["S1".to_owned(), "S2".to_owned()]).await;
    for faults in [Faults { claims_serial: Some("S2".into()), ..Faults::default() }, Faults { wrong_password: true, ..Faults::default() }] {
        let report = device(&server, DeviceOptions { faults, ..options("S1") }).session(&["1 BOOT"]).await.unwrap();
        assert_eq!(report.ended, End::Refused(401), "{report:?}");
    }
    for login in [Login::Nothing, Login::Basic] {
        let report = device(&server, DeviceOptions { login, ..options("S1") }).session(&["1 BOOT"]).await.unwrap();
        assert_eq!(report.ended, End::Refused(401), "{report:?}");
    }
    assert!(server.intake.contacts.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_devices_have_their_sessions_at_once() {
    const COUNT: usize = 300;
    let model = options("S");
    let storm = |server: &Server| {
        let device = DeviceOptions { acs_url: format!("http://{}/acs", server.address), ..model.clone() };
        Storm::new(StormOptions { concurrency: 32, ..StormOptions::new(device, COUNT) })
    };
    let serials: Vec<_> = {
        let server = Server::start(Options::default(), Work::None).await;
        storm(&server).devices().iter().map(|device| device.options().serial.clone()).collect()
    };
    let server = server(Work::None, &serials).await;
    let storm = storm(&server);
    let report = storm.run(&["1 BOOT"]).await.unwrap();
    assert_eq!((report.done, report.sessions, report.lost + report.busy + report.refused), (COUNT as u64, COUNT as u64, 0), "{report:#?}");
    assert_eq!((report.exchanges, report.authenticated_exchanges), (3 * COUNT as u64, 2 * COUNT as u64), "each was challenged");
    assert!(report.complaints.is_empty(), "{report:#?}");
    let again = storm.run(&["2 PERIODIC"]).await.unwrap();
    assert_eq!((again.done, again.exchanges), (COUNT as u64, 2 * COUNT as u64), "nobody is challenged again");
    assert_eq!(server.acs.sessions(), 0);
}

#[tokio::test]
async fn a_device_comes_when_it_is_called() {
    let server = server(Work::Expected, &["S1".to_owned()]).await;
    let options = options("S1");
    let (device, key) = (device(&server, options.clone()), key(&options));
    let _listener = device.listen().await.unwrap();
    let url = device.value("Device.ManagementServer.ConnectionRequestURL").unwrap();
    let waker =
        Waker::new(WakeOptions { reach: vec!["127.0.0.1/32".parse().unwrap()], interval_ms: 0, ..WakeOptions::default() }, Arc::new(SystemClock));
    let target = Target { device: &key, url: &url, peer: None, username: "acs", password: "call" };
    assert_eq!(waker.wake(target).await, Err(WakeError::Refused), "it knows nobody yet");
    let told = async {
        server.contacted(1).await;
        let credentials = ["Username", "Password"].map(|name| format!("Device.ManagementServer.ConnectionRequest{name}"));
        server.ask(&key, set(&[(&credentials[0], "acs"), (&credentials[1], "call")]), None).await.unwrap();
        // One that is in session has no time.
        let busy = waker.wake(target).await;
        server.expect(&key, false);
        busy
    };
    let (report, busy) = tokio::join!(device.session(&["1 BOOT"]), told);
    assert_eq!((report.unwrap().ended, busy), (End::Done, Err(WakeError::Busy)));
    assert_eq!(waker.wake(target).await, Ok(()));
    tokio::time::timeout(Duration::from_secs(60), device.woken()).await.expect("it heard the call");
    assert!(device.pending().contains(&"6 CONNECTION REQUEST".to_owned()), "{:?}", device.pending());
    assert_eq!(waker.wake(Target { password: "wrong", ..target }).await, Err(WakeError::Refused));
}
