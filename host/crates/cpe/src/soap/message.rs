//! The envelope, what it carries, and the messages that everything begins and ends with.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AcsReply, Answer, DeviceRpc, Namespace, Rpc};
use crate::device::DeviceId;

/// One message with its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The header `cwmp:ID`, by which an answer finds its request. Some devices leave it out.
    pub id: Option<String>,
    /// The version of the sender, or of the device that is answered.
    pub namespace: Namespace,
    /// The header `HoldRequests`: the device shall send no requests of its own.
    pub hold_requests: bool,
    /// The header `NoMoreRequests` of version 1.0.
    pub no_more_requests: bool,
    /// The header `SessionTimeout`: how long the device keeps a session open, in seconds.
    pub session_timeout: Option<u32>,
    /// The header `SupportedCWMPVersions`, as in `1.4`.
    pub supported_versions: Vec<String>,
    /// The header `UseCWMPVersion`.
    pub use_version: Option<String>,
    /// The message.
    pub message: Message,
}

impl Envelope {
    /// A message with nothing in its header but an ID.
    #[must_use]
    pub fn new(namespace: Namespace, id: impl Into<String>, message: Message) -> Self {
        let id = Some(id.into());
        Self {
            id,
            namespace,
            hold_requests: false,
            no_more_requests: false,
            session_timeout: None,
            supported_versions: Vec::new(),
            use_version: None,
            message,
        }
    }
}

/// What an envelope carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A device begins a session.
    Inform(Box<Inform>),
    /// A request to a device.
    Rpc(Rpc),
    /// The answer of a device.
    Answer(Answer),
    /// A request of a device other than `Inform`. A bare `GetRPCMethods` is read as this one.
    Event(DeviceRpc),
    /// The answer to a device. A `GetRPCMethodsResponse` is read as the answer of a device.
    Reply(AcsReply),
    /// Either side refuses.
    Fault(Fault),
    /// A message that no one here knows.
    Unknown {
        /// The name of its element.
        name: String,
    },
}

impl Message {
    /// The local name of the element in the body.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Inform(_) => "Inform",
            Self::Rpc(rpc) => rpc.name(),
            Self::Answer(answer) => answer.name(),
            Self::Event(event) => event.name(),
            Self::Reply(reply) => reply.name(),
            Self::Fault(_) => "Fault",
            Self::Unknown { name } => name,
        }
    }
}

/// What a device begins a session with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inform {
    /// Which device it claims to be.
    pub device: DeviceId,
    /// Why it came.
    pub events: Vec<EventCode>,
    /// Its own clock, as it sent it.
    pub current_time: String,
    /// How often this session was tried before.
    pub retry_count: u32,
    /// Parameters that it reports unasked.
    pub parameters: Vec<ParameterValue>,
}

impl Inform {
    /// The root of the data model of the device, `Device.` or `InternetGatewayDevice.`, as its parameters show it.
    #[must_use]
    pub fn root(&self) -> Option<&'static str> {
        let roots = ["Device.", "InternetGatewayDevice."];
        self.parameters.iter().find_map(|parameter| roots.into_iter().find(|root| parameter.name.starts_with(root)))
    }

    /// The reasons with a code, as in `0 BOOTSTRAP`. Neither case nor white space at the ends matters.
    pub fn event(&self, code: &str) -> impl Iterator<Item = &EventCode> {
        self.events.iter().filter(move |event| event.code.trim().eq_ignore_ascii_case(code))
    }

    /// Whether an event is among the reasons, as in `0 BOOTSTRAP`.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.event(code).next().is_some()
    }

    /// The value of a parameter, by the end of its name below any root, as in `DeviceInfo.SoftwareVersion`.
    #[must_use]
    pub fn parameter(&self, below_root: &str) -> Option<&str> {
        let below = |name: &str| name.split_once('.').is_some_and(|(_, rest)| rest == below_root);
        self.parameters.iter().find(|parameter| below(&parameter.name)).map(|parameter| parameter.value.as_str())
    }
}

/// One reason for a session, as in `0 BOOTSTRAP`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventCode {
    /// The code.
    pub code: String,
    /// For `M ...` events, the key of the command that caused it.
    pub command_key: String,
}

/// A parameter as a device reported it. What is printed for debugging shows no value.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ParameterValue {
    /// The full name.
    pub name: String,
    /// The value as it was sent.
    pub value: String,
    /// The type as it was sent, without its prefix; the known ones in the spelling of the standard, `string` where there was none.
    #[serde(rename = "kind")]
    pub xsd: String,
}

impl fmt::Debug for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {} bytes)", self.name, self.xsd, self.value.len())
    }
}

/// A refusal. Devices use 9000 to 9899, an auto-configuration server 8000 to 8899.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// The code; 0 where none was found.
    pub code: u32,
    /// What the refusing side says.
    pub string: String,
    /// For `SetParameterValues`, what is wrong with each parameter.
    pub parameters: Vec<ParameterFault>,
}

impl Fault {
    /// A refusal with a code and a reason.
    #[must_use]
    pub fn new(code: u32, string: impl Into<String>) -> Self {
        Self { code, string: string.into(), parameters: Vec::new() }
    }
}

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ParameterFault {
    /// The parameter.
    pub name: String,
    /// The code.
    pub code: u32,
    /// What the device says.
    pub string: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inform_shows_its_root_its_reasons_and_its_parameters() {
        let parameter = |name: &str, value: &str| ParameterValue { name: name.into(), value: value.into(), xsd: "string".into() };
        for root in ["Device.", "InternetGatewayDevice."] {
            let inform = Inform {
                events: vec![EventCode { code: "1 BOOT".into(), command_key: String::new() }],
                parameters: vec![parameter("Odd.X", "0"), parameter(&format!("{root}DeviceInfo.SoftwareVersion"), "1.2")],
                ..Inform::default()
            };
            assert_eq!((inform.root(), inform.has("1 boot"), inform.has("0 BOOTSTRAP")), (Some(root), true, false));
            assert_eq!((inform.parameter("DeviceInfo.SoftwareVersion"), inform.parameter("SoftwareVersion")), (Some("1.2"), None));
        }
        assert_eq!(Inform::default().root(), None);
    }
}
