//! The contracts of `jackfield:cpe`: whose device it is, what the customer bought, which parameters that comes to.

pub mod configuration;
pub mod device_inventory;
pub mod profile;
#[cfg(test)]
mod tests;

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
        self.setting(name).map(|value| within(name, value, &bounds, code)).transpose()
    }

    /// A setting that must be there and be a number within bounds.
    ///
    /// # Errors
    /// Without it, or for everything else, a secret too, [`Failure::Rejected`] with that code.
    pub fn required_number(&self, name: &str, bounds: RangeInclusive<u32>, code: &str) -> Result<u32, Failure> {
        within(name, self.required(name, code)?, &bounds, code)
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

fn within(name: &str, value: &SettingValue, bounds: &RangeInclusive<u32>, code: &str) -> Result<u32, Failure> {
    let number = value.text().and_then(|text| text.parse().ok()).filter(|number| bounds.contains(number));
    number.ok_or_else(|| Failure::rejected(code, format!("the setting {name:?} is no number from {} to {}", bounds.start(), bounds.end())))
}
