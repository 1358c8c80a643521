//! How a value is written for a device.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{ValueType, parse};
use crate::quirks::{BooleanForm, Quirks};

/// The literal of a value as one device wants it. A text that is no value of the type stays as it is; [`crate::soap::write`] refuses it.
#[must_use]
pub fn literal(kind: ValueType, value: &str, quirks: &Quirks) -> String {
    let meant = match kind {
        ValueType::String => None,
        ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => parse::integer(value).map(|number| number.to_string()),
        ValueType::Boolean => parse::boolean(value).map(|value| boolean(value, quirks.boolean).to_owned()),
        ValueType::DateTime => date_time(value, quirks.datetime_milliseconds),
        ValueType::Base64 => parse::base64(value).map(|bytes| BASE64_STANDARD.encode(bytes)),
        ValueType::HexBinary => Some(parse::without_space(value)),
    };
    meant.unwrap_or_else(|| value.to_owned())
}

fn boolean(value: bool, form: BooleanForm) -> &'static str {
    match (form, value) {
        (BooleanForm::Digit, true) => "1",
        (BooleanForm::Digit, false) => "0",
        (BooleanForm::Word, true) => "true",
        (BooleanForm::Word, false) => "false",
    }
}

fn date_time(value: &str, milliseconds: bool) -> Option<String> {
    let time = parse::date_time(value)?;
    let form = if milliseconds { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Some(time.strftime(form).to_string())
}
