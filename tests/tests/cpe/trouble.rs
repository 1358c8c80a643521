//! The host is killed or drained while a device is in session.

use end_to_end_tests::harness::{Lab, until};
use lab::device::{End, Model};

use super::support::{at_a_port, counts, device, metrics, runs, session, settled, setup};

const SSID: &str = "Device.WiFi.SSID.1.SSID";
const PASSPHRASE: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";

#[test]
fn a_device_that_was_left_alone_by_a_killed_host_is_finished_at_its_next_contact_and_told_its_secrets_once() {
    // Killed before, during and after the request that sends the values.
    for after in [1, 2, 3] {
        let lab = Lab::start();
        let mut host = at_a_port(setup(&lab, "auth = \"none\"", "[cpe.provisioning]\nallow_unproven = true")).start();
        let router = device(&host, Model::Tr181Router, "R0000002", |options| options.faults.reboot_after = Some(after));
        let first = session(&router, &["0 BOOTSTRAP", "1 BOOT"]);
        assert_eq!(first.ended, End::Rebooted, "{first:#?}");
        host.kill_and_restart();
        let second = session(&router, &["1 BOOT"]);
        assert_eq!(second.ended, End::Done, "{second:#?}");
        settled(&host);
        until("the count", || counts(&host).contains(&("success".to_owned(), 1.0)));
        assert_eq!((router.value(SSID).as_deref(), router.writes(PASSPHRASE), runs(&host, "cpe").len()), (Some("Home-2"), 1, 1), "after {after}");
    }
}

#[test]
fn a_drain_finishes_what_a_device_is_being_told_and_the_rest_comes_later() {
    let lab = Lab::start();
    let mut host = at_a_port(setup(&lab, "auth = \"none\"", "[cpe.provisioning]\nallow_unproven = true")).http("drain_ms = 60000").start();
    let router = device(&host, Model::Tr181Router, "R0000002", |options| options.faults.slow_ms = 300);
    let telling = router.clone();
    let told = std::thread::spawn(move || session(&telling, &["0 BOOTSTRAP", "1 BOOT"]));
    until("the device to be in session", || host.request("GET", "/healthz", &[], "").body["cpe"]["sessions"] == 1);
    until("the figure of sessions", || metrics(&host, "cpe_provision_active_sessions").iter().any(|(_, open)| *open > 0.0));
    assert_eq!(host.terminate(), Some(0), "{}", host.log());
    // A device that is slower than the last answers of the host is left alone, and comes again like the others.
    let first = told.join().unwrap();
    assert!(matches!(first.ended, End::Done | End::Busy(_) | End::Lost(_)), "{first:#?}");
    assert!(!host.directory().join("jackfield-data/cwmp-endpoint").exists());
    host.restart();
    session(&router, &["2 PERIODIC"]);
    settled(&host);
    until("the count", || counts(&host).contains(&("success".to_owned(), 1.0)));
    assert_eq!((router.value(SSID).as_deref(), router.writes(PASSPHRASE), runs(&host, "cpe").len()), (Some("Home-2"), 1, 1));
}
