//! What an order must be to be accepted. Attributes that the interface does not know are extensions: they are kept, whatever they are.

mod shape;

use std::collections::HashSet;

use serde_json::Value;

use super::ApiError;
use shape::ORDER;
pub(super) use shape::member;

/// How deep arrays and objects may be nested.
const MAX_DEPTH: usize = 32;

/// How much of a path is shown, in characters.
const MAX_PATH: usize = 256;

/// How many items an order may have, nested ones included.
const MAX_ITEMS: usize = 200;

/// Checks an order completely; the error names the first thing that is wrong.
pub(super) fn validate(order: &Value) -> Result<(), ApiError> {
    if !order.is_object() {
        return Err(ApiError::invalid_body("the body is not a product order: expected a JSON object"));
    }
    check_depth(order, "$", 1)?;
    shape::check(order, &ORDER, "$")?;
    let mut items = Items::default();
    items.check(order, "$")?;
    if !items.work {
        return Err(ApiError::invalid_field("$.productOrderItem", "has nothing to do: expected at least one item whose action is not noChange"));
    }
    Ok(())
}

/// Enough of a path to find the place: one of names that the client chose may be as long as the body.
pub(super) fn cut(path: &str) -> String {
    path.chars().take(MAX_PATH).collect()
}

fn check_depth(value: &Value, path: &str, depth: usize) -> Result<(), ApiError> {
    if depth > MAX_DEPTH && (value.is_array() || value.is_object()) {
        return Err(ApiError::invalid_field(&cut(path), format!("is nested too deep: expected at most {MAX_DEPTH} levels")));
    }
    match value {
        Value::Array(elements) => elements.iter().enumerate().try_for_each(|(n, element)| check_depth(element, &format!("{path}[{n}]"), depth + 1)),
        Value::Object(members) => members.iter().try_for_each(|(key, member)| check_depth(member, &shape::member(path, key), depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// The rules about items that go beyond their shape.
#[derive(Default)]
struct Items {
    ids: HashSet<String>,
    work: bool,
}

impl Items {
    fn check(&mut self, parent: &Value, path: &str) -> Result<(), ApiError> {
        let items = parent["productOrderItem"].as_array().into_iter().flatten();
        items.enumerate().try_for_each(|(n, item)| self.check_item(item, &format!("{path}.productOrderItem[{n}]")))
    }

    fn check_item(&mut self, item: &Value, path: &str) -> Result<(), ApiError> {
        let id = item["id"].as_str().unwrap_or_default();
        if !self.ids.insert(id.to_owned()) {
            return Err(ApiError::invalid_field(&format!("{path}.id"), format!("is `{id}` again: expected an id of its own for every item")));
        }
        if self.ids.len() > MAX_ITEMS {
            return Err(ApiError::invalid_field(path, format!("is one item too many: expected at most {MAX_ITEMS}")));
        }
        let bundle = item["productOrderItem"].as_array().is_some_and(|nested| !nested.is_empty());
        let changes = item["action"] != "noChange";
        if changes && !bundle && item["productOffering"]["id"].is_null() {
            return Err(ApiError::missing_field(&format!("{path}.productOffering.id"), "the id of the product offering"));
        }
        self.work |= changes && !bundle;
        unique_characteristics(item, path)?;
        self.check(item, path)
    }
}

/// Contracts promise plugins that names are unique within a list.
fn unique_characteristics(item: &Value, path: &str) -> Result<(), ApiError> {
    let mut names = HashSet::new();
    let characteristics = item["product"]["productCharacteristic"].as_array().into_iter().flatten();
    for (n, characteristic) in characteristics.enumerate() {
        let name = characteristic["name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            let path = format!("{path}.product.productCharacteristic[{n}].name");
            return Err(ApiError::invalid_field(&path, format!("is `{name}` again: expected each characteristic once")));
        }
    }
    Ok(())
}
