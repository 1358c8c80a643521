//! Attribute sets: which keys there are, how often, of what type.

use std::collections::HashSet;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use super::Rule;
use crate::{
    policy::MAX_VALUE_BYTES,
    registry::{self, ValueType},
};

/// What is wrong with a set of attributes, whichever keys it may have.
pub(super) fn check(attributes: &[KeyValue]) -> Vec<(Rule, String)> {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    for KeyValue { key, value, .. } in attributes {
        if !seen.insert(key) {
            wrong.push((Rule::RepeatedAttribute, format!("`{key}` is set twice")));
        }
        if let Some(row) = registry::attribute(key)
            && type_of(value.as_ref()) != Some(row.value)
        {
            wrong.push((Rule::Type, format!("`{key}` is {value:?}, expected {:?}", row.value)));
        }
        if let Some(text) = text(value.as_ref()).filter(|text| text.len() > MAX_VALUE_BYTES) {
            wrong.push((Rule::Length, format!("`{key}` has {} bytes, more than {MAX_VALUE_BYTES}", text.len())));
        }
    }
    wrong
}

/// The text of a key.
pub(super) fn text_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| text(attribute.value.as_ref()))
}

fn text(value: Option<&AnyValue>) -> Option<&str> {
    match value?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        Value::BoolValue(_)
        | Value::IntValue(_)
        | Value::DoubleValue(_)
        | Value::ArrayValue(_)
        | Value::KvlistValue(_)
        | Value::BytesValue(_)
        | Value::StringValueStrindex(_) => None,
    }
}

fn type_of(value: Option<&AnyValue>) -> Option<ValueType> {
    match value?.value.as_ref()? {
        Value::StringValue(_) => Some(ValueType::Text),
        Value::BoolValue(_) => Some(ValueType::Boolean),
        Value::IntValue(_) => Some(ValueType::Int),
        Value::DoubleValue(_) => Some(ValueType::Double),
        Value::ArrayValue(array) => array.values.iter().all(|value| type_of(Some(value)) == Some(ValueType::Text)).then_some(ValueType::Texts),
        Value::KvlistValue(_) | Value::BytesValue(_) | Value::StringValueStrindex(_) => None,
    }
}
