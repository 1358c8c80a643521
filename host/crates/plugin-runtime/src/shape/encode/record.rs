//! Records, lists, tuples and flags.

use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::Value;
use wasmtime::component::Val;

use super::{
    BLANK, UnknownFields, expected,
    scalar::unknown_case,
    visit::{Key, Slot},
};
use crate::shape::{CodecError, Field, Shape};

/// Which field a key of an object is.
enum Found {
    At(usize),
    /// One that may not be dropped when it is set.
    Needed(&'static str),
    Dropped,
    Refused(String),
}

impl Slot<'_> {
    pub(super) fn record<'de, A: MapAccess<'de>>(self, fields: &[Field], mut map: A) -> Result<(), A::Error> {
        let rules = self.rules;
        let (mut few, mut many) = ([false; 32], Vec::new());
        let seen = if let Some(seen) = few.get_mut(..fields.len()) {
            seen
        } else {
            many.resize(fields.len(), false);
            many.as_mut_slice()
        };
        let needed = if self.outermost { rules.must_understand } else { &[] };
        let vals = named(self.val, fields);
        let mut next = 0;
        while let Some(found) = map.next_key_seed(Key(|key: &str| find(fields, next, key, rules.unknown, needed)))? {
            match found {
                Found::At(at) => {
                    let field = &fields[at];
                    let slot = Slot::inside(&field.shape, &mut vals[at].1, rules);
                    map.next_value_seed(slot).map_err(|error| rules.within(error, |e| e.in_field(&field.name)))?;
                    seen[at] = true;
                    next = at + 1;
                }
                Found::Needed(name) => {
                    if map.next_value::<Option<IgnoredAny>>()?.is_some() {
                        let problem = "the plugin was built from a version of the contract without this field, and it must not be ignored";
                        return Err(rules.fail(CodecError::new(problem).in_field(name)));
                    }
                }
                Found::Dropped => {
                    map.next_value::<IgnoredAny>()?;
                }
                Found::Refused(name) => {
                    let known = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
                    return Err(rules.fail(CodecError::new(format!("unknown field, expected one of: {known}")).in_field(&name)));
                }
            }
        }
        for ((field, (_, val)), seen) in fields.iter().zip(vals).zip(seen) {
            if *seen {
                continue;
            }
            if !field.shape.is_option() {
                return Err(rules.fail(CodecError::new(format!("expected {}, found nothing", field.shape)).in_field(&field.name)));
            }
            *val = Val::Option(None);
        }
        Ok(())
    }

    pub(super) fn list<'de, A: SeqAccess<'de>>(self, of: &Shape, mut seq: A) -> Result<(), A::Error> {
        let vals = elements(self.val);
        let mut count = 0;
        loop {
            if count == vals.len() {
                vals.push(BLANK);
            }
            if !element(&mut seq, count, Slot::inside(of, &mut vals[count], self.rules))? {
                break;
            }
            self.rules.weigh(size_of::<Val>());
            count += 1;
        }
        vals.truncate(count);
        Ok(())
    }

    pub(super) fn tuple<'de, A: SeqAccess<'de>>(self, of: &[Shape], mut seq: A) -> Result<(), A::Error> {
        let Self { shape: _, val, rules, outermost: _ } = self;
        let mut vals = if let Val::Tuple(vals) = val { std::mem::take(vals) } else { Vec::new() };
        vals.resize(of.len(), BLANK);
        let mut count = 0;
        while count < of.len() && element(&mut seq, count, Slot::inside(&of[count], &mut vals[count], rules))? {
            count += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        if count != of.len() {
            let problem = format!("expected an array of {} elements, found an array of {count} elements", of.len());
            return Err(rules.fail(CodecError::new(problem)));
        }
        *val = Val::Tuple(vals);
        Ok(())
    }

    pub(super) fn flags<'de, A: SeqAccess<'de>>(self, names: &[String], mut seq: A) -> Result<(), A::Error> {
        let mut set: Vec<String> = Vec::new();
        while let Some(given) = seq.next_element::<Value>()? {
            let problem = match given.as_str() {
                None => expected("one of the flags", &given),
                Some(name) if set.iter().any(|present| present == name) => CodecError::new(format!("`{name}` is given twice")),
                Some(name) if names.iter().any(|known| known == name) => {
                    set.push(name.to_owned());
                    continue;
                }
                Some(name) => unknown_case(name, &mut names.iter().map(String::as_str)),
            };
            return Err(self.rules.fail(problem.in_element(set.len())));
        }
        *self.val = Val::Flags(set);
        Ok(())
    }
}

/// Most objects have their fields in the order of the declaration, so the one after the last is looked at first.
fn find(fields: &[Field], next: usize, key: &str, unknown: UnknownFields, needed: &'static [&'static str]) -> Found {
    if fields.get(next).is_some_and(|field| field.name == key) {
        return Found::At(next);
    }
    if let Some(at) = fields.iter().position(|field| field.name == key) {
        return Found::At(at);
    }
    match (needed.iter().find(|name| **name == key), unknown) {
        (Some(name), _) => Found::Needed(name),
        (None, UnknownFields::Drop) => Found::Dropped,
        (None, UnknownFields::Refuse) => Found::Refused(key.to_owned()),
    }
}

/// The fields of a record that has these names, whatever it was before.
fn named<'v>(val: &'v mut Val, fields: &[Field]) -> &'v mut [(String, Val)] {
    let same = |vals: &[(String, Val)]| vals.len() == fields.len() && vals.iter().zip(fields).all(|((name, _), field)| *name == field.name);
    if !matches!(&*val, Val::Record(vals) if same(vals)) {
        *val = Val::Record(fields.iter().map(|field| (field.name.clone(), BLANK)).collect());
    }
    let Val::Record(vals) = val else { unreachable!("it was just made so") };
    vals
}

/// The elements of a list, whatever it was before.
fn elements(val: &mut Val) -> &mut Vec<Val> {
    if !matches!(val, Val::List(_)) {
        *val = Val::List(Vec::new());
    }
    let Val::List(vals) = val else { unreachable!("it was just made so") };
    vals
}

/// Reads one element; false when there is none.
fn element<'de, A: SeqAccess<'de>>(seq: &mut A, index: usize, slot: Slot<'_>) -> Result<bool, A::Error> {
    let rules = slot.rules;
    let read = seq.next_element_seed(slot).map_err(|error| rules.within(error, |e| e.in_element(index)))?;
    Ok(read.is_some())
}
