//! Scenario 1 of devices: a good one is provisioned, all of it is read back, and its next contact costs nothing.

use end_to_end_tests::harness::{Lab, until};
use lab::device::{End, Model};

use super::support::{counts, device, metrics, runs, session, settled, setup};

#[test]
fn a_good_device_is_provisioned_and_its_next_contact_begins_nothing() {
    let lab = Lab::start();
    let mut host = setup(&lab, "auth = \"none\"", "[cpe.provisioning]\nallow_unproven = true").start();
    assert!(counts(&host).len() == 7 && counts(&host).iter().all(|(_, count)| *count == 0.0), "{:?}", counts(&host));
    let router = device(&host, Model::Tr181Router, "R0000001", |_| {});
    let first = session(&router, &["0 BOOTSTRAP", "1 BOOT"]);
    let journals = settled(&host);
    let journal = format!("{:#}", journals[0]);
    assert_eq!((&first.ended, journals.len()), (&End::Done, 1), "{first:#?}\n{journal}");
    until("the count", || counts(&host).iter().any(|(_, count)| *count > 0.0));
    assert_eq!(counts(&host).iter().find(|(_, count)| *count > 0.0), Some(&("success".to_owned(), 1.0)), "{journal}");

    // The profile of the customer is in the device, and of its secrets nothing is anywhere else.
    assert_eq!(router.value("Device.WiFi.SSID.1.SSID").as_deref(), Some("Home-1"));
    let key = router.value("Device.WiFi.AccessPoint.1.Security.KeyPassphrase").unwrap();
    assert!(key.starts_with("wifi2.4-"), "{key}");
    assert!(journal.contains("jackfield-sealed.") && !journal.contains(&key) && !host.log().contains(&key));
    let health = host.request("GET", "/healthz", &[], "").body;
    assert_eq!((&health["cpe"]["sessions"], health["cpe"]["session_limit"].as_u64()), (&0.into(), Some(65_536)), "{health}");

    let sessions: Vec<f64> =
        ["active_sessions", "session_limit"].iter().flat_map(|name| metrics(&host, &format!("cpe_provision_{name}"))).map(|(_, v)| v).collect();
    assert_eq!(sessions, [0.0, 65_536.0]);

    // A periodic contact is for nothing: no run, no plugin call, no write.
    let before = metrics(&host, "plugin_call_duration_seconds_count");
    let second = session(&router, &["2 PERIODIC"]);
    assert_eq!((second.ended, second.rpcs.len(), second.authenticated_exchanges), (End::Done, 0, 2));
    assert_eq!((runs(&host, "cpe").len(), metrics(&host, "plugin_call_duration_seconds_count")), (1, before));
    let told = host.text("/metrics");
    let shown: Vec<String> = names(include_str!("../../../host/docs/telemetry/dashboard-cpe.json"));
    let unknown: Vec<&String> = shown.iter().filter(|name| !told.contains(&format!("\n{name}{{"))).collect();
    assert!(shown.len() >= 8 && unknown.is_empty(), "the dashboard shows {shown:?}, and the host tells nothing of {unknown:?}");
    assert_eq!(host.terminate(), Some(0), "{}", host.log());
}

/// The metrics that the queries of a dashboard name.
fn names(dashboard: &str) -> Vec<String> {
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let queries = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let words = queries.flat_map(|query| query["expr"].as_str().unwrap().split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let metrics = words.filter(|word| ["cpe_provision_", "pipeline_run_", "plugin_call_"].iter().any(|prefix| word.starts_with(prefix)));
    metrics.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
