//! What devices say by themselves, `Inform` apart.

use serde::{Deserialize, Serialize};

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
