//! Values of parameters: how they are written, and when two of them are the same.

mod compare;
mod hidden;
mod literal;
mod parse;

use std::fmt;

pub use compare::same;
pub use hidden::{fits, hidden};
pub use literal::literal;

use serde::{Deserialize, Serialize};

/// The types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ValueType {
    /// Any text.
    #[default]
    String,
    /// 32 bits, signed.
    Int,
    /// 32 bits, unsigned.
    UnsignedInt,
    /// 64 bits, signed.
    Long,
    /// 64 bits, unsigned.
    UnsignedLong,
    /// True or false.
    Boolean,
    /// A date and a time.
    DateTime,
    /// Bytes as base64.
    Base64,
    /// Bytes as hexadecimal digits.
    HexBinary,
}

impl ValueType {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::String, Self::Int, Self::UnsignedInt, Self::Long, Self::UnsignedLong, Self::Boolean, Self::DateTime, Self::Base64, Self::HexBinary];

    /// The name in configuration and in the interface between plugins and host, as in `unsignedInt`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::UnsignedInt => "unsignedInt",
            Self::Long => "long",
            Self::UnsignedLong => "unsignedLong",
            Self::Boolean => "boolean",
            Self::DateTime => "dateTime",
            Self::Base64 => "base64",
            Self::HexBinary => "hexBinary",
        }
    }

    /// The type by its name or the name of XML Schema, in any case and with any prefix: `xsd:unsignedint`, `base64Binary`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let local = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let known = Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(local));
        known.or_else(|| local.eq_ignore_ascii_case("base64Binary").then_some(Self::Base64))
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
