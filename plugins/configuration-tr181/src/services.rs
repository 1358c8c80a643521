//! Internet access, telephony, television and the management of the device itself.

use jackfield_plugin_sdk::{
    Failure,
    configuration::{Assignment, DeviceConfiguration, Object},
    cpe::ServiceProfile,
};

use crate::BAD_SETTING;

/// The profile of the voice service; its first line is the only one that these devices have.
const VOICE: &str = "Device.Services.VoiceService.1.VoiceProfile.1";

pub(crate) fn internet(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) {
    for (setting, parameter) in [("internet.username", "Username"), ("internet.password", "Password")] {
        if let Some(value) = profile.setting(setting) {
            configuration.set(Assignment::setting(format!("Device.PPP.Interface.1.{parameter}"), value));
        }
    }
}

pub(crate) fn telephony(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    let on = profile.has("voip");
    configuration.set(Assignment::text(format!("{VOICE}.Line.1.Enable"), if on { "Enabled" } else { "Disabled" }));
    if !on {
        return Ok(());
    }
    let parameters = [
        ("voip.proxy", "SIP.ProxyServer"),
        ("voip.1.number", "Line.1.DirectoryNumber"),
        ("voip.1.username", "Line.1.SIP.AuthUserName"),
        ("voip.1.password", "Line.1.SIP.AuthPassword"),
    ];
    for (setting, parameter) in parameters {
        configuration.set(Assignment::setting(format!("{VOICE}.{parameter}"), profile.required(setting, BAD_SETTING)?));
    }
    Ok(())
}

/// Television has a VLAN of its own.
pub(crate) fn television(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    if !profile.has("iptv") {
        return Ok(());
    }
    let vlan = profile.required_number("iptv.vlan", 1..=4094, BAD_SETTING)?;
    configuration.objects.push(Object {
        label: "iptv".into(),
        path: "Device.Ethernet.VLANTermination.".into(),
        instance: None,
        key: vec![Assignment::number("VLANID", vlan)],
    });
    configuration.set(Assignment::number("Device.Ethernet.VLANTermination.{iptv}.VLANID", vlan));
    configuration.set(Assignment::switch("Device.Ethernet.VLANTermination.{iptv}.Enable", true));
    Ok(())
}

pub(crate) fn management(profile: &ServiceProfile, configuration: &mut DeviceConfiguration) -> Result<(), Failure> {
    if let Some(interval) = profile.number("acs.inform-interval", 60..=604_800, BAD_SETTING)? {
        configuration.set(Assignment::switch("Device.ManagementServer.PeriodicInformEnable", true));
        configuration.set(Assignment::number("Device.ManagementServer.PeriodicInformInterval", interval));
    }
    Ok(())
}
