//! An operator who keeps devices and plans in the host itself, and does things with devices by the command line.

use end_to_end_tests::harness::until;
use lab::device::{End, Model};
use serde_json::Value;

use super::support::{alive, base, cli, device, import, key, runs, session, stock};

const SSID: &str = "Device.WiFi.SSID.1.SSID";

#[test]
fn devices_are_taken_in_provisioned_and_commanded_by_the_command_line() {
    let host = base("", "[cpe.wake]\nreach = [\"127.0.0.1\"]\ninterval_ms = 1").start();
    import(&host, &stock(Model::Tr181Router, "R0000001"));
    let router = alive(device(&host, Model::Tr181Router, "R0000001", |_| {}));
    let key = key(&router.device);
    let shown = || serde_json::from_str::<Value>(&cli(&host, &["cpe", "list", "--json"])).unwrap();
    until("the provisioning", || shown()[0]["state"] == "provisioned");
    assert_eq!((router.device.value(SSID).as_deref(), shown()[0]["device"].as_str()), (Some("Gold"), Some(key.as_str())));
    let listed = cli(&host, &["cpe", "list", "--state", "provisioned"]);
    assert!(listed.contains(&key) && listed.contains("NR-2200") && listed.contains("gold"), "{listed}");

    // The device comes when it is called: nobody waits for its next interval.
    assert_eq!(cli(&host, &["cpe", "get", &key, SSID, "--wait"]), format!("get of {key} is done\n{SSID} = Gold\n"));
    cli(&host, &["cpe", "set", &key, &format!("{SSID}=Silver"), "--wait"]);
    assert_eq!(router.device.value(SSID).as_deref(), Some("Silver"));
    cli(&host, &["cpe", "provision", &key, "--wait"]);
    assert_eq!(router.device.value(SSID).as_deref(), Some("Gold"));
    cli(&host, &["cpe", "reboot", &key, "--wait"]);
    assert!(cli(&host, &["cpe", "wake", &key]).contains("said that it comes"));

    std::fs::write(host.directory().join("quirk.json"), r#"{"oui": "0A11CE", "set": {"set_batch": 2}}"#).unwrap();
    cli(&host, &["cpe", "quirks", "set", "few", "quirk.json"]);
    let listed = cli(&host, &["cpe", "quirks", "list"]);
    assert!(listed.contains("few") && listed.contains("set_batch=2") && listed.contains("built-in"), "{listed}");
    cli(&host, &["cpe", "quirks", "remove", "few"]);
    assert!(!cli(&host, &["cpe", "quirks", "list"]).contains("few"));
    assert_eq!(host.cli(&["cpe", "quirks", "remove", "few"]).status.code(), Some(4));

    let text = cli(&host, &["cpe", "show", &key]);
    assert_eq!(cli(&host, &["cpe", "show", &key.replace("%2D", "-").to_lowercase().replace("nr-", "NR-").replace("-r0", "-R0")]), text);
    for part in ["state             provisioned", "customer          C-1", "proven            true", "reboot", "admin"] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let bound = cli(&host, &["binding", "list"]);
    for native in ["jackfield:cpe/device@1         any", "native:cwmp", "native:embedded-inventory", "native:embedded-profile"] {
        assert!(bound.contains(native), "{bound}");
    }
    let explained = cli(&host, &["binding", "explain", "--device", &key]);
    for part in [
        "authenticate: jackfield:cpe/inventory@1",
        "-> native:embedded-inventory: the rule for everything",
        "-> configuration-tr181@0.1.0: root = Device fits",
        "-> native:cwmp",
    ] {
        assert!(explained.contains(part), "`{part}` is not in\n{explained}");
    }
    let told: Value = serde_json::from_str(&cli(&host, &["audit", "list", "--json"])).unwrap();
    let by = |action: &str| told.as_array().unwrap().iter().find(|entry| entry["action"] == action).map(|entry| entry["by"].clone());
    for action in ["put-plan", "import-devices", "provision-device"] {
        assert_eq!(by(action), Some("admin".into()), "{action}: {told}");
    }
    // What nobody is to see is in the device and nowhere else.
    let password = router.device.value("Device.PPP.Interface.1.Password").unwrap();
    assert_eq!(password, "ppp-secret-1");
    let store = std::fs::read(host.database()).unwrap();
    for secret in ["ppp-secret-1", "wifi-secret-1", "factory"] {
        let found = store.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found && !text.contains(secret) && !host.log().contains(secret), "`{secret}` can be seen");
    }
    drop(router);
    // Nobody waits for ever for a device that does not come: the wait says what it waits for and is over, the command is not.
    let output = host.cli(&["cpe", "reboot", "--no-wake", &key, "--wait", "--timeout", "1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["is not over after 1 s", "waits until the device contacts the host", "jackfield run show "] {
        assert!(output.status.code() == Some(1) && said.contains(part), "`{part}` is not in {said}");
    }
}

#[test]
fn a_device_that_is_not_what_it_says_learns_nothing() {
    let host = base("", "").start();
    import(&host, &stock(Model::Tr181Router, "R0000001"));
    for (what, serial, claims, wrong) in
        [("a wrong password", "R0000001", None, true), ("a stranger", "R0000009", None, false), ("a claim", "R0000009", Some("R0000001"), false)]
    {
        let stranger = device(&host, Model::Tr181Router, serial, |options| {
            options.faults.wrong_password = wrong;
            options.faults.claims_serial = claims.map(str::to_owned);
        });
        let report = session(&stranger, &["0 BOOTSTRAP"]);
        assert_eq!((&report.ended, report.rpcs.len(), runs(&host, "cpe").len()), (&End::Refused(401), 0, 0), "{what}: {report:#?}");
    }
    for (arguments, code, expected) in [
        (&["cpe", "show", "0A11CE-NR2200-R0000001x"][..], 4, "there is no device"),
        (&["cpe", "show", "a-b"], 5, "expected"),
        (&["cpe", "list", "--state", "happy"], 5, "expected one of provisioning"),
        (&["cpe", "set", "A-B-C", "Device.A"], 2, "expected NAME=VALUE"),
    ] {
        let output = host.cli(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && said.contains(expected), "{arguments:?}: {:?} {said}", output.status.code());
    }
}
