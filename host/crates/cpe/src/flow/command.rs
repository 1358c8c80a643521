//! What can be done with a device besides provisioning it, and the pipeline `device_command` of one such thing.

mod pipeline_definition;

use serde::{Deserialize, Serialize};

pub use self::pipeline_definition::{COMMAND_COLLECTION, COMMAND_PIPELINE, command_definition, command_document};
use super::contract::Assignment;

/// Something that is done with a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Command {
    /// Restart it.
    Reboot,
    /// Reset it: it forgets everything and begins anew.
    FactoryReset,
    /// Read values.
    Get {
        /// Parameters, or paths that end with a dot.
        names: Vec<String>,
    },
    /// Set values.
    Set {
        /// The values.
        values: Vec<Assignment>,
    },
    /// Add an instance of an object.
    AddObject {
        /// The path of the table, with the dot at its end.
        object: String,
    },
    /// Delete an instance of an object.
    DeleteObject {
        /// The path of the instance, with the dot at its end.
        object: String,
    },
    /// Have it fetch a file, such as a firmware.
    Download(Transfer),
    /// Have it deliver a file.
    Upload(Transfer),
    /// Have it contact the host after a time.
    ScheduleInform {
        /// In so many seconds.
        #[serde(rename = "delay-s")]
        delay_s: u32,
    },
}

/// A file between a device and a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transfer {
    /// What kind of file, such as `1 Firmware Upgrade Image`.
    pub file_type: String,
    /// Where it is, or goes.
    pub url: String,
    /// The user name at the file server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The handle of the password at the file server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The size in bytes; 0 where it is not known.
    #[serde(default)]
    pub size: u32,
    /// The name that the device is to give the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// After how many seconds.
    #[serde(default)]
    pub delay_s: u32,
}

impl Command {
    /// The name in spans, documents and addresses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::FactoryReset => "factory-reset",
            Self::Get { .. } => "get",
            Self::Set { .. } => "set",
            Self::AddObject { .. } => "add-object",
            Self::DeleteObject { .. } => "delete-object",
            Self::Download(_) => "download",
            Self::Upload(_) => "upload",
            Self::ScheduleInform { .. } => "schedule-inform",
        }
    }
}
