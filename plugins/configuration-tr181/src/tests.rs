//! Golden parameter lists, and what is refused.

use jackfield_plugin_sdk::{
    Configuration as _, Failure,
    configuration::{DeviceConfiguration, Request},
    cpe::{ServiceProfile, Setting},
    testing,
};

use crate::Router;

fn full() -> ServiceProfile {
    let settings = vec![
        Setting::text("internet.username", "c1@isp"),
        Setting::secret("internet.password", "H-ppp"),
        Setting::text("wifi.2.4.ssid", "home"),
        Setting::secret("wifi.2.4.key", "H-24"),
        Setting::text("wifi.2.4.channel", "6"),
        Setting::text("wifi.5.ssid", "home-5"),
        Setting::secret("wifi.5.key", "H-5"),
        Setting::text("voip.proxy", "sip.isp"),
        Setting::text("voip.1.number", "+4930123"),
        Setting::text("voip.1.username", "u1"),
        Setting::secret("voip.1.password", "H-sip"),
        Setting::text("iptv.vlan", "8"),
        Setting::text("acs.inform-interval", "3600"),
    ];
    let list = |of: &[&str]| of.iter().map(|it| (*it).to_owned()).collect();
    ServiceProfile { version: "1".into(), services: list(&["internet", "voip", "iptv"]), wifi_bands: list(&["2.4GHz", "5GHz"]), settings }
}

fn build(root: &str, profile: ServiceProfile) -> Result<DeviceConfiguration, Failure> {
    Router::apply(&testing::call("key"), Request { device: testing::device(root), plan: "fibre-500".into(), profile, current: Vec::new() })
}

#[test]
fn everything_that_a_customer_can_have() {
    assert_eq!(testing::listing(&build("Device.", full()).unwrap()), include_str!("tests/full.txt"));
}

#[test]
fn what_a_customer_does_not_have_is_switched_off() {
    let profile = ServiceProfile { version: "1".into(), services: vec!["internet".into()], ..ServiceProfile::default() };
    assert_eq!(testing::listing(&build("Device.", profile).unwrap()), include_str!("tests/bare.txt"));
}

#[test]
fn what_the_device_cannot_have_is_refused_with_the_setting() {
    let cases = [
        ("InternetGatewayDevice.", full(), "unsupported_device", "expected \"Device.\""),
        ("Device.", full().with("fax.1", "x"), "unsupported_setting", "\"fax.1\""),
        ("Device.", full().without("wifi.5.ssid"), "bad_setting", "no setting \"wifi.5.ssid\""),
        ("Device.", full().with("wifi.5.ssid", "a name of more than 32 characters"), "bad_setting", "1 to 32 bytes"),
        ("Device.", full().with("wifi.5.key", "short"), "bad_setting", "8 to 63 bytes"),
        ("Device.", full().with("wifi.2.4.channel", "14"), "bad_setting", "from 1 to 13"),
        ("Device.", full().without("voip.proxy"), "bad_setting", "no setting \"voip.proxy\""),
        ("Device.", full().without("iptv.vlan"), "bad_setting", "no setting \"iptv.vlan\""),
        ("Device.", full().with("iptv.vlan", "4095"), "bad_setting", "from 1 to 4094"),
        ("Device.", full().with("acs.inform-interval", "soon"), "bad_setting", "from 60 to 604800"),
    ];
    for (root, profile, code, said) in cases {
        let reason = testing::rejected(build(root, profile));
        assert_eq!(reason.code, code);
        assert!(reason.message.contains(said), "{}", reason.message);
    }
}
