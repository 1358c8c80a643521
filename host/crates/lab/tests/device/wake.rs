//! A device comes when it is called by whom it knows, and lives by itself.

use std::time::Duration;

use lab::device::{Device, DeviceOptions, Faults, Model};
use md5::{Digest as _, Md5};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use super::acs::{Acs, field, set};

const URL: &str = "Device.ManagementServer.ConnectionRequestURL";

/// One GET; the status and the head of the answer.
async fn get(url: &str, authorization: Option<&str>) -> (u16, String) {
    let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n").as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let read = stream.read(&mut buffer).await.unwrap();
    let text = String::from_utf8(buffer[..read].to_vec()).unwrap();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

/// Both requests, on one connection as long as the device keeps it open. A connection that it says it closes is closed.
async fn call(url: &str, username: &str, password: &str) -> u16 {
    let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).await.unwrap();
    let mut ask = async |extra: &str| {
        stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{extra}\r\n").as_bytes()).await.unwrap();
        let mut buffer = vec![0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        let answer = String::from_utf8(buffer[..read].to_vec()).unwrap();
        if field(&answer, "connection").as_deref() == Some("close") {
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 0, "it said that it closes the connection");
            stream = TcpStream::connect(authority).await.unwrap();
        }
        answer
    };
    let challenged = ask("").await;
    let challenge = field(&challenged, "www-authenticate").unwrap();
    let part = |name: &str| challenge.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
    let (realm, nonce, uri) = (part("realm"), part("nonce"), format!("/{path}"));
    let hash = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (first, second) = (hash(format!("{username}:{realm}:{password}")), hash(format!("GET:{uri}")));
    let response = hash(format!("{first}:{nonce}:00000001:c:auth:{second}"));
    let said = format!(
        "Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", nc=00000001, cnonce=\"c\", qop=auth, response=\"{response}\""
    );
    ask(&format!("Authorization: {said}\r\n")).await.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn only_who_knows_the_password_wakes_a_device() {
    let managed = |name: &str| format!("Device.ManagementServer.ConnectionRequest{name}");
    let acs = Acs::asking(&[&set(&[(&managed("Username"), "string", "acs"), (&managed("Password"), "string", "s3cret")], "")]).await;
    let device = acs.device(Model::Tr181Router, Faults { closes_after_challenge: false, ..Faults::default() });
    let _listener = device.listen().await.unwrap();
    let url = device.value(URL).unwrap();
    assert_eq!(call(&url, "", "").await, 401, "nobody has told it who may wake it");
    device.session(&["1 BOOT"]).await.unwrap();
    assert!(acs.heard()[0].body.contains(&url), "the Inform says where it listens");
    assert_eq!((call(&url, "acs", "wrong").await, call(&url, "acs", "s3cret").await), (401, 200));
    device.woken().await;
    assert_eq!((device.pending(), device.statistics().woken, device.statistics().not_woken), (vec!["6 CONNECTION REQUEST".to_owned()], 1, 2));
    assert_eq!(device.session(&[]).await.unwrap().events, ["6 CONNECTION REQUEST"]);
    let (status, head) = get(&url, None).await;
    assert!(status == 401 && field(&head, "connection").is_none());
    device.set_faults(Faults { closes_after_challenge: true, ..Faults::default() });
    assert_eq!(field(&get(&url, None).await.1, "connection").as_deref(), Some("close"));
    assert_eq!((call(&url, "acs", "wrong").await, call(&url, "acs", "s3cret").await), (401, 200), "over two connections each");
}

#[tokio::test]
async fn it_lives_by_itself() {
    let managed = |name: &str| format!("Device.ManagementServer.ConnectionRequest{name}");
    let acs = Acs::asking(&[&set(&[(&managed("Username"), "string", "acs"), (&managed("Password"), "string", "s3cret")], "")]).await;
    let retry = Duration::from_millis(5);
    let options = DeviceOptions { acs_url: acs.url.clone(), retry, reboot: retry, ..DeviceOptions::of(Model::Tr181Router, "R0000001") };
    let device = Device::new(DeviceOptions { faults: Faults { reboot_after: Some(3), ..Faults::default() }, ..options });
    let (sender, mut seen) = mpsc::unbounded_channel();
    let alive = device.clone();
    let mut life = tokio::task::JoinSet::new();
    life.spawn(async move { alive.run(|report| sender.send(report.events.clone()).unwrap()).await.unwrap() });
    assert_eq!(seen.recv().await.unwrap(), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(seen.recv().await.unwrap(), ["1 BOOT"], "it lost its power and came back");
    // The events of a session are seen when it is over, and a device in session is woken by nobody.
    assert_eq!(call(&device.value(URL).unwrap(), "acs", "s3cret").await, 200);
    assert_eq!(seen.recv().await.unwrap(), ["6 CONNECTION REQUEST"]);
    acs.asks(&["<cwmp:ScheduleInform><DelaySeconds>1</DelaySeconds><CommandKey>later</CommandKey></cwmp:ScheduleInform>"]);
    device.reboot();
    assert_eq!(seen.recv().await.unwrap(), ["1 BOOT"]);
    acs.asks(&[]);
    assert_eq!(seen.recv().await.unwrap(), ["3 SCHEDULED", "M ScheduleInform"], "it comes by itself when it was told to");
    assert!(acs.heard().iter().any(|request| request.body.contains("<EventCode>M ScheduleInform</EventCode><CommandKey>later</CommandKey>")));
}
