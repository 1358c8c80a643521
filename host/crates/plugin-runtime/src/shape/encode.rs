//! From JSON to the values that wasmtime hands to a plugin.
//!
//! JSON is written over a value that exists: its names and texts keep their memory, which an ordinary request would otherwise allocate some thirty pieces of.
//! What was there before never shows, whatever its type was.

mod record;
mod scalar;
mod variant;
mod visit;

use std::cell::Cell;

use serde::{Deserializer, de};
use serde_json::Value;
use wasmtime::component::Val;

use self::visit::Slot;
use super::{CodecError, Shape};

/// What a value is before it is written. Nothing is allocated for it.
pub(crate) const BLANK: Val = Val::Bool(false);

/// What to do with fields of a JSON object that the record does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// Leave them out: the plugin was built from an older version of the contract.
    Drop,
    /// Refuse the value: something would be lost.
    Refuse,
}

/// How one value is written, and what is to be told about it afterwards.
pub(crate) struct Rules {
    unknown: UnknownFields,
    /// Fields of the outermost record that may not be dropped when they are set.
    must_understand: &'static [&'static str],
    /// What was wrong. It travels here, because a deserializer has an error type of its own.
    problem: Cell<Option<CodecError>>,
    /// About how many bytes were written.
    weight: Cell<usize>,
}

impl Shape {
    /// Converts the JSON form into a value of this type.
    pub fn encode(&self, json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
        let mut val = BLANK;
        self.write(json, &mut val, &Rules::new(unknown))?;
        Ok(val)
    }

    /// Writes JSON, parsed or as text, over a value. After an error the value is of no use.
    pub(crate) fn write<'de, D: Deserializer<'de>>(&self, json: D, over: &mut Val, rules: &Rules) -> Result<(), CodecError> {
        let slot = Slot { shape: self, val: over, rules, outermost: true };
        json.deserialize_any(slot).map_err(|error| rules.problem.take().unwrap_or_else(|| CodecError::new(error.to_string())))
    }
}

impl Rules {
    pub(crate) fn new(unknown: UnknownFields) -> Self {
        Self { unknown, must_understand: &[], problem: Cell::new(None), weight: Cell::new(0) }
    }

    /// Unknown fields are dropped but for these.
    pub(crate) fn understanding(must_understand: &'static [&'static str]) -> Self {
        Self { must_understand, ..Self::new(UnknownFields::Drop) }
    }

    /// About how many bytes were written.
    pub(crate) fn weight(&self) -> usize {
        self.weight.get()
    }

    /// So many bytes more were written.
    pub(crate) fn weigh(&self, bytes: usize) {
        self.weight.set(self.weight.get().saturating_add(bytes));
    }

    fn fail<E: de::Error>(&self, problem: CodecError) -> E {
        self.problem.set(Some(problem));
        E::custom("")
    }

    /// The same error, seen from what holds the value.
    fn within<E>(&self, error: E, seen: impl FnOnce(CodecError) -> CodecError) -> E {
        self.problem.set(self.problem.take().map(seen));
        error
    }
}

/// Writes a text over a value.
pub(crate) fn write_text(text: &str, over: &mut Val) {
    if let Val::String(old) = over {
        text.clone_into(old);
    } else {
        *over = Val::String(text.to_owned());
    }
}

/// The error for a value of another kind than the type wants.
fn misfit(shape: &Shape, found: &Value) -> CodecError {
    let cases = |names: &mut dyn Iterator<Item = &str>| names.collect::<Vec<_>>().join(", ");
    let wanted = match shape {
        Shape::Bool => "a bool".to_owned(),
        Shape::S8 | Shape::U8 | Shape::S16 | Shape::U16 | Shape::S32 | Shape::U32 | Shape::S64 | Shape::U64 => {
            format!("an integer that fits {shape}")
        }
        Shape::F32 | Shape::F64 => "a finite number".to_owned(),
        Shape::Char => "a string of one character".to_owned(),
        Shape::String => "a string".to_owned(),
        Shape::List(_) => "an array".to_owned(),
        Shape::Tuple(of) => format!("an array of {} elements", of.len()),
        Shape::Record(_) => "an object".to_owned(),
        Shape::Variant(of) => {
            format!("\"case\" or {{\"case\": payload}} with one of: {}", cases(&mut of.iter().map(|case| case.name.as_str())))
        }
        Shape::Enum(names) => format!("one of the cases {}", cases(&mut names.iter().map(String::as_str))),
        Shape::Flags(_) => "an array of names".to_owned(),
        Shape::Option(_) => "null or {\"some\": ..}".to_owned(),
        Shape::Result { .. } => "{\"ok\": ..} or {\"err\": ..}".to_owned(),
    };
    expected(&wanted, found)
}

/// Names the value but cuts long texts, because the message may end in a log.
fn expected(what: &str, json: &Value) -> CodecError {
    let found = match json {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Array(items) => format!("an array of {} elements", items.len()),
        Value::Object(object) => format!("an object with the fields {}", object.keys().take(8).cloned().collect::<Vec<_>>().join(", ")),
    };
    CodecError::new(format!("expected {what}, found {found}"))
}
