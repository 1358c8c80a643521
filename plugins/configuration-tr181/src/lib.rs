//! The `configuration` contract for routers with the data model TR-181i2: internet access, Wi-Fi in two bands, telephony, television.
//!
//! | setting of the profile | parameter (below `Device.`) |
//! |---|---|
//! | `internet.username`, `internet.password` | `PPP.Interface.1.` `Username`, `Password` |
//! | `wifi.2.4.ssid`, `wifi.2.4.key`, `wifi.2.4.channel` | `WiFi.SSID.1.SSID`, `WiFi.AccessPoint.1.Security.KeyPassphrase`, `WiFi.Radio.1.Channel` |
//! | `wifi.5.ssid`, `wifi.5.key`, `wifi.5.channel` | the same of instance 2 |
//! | `voip.proxy`, `voip.1.number`, `voip.1.username`, `voip.1.password` | `Services.VoiceService.1.VoiceProfile.1.` and its `Line.1.` |
//! | `iptv.vlan` | an instance of `Ethernet.VLANTermination.` with this `VLANID` |
//! | `acs.inform-interval` | `ManagementServer.PeriodicInformInterval` |
//!
//! A band that the customer does not have is switched off, and so is a telephone line without telephony: what a former customer left behind there must
//! not stay. Of television and internet access, nothing is taken away. A service or band whose settings are incomplete is refused, and so is a setting
//! that this vendor's devices have no parameter for.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod services;
#[cfg(test)]
mod tests;
mod wifi;

use jackfield_plugin_sdk::{
    Call, Configuration, Contract, Failure, Manifest,
    configuration::{DeviceConfiguration, Request},
    cpe::Setting,
};

const MANIFEST: Manifest = Manifest {
    name: "configuration-tr181",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract::pure("configuration")],
    failure_codes: &[UNSUPPORTED_DEVICE, UNSUPPORTED_SETTING, BAD_SETTING],
    ..Manifest::EMPTY
};

/// The device has another data model.
const UNSUPPORTED_DEVICE: &str = "unsupported_device";
/// The device has no parameter for a setting.
const UNSUPPORTED_SETTING: &str = "unsupported_setting";
/// A setting has a value that no device takes, or is missing.
const BAD_SETTING: &str = "bad_setting";

/// The plugin.
#[derive(Debug)]
pub struct Router;

impl Configuration for Router {
    fn apply(_: &Call, Request { device, profile, .. }: Request) -> Result<DeviceConfiguration, Failure> {
        if device.root != "Device." {
            let message = format!("the data model of {} begins with {:?}: expected \"Device.\" (TR-181)", device.model, device.root);
            return Err(Failure::rejected(UNSUPPORTED_DEVICE, message));
        }
        if let Some(Setting { name, .. }) = profile.settings.iter().find(|setting| !is_known(&setting.name)) {
            return Err(Failure::rejected(UNSUPPORTED_SETTING, format!("{} has no parameter for the setting {name:?}", device.model)));
        }
        let mut configuration = DeviceConfiguration::default();
        services::internet(&profile, &mut configuration);
        wifi::build(&profile, &mut configuration)?;
        services::telephony(&profile, &mut configuration)?;
        services::television(&profile, &mut configuration)?;
        services::management(&profile, &mut configuration)?;
        Ok(configuration)
    }
}

fn is_known(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "internet.username",
        "internet.password",
        "wifi.2.4.ssid",
        "wifi.2.4.key",
        "wifi.2.4.channel",
        "wifi.5.ssid",
        "wifi.5.key",
        "wifi.5.channel",
        "voip.proxy",
        "voip.1.number",
        "voip.1.username",
        "voip.1.password",
        "iptv.vlan",
        "acs.inform-interval",
    ];
    NAMES.contains(&name)
}

jackfield_plugin_sdk::export!(Router: configuration; MANIFEST);
