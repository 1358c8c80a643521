//! The known attributes of an order with their types: a table, so that the answer, which repeats them, keeps to the OpenAPI document.

use serde_json::Value;

use super::ApiError;

/// The largest quantity of one item.
const MAX_QUANTITY: u64 = 10_000;

/// The longest id of an item, in bytes: it becomes part of names that people read.
const MAX_ITEM_ID: usize = 64;

/// The known attributes of an object.
#[derive(Debug)]
pub(super) struct Shape {
    attributes: &'static [(&'static str, Kind)],
    required: &'static [(&'static str, &'static str)],
    /// Attributes that only the server sets.
    server: &'static [&'static str],
}

#[derive(Debug)]
enum Kind {
    Text,
    ItemId,
    Instant,
    Flag,
    Quantity,
    Action,
    Object(&'static Shape),
    List(&'static Shape),
    Items,
}

use Kind::{Action, Flag, Instant, ItemId, Items, List, Object, Quantity, Text};

/// A product order as a client sends it.
pub(super) static ORDER: Shape = Shape {
    attributes: &[
        ("externalId", Text),
        ("category", Text),
        ("description", Text),
        ("notificationContact", Text),
        ("priority", Text),
        ("requestedStartDate", Instant),
        ("requestedCompletionDate", Instant),
        ("agreement", List(&ANY)),
        ("billingAccount", Object(&ANY)),
        ("channel", List(&REFERENCE)),
        ("note", List(&NOTE)),
        ("orderTotalPrice", List(&ANY)),
        ("payment", List(&ANY)),
        ("productOfferingQualification", List(&ANY)),
        ("productOrderItem", Items),
        ("quote", List(&ANY)),
        ("relatedParty", List(&REFERENCE)),
        ("@type", Text),
        ("@baseType", Text),
        ("@schemaLocation", Text),
    ],
    required: &[("productOrderItem", "at least one item")],
    server: &["id", "href", "state", "orderDate", "completionDate", "expectedCompletionDate", "cancellationDate", "cancellationReason"],
};

static ITEM: Shape = Shape {
    attributes: &[
        ("id", ItemId),
        ("action", Action),
        ("quantity", Quantity),
        ("appointment", Object(&ANY)),
        ("billingAccount", Object(&ANY)),
        ("itemPrice", List(&ANY)),
        ("itemTerm", List(&ANY)),
        ("itemTotalPrice", List(&ANY)),
        ("payment", List(&ANY)),
        ("product", Object(&PRODUCT)),
        ("productOffering", Object(&REFERENCE)),
        ("productOfferingQualificationItem", Object(&ANY)),
        ("productOrderItem", List(&ITEM)),
        ("productOrderItemRelationship", List(&ANY)),
        ("qualification", List(&ANY)),
        ("quoteItem", Object(&ANY)),
        ("@type", Text),
        ("@baseType", Text),
        ("@schemaLocation", Text),
    ],
    required: &[("id", "an id that is unique in the order"), ("action", "add or noChange")],
    server: &["state"],
};

static PRODUCT: Shape = Shape {
    attributes: &[
        ("id", Text),
        ("href", Text),
        ("name", Text),
        ("description", Text),
        ("isBundle", Flag),
        ("isCustomerVisible", Flag),
        ("orderDate", Instant),
        ("productSerialNumber", Text),
        ("startDate", Instant),
        ("status", Text),
        ("terminationDate", Instant),
        ("agreement", List(&ANY)),
        ("billingAccount", Object(&ANY)),
        ("place", List(&PLACE)),
        ("product", List(&ANY)),
        ("productCharacteristic", List(&CHARACTERISTIC)),
        ("productOffering", Object(&ANY)),
        ("productOrderItem", List(&ANY)),
        ("productPrice", List(&ANY)),
        ("productRelationship", List(&ANY)),
        ("productSpecification", Object(&ANY)),
        ("productTerm", List(&ANY)),
        ("realizingResource", List(&ANY)),
        ("realizingService", List(&ANY)),
        ("relatedParty", List(&REFERENCE)),
        ("@type", Text),
        ("@baseType", Text),
        ("@schemaLocation", Text),
        ("@referredType", Text),
    ],
    required: &[],
    server: &[],
};

static PLACE: Shape = Shape {
    attributes: &[("id", Text), ("href", Text), ("name", Text), ("role", Text), ("@type", Text), ("@referredType", Text)],
    required: &[],
    server: &[],
};

static CHARACTERISTIC: Shape = Shape {
    attributes: &[("name", Text), ("valueType", Text), ("@type", Text)],
    required: &[("name", "the name of the characteristic"), ("value", "the value of the characteristic")],
    server: &[],
};

static REFERENCE: Shape = Shape {
    attributes: &[("id", Text), ("href", Text), ("name", Text), ("role", Text), ("@type", Text), ("@referredType", Text)],
    required: &[("id", "the id of what is referred to")],
    server: &[],
};

static NOTE: Shape = Shape {
    attributes: &[("id", Text), ("author", Text), ("date", Instant), ("text", Text), ("@type", Text)],
    required: &[("text", "the text of the note")],
    server: &[],
};

static ANY: Shape = Shape { attributes: &[], required: &[], server: &[] };

/// Checks an object at a path.
pub(super) fn check(value: &Value, shape: &Shape, path: &str) -> Result<(), ApiError> {
    let Some(members) = value.as_object() else {
        return Err(wrong(path, value, "an object"));
    };
    if let Some(set) = shape.server.iter().find(|name| members.contains_key(**name)) {
        return Err(ApiError::invalid_field(&member(path, set), "is set by the server: expected it to be absent"));
    }
    if let Some((name, expected)) = shape.required.iter().find(|(name, _)| !members.contains_key(*name)) {
        return Err(ApiError::missing_field(&member(path, name), expected));
    }
    let known = shape.attributes.iter().filter_map(|(name, kind)| Some((name, kind, members.get(*name)?)));
    known.into_iter().try_for_each(|(name, kind, value)| check_kind(value, kind, &member(path, name)))
}

fn check_kind(value: &Value, kind: &Kind, path: &str) -> Result<(), ApiError> {
    let text = value.as_str();
    let (fits, expected) = match kind {
        Text => (text.is_some(), "text".to_owned()),
        ItemId => (text.is_some_and(|id| (1..=MAX_ITEM_ID).contains(&id.len())), format!("text of 1 to {MAX_ITEM_ID} bytes")),
        Instant => (text.is_some_and(is_rfc3339), "an RFC 3339 date and time such as 2031-05-01T10:00:00Z".to_owned()),
        Flag => (value.is_boolean(), "true or false".to_owned()),
        Quantity => (value.as_u64().is_some_and(|number| (1..=MAX_QUANTITY).contains(&number)), format!("a whole number from 1 to {MAX_QUANTITY}")),
        // The pipeline builds. To build what a customer wants changed or ended would be worse than to refuse it.
        Action => {
            (matches!(text, Some("add" | "noChange")), "add or noChange (to change or end a product, modify and delete, is not supported)".to_owned())
        }
        Object(shape) => return check(value, shape, path),
        List(shape) => return check_list(value, shape, path),
        Items if value.as_array().is_some_and(Vec::is_empty) => return Err(ApiError::invalid_field(path, "is empty: expected at least one item")),
        Items => return check_list(value, &ITEM, path),
    };
    if fits { Ok(()) } else { Err(wrong(path, value, &expected)) }
}

fn check_list(value: &Value, shape: &Shape, path: &str) -> Result<(), ApiError> {
    let elements = value.as_array().ok_or_else(|| wrong(path, value, "an array"))?;
    elements.iter().enumerate().try_for_each(|(n, element)| check(element, shape, &format!("{path}[{n}]")))
}

fn is_rfc3339(text: &str) -> bool {
    // jiff also takes a space or lower case between date and time, and dates without an offset; RFC 3339 with the TMF profile wants `T` and an offset.
    let bytes = text.as_bytes();
    bytes.len() >= "2031-05-01T10:00:00Z".len() && bytes[10] == b'T' && bytes[19] != b':' && text.parse::<jiff::Timestamp>().is_ok()
}

fn wrong(path: &str, value: &Value, expected: &str) -> ApiError {
    let shown: String = value.to_string().chars().take(64).collect();
    ApiError::invalid_field(path, format!("is {shown}: expected {expected}"))
}

/// The path of a member; names that are no identifiers are quoted.
pub(in crate::tmf622) fn member(path: &str, name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { format!("{path}.{name}") } else { format!("{path}['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")) }
}
