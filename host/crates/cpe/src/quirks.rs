//! How devices differ from the standard, as data.
//!
//! A record says which devices it is about and what is different about them. The built-in records come first, then those of the operator; a later one
//! changes what earlier ones say, field by field, and a plugin may suggest a few fields on top ([`Quirks::suggest`]). What an operator adds while the host
//! serves comes last ([`KeptQuirks`]).
//!
//! ```
//! use cpe::{device::DeviceId, quirks::QuirkTable};
//!
//! let operator = serde_json::from_str(
//!     r#"[
//!         { "note": "Reports its lists sorted.", "manufacturer": "Example*", "set": { "unordered_lists": true } },
//!         { "manufacturer": "Example*", "model": "HG-1", "firmware": "1.*", "set": { "get_batch": 32, "hidden": ["Device.X_00005E_Cloud.{i}.Token"] } }
//!     ]"#,
//! )?;
//! let table = QuirkTable::new(operator)?;
//! let device = DeviceId { manufacturer: "Example Networks".into(), product_class: "HG-1".into(), ..DeviceId::default() };
//! let quirks = table.resolve(&device, "", "1.2.3");
//! assert!(quirks.unordered_lists && quirks.get_batch.get() == 32 && quirks.is_hidden("Device.", "Device.X_00005E_Cloud.2.Token"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod kept;
mod record;
mod table;

pub use check::QuirkError;
pub use kept::{KeepError, KeptQuirks, QUIRK_COLLECTION};
pub use record::{QuirkChanges, Quirks};
use serde::{Deserialize, Serialize};
pub use table::{QuirkRecord, QuirkTable};

/// How a boolean is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BooleanForm {
    /// `1` and `0`.
    #[default]
    #[serde(rename = "1")]
    Digit,
    /// `true` and `false`.
    #[serde(rename = "true")]
    Word,
}

impl BooleanForm {
    /// A boolean in this form.
    #[must_use]
    pub fn literal(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Digit, true) => "1",
            (Self::Digit, false) => "0",
            (Self::Word, true) => "true",
            (Self::Word, false) => "false",
        }
    }
}

/// How a device is told that nothing is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Termination {
    /// Status 204 without a body.
    #[default]
    #[serde(rename = "204")]
    NoContent,
    /// Status 200 with an empty body.
    #[serde(rename = "empty-200")]
    EmptyOk,
}
