//! Numbers, texts and names.
#![expect(clippy::wildcard_enum_match_arm, reason = "a kind of JSON fits few types, and every other refuses it")]

use serde::de;
use serde_json::Value;
use wasmtime::component::Val;

use super::{expected, visit::Slot, write_text};
use crate::shape::{CodecError, Shape};

impl Slot<'_> {
    /// An integer of JSON, which is exact for all 64 bits; a type of floats takes it, too.
    pub(super) fn integer<E: de::Error>(self, number: i128, found: &Value) -> Result<(), E> {
        let val = match self.shape {
            Shape::S8 => number.try_into().ok().map(Val::S8),
            Shape::U8 => number.try_into().ok().map(Val::U8),
            Shape::S16 => number.try_into().ok().map(Val::S16),
            Shape::U16 => number.try_into().ok().map(Val::U16),
            Shape::S32 => number.try_into().ok().map(Val::S32),
            Shape::U32 => number.try_into().ok().map(Val::U32),
            Shape::S64 => number.try_into().ok().map(Val::S64),
            Shape::U64 => number.try_into().ok().map(Val::U64),
            Shape::F32 | Shape::F64 => return self.float(found.as_f64().unwrap_or(f64::NAN), found),
            _ => None,
        };
        self.set(val, found)
    }

    pub(super) fn float<E: de::Error>(self, number: f64, found: &Value) -> Result<(), E> {
        let val = match self.shape {
            Shape::F64 => Some(Val::Float64(number)).filter(|_| number.is_finite()),
            Shape::F32 => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "rounding to the nearest f32 is what the type means; overflow to infinity is refused"
                )]
                let single = number as f32;
                if number.is_finite() && !single.is_finite() {
                    return Err(self.rules.fail(expected("a number that fits f32", found)));
                }
                Some(Val::Float32(single)).filter(|_| number.is_finite())
            }
            _ => None,
        };
        self.set(val, found)
    }

    fn set<E: de::Error>(self, val: Option<Val>, found: &Value) -> Result<(), E> {
        *self.val = val.ok_or_else(|| self.rules.fail(super::misfit(self.shape, found)))?;
        Ok(())
    }

    /// A text, a character or the name of a case.
    pub(super) fn text<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.shape {
            Shape::String => {
                self.rules.weigh(text.len());
                write_text(text, self.val);
                Ok(())
            }
            Shape::Enum(names) => {
                let name = names.iter().find(|name| *name == text);
                let name = name.ok_or_else(|| self.rules.fail(unknown_case(text, &mut names.iter().map(String::as_str))))?;
                if let Val::Enum(old) = self.val {
                    name.clone_into(old);
                } else {
                    *self.val = Val::Enum(name.clone());
                }
                Ok(())
            }
            _ => {
                let mut chars = text.chars();
                let one = chars.next().filter(|_| self.shape == &Shape::Char && chars.next().is_none());
                self.set(one.map(Val::Char), &Value::from(text))
            }
        }
    }
}

pub(super) fn unknown_case(given: &str, names: &mut dyn Iterator<Item = &str>) -> CodecError {
    CodecError::new(format!("unknown case `{given}`, expected one of: {}", names.collect::<Vec<_>>().join(", ")))
}
