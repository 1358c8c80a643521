//! The `configuration` contract: which parameters a profile comes to on a device, from a setting that the operator writes.
//!
//! The setting `parameters` is JSON that maps the settings of a profile to parameters of the device:
//! `{"wifi.5.ssid": "Device.WiFi.SSID.2.SSID"}`. A setting of a profile without a parameter is refused.

use std::collections::BTreeMap;

use jackfield_plugin_sdk::{
    Call, Capabilities, Configuration, Contract, Failure, Manifest, Setting, config,
    configuration::{Assignment, DeviceConfiguration, Request},
};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract::pure("configuration")],
    capabilities: Capabilities {
        config: &[Setting::new("parameters", "which parameter each setting of a profile is").schema(r#"{"type": "object"}"#).required()],
        ..Capabilities::NONE
    },
    failure_codes: &[UNKNOWN_SETTING, BAD_CONFIG],
    ..Manifest::EMPTY
};

/// The device has no parameter for a setting of the profile.
const UNKNOWN_SETTING: &str = "unknown_setting";
/// The setting `parameters` is missing or not as described.
const BAD_CONFIG: &str = "bad_config";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

impl Configuration for Plugin {
    fn apply(_: &Call, request: Request) -> Result<DeviceConfiguration, Failure> {
        let parameters: BTreeMap<String, String> = config::json("parameters", BAD_CONFIG)?;
        let assign = |setting: &jackfield_plugin_sdk::cpe::Setting| match parameters.get(&setting.name) {
            // A secret stays a handle: the host puts the secret in its place in what it sends to the device.
            Some(parameter) => Ok(Assignment::setting(parameter, &setting.value)),
            None => Err(Failure::rejected(UNKNOWN_SETTING, format!("{} has no parameter for {}", request.device.model, setting.name))),
        };
        let assignments = request.profile.settings.iter().map(assign).collect::<Result<_, _>>()?;
        Ok(DeviceConfiguration { assignments, ..DeviceConfiguration::default() })
    }
}

jackfield_plugin_sdk::export!(Plugin: configuration; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        cpe::{ServiceProfile, Setting},
        testing::{self, Config},
    };

    use super::*;

    fn build(settings: Vec<Setting>) -> Result<DeviceConfiguration, Failure> {
        Config::set("parameters", r#"{"wifi.5.key": "Device.WiFi.AccessPoint.2.Security.KeyPassphrase"}"#);
        let profile = ServiceProfile { settings, ..ServiceProfile::default() };
        Plugin::apply(&testing::call("key"), Request { device: testing::device("Device."), plan: "fibre".into(), profile, current: Vec::new() })
    }

    #[test]
    fn a_secret_of_the_profile_is_passed_on_as_it_is() {
        let key = Setting::secret("wifi.5.key", "handle");
        let assignments = vec![Assignment::setting("Device.WiFi.AccessPoint.2.Security.KeyPassphrase", &key.value)];
        assert_eq!(build(vec![key]), Ok(DeviceConfiguration { assignments, ..DeviceConfiguration::default() }));
    }

    #[test]
    fn a_setting_without_a_parameter_is_rejected() {
        let refused = build(vec![Setting::text("fax.1", "on")]);
        assert_eq!(refused, Err(Failure::rejected("unknown_setting", "RX-500 has no parameter for fax.1")));
    }
}
