//! What the answers of plugins may be: of the form of their contract, and within its limits.

use std::collections::{BTreeMap, HashSet};

use pipeline::{Failure, FailureClass};
use serde::Deserialize;
use serde_json::Value;

use crate::flow::{
    contract::{Configuration, ServiceProfile, Subscription},
    requests::with_instances,
};

/// The longest version of a profile, in bytes.
const MAX_VERSION: usize = 128;

/// The most values of one configuration.
const MAX_ASSIGNMENTS: usize = 4096;

/// The most objects, removals, notifications, hidden paths and quirks of one configuration, each.
const MAX_OTHERS: usize = 256;

/// The longest name of a parameter, in bytes.
const MAX_NAME: usize = 256;

/// The longest label of an object, in characters.
const MAX_LABEL: usize = 32;

pub(super) fn subscription(_: &Value, output: &Value) -> Result<(), Failure> {
    fits::<Subscription>("inventory", output).map(drop)
}

pub(super) fn profile(_: &Value, output: &Value) -> Result<(), Failure> {
    match fits::<ServiceProfile>("profile", output)?.version.len() {
        length if length > MAX_VERSION => refuse(format!("the version of a profile has {length} bytes: expected at most {MAX_VERSION}")),
        _ => Ok(()),
    }
}

/// A configuration is bounded, every label in it stands for an object, and no parameter is set twice.
pub(super) fn configuration(_: &Value, output: &Value) -> Result<(), Failure> {
    let Configuration { removals, objects, assignments, notifications, hidden, quirks, .. } = fits("configuration", output)?;
    if assignments.len() > MAX_ASSIGNMENTS {
        return refuse(format!("a configuration has {} assignments: expected at most {MAX_ASSIGNMENTS}", assignments.len()));
    }
    let others = [
        ("objects", objects.len()),
        ("removals", removals.len()),
        ("notifications", notifications.len()),
        ("hidden", hidden.len()),
        ("quirks", quirks.len()),
    ];
    if let Some((field, length)) = others.into_iter().find(|(_, length)| *length > MAX_OTHERS) {
        return refuse(format!("a configuration has {length} {field}: expected at most {MAX_OTHERS}"));
    }
    let mut labels = BTreeMap::new();
    for object in objects {
        let path = &object.path;
        if with_instances(path, &labels).is_none() || !path.ends_with('.') {
            return refuse(format!("the path `{path}` of an object names a label that is no object before it, or has no dot at its end"));
        }
        if !is_label(&object.label) {
            return refuse(format!("`{}` is no label of an object: expected 1 to {MAX_LABEL} characters of `[a-z0-9_]`", object.label));
        }
        if labels.contains_key(&object.label) {
            return refuse(format!("two objects have the label `{}`", object.label));
        }
        labels.insert(object.label, 0);
    }
    let notified = notifications.iter().map(|notification| &notification.name);
    for name in assignments.iter().map(|assignment| &assignment.name).chain(notified) {
        if name.is_empty() || name.len() > MAX_NAME || with_instances(name, &labels).is_none() {
            return refuse(format!("`{name}` is no name of a parameter: expected 1 to {MAX_NAME} bytes, and labels of objects only"));
        }
    }
    let mut names = HashSet::new();
    match assignments.iter().map(|assignment| &assignment.name).find(|name| !names.insert(*name)) {
        Some(twice) => refuse(format!("`{twice}` is set twice")),
        None => Ok(()),
    }
}

fn is_label(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_LABEL).contains(&text.len()) && text.bytes().all(fits)
}

fn refuse(message: String) -> Result<(), Failure> {
    Err(Failure::new(FailureClass::Rejected, "plugin.contract", message))
}

/// An answer of a form that the next steps cannot read is refused where it was given, by the name of who gave it.
fn fits<T: for<'a> Deserialize<'a>>(contract: &str, output: &Value) -> Result<T, Failure> {
    let misfit = |error| Failure::new(FailureClass::Held, "plugin.contract", format!("the answer of `{contract}` does not fit: {error}"));
    T::deserialize(output).map_err(misfit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(answer: Result<(), Failure>, expected: &str) {
        let failure = answer.expect_err(expected);
        assert_eq!((failure.class, &*failure.error_type), (FailureClass::Rejected, "plugin.contract"));
        assert!(failure.message.contains(expected), "{expected}: {}", failure.message);
    }

    fn set(name: &str) -> Value {
        json!({"name": name, "value": {"text": "x"}, "kind": "string"})
    }

    fn labelled(labels: &[&str]) -> Value {
        let objects: Vec<Value> = labels.iter().map(|label| json!({"label": label, "path": "Device.X."})).collect();
        json!({"objects": objects, "assignments": []})
    }

    #[test]
    fn the_version_of_a_profile_is_bounded() {
        let of = |length: usize| profile(&Value::Null, &json!({"version": "v".repeat(length)}));
        assert_eq!(of(128), Ok(()));
        refused(of(129), "has 129 bytes: expected at most 128");
    }

    #[test]
    fn a_label_is_a_short_word_and_stands_for_one_object() {
        let long = "l".repeat(32);
        assert_eq!(configuration(&Value::Null, &labelled(&["tv_2", "9", &long])), Ok(()));
        for bad in ["", "TV", "a-b", "a.b", "a}", "ä", &"l".repeat(33)] {
            refused(configuration(&Value::Null, &labelled(&["tv", bad])), &format!("`{bad}` is no label of an object"));
        }
        refused(configuration(&Value::Null, &labelled(&["tv", "lan", "tv"])), "two objects have the label `tv`");
    }

    #[test]
    fn a_configuration_is_as_long_as_the_contract_says_and_no_longer() {
        let many = |length: usize| json!({"assignments": (0..length).map(|number| set(&format!("Device.P{number}"))).collect::<Vec<_>>()});
        assert_eq!(configuration(&Value::Null, &many(4096)), Ok(()));
        refused(configuration(&Value::Null, &many(4097)), "has 4097 assignments: expected at most 4096");
        let hidden = |length: usize| json!({"assignments": [], "hidden": vec!["Device.P"; length]});
        assert_eq!(configuration(&Value::Null, &hidden(256)), Ok(()));
        refused(configuration(&Value::Null, &hidden(257)), "has 257 hidden: expected at most 256");
        let named = |length: usize| json!({"assignments": [set(&"N".repeat(length))]});
        assert_eq!(configuration(&Value::Null, &named(256)), Ok(()));
        refused(configuration(&Value::Null, &named(257)), "expected 1 to 256 bytes");
        refused(configuration(&Value::Null, &named(0)), "expected 1 to 256 bytes");
    }
}
