//! Wi-Fi: radio, network and access point of each band have the same instance number on these devices.

use jackfield_plugin_sdk::{
    Failure,
    configuration::{Assignment, DeviceConfiguration},
    cpe::ServiceProfile,
};

use crate::BAD_SETTING;

/// Bands by the name in profiles and in settings, with the instance and the highest channel.
const BANDS: [(&str, &str, u32, u32); 2] = [("2.4GHz", "2.4", 1, 13), ("5GHz", "5", 2, 196)];

pub(crate) fn build(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    for (band, short, instance, highest) in BANDS {
        let on = profile.has_band(band);
        configuration.set(Assignment::switch(format!("Device.WiFi.Radio.{instance}.Enable"), on));
        configuration.set(Assignment::switch(format!("Device.WiFi.SSID.{instance}.Enable"), on));
        if on {
            network(profile, short, instance, highest, configuration)?;
        }
    }
    Ok(())
}

fn network(profile: &ServiceProfile, band: &str, instance: u32, highest: u32, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    let names = ["ssid", "key", "channel"].map(|what| format!("wifi.{band}.{what}"));
    let [ssid, key, channel] = &names;
    // IEEE 802.11 and WPA2 say how long these are.
    let network = profile.length(ssid, 1..=32, BAD_SETTING)?;
    let passphrase = profile.length(key, 8..=63, BAD_SETTING)?;
    configuration.set(Assignment::setting(format!("Device.WiFi.SSID.{instance}.SSID"), network));
    configuration.set(Assignment::text(format!("Device.WiFi.AccessPoint.{instance}.Security.ModeEnabled"), "WPA2-Personal"));
    configuration.set(Assignment::setting(format!("Device.WiFi.AccessPoint.{instance}.Security.KeyPassphrase"), passphrase));
    let fixed = profile.number(channel, 1..=highest, BAD_SETTING)?;
    configuration.set(Assignment::switch(format!("Device.WiFi.Radio.{instance}.AutoChannelEnable"), fixed.is_none()));
    if let Some(fixed) = fixed {
        configuration.set(Assignment::number(format!("Device.WiFi.Radio.{instance}.Channel"), fixed));
    }
    Ok(())
}
