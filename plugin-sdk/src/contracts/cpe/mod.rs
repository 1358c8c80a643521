//! The contracts of `jackfield:cpe`: whose device it is, what the customer bought, which parameters that comes to.

pub mod configuration;
pub mod device_inventory;
pub mod profile;

use std::ops::RangeInclusive;

pub use super::{Characteristic, characteristic};
use crate::Failure;

/// A device as it names itself in its Inform (TR-069 A.3.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The organisationally unique identifier of the manufacturer: six hexadecimal digits in upper case.
    pub oui: String,
    /// The class of product that the serial number is unique in; may be empty.
    pub product_class: String,
    /// The serial number.
    pub serial: String,
    /// The manufacturer.
    pub manufacturer: String,
    /// The model, or the product class where the device names none.
    pub model: String,
    /// The version of its hardware, or empty.
    pub hardware_version: String,
    /// The version of its firmware, or empty.
    pub software_version: String,
    /// The root of its data model with the dot: `Device.` (TR-181) or `InternetGatewayDevice.` (TR-098).
    pub root: String,
}

/// A value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// The value itself.
    Text(String),
    /// A handle for it (see [`secrets`](crate::secrets)): it can only be passed on.
    Secret(String),
}

impl SettingValue {
    /// The value, where it is none that is secret.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Secret(_) => None,
        }
    }
}

/// Something that a customer's profile sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name that the business system gives it: `wifi.5.ssid`.
    pub name: String,
    /// The value.
    pub value: SettingValue,
}

impl Setting {
    /// A setting that is no secret.
    pub fn text(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: SettingValue::Text(value.into()) }
    }

    /// A setting of which only a handle is known.
    pub fn secret(name: impl Into<String>, handle: impl Into<String>) -> Self {
        Self { name: name.into(), value: SettingValue::Secret(handle.into()) }
    }
}

/// What a customer is to get on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceProfile {
    /// Another text when anything in the profile changes; at most 128 bytes.
    pub version: String,
    /// The services, such as `internet`, `voip`, `iptv`.
    pub services: Vec<String>,
    /// The Wi-Fi bands, such as `2.4GHz` and `5GHz`.
    pub wifi_bands: Vec<String>,
    /// Everything that is set.
    pub settings: Vec<Setting>,
}

impl ServiceProfile {
    /// The setting with that name.
    pub fn setting(&self, name: &str) -> Option<&SettingValue> {
        self.settings.iter().find(|setting| setting.name == name).map(|setting| &setting.value)
    }

    /// Whether the customer has that service.
    pub fn has(&self, service: &str) -> bool {
        self.services.iter().any(|it| it == service)
    }
    /// Whether the customer has Wi-Fi in that band.
    pub fn has_band(&self, band: &str) -> bool {
        self.wifi_bands.iter().any(|it| it == band)
    }

    /// A setting that must be there.
    ///
    /// # Errors
    /// Without it, [`Failure::Rejected`] with that code.
    pub fn required(&self, name: &str, code: &str) -> Result<&SettingValue, Failure> {
        let missing = || Failure::rejected(code, format!("the profile has no setting {name:?}, which its services or Wi-Fi bands need"));
        self.setting(name).ok_or_else(missing)
    }

    /// A setting that is a number within bounds where it is there.
    ///
    /// # Errors
    /// For everything else, a secret too, [`Failure::Rejected`] with that code.
    pub fn number(&self, name: &str, bounds: RangeInclusive<u32>, code: &str) -> Result<Option<u32>, Failure> {
        let Some(value) = self.setting(name) else { return Ok(None) };
        let number = value.text().and_then(|text| text.parse().ok()).filter(|number| bounds.contains(number));
        let misfit = || Failure::rejected(code, format!("the setting {name:?} is no number from {} to {}", bounds.start(), bounds.end()));
        number.map(Some).ok_or_else(misfit)
    }

    /// A setting that must be there, with so many bytes. A secret passes: only the host knows how long it is.
    ///
    /// # Errors
    /// Without it, or with more or fewer bytes, [`Failure::Rejected`] with that code.
    pub fn length(&self, name: &str, bounds: RangeInclusive<usize>, code: &str) -> Result<&SettingValue, Failure> {
        let value = self.required(name, code)?;
        match value.text().map(str::len) {
            Some(length) if !bounds.contains(&length) => {
                let message = format!("the setting {name:?} has {length} bytes: expected {} to {} bytes", bounds.start(), bounds.end());
                Err(Failure::rejected(code, message))
            }
            _ => Ok(value),
        }
    }

    /// The profile with that setting as a text, instead of what it was.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let mut profile = self.without(name);
        profile.settings.push(Setting::text(name, value));
        profile
    }

    /// The profile without that setting.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.settings.retain(|setting| setting.name != name);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn profile() -> ServiceProfile {
        let profile = ServiceProfile { wifi_bands: vec!["5GHz".into()], ..ServiceProfile::default() };
        let mut profile = profile.with("name", "abc").with("port", "7");
        profile.settings.push(Setting::secret("key", "h"));
        profile
    }

    #[test]
    fn settings_are_read_within_bounds() {
        let profile = profile();
        assert_eq!((profile.has_band("5GHz"), profile.has_band("5")), (true, false));
        assert_eq!((profile.number("port", 7..=7, "bad"), profile.number("none", 1..=9, "bad")), (Ok(Some(7)), Ok(None)));
        assert_eq!(profile.length("name", 3..=3, "bad"), profile.required("name", "bad"));
        assert_eq!(profile.length("key", 8..=63, "bad"), Ok(&SettingValue::Secret("h".into())));
    }

    #[test]
    fn what_is_missing_or_out_of_bounds_is_rejected_with_the_code() {
        let profile = profile();
        for (reason, said) in [
            (testing::rejected(profile.required("none", "bad")), "no setting \"none\""),
            (testing::rejected(profile.length("none", 1..=2, "bad")), "no setting \"none\""),
            (testing::rejected(profile.length("name", 1..=2, "bad")), "\"name\" has 3 bytes: expected 1 to 2 bytes"),
            (testing::rejected(profile.length("name", 4..=5, "bad")), "\"name\" has 3 bytes: expected 4 to 5 bytes"),
            (testing::rejected(profile.number("port", 8..=9, "bad")), "\"port\" is no number from 8 to 9"),
            (testing::rejected(profile.number("name", 1..=9, "bad")), "\"name\" is no number from 1 to 9"),
            (testing::rejected(profile.number("key", 1..=9, "bad")), "\"key\" is no number from 1 to 9"),
        ] {
            assert_eq!(reason.code, "bad");
            assert!(reason.message.contains(said), "{}", reason.message);
        }
    }

    #[test]
    fn a_setting_is_replaced_and_taken_away() {
        let profile = profile().with("name", "z").without("port");
        assert_eq!((profile.setting("name"), profile.setting("port")), (Some(&SettingValue::Text("z".into())), None));
        assert_eq!(profile.settings.len(), 2);
    }
}
