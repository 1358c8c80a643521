//! What devices answer.

use super::ParameterValue;

/// The answer of a device to an [`super::Rpc`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The names of what it can be asked.
    GetRpcMethods(Vec<String>),
    /// All were set.
    SetParameterValues {
        /// 0 applied; 1 kept, and applied later, often after a restart.
        status: u8,
    },
    /// The values.
    GetParameterValues(Vec<ParameterValue>),
    /// What there is.
    GetParameterNames(Vec<ParameterInfo>),
    /// Done.
    SetParameterAttributes,
    /// How changes are reported.
    GetParameterAttributes(Vec<AccessAttributes>),
    /// The object is there.
    AddObject {
        /// Its number, which the device chose.
        instance: u32,
        /// As in `SetParameterValues`.
        status: u8,
    },
    /// The object is gone.
    DeleteObject {
        /// As in `SetParameterValues`.
        status: u8,
    },
    /// The download is done or has been taken on.
    Download(Transfer),
    /// The upload is done or has been taken on.
    Upload(Transfer),
    /// It will restart after the session.
    Reboot,
    /// It will forget everything after the session.
    FactoryReset,
    /// It will come.
    ScheduleInform,
    /// The transfer is cancelled.
    CancelTransfer,
}

impl Answer {
    /// The local name of the element.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetRpcMethods(_) => "GetRPCMethodsResponse",
            Self::SetParameterValues { .. } => "SetParameterValuesResponse",
            Self::GetParameterValues(_) => "GetParameterValuesResponse",
            Self::GetParameterNames(_) => "GetParameterNamesResponse",
            Self::SetParameterAttributes => "SetParameterAttributesResponse",
            Self::GetParameterAttributes(_) => "GetParameterAttributesResponse",
            Self::AddObject { .. } => "AddObjectResponse",
            Self::DeleteObject { .. } => "DeleteObjectResponse",
            Self::Download(_) => "DownloadResponse",
            Self::Upload(_) => "UploadResponse",
            Self::Reboot => "RebootResponse",
            Self::FactoryReset => "FactoryResetResponse",
            Self::ScheduleInform => "ScheduleInformResponse",
            Self::CancelTransfer => "CancelTransferResponse",
        }
    }
}

/// A parameter or object that there is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ParameterInfo {
    /// Its name; that of an object ends with `.`, but not with every device.
    pub name: String,
    /// Whether it can be set, or objects can be added or deleted.
    pub writable: bool,
}

/// How changes of a parameter are reported.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AccessAttributes {
    /// The parameter.
    pub name: String,
    /// As in [`super::Attributes::notification`].
    pub notification: u8,
    /// Who else may write it.
    pub access: Vec<String>,
}

/// Whether a transfer is over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Transfer {
    /// 0 done; 1 taken on, and `TransferComplete` will follow.
    pub status: u8,
    /// When it began, as sent.
    pub start: String,
    /// When it ended, as sent.
    pub complete: String,
}
