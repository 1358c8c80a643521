//! How devices differ from the standard, as data.

mod check;
mod record;
mod table;

pub use check::QuirkError;
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
