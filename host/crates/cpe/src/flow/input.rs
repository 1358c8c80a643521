//! What runs of the two pipelines begin with.

use serde::{Deserialize, Serialize};

use super::{
    command::Command,
    contract::{Device, Parameter},
};

/// What a run of the pipeline `cpe` begins with: one provisioning of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Provisioning {
    /// The text form of the device's key.
    pub id: String,
    /// The device as it names itself.
    pub device: Device,
    /// The event codes of the Inform that started the run; empty when no Inform did.
    #[serde(default)]
    pub events: Vec<String>,
    /// Why it is provisioned.
    pub trigger: Trigger,
    /// The model where its values must be bounded: one of the operator's catalogue, or `_other`.
    pub model_label: String,
    /// What the Inform said of the device's parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The number of the version of the profile that the device was last provisioned with, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<u64>,
    /// What is read from the device before its configuration is built, as its quirks have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_first: Vec<String>,
    /// What the device is to ask of whoever wakes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_request: Option<ConnectionRequest>,
}

/// A user name and a password for connection requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionRequest {
    /// The user name.
    pub username: String,
    /// The handle of the password.
    pub password: String,
}

/// Why a device is provisioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// It was reset, or contacts its first server.
    Bootstrap,
    /// It contacts this server for the first time, or again after a failure.
    FirstContact,
    /// The plugin that builds its configuration changed, or its profile.
    Changed,
    /// It is compared with its profile, as the operator's policy has it.
    Drift,
    /// A person asked for it.
    Operator,
    /// An order asked for it.
    Order,
}

impl Trigger {
    /// The name in documents and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::FirstContact => "first-contact",
            Self::Changed => "changed",
            Self::Drift => "drift",
            Self::Operator => "operator",
            Self::Order => "order",
        }
    }

    /// Whether the device may hold values of an earlier provisioning, so that reading them saves sending them.
    pub(crate) fn reads_first(self) -> bool {
        matches!(self, Self::Changed | Self::Drift | Self::Operator | Self::Order)
    }
}

/// What a run of the pipeline `device_command` begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceCommand {
    /// The text form of the device's key.
    pub id: String,
    /// The serial number, for telemetry.
    pub serial: String,
    /// The organisation of its manufacturer, for telemetry.
    pub oui: String,
    /// What is to be done.
    pub command: Command,
    /// Who wants it.
    pub by: String,
}
