//! The requests and outputs of the contracts in `wit/cpe`, in their JSON form: kebab-case names, absent options left out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{quirks::Quirks, soap::ParameterValue, value::ValueType};

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Characteristic {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A device as it names itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Device {
    /// The organisationally unique identifier of the manufacturer.
    pub oui: String,
    /// The class of product that the serial number is unique in.
    pub product_class: String,
    /// The serial number.
    pub serial: String,
    /// The manufacturer.
    pub manufacturer: String,
    /// The model.
    pub model: String,
    /// The version of the hardware, or empty.
    pub hardware_version: String,
    /// The version of the firmware, or empty.
    pub software_version: String,
    /// The root of the data model, with its dot.
    pub root: String,
}

/// A value that may be secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingValue {
    /// The value itself.
    Text(String),
    /// A handle of it.
    Secret(String),
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Secret(_) => f.write_str("Secret"),
        }
    }
}

/// Something that a profile sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The name that the business system gives it.
    pub name: String,
    /// The value.
    pub value: SettingValue,
}

/// What the inventory knows of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Subscription {
    pub(crate) customer_id: String,
    pub(crate) service_plan: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location_id: Option<String>,
    #[serde(default)]
    pub(crate) characteristics: Vec<Characteristic>,
}

/// The request of `profile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ProfileRequest {
    pub(crate) device: Device,
    pub(crate) customer_id: String,
    pub(crate) service_plan: String,
    pub(crate) characteristics: Vec<Characteristic>,
}

/// What a customer is to get on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ServiceProfile {
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) services: Vec<String>,
    #[serde(default)]
    pub(crate) wifi_bands: Vec<String>,
    #[serde(default)]
    pub(crate) settings: Vec<Setting>,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueKind {
    /// Text.
    #[default]
    String,
    /// A signed number of 32 bits.
    Int,
    /// An unsigned number of 32 bits.
    UnsignedInt,
    /// A signed number of 64 bits.
    Long,
    /// An unsigned number of 64 bits.
    UnsignedLong,
    /// A truth value.
    Boolean,
    /// An instant.
    DateTime,
    /// Bytes in base64.
    Base64,
    /// Bytes in hexadecimal digits.
    HexBinary,
}

/// A parameter with the value that a device has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The full path.
    pub name: String,
    /// The value as the device wrote it.
    pub value: String,
    /// Its type.
    #[serde(default)]
    pub kind: ValueKind,
}

/// The request of `configuration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConfigurationRequest {
    pub(crate) device: Device,
    pub(crate) plan: String,
    pub(crate) profile: ServiceProfile,
    pub(crate) current: Vec<Parameter>,
}

/// A parameter with the value that it is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The full path; `{label}` stands for the instance of an object.
    pub name: String,
    /// The value.
    pub value: SettingValue,
    /// Its type.
    pub kind: ValueKind,
}

/// An instance that must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) label: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) key: Vec<Assignment>,
}

/// How a device tells of changes of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) name: String,
    pub(crate) level: u8,
}

/// What is to be done with a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Configuration {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) removals: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) objects: Vec<Object>,
    pub(crate) assignments: Vec<Assignment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notifications: Vec<Notification>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hidden: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) quirks: Vec<Characteristic>,
    pub(crate) reboot: bool,
}

impl SettingValue {
    /// The handle, if the value is secret.
    pub(crate) fn handle(&self) -> Option<&str> {
        match self {
            Self::Secret(handle) => Some(handle),
            Self::Text(_) => None,
        }
    }
}

impl From<ValueKind> for ValueType {
    fn from(kind: ValueKind) -> Self {
        match kind {
            ValueKind::String => Self::String,
            ValueKind::Int => Self::Int,
            ValueKind::UnsignedInt => Self::UnsignedInt,
            ValueKind::Long => Self::Long,
            ValueKind::UnsignedLong => Self::UnsignedLong,
            ValueKind::Boolean => Self::Boolean,
            ValueKind::DateTime => Self::DateTime,
            ValueKind::Base64 => Self::Base64,
            ValueKind::HexBinary => Self::HexBinary,
        }
    }
}

impl From<ValueType> for ValueKind {
    fn from(kind: ValueType) -> Self {
        match kind {
            ValueType::String => Self::String,
            ValueType::Int => Self::Int,
            ValueType::UnsignedInt => Self::UnsignedInt,
            ValueType::Long => Self::Long,
            ValueType::UnsignedLong => Self::UnsignedLong,
            ValueType::Boolean => Self::Boolean,
            ValueType::DateTime => Self::DateTime,
            ValueType::Base64 => Self::Base64,
            ValueType::HexBinary => Self::HexBinary,
        }
    }
}

impl Parameter {
    /// What a device sent, as it may be written down: what is secret by the data model or the quirks of the device is empty.
    pub(crate) fn sent(sent: &ParameterValue, quirks: &Quirks) -> Self {
        // A type that nobody knows is text.
        let kind = ValueType::of_name(&sent.xsd).unwrap_or_default().into();
        let value = if quirks.is_secret(&sent.name) { String::new() } else { sent.value.clone() };
        Self { name: sent.name.clone(), value, kind }
    }
}
