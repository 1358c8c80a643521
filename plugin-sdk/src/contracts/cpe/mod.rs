//! The contracts of `jackfield:cpe`: whose device it is, what the customer bought, which parameters that comes to.

pub mod configuration;
pub mod device_inventory;
pub mod profile;

pub use super::{Characteristic, characteristic};

/// A device as it names itself in its Inform (TR-069 A.3.3.1).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
}
