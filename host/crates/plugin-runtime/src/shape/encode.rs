//! From JSON to the values that wasmtime hands to a plugin.

use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::{Case, CodecError, Field, Shape};

/// What to do with fields of a JSON object that the record does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// Leave them out: the plugin was built from an older version of the contract.
    Drop,
    /// Refuse the value: something would be lost.
    Refuse,
}

impl Shape {
    /// Converts the JSON form into a value of this type.
    pub fn encode(&self, json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
        match self {
            Self::Bool => json.as_bool().map(Val::Bool).ok_or_else(|| expected("a bool", json)),
            Self::S8 => signed(json, "s8").map(Val::S8),
            Self::S16 => signed(json, "s16").map(Val::S16),
            Self::S32 => signed(json, "s32").map(Val::S32),
            Self::S64 => signed(json, "s64").map(Val::S64),
            Self::U8 => unsigned(json, "u8").map(Val::U8),
            Self::U16 => unsigned(json, "u16").map(Val::U16),
            Self::U32 => unsigned(json, "u32").map(Val::U32),
            Self::U64 => unsigned(json, "u64").map(Val::U64),
            Self::F32 => single(json).map(Val::Float32),
            Self::F64 => double(json).map(Val::Float64),
            Self::Char => character(json).map(Val::Char),
            Self::String => json.as_str().map(|text| Val::String(text.to_owned())).ok_or_else(|| expected("a string", json)),
            Self::List(of) => {
                let items = json.as_array().ok_or_else(|| expected("an array", json))?;
                elements(items, |_| of, unknown).map(Val::List)
            }
            Self::Tuple(of) => match json.as_array() {
                Some(items) if items.len() == of.len() => elements(items, |index| &of[index], unknown).map(Val::Tuple),
                _ => Err(expected(&format!("an array of {} elements", of.len()), json)),
            },
            Self::Record(fields) => record(fields, json, unknown),
            Self::Variant(cases) => variant(cases, json, unknown),
            Self::Enum(names) => named(names, json, "one of the cases").map(Val::Enum),
            Self::Flags(names) => flags(names, json),
            Self::Option(of) => option(of, json, unknown),
            Self::Result { ok, err } => result(ok.as_deref(), err.as_deref(), json, unknown),
        }
    }
}

fn elements<'s>(items: &[Value], shape: impl Fn(usize) -> &'s Shape, unknown: UnknownFields) -> Result<Vec<Val>, CodecError> {
    items.iter().enumerate().map(|(index, item)| shape(index).encode(item, unknown).map_err(|e| e.in_element(index))).collect()
}

fn record(fields: &[Field], json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
    let object = json.as_object().ok_or_else(|| expected("an object", json))?;
    let mut vals = Vec::with_capacity(fields.len());
    for field in fields {
        let val = match object.get(&field.name) {
            Some(value) => field.shape.encode(value, unknown).map_err(|e| e.in_field(&field.name))?,
            None if field.shape.is_option() => Val::Option(None),
            None => return Err(CodecError::new(format!("expected {}, found nothing", field.shape)).in_field(&field.name)),
        };
        vals.push((field.name.clone(), val));
    }
    if unknown == UnknownFields::Refuse {
        refuse_unknown(fields, object)?;
    }
    Ok(Val::Record(vals))
}

fn refuse_unknown(fields: &[Field], object: &Map<String, Value>) -> Result<(), CodecError> {
    match object.keys().find(|key| fields.iter().all(|field| field.name != **key)) {
        None => Ok(()),
        Some(key) => {
            let known = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(CodecError::new(format!("unknown field, expected one of: {known}")).in_field(key))
        }
    }
}

fn variant(cases: &[Case], json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
    let names = || cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", ");
    let find = |name: &str| {
        cases.iter().find(|case| case.name == name).ok_or_else(|| CodecError::new(format!("unknown case `{name}`, expected one of: {}", names())))
    };
    let (case, payload) = match json {
        Value::String(name) => (find(name)?, None),
        Value::Object(object) if object.len() == 1 => {
            let (name, payload) = object.iter().next().expect("an object of length 1 has an entry");
            (find(name)?, Some(payload))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(expected(&format!("\"case\" or {{\"case\": payload}} with one of: {}", names()), json));
        }
    };
    let payload = match (&case.payload, payload) {
        (None, None) => None,
        (Some(shape), Some(payload)) => Some(Box::new(shape.encode(payload, unknown).map_err(|e| e.in_field(&case.name))?)),
        (None, Some(_)) => return Err(CodecError::new("this case has no payload").in_field(&case.name)),
        (Some(shape), None) => return Err(CodecError::new(format!("expected {shape}, found nothing")).in_field(&case.name)),
    };
    Ok(Val::Variant(case.name.clone(), payload))
}

fn flags(names: &[String], json: &Value) -> Result<Val, CodecError> {
    let items = json.as_array().ok_or_else(|| expected("an array of names", json))?;
    let mut set: Vec<String> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let name = named(names, item, "one of the flags").map_err(|e| e.in_element(index))?;
        if set.contains(&name) {
            return Err(CodecError::new(format!("`{name}` is given twice")).in_element(index));
        }
        set.push(name);
    }
    Ok(Val::Flags(set))
}

fn option(of: &Shape, json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
    if json.is_null() {
        return Ok(Val::Option(None));
    }
    let inner = if of.is_option() {
        match json.as_object() {
            Some(object) if object.len() == 1 && object.contains_key("some") => {
                of.encode(&object["some"], unknown).map_err(|e| e.in_field("some"))?
            }
            _ => return Err(expected("null or {\"some\": ..}", json)),
        }
    } else {
        of.encode(json, unknown)?
    };
    Ok(Val::Option(Some(Box::new(inner))))
}

fn result(ok: Option<&Shape>, err: Option<&Shape>, json: &Value, unknown: UnknownFields) -> Result<Val, CodecError> {
    let one = json.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
    let payload = |name: &str, shape: Option<&Shape>, value: &Value| match shape {
        Some(shape) => shape.encode(value, unknown).map(|val| Some(Box::new(val))).map_err(|e| e.in_field(name)),
        None if value.is_null() => Ok(None),
        None => Err(expected("null", value).in_field(name)),
    };
    match one {
        Some((name, value)) if name == "ok" => Ok(Val::Result(Ok(payload("ok", ok, value)?))),
        Some((name, value)) if name == "err" => Ok(Val::Result(Err(payload("err", err, value)?))),
        _ => Err(expected("{\"ok\": ..} or {\"err\": ..}", json)),
    }
}

fn named(names: &[String], json: &Value, what: &str) -> Result<String, CodecError> {
    let given = json.as_str().ok_or_else(|| expected(what, json))?;
    match names.iter().find(|name| *name == given) {
        Some(name) => Ok(name.clone()),
        None => Err(CodecError::new(format!("unknown case `{given}`, expected one of: {}", names.join(", ")))),
    }
}

fn signed<T: TryFrom<i64>>(json: &Value, kind: &str) -> Result<T, CodecError> {
    json.as_i64().and_then(|number| T::try_from(number).ok()).ok_or_else(|| expected(&format!("an integer that fits {kind}"), json))
}

fn unsigned<T: TryFrom<u64>>(json: &Value, kind: &str) -> Result<T, CodecError> {
    json.as_u64().and_then(|number| T::try_from(number).ok()).ok_or_else(|| expected(&format!("an integer that fits {kind}"), json))
}

fn double(json: &Value) -> Result<f64, CodecError> {
    json.as_f64().filter(|number| number.is_finite()).ok_or_else(|| expected("a finite number", json))
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what the type means; overflow to infinity is refused")]
fn single(json: &Value) -> Result<f32, CodecError> {
    let number = double(json)? as f32;
    if number.is_finite() { Ok(number) } else { Err(expected("a number that fits f32", json)) }
}

fn character(json: &Value) -> Result<char, CodecError> {
    let mut chars = json.as_str().unwrap_or_default().chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(expected("a string of one character", json)),
    }
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
