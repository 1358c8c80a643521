//! Many devices at once.

use std::time::Duration;

use lab::{
    device::{DeviceOptions, Login, Model},
    storm::{Storm, StormOptions},
};

use super::acs::{Acs, Script, field, get, set};

const SSID: &str = "Device.WiFi.SSID.1.SSID";

fn options(acs: &Acs, count: usize) -> StormOptions {
    let device = DeviceOptions { acs_url: acs.url.clone(), login: Login::DigestMd5, ..DeviceOptions::of(Model::Tr181Router, "S") };
    StormOptions { pause: Duration::from_millis(1), concurrency: 8, ..StormOptions::new(device, count) }
}

#[tokio::test]
async fn every_device_has_its_session_and_one_in_ten_lies() {
    let asks = vec![set(&[(SSID, "string", "Home")], "k"), get(&[SSID])];
    let challenge = Some(r#"Digest realm="acs", qop="auth", nonce="abc""#.to_owned());
    let acs = Acs::new(Script { asks, challenge, by_connection: true, ..Script::default() }).await;
    let storm = Storm::new(StormOptions { liar_in: 10, ..options(&acs, 100) });
    let report = storm.run(&["1 BOOT"]).await.unwrap();
    assert_eq!((report.done, report.unfinished, report.sessions, report.lost, report.faults), (100, 0, 100, 0, 0), "{report:#?}");
    assert_eq!((report.exchanges, report.authenticated_exchanges, report.rpcs["SetParameterValues"]), (500, 400, 100));
    assert!(report.answers.p50_us <= report.answers.p99_us && report.answers.p99_us <= report.answers.max_us && report.answers.p50_us > 0);
    let told = storm.devices().iter().filter(|device| device.value(SSID).as_deref() == Some("Home")).count();
    assert_eq!((told, storm.devices()[9].writes(SSID), storm.devices()[10].writes(SSID)), (90, 0, 1));
    let again = storm.run(&["2 PERIODIC"]).await.unwrap();
    assert_eq!((again.exchanges, again.done), (400, 100), "the second time nobody is challenged");
}

#[tokio::test]
async fn devices_can_share_a_nonce() {
    let challenge = Some(r#"Digest realm="acs", qop="auth", nonce="abc""#.to_owned());
    let acs = Acs::new(Script { challenge, by_connection: true, ..Script::default() }).await;
    let storm = Storm::new(StormOptions { share_nonces: true, concurrency: 1, ..options(&acs, 20) });
    let report = storm.run(&["1 BOOT"]).await.unwrap();
    assert_eq!((report.exchanges, report.authenticated_exchanges), (41, 40));
    let last = acs.heard().into_iter().filter_map(|request| field(&request.head, "authorization")).next_back().unwrap();
    assert!(last.contains("-S0000020") && last.contains("nc=00000028"), "{last}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_until_the_devices_give_up() {
    let refusal = Some("503 Service Unavailable\r\nRetry-After: 600".to_owned());
    let acs = Acs::new(Script { refusal, by_connection: true, ..Script::default() }).await;
    let report = Storm::new(StormOptions { attempts: 3, ..options(&acs, 4) }).run(&["1 BOOT"]).await.unwrap();
    assert_eq!((report.done, report.unfinished, report.sessions, report.busy, report.lost), (0, 4, 12, 12, 0));
    drop(acs);
    let nobody = DeviceOptions { acs_url: "http://127.0.0.1:1/".to_owned(), ..DeviceOptions::default() };
    let report = Storm::new(StormOptions { attempts: 1, ..StormOptions::new(nobody, 2) }).run(&[]).await.unwrap();
    assert_eq!((report.unfinished, report.lost, report.complaints.len()), (2, 2, 1), "{report:#?}");
}
