//! Which way JSON is written over a value: by the kind of the JSON first, then by the type.
#![expect(clippy::wildcard_enum_match_arm, reason = "a kind of JSON fits few types, and every other refuses it")]

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::Value;
use wasmtime::component::Val;

use super::{BLANK, Rules, misfit};
use crate::shape::Shape;

/// A value that is about to be written.
pub(super) struct Slot<'a> {
    pub(super) shape: &'a Shape,
    pub(super) val: &'a mut Val,
    pub(super) rules: &'a Rules,
    pub(super) outermost: bool,
}

impl<'a> Slot<'a> {
    /// A value inside this one.
    pub(super) fn inside(shape: &'a Shape, val: &'a mut Val, rules: &'a Rules) -> Self {
        Self { shape, val, rules, outermost: false }
    }

    /// What is there is the value itself, not `{"some": ..}` around it.
    fn plain(self) -> Self {
        match self.shape {
            Shape::Option(of) if !of.is_option() => Self { shape: of, val: some(self.val), rules: self.rules, outermost: self.outermost },
            _ => self,
        }
    }

    fn misfit<E: de::Error>(&self, found: &Value) -> E {
        self.rules.fail(misfit(self.shape, found))
    }
}

/// The value inside an option.
pub(super) fn some(option: &mut Val) -> &mut Val {
    if !matches!(option, Val::Option(Some(_))) {
        *option = Val::Option(Some(Box::new(BLANK)));
    }
    let Val::Option(Some(inner)) = option else { unreachable!("it was just made so") };
    inner
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shape)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        match self.shape {
            Shape::Option(_) => {
                *self.val = Val::Option(None);
                Ok(())
            }
            _ => Err(self.misfit(&Value::Null)),
        }
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<(), E> {
        let this = self.plain();
        match this.shape {
            Shape::Bool => {
                *this.val = Val::Bool(flag);
                Ok(())
            }
            _ => Err(this.misfit(&Value::Bool(flag))),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.plain().integer(number.into(), &Value::from(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.plain().integer(number.into(), &Value::from(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.plain().float(number, &Value::from(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let this = self.plain();
        match this.shape {
            Shape::String | Shape::Char | Shape::Enum(_) => this.text(text),
            Shape::Variant(cases) => this.plain_case(cases, text),
            _ => Err(this.misfit(&Value::from(text))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let this = self.plain();
        match this.shape {
            Shape::List(of) => this.list(of, seq),
            Shape::Tuple(of) => this.tuple(of, seq),
            Shape::Flags(names) => this.flags(names, seq),
            _ => Err(this.misfit(&Value::deserialize(SeqAccessDeserializer::new(seq))?)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let this = self.plain();
        match this.shape {
            Shape::Record(fields) => this.record(fields, map),
            // What has one case has one field; where the number is known it is checked before anything is read.
            Shape::Variant(_) | Shape::Result { .. } | Shape::Option(_) if map.size_hint().is_none_or(|fields| fields == 1) => this.one_case(map),
            _ => Err(this.misfit(&Value::deserialize(MapAccessDeserializer::new(map))?)),
        }
    }
}

/// Reads a key without keeping it.
pub(super) struct Key<F>(pub(super) F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Key<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}
