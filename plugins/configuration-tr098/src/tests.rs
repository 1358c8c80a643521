//! Golden parameter lists, and what is refused.

use jackfield_plugin_sdk::{
    Configuration as _, Failure,
    configuration::{DeviceConfiguration, Request},
    cpe::{Device, ServiceProfile, Setting},
    testing,
};

use crate::Ont;

fn device(version: &str) -> Device {
    Device { software_version: version.into(), ..testing::device("InternetGatewayDevice.") }
}

fn full() -> ServiceProfile {
    let settings = vec![
        Setting::text("internet.username", "c1@isp"),
        Setting::secret("internet.password", "H-ppp"),
        Setting::text("wifi.2.4.ssid", "home"),
        Setting::secret("wifi.2.4.key", "H-24"),
        Setting::text("wifi.5.ssid", "home-5"),
        Setting::secret("wifi.5.key", "H-5"),
        Setting::text("voip.proxy", "sip.isp"),
        Setting::text("voip.1.number", "+4930123"),
        Setting::text("voip.1.username", "u1"),
        Setting::secret("voip.1.password", "H-sip"),
        Setting::text("acs.inform-interval", "3600"),
    ];
    let list = |of: &[&str]| of.iter().map(|it| (*it).to_owned()).collect();
    ServiceProfile { version: "1".into(), services: list(&["internet", "voip"]), wifi_bands: list(&["2.4GHz", "5GHz"]), settings }
}

fn build(version: &str, profile: ServiceProfile) -> Result<DeviceConfiguration, Failure> {
    Ont::apply(&testing::call("key"), Request { device: device(version), plan: "fibre-500".into(), profile, current: Vec::new() })
}

#[test]
fn the_present_firmware_and_the_one_before() {
    assert_eq!(testing::listing(&build("2.1", full()).unwrap()), include_str!("tests/full.txt"));
    assert_eq!(testing::listing(&build("1.9", full()).unwrap()), include_str!("tests/old_firmware.txt"));
}

#[test]
fn what_a_customer_does_not_have_is_switched_off() {
    let profile = ServiceProfile { version: "1".into(), services: vec!["internet".into()], ..ServiceProfile::default() };
    assert_eq!(testing::listing(&build("2.1", profile).unwrap()), include_str!("tests/bare.txt"));
}

#[test]
fn what_the_device_cannot_have_is_refused() {
    let cases = [
        (ServiceProfile { services: vec!["iptv".into()], ..full() }, "unsupported_setting", "no television"),
        (ServiceProfile { wifi_bands: vec!["5GHz".into()], ..full() }, "unsupported_setting", "5 GHz only"),
        (full().without("wifi.2.4.ssid"), "bad_setting", "no setting \"wifi.2.4.ssid\""),
        (full().with("fax.1", "x"), "unsupported_setting", "\"fax.1\""),
        (full().with("wifi.2.4.channel", "6"), "unsupported_setting", "\"wifi.2.4.channel\""),
        (full().with("wifi.2.4.ssid", ""), "bad_setting", "1 to 32 bytes"),
        (full().with("wifi.2.4.ssid", "a name of more than 32 characters"), "bad_setting", "1 to 32 bytes"),
        (full().with("wifi.2.4.key", "short"), "bad_setting", "8 to 63 bytes"),
        (full().without("voip.1.password"), "bad_setting", "no setting \"voip.1.password\""),
        (full().with("acs.inform-interval", "1"), "bad_setting", "from 60 to 604800"),
    ];
    for (profile, code, said) in cases {
        let reason = testing::rejected(build("2.1", profile));
        assert_eq!(reason.code, code);
        assert!(reason.message.contains(said), "{}", reason.message);
    }
    let other = Device { root: "Device.".into(), ..device("2.1") };
    let request = Request { device: other, plan: "fibre-500".into(), profile: full(), current: Vec::new() };
    assert_eq!(testing::rejected(Ont::apply(&testing::call("key"), request)).code, "unsupported_device");
}
