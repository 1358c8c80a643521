//! Wi-Fi: radio, network and access point of each band have the same instance number on these devices.

use jackfield_plugin_sdk::{
    Failure,
    configuration::{Assignment, DeviceConfiguration},
    cpe::{ServiceProfile, SettingValue},
};

use crate::{BAD_SETTING, number, put};

/// Bands by the name in profiles and in settings, with the instance and the highest channel.
const BANDS: [(&str, &str, u32, u32); 2] = [("2.4GHz", "2.4", 1, 13), ("5GHz", "5", 2, 196)];

pub(crate) fn build(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    for (band, short, instance, highest) in BANDS {
        let on = profile.wifi_bands.iter().any(|it| it == band);
        put(configuration, Assignment::switch(format!("Device.WiFi.Radio.{instance}.Enable"), on));
        put(configuration, Assignment::switch(format!("Device.WiFi.SSID.{instance}.Enable"), on));
        if on {
            network(profile, short, instance, highest, configuration)?;
        }
    }
    Ok(())
}

fn network(profile: &ServiceProfile, band: &str, instance: u32, highest: u32, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    let names = ["ssid", "key", "channel"].map(|what| format!("wifi.{band}.{what}"));
    let [ssid, key, channel] = &names;
    let missing = |name: &str| Failure::rejected(BAD_SETTING, format!("the customer has Wi-Fi in this band but no setting {name:?}"));
    let network = profile.setting(ssid).ok_or_else(|| missing(ssid))?;
    if network.text().is_some_and(|text| text.is_empty() || text.len() > 32) {
        return Err(Failure::rejected(BAD_SETTING, format!("the setting {ssid:?} has no 1 to 32 bytes (IEEE 802.11)")));
    }
    let passphrase = profile.setting(key).ok_or_else(|| missing(key))?;
    if let SettingValue::Text(text) = passphrase
        && !(8..=63).contains(&text.len())
    {
        return Err(Failure::rejected(BAD_SETTING, format!("the setting {key:?} has no 8 to 63 characters (WPA2)")));
    }
    put(configuration, Assignment::setting(format!("Device.WiFi.SSID.{instance}.SSID"), network));
    put(configuration, Assignment::text(format!("Device.WiFi.AccessPoint.{instance}.Security.ModeEnabled"), "WPA2-Personal"));
    put(configuration, Assignment::setting(format!("Device.WiFi.AccessPoint.{instance}.Security.KeyPassphrase"), passphrase));
    let fixed = profile.setting(channel).map(|value| number(channel, value, 1, highest)).transpose()?;
    put(configuration, Assignment::switch(format!("Device.WiFi.Radio.{instance}.AutoChannelEnable"), fixed.is_none()));
    if let Some(fixed) = fixed {
        put(configuration, Assignment::number(format!("Device.WiFi.Radio.{instance}.Channel"), fixed));
    }
    Ok(())
}
