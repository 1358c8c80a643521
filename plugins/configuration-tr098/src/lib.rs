//! The `configuration` contract for optical terminals with the data model TR-098: internet access in a VLAN, Wi-Fi in one band, telephony.
//!
//! | setting of the profile | parameter (below `InternetGatewayDevice.`) |
//! |---|---|
//! | `internet.username`, `internet.password` | `WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.` `Username`, `Password` |
//! | `wifi.2.4.ssid`, `wifi.2.4.key` | `LANDevice.1.WLANConfiguration.1.` `SSID`, `PreSharedKey.1.KeyPassphrase` |
//! | `voip.proxy`, `voip.1.number`, `voip.1.username`, `voip.1.password` | `Services.VoiceService.1.VoiceProfile.1.` and its `Line.1.` |
//! | `acs.inform-interval` | `ManagementServer.PeriodicInformInterval` |
//!
//! These devices have one radio: a customer with Wi-Fi in both bands gets 2.4 GHz, and the settings `wifi.5.*` are left out; 5 GHz only is refused. They have
//! no television. Any other setting that they have no parameter for is refused. Wi-Fi changes are applied by a reboot on firmware before 2.0.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use jackfield_plugin_sdk::{
    Call, Characteristic, Configuration, Contract, Failure, Manifest,
    configuration::{Assignment, DeviceConfiguration, Request},
    cpe::{ServiceProfile, Setting},
};

const MANIFEST: Manifest = Manifest {
    name: "configuration-tr098",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract::pure("configuration")],
    failure_codes: &[UNSUPPORTED_DEVICE, UNSUPPORTED_SETTING, BAD_SETTING],
    ..Manifest::EMPTY
};

/// The device has another data model.
const UNSUPPORTED_DEVICE: &str = "unsupported_device";
/// The device cannot do what the customer bought.
const UNSUPPORTED_SETTING: &str = "unsupported_setting";
/// A setting has a value that no device takes, or is missing.
const BAD_SETTING: &str = "bad_setting";

const WAN: &str = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1";
const WLAN: &str = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1";
const VOICE: &str = "InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1";
const MANAGEMENT: &str = "InternetGatewayDevice.ManagementServer";

/// The plugin.
#[derive(Debug)]
pub struct Ont;

impl Configuration for Ont {
    fn apply(_: &Call, Request { device, profile, .. }: Request) -> Result<DeviceConfiguration, Failure> {
        if device.root != "InternetGatewayDevice." {
            let message = format!("the data model of {} begins with {:?}: expected \"InternetGatewayDevice.\" (TR-098)", device.model, device.root);
            return Err(Failure::rejected(UNSUPPORTED_DEVICE, message));
        }
        if profile.has("iptv") {
            return Err(Failure::rejected(UNSUPPORTED_SETTING, format!("{} has no television", device.model)));
        }
        if let Some(Setting { name, .. }) = profile.settings.iter().find(|setting| !is_known(&setting.name)) {
            return Err(Failure::rejected(UNSUPPORTED_SETTING, format!("{} has no parameter for the setting {name:?}", device.model)));
        }
        let mut assignments = internet(&profile);
        assignments.extend(wifi(&profile)?);
        assignments.extend(telephony(&profile)?);
        assignments.extend(management(&profile)?);
        // Of this vendor's firmware the first line wants booleans as digits, and applies them when it starts.
        let old = device.software_version.starts_with("1.");
        let quirks = if old { vec![Characteristic::new("boolean", "1")] } else { Vec::new() };
        Ok(DeviceConfiguration { assignments, quirks, reboot: old, ..DeviceConfiguration::default() })
    }
}

/// The settings of the band that these devices lack are known, too: a customer may have both.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "internet.username",
        "internet.password",
        "wifi.2.4.ssid",
        "wifi.2.4.key",
        "voip.proxy",
        "voip.1.number",
        "voip.1.username",
        "voip.1.password",
        "acs.inform-interval",
    ];
    NAMES.contains(&name) || name.starts_with("wifi.5.")
}

fn internet(profile: &ServiceProfile) -> Vec<Assignment> {
    let parameters = [("internet.username", "Username"), ("internet.password", "Password")];
    let set = parameters.into_iter().filter_map(|(setting, parameter)| {
        let value = profile.setting(setting)?;
        Some(Assignment::setting(format!("{WAN}.{parameter}"), value))
    });
    set.collect()
}

fn wifi(profile: &ServiceProfile) -> Result<Vec<Assignment>, Failure> {
    if profile.has_band("5GHz") && !profile.has_band("2.4GHz") {
        return Err(Failure::rejected(UNSUPPORTED_SETTING, "the customer has Wi-Fi in 5 GHz only, which this device lacks"));
    }
    if !profile.has_band("2.4GHz") {
        return Ok(vec![Assignment::switch(format!("{WLAN}.Enable"), false)]);
    }
    // IEEE 802.11 and WPA2 say how long these are.
    let ssid = profile.length("wifi.2.4.ssid", 1..=32, BAD_SETTING)?;
    let key = profile.length("wifi.2.4.key", 8..=63, BAD_SETTING)?;
    Ok(vec![
        Assignment::switch(format!("{WLAN}.Enable"), true),
        Assignment::setting(format!("{WLAN}.SSID"), ssid),
        Assignment::text(format!("{WLAN}.BeaconType"), "11i"),
        Assignment::setting(format!("{WLAN}.PreSharedKey.1.KeyPassphrase"), key),
    ])
}

fn telephony(profile: &ServiceProfile) -> Result<Vec<Assignment>, Failure> {
    if !profile.has("voip") {
        return Ok(vec![Assignment::text(format!("{VOICE}.Line.1.Enable"), "Disabled")]);
    }
    let parameters = [
        ("voip.proxy", "SIP.ProxyServer"),
        ("voip.1.number", "Line.1.DirectoryNumber"),
        ("voip.1.username", "Line.1.SIP.AuthUserName"),
        ("voip.1.password", "Line.1.SIP.AuthPassword"),
    ];
    let mut assignments = vec![Assignment::text(format!("{VOICE}.Line.1.Enable"), "Enabled")];
    for (setting, parameter) in parameters {
        assignments.push(Assignment::setting(format!("{VOICE}.{parameter}"), profile.required(setting, BAD_SETTING)?));
    }
    Ok(assignments)
}

fn management(profile: &ServiceProfile) -> Result<Vec<Assignment>, Failure> {
    let Some(interval) = profile.number("acs.inform-interval", 60..=604_800, BAD_SETTING)? else { return Ok(Vec::new()) };
    Ok(vec![
        Assignment::switch(format!("{MANAGEMENT}.PeriodicInformEnable"), true),
        Assignment::number(format!("{MANAGEMENT}.PeriodicInformInterval"), interval),
    ])
}

jackfield_plugin_sdk::export!(Ont: configuration; MANIFEST);
