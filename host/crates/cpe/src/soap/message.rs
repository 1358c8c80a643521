//! What an envelope carries, and what devices say by themselves.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Answer, Namespace, Rpc};
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
    /// How many envelopes it takes at once. Always treated as 1.
    pub max_envelopes: u32,
    /// Its own clock, as it sent it.
    pub current_time: String,
    /// How often this session was tried before.
    pub retry_count: u32,
    /// Parameters that it reports unasked.
    pub parameters: Vec<ParameterValue>,
}

impl Inform {
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

/// A request of a device other than `Inform`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceRpc {
    /// A download or upload that was asked for has ended.
    TransferComplete(TransferComplete),
    /// A transfer that nobody here asked for has ended.
    AutonomousTransferComplete(AutonomousTransferComplete),
    /// What can be called here.
    GetRpcMethods,
    /// It would like a file.
    RequestDownload {
        /// The type of file, as in `1 Firmware Upgrade Image`.
        file_type: String,
        /// Names and values that say more.
        arguments: Vec<(String, String)>,
    },
    /// Somebody sent the user of the device to a page.
    Kicked {
        /// A command of the page.
        command: String,
        /// The page before.
        referer: String,
        /// An argument of the page.
        arg: String,
        /// Where the user shall be sent next.
        next: String,
    },
    /// Software modules were changed, as asked for.
    DuStateChangeComplete {
        /// The key of the request.
        command_key: String,
        /// What became of each.
        results: Vec<DuResult>,
    },
    /// Software modules were changed by somebody else.
    AutonomousDuStateChangeComplete {
        /// What became of each.
        results: Vec<DuResult>,
    },
}

impl DeviceRpc {
    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TransferComplete(_) => "TransferComplete",
            Self::AutonomousTransferComplete(_) => "AutonomousTransferComplete",
            Self::GetRpcMethods => "GetRPCMethods",
            Self::RequestDownload { .. } => "RequestDownload",
            Self::Kicked { .. } => "Kicked",
            Self::DuStateChangeComplete { .. } => "DUStateChangeComplete",
            Self::AutonomousDuStateChangeComplete { .. } => "AutonomousDUStateChangeComplete",
        }
    }
}

/// How a transfer ended that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TransferComplete {
    /// The key of the request.
    pub command_key: String,
    /// 0 for success.
    pub fault_code: u32,
    /// Why it failed.
    pub fault_string: String,
    /// When it began, as sent.
    pub start: String,
    /// When it ended, as sent.
    pub complete: String,
}

/// How a transfer ended that was not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AutonomousTransferComplete {
    /// Where the transfer was announced.
    pub announce_url: String,
    /// Where the file came from or went to.
    pub transfer_url: String,
    /// Whether the device received the file.
    pub is_download: bool,
    /// The type of the file.
    pub file_type: String,
    /// Its size in bytes.
    pub file_size: u32,
    /// Its name on the device.
    pub target_file_name: String,
    /// 0 for success.
    pub fault_code: u32,
    /// Why it failed.
    pub fault_string: String,
    /// When it began, as sent.
    pub start: String,
    /// When it ended, as sent.
    pub complete: String,
}

/// What became of one software module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DuResult {
    /// Its identity.
    pub uuid: String,
    /// Its row in the data model.
    pub reference: String,
    /// Its version.
    pub version: String,
    /// `Installed`, `Uninstalled` or `Failed`.
    pub state: String,
    /// Whether all it depends on is there.
    pub resolved: bool,
    /// The rows of its execution units, comma-separated.
    pub execution_units: String,
    /// When it began, as sent.
    pub start: String,
    /// When it ended, as sent.
    pub complete: String,
    /// 0 for success.
    pub fault_code: u32,
    /// Why it failed.
    pub fault_string: String,
    /// `Install`, `Update` or `Uninstall`, where the device did it by itself.
    pub operation: Option<String>,
}

/// The answer to a request of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcsReply {
    /// To `Inform`.
    Inform {
        /// Always 1.
        max_envelopes: u32,
    },
    /// To `TransferComplete`.
    TransferComplete,
    /// To `AutonomousTransferComplete`.
    AutonomousTransferComplete,
    /// To `GetRPCMethods`.
    GetRpcMethods(Vec<String>),
    /// To `RequestDownload`.
    RequestDownload,
    /// To `Kicked`.
    Kicked {
        /// Where the user is sent.
        next_url: String,
    },
    /// To `DUStateChangeComplete`.
    DuStateChangeComplete,
    /// To `AutonomousDUStateChangeComplete`.
    AutonomousDuStateChangeComplete,
}

impl AcsReply {
    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Inform { .. } => "InformResponse",
            Self::TransferComplete => "TransferCompleteResponse",
            Self::AutonomousTransferComplete => "AutonomousTransferCompleteResponse",
            Self::GetRpcMethods(_) => "GetRPCMethodsResponse",
            Self::RequestDownload => "RequestDownloadResponse",
            Self::Kicked { .. } => "KickedResponse",
            Self::DuStateChangeComplete => "DUStateChangeCompleteResponse",
            Self::AutonomousDuStateChangeComplete => "AutonomousDUStateChangeCompleteResponse",
        }
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
