//! The type of a value that crosses between the host and a plugin, built from WIT or from the component itself.
//!
//! One `Shape` serves the check at installation, its diff and the codec between JSON and [`Val`](wasmtime::component::Val). The JSON form is:
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool` | `true`, `false` |
//! | integers | a number, exact for all 64 bits; a fraction or a value out of range is refused |
//! | `f32`, `f64` | a number; NaN and infinities are refused in both directions |
//! | `char` | a string of one character |
//! | `string` | a string |
//! | `list<T>` | an array |
//! | `tuple<..>` | an array of exactly as many elements |
//! | `record` | an object with the kebab-case names of WIT; a field that is `none` is left out |
//! | `variant` | `"case"` without a payload, `{"case": payload}` with one |
//! | `enum` | `"case"` |
//! | `flags` | an array of the names that are set, in the order of the declaration |
//! | `option<T>` | `null` or left out for `none`, otherwise the value itself |
//! | `option<option<T>>` | `null` for `none`, otherwise `{"some": ..}` around the JSON form of the inner option |
//! | `result<T, E>` | `{"ok": ..}` or `{"err": ..}`, with `null` where there is no payload |
//!
//! Resources, streams, futures, maps and fixed-length lists have no JSON form and are refused when the shape is built.

mod compat;
mod component;
mod decode;
mod encode;
mod error;
#[cfg(test)]
mod tests;
mod wit;

use std::fmt;

pub use compat::{Difference, Direction, compare};
pub use encode::UnknownFields;
pub(crate) use encode::{BLANK, Rules, write_text};
pub use error::{CodecError, UnsupportedType};
pub(crate) use wit::shape_of_wit;

/// The structure of a WIT type; names of types are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// `list<T>`
    List(Box<Shape>),
    /// `record`
    Record(Vec<Field>),
    /// `tuple<..>`
    Tuple(Vec<Shape>),
    /// `variant`
    Variant(Vec<Case>),
    /// `enum`
    Enum(Vec<String>),
    /// `flags`
    Flags(Vec<String>),
    /// `option<T>`
    Option(Box<Shape>),
    /// `result<T, E>`
    Result {
        /// The payload of `ok`.
        ok: Option<Box<Shape>>,
        /// The payload of `err`.
        err: Option<Box<Shape>>,
    },
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The kebab-case name.
    pub name: String,
    /// Its type.
    pub shape: Shape,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The kebab-case name.
    pub name: String,
    /// What it carries.
    pub payload: Option<Shape>,
}

/// The type of a function: named parameters and at most one result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionShape {
    /// The parameters in order.
    pub params: Vec<Field>,
    /// The result, if there is one.
    pub result: Option<Shape>,
}

impl Shape {
    /// Whether the JSON form of a value may be `null`, so that an option around it needs `{"some": ..}`.
    pub(crate) fn is_option(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// The field of a record by name; `None` where this is no record.
    pub fn field(&self, name: &str) -> Option<&Shape> {
        match self {
            Self::Record(fields) => fields.iter().find(|field| field.name == name).map(|field| &field.shape),
            Self::Bool
            | Self::S8
            | Self::U8
            | Self::S16
            | Self::U16
            | Self::S32
            | Self::U32
            | Self::S64
            | Self::U64
            | Self::F32
            | Self::F64
            | Self::Char
            | Self::String
            | Self::List(_)
            | Self::Tuple(_)
            | Self::Variant(_)
            | Self::Enum(_)
            | Self::Flags(_)
            | Self::Option(_)
            | Self::Result { .. } => None,
        }
    }
}

/// Prints the type as WIT would, with the structure in place of the names of types.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::S8 => f.write_str("s8"),
            Self::U8 => f.write_str("u8"),
            Self::S16 => f.write_str("s16"),
            Self::U16 => f.write_str("u16"),
            Self::S32 => f.write_str("s32"),
            Self::U32 => f.write_str("u32"),
            Self::S64 => f.write_str("s64"),
            Self::U64 => f.write_str("u64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::List(of) => write!(f, "list<{of}>"),
            Self::Option(of) => write!(f, "option<{of}>"),
            Self::Record(fields) => joined(f, "record { ", fields, " }"),
            Self::Tuple(of) => joined(f, "tuple<", of, ">"),
            Self::Variant(cases) => joined(f, "variant { ", cases, " }"),
            Self::Enum(names) => joined(f, "enum { ", names, " }"),
            Self::Flags(names) => joined(f, "flags { ", names, " }"),
            Self::Result { ok: None, err: None } => f.write_str("result"),
            Self::Result { ok: Some(ok), err: None } => write!(f, "result<{ok}>"),
            Self::Result { ok: None, err: Some(err) } => write!(f, "result<_, {err}>"),
            Self::Result { ok: Some(ok), err: Some(err) } => write!(f, "result<{ok}, {err}>"),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shape)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.payload {
            None => f.write_str(&self.name),
            Some(payload) => write!(f, "{}({payload})", self.name),
        }
    }
}

impl fmt::Display for FunctionShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, "func(", &self.params, ")")?;
        match &self.result {
            None => Ok(()),
            Some(result) => write!(f, " -> {result}"),
        }
    }
}

fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, open: &str, items: &[T], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    f.write_str(close)
}
