//! From the values that a plugin returned to JSON.

use serde_json::{Map, Number, Value};
use wasmtime::component::Val;

use super::{Case, CodecError, Field, Shape};

impl Shape {
    /// Converts a value of this type into its JSON form. Texts and names are moved, not copied.
    pub fn decode(&self, val: Val) -> Result<Value, CodecError> {
        match (self, val) {
            (Self::Bool, Val::Bool(flag)) => Ok(Value::Bool(flag)),
            (Self::S8, Val::S8(number)) => Ok(number.into()),
            (Self::U8, Val::U8(number)) => Ok(number.into()),
            (Self::S16, Val::S16(number)) => Ok(number.into()),
            (Self::U16, Val::U16(number)) => Ok(number.into()),
            (Self::S32, Val::S32(number)) => Ok(number.into()),
            (Self::U32, Val::U32(number)) => Ok(number.into()),
            (Self::S64, Val::S64(number)) => Ok(number.into()),
            (Self::U64, Val::U64(number)) => Ok(number.into()),
            (Self::F32, Val::Float32(number)) => float(f64::from(number)),
            (Self::F64, Val::Float64(number)) => float(number),
            (Self::Char, Val::Char(one)) => Ok(Value::String(one.into())),
            (Self::String, Val::String(text)) => Ok(Value::String(text)),
            (Self::List(of), Val::List(items)) => elements(items, |_| of),
            (Self::Tuple(of), Val::Tuple(items)) if of.len() == items.len() => elements(items, |index| &of[index]),
            (Self::Record(fields), Val::Record(values)) => record(fields, values),
            (Self::Variant(cases), Val::Variant(name, payload)) => variant(cases, name, payload),
            (Self::Enum(_), Val::Enum(name)) => Ok(Value::String(name)),
            (Self::Flags(_), Val::Flags(names)) => Ok(Value::Array(names.into_iter().map(Value::String).collect())),
            (Self::Option(_), Val::Option(None)) => Ok(Value::Null),
            (Self::Option(of), Val::Option(Some(inner))) if of.is_option() => {
                Ok(single("some".to_owned(), of.decode(*inner).map_err(|e| e.in_field("some"))?))
            }
            (Self::Option(of), Val::Option(Some(inner))) => of.decode(*inner),
            (Self::Result { ok, .. }, Val::Result(Ok(payload))) => tagged("ok", ok.as_deref(), payload),
            (Self::Result { err, .. }, Val::Result(Err(payload))) => tagged("err", err.as_deref(), payload),
            (shape, val) => Err(mismatch(shape, &val)),
        }
    }
}

fn elements<'s>(items: Vec<Val>, shape: impl Fn(usize) -> &'s Shape) -> Result<Value, CodecError> {
    let decoded = items.into_iter().enumerate().map(|(index, item)| shape(index).decode(item).map_err(|e| e.in_element(index)));
    Ok(Value::Array(decoded.collect::<Result<_, _>>()?))
}

fn record(fields: &[Field], values: Vec<(String, Val)>) -> Result<Value, CodecError> {
    if fields.len() != values.len() {
        return Err(CodecError::new(format!("expected {} fields, found {}", fields.len(), values.len())));
    }
    let mut object = Map::new();
    for (field, (name, val)) in fields.iter().zip(values) {
        if field.name != name {
            return Err(CodecError::new(format!("expected the field `{}`, found `{name}`", field.name)));
        }
        if matches!(val, Val::Option(None)) {
            continue;
        }
        let value = field.shape.decode(val).map_err(|e| e.in_field(&field.name))?;
        object.insert(name, value);
    }
    Ok(Value::Object(object))
}

fn variant(cases: &[Case], name: String, payload: Option<Box<Val>>) -> Result<Value, CodecError> {
    let Some(case) = cases.iter().find(|case| case.name == name) else {
        return Err(CodecError::new(format!("unknown case `{name}`")));
    };
    match (&case.payload, payload) {
        (None, None) => Ok(Value::String(name)),
        (Some(shape), Some(payload)) => {
            let value = shape.decode(*payload).map_err(|e| e.in_field(&name))?;
            Ok(single(name, value))
        }
        (Some(_), None) | (None, Some(_)) => Err(CodecError::new("the payload does not fit the case").in_field(&name)),
    }
}

fn tagged(name: &str, shape: Option<&Shape>, payload: Option<Box<Val>>) -> Result<Value, CodecError> {
    let value = match (shape, payload) {
        (None, None) => Value::Null,
        (Some(shape), Some(payload)) => shape.decode(*payload).map_err(|e| e.in_field(name))?,
        (Some(_), None) | (None, Some(_)) => return Err(CodecError::new("the payload does not fit the result").in_field(name)),
    };
    Ok(single(name.to_owned(), value))
}

fn single(name: String, value: Value) -> Value {
    let mut object = Map::new();
    object.insert(name, value);
    Value::Object(object)
}

fn float(number: f64) -> Result<Value, CodecError> {
    Number::from_f64(number).map(Value::Number).ok_or_else(|| CodecError::new(format!("{number} has no JSON form: expected a finite number")))
}

fn mismatch(shape: &Shape, val: &Val) -> CodecError {
    let mut found = format!("{val:?}");
    found.truncate(found.char_indices().nth(60).map_or(found.len(), |(at, _)| at));
    CodecError::new(format!("expected {shape}, found {found}"))
}
