//! The host's own contract `jackfield:cpe/device@1`: what is asked of the provider that speaks with devices, and what it returns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    command::Command,
    contract::{Assignment, Characteristic, Configuration, Parameter},
    input::Trigger,
};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub(crate) enum DeviceRequest {
    /// Read values.
    Read(Read),
    /// Send a configuration.
    Push(Box<Push>),
    /// Compare what the device has with what it was sent.
    Verify(Box<Verify>),
    /// Carry out a command.
    Command(Box<CommandRequest>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Read {
    /// The text form of the device's key.
    pub(crate) device: String,
    /// Parameters, in which `{i}` stands for any number.
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Push {
    pub(crate) device: String,
    pub(crate) root: String,
    pub(crate) trigger: Trigger,
    /// Whether the device was last provisioned with this version of its profile, so that it may have its secrets.
    #[serde(default)]
    pub(crate) same_profile: bool,
    /// What is known of the device's values.
    #[serde(default)]
    pub(crate) current: Vec<Parameter>,
    pub(crate) configuration: Configuration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Verify {
    pub(crate) device: String,
    pub(crate) root: String,
    /// The parameter key that the values were sent with.
    pub(crate) key: String,
    /// What the device was sent, with the instances in the names.
    pub(crate) assignments: Vec<Assignment>,
    #[serde(default)]
    pub(crate) hidden: Vec<String>,
    #[serde(default)]
    pub(crate) quirks: Vec<Characteristic>,
    /// Whether the device applies the values only after a restart.
    pub(crate) reboot: bool,
    /// Whether the device said that it would apply them later.
    pub(crate) later: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CommandRequest {
    pub(crate) device: String,
    pub(crate) command: Command,
}

/// What `read` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Readings {
    pub(crate) values: Vec<Parameter>,
}

/// What `push` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Pushed {
    /// The parameter key.
    pub(crate) key: String,
    /// The instances of the objects, by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) instances: BTreeMap<String, u32>,
    /// How many values were sent.
    pub(crate) sent: usize,
    /// Whether the device said that it would apply them later.
    pub(crate) later: bool,
}

/// What `verify` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Verified {
    /// How many values were read back and were right.
    pub(crate) checked: usize,
    /// How many cannot be read back.
    pub(crate) hidden: usize,
}

impl DeviceRequest {
    /// The text form of the key of the device that it is about.
    pub(crate) fn device(&self) -> &str {
        match self {
            Self::Read(read) => &read.device,
            Self::Push(push) => &push.device,
            Self::Verify(verify) => &verify.device,
            Self::Command(command) => &command.device,
        }
    }
}

/// A name with the instances of objects in it: `{label}` becomes the number. `None` where a label has no instance.
pub(crate) fn with_instances(name: &str, instances: &BTreeMap<String, u32>) -> Option<String> {
    let mut whole = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('{') {
        let (label, after) = after.split_once('}')?;
        whole.push_str(before);
        whole.push_str(&instances.get(label)?.to_string());
        rest = after;
    }
    whole.push_str(rest);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_instances_and_unknown_ones_are_noticed() {
        let instances = BTreeMap::from([("lan".to_owned(), 3), ("tv".to_owned(), 12)]);
        let of = |name: &str| with_instances(name, &instances);
        assert_eq!(of("Device.IP.Interface.{lan}.X.{tv}.Y").as_deref(), Some("Device.IP.Interface.3.X.12.Y"));
        assert_eq!(of("Device.A").as_deref(), Some("Device.A"));
        assert_eq!((of("Device.{other}.A"), of("Device.{lan")), (None, None));
    }
}
