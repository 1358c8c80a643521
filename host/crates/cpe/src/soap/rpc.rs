//! What devices are asked to do.

use std::fmt;

use crate::value::ValueType;

/// A request to a device. What is printed for debugging shows no value and no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rpc {
    /// What it can be asked.
    GetRpcMethods,
    /// Sets parameters, all or none.
    SetParameterValues {
        /// The parameters.
        list: Vec<SetValue>,
        /// The device keeps it and reports it in every `Inform`: whether this change was applied can be seen from it. At most 32 characters.
        parameter_key: String,
    },
    /// Reads parameters.
    GetParameterValues {
        /// Full names, or paths that end with `.`.
        names: Vec<String>,
    },
    /// Asks which parameters and objects there are.
    GetParameterNames {
        /// A path that ends with `.`, or a full name; empty for all.
        path: String,
        /// Only what is right below the path.
        next_level: bool,
    },
    /// Sets how changes are reported.
    SetParameterAttributes {
        /// The parameters.
        list: Vec<Attributes>,
    },
    /// Reads how changes are reported.
    GetParameterAttributes {
        /// Full names, or paths that end with `.`.
        names: Vec<String>,
    },
    /// Creates an object, whose number the device chooses.
    AddObject {
        /// The path of its table, which ends with `.`.
        object: String,
        /// As in `SetParameterValues`.
        parameter_key: String,
    },
    /// Deletes an object.
    DeleteObject {
        /// Its path, which ends with `.`.
        object: String,
        /// As in `SetParameterValues`.
        parameter_key: String,
    },
    /// Has a file fetched.
    Download(Box<Download>),
    /// Has a file sent.
    Upload(Box<Upload>),
    /// Restarts the device.
    Reboot {
        /// Comes back with the event `M Reboot`.
        command_key: String,
    },
    /// Makes it forget all that was set.
    FactoryReset,
    /// Has it begin a session later.
    ScheduleInform {
        /// In so many seconds.
        delay_s: u32,
        /// Comes back with the event `M ScheduleInform`.
        command_key: String,
    },
    /// Cancels a transfer. Since `cwmp-1-2`.
    CancelTransfer {
        /// The key of the transfer.
        command_key: String,
    },
}

impl Rpc {
    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetRpcMethods => "GetRPCMethods",
            Self::SetParameterValues { .. } => "SetParameterValues",
            Self::GetParameterValues { .. } => "GetParameterValues",
            Self::GetParameterNames { .. } => "GetParameterNames",
            Self::SetParameterAttributes { .. } => "SetParameterAttributes",
            Self::GetParameterAttributes { .. } => "GetParameterAttributes",
            Self::AddObject { .. } => "AddObject",
            Self::DeleteObject { .. } => "DeleteObject",
            Self::Download(_) => "Download",
            Self::Upload(_) => "Upload",
            Self::Reboot { .. } => "Reboot",
            Self::FactoryReset => "FactoryReset",
            Self::ScheduleInform { .. } => "ScheduleInform",
            Self::CancelTransfer { .. } => "CancelTransfer",
        }
    }
}

/// A parameter to set.
#[derive(Clone, PartialEq, Eq)]
pub struct SetValue {
    /// Its full name.
    pub name: String,
    /// The literal to send: [`crate::value::literal`] makes it from a value.
    pub value: String,
    /// Its type.
    pub kind: ValueType,
}

impl fmt::Debug for SetValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.kind)
    }
}

/// How changes of a parameter shall be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The parameter, or a path that ends with `.`.
    pub name: String,
    /// 0 not, 1 with the next session, 2 with a session of its own; 3 to 6 by light-weight messages. `None` leaves it as it is.
    pub notification: Option<u8>,
    /// Who else may write it. `None` leaves it as it is. The only entity of the standard is `Subscriber`.
    pub access: Option<Vec<String>>,
}

/// Has a file fetched.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Download {
    /// Comes back with `TransferComplete`. At most 32 characters.
    pub command_key: String,
    /// As in `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Where the file is. At most 256 characters.
    pub url: String,
    /// The user at the file server.
    pub username: String,
    /// The password at the file server.
    pub password: String,
    /// The size in bytes; 0 where it is not known.
    pub file_size: u32,
    /// What it shall be called on the device.
    pub target_file_name: String,
    /// Begin in so many seconds.
    pub delay_s: u32,
    /// Where a user is sent afterwards.
    pub success_url: String,
    /// Where a user is sent after a failure.
    pub failure_url: String,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("command_key", &self.command_key).field("file_type", &self.file_type).finish_non_exhaustive()
    }
}

/// Has a file sent.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Upload {
    /// Comes back with `TransferComplete`. At most 32 characters.
    pub command_key: String,
    /// As in `2 Vendor Log File`.
    pub file_type: String,
    /// Where it shall go. At most 256 characters.
    pub url: String,
    /// The user at the file server.
    pub username: String,
    /// The password at the file server.
    pub password: String,
    /// Begin in so many seconds.
    pub delay_s: u32,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("command_key", &self.command_key).field("file_type", &self.file_type).finish_non_exhaustive()
    }
}
