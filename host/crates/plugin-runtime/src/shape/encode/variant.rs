//! Variants, results, and options of options: an object with one field.
#![expect(clippy::wildcard_enum_match_arm, reason = "three types are written so")]

use serde::de::{self, IgnoredAny, MapAccess};
use serde_json::Value;
use wasmtime::component::Val;

use super::{
    BLANK, expected, misfit,
    scalar::unknown_case,
    visit::{Key, Slot, some},
};
use crate::shape::{Case, CodecError, Shape};

impl Slot<'_> {
    /// A case that is given by its name alone.
    pub(super) fn plain_case<E: de::Error>(self, cases: &[Case], name: &str) -> Result<(), E> {
        let case = cases.iter().find(|case| case.name == name).ok_or_else(|| self.rules.fail(unknown_case(name, &mut names(cases))))?;
        match &case.payload {
            None => {
                write_case(self.val, &case.name, None);
                Ok(())
            }
            Some(shape) => Err(self.rules.fail(CodecError::new(format!("expected {shape}, found nothing")).in_field(&case.name))),
        }
    }

    /// An object whose only field says which case it is.
    pub(super) fn one_case<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { shape, val, rules, outermost: _ } = self;
        match shape {
            Shape::Variant(cases) => {
                let at = |name: &str| cases.iter().position(|case| case.name == name).ok_or_else(|| unknown_case(name, &mut names(cases)));
                let Some(found) = map.next_key_seed(Key(at))? else { return Err(rules.fail(misfit(shape, &empty()))) };
                let case = &cases[found.map_err(|problem| rules.fail(problem))?];
                let Some(payload) = &case.payload else {
                    return Err(rules.fail(CodecError::new("this case has no payload").in_field(&case.name)));
                };
                let mut inner = taken(val);
                let slot = Slot::inside(payload, &mut inner, rules);
                map.next_value_seed(slot).map_err(|error| rules.within(error, |e| e.in_field(&case.name)))?;
                write_case(val, &case.name, Some(inner));
            }
            Shape::Result { ok, err } => {
                let is_ok = |name: &str| match name {
                    "ok" => Ok(true),
                    "err" => Ok(false),
                    other => Err(other_field(shape, other)),
                };
                let Some(is_ok) = map.next_key_seed(Key(is_ok))? else { return Err(rules.fail(misfit(shape, &empty()))) };
                let is_ok = is_ok.map_err(|problem| rules.fail(problem))?;
                let (name, of) = if is_ok { ("ok", ok) } else { ("err", err) };
                let mut payload = of.as_ref().map(|_| Box::new(BLANK));
                if let (Some(of), Some(payload)) = (of, &mut payload) {
                    let slot = Slot::inside(of, payload, rules);
                    map.next_value_seed(slot).map_err(|error| rules.within(error, |e| e.in_field(name)))?;
                } else {
                    let given: Value = map.next_value()?;
                    if !given.is_null() {
                        return Err(rules.fail(expected("null", &given).in_field(name)));
                    }
                }
                *val = Val::Result(if is_ok { Ok(payload) } else { Err(payload) });
            }
            Shape::Option(of) => {
                let is_some = |name: &str| if name == "some" { Ok(()) } else { Err(other_field(shape, name)) };
                let Some(is_some) = map.next_key_seed(Key(is_some))? else { return Err(rules.fail(misfit(shape, &empty()))) };
                is_some.map_err(|problem| rules.fail(problem))?;
                let slot = Slot::inside(of, some(val), rules);
                map.next_value_seed(slot).map_err(|error| rules.within(error, |e| e.in_field("some")))?;
            }
            other => return Err(rules.fail(misfit(other, &empty()))),
        }
        match map.next_key::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(rules.fail(CodecError::new("expected one field, found several"))),
        }
    }
}

fn names(cases: &[Case]) -> impl Iterator<Item = &str> {
    cases.iter().map(|case| case.name.as_str())
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

fn other_field(shape: &Shape, name: &str) -> CodecError {
    misfit(shape, &Value::Object([(name.to_owned(), Value::Null)].into_iter().collect()))
}

/// The payload of a variant, to be written over.
fn taken(val: &mut Val) -> Box<Val> {
    let payload = if let Val::Variant(_, payload) = val { payload.take() } else { None };
    payload.unwrap_or_else(|| Box::new(BLANK))
}

/// Writes name and payload of a case over a value.
fn write_case(val: &mut Val, name: &str, payload: Option<Box<Val>>) {
    if let Val::Variant(old, place) = val {
        name.clone_into(old);
        *place = payload;
    } else {
        *val = Val::Variant(name.to_owned(), payload);
    }
}
