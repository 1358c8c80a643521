//! How a value is written for a device.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{ValueType, parse};
use crate::quirks::Quirks;

/// The literal of a value as one device wants it. A text that is no value of the type stays as it is; [`crate::soap::write`] refuses it.
#[must_use]
pub fn literal(kind: ValueType, value: &str, quirks: &Quirks) -> String {
    let meant = match kind {
        ValueType::String => None,
        ValueType::Int | ValueType::UnsignedInt | ValueType::Long | ValueType::UnsignedLong => parse::integer(value).map(|number| number.to_string()),
        ValueType::Boolean => parse::boolean(value).map(|value| quirks.boolean.literal(value).to_owned()),
        ValueType::DateTime => date_time(value, quirks.datetime_milliseconds),
        ValueType::Base64 => parse::base64(value).map(|bytes| BASE64_STANDARD.encode(bytes)),
        ValueType::HexBinary => parse::hex(value).map(|_| parse::without_space(value)),
    };
    meant.unwrap_or_else(|| value.to_owned())
}

fn date_time(value: &str, milliseconds: bool) -> Option<String> {
    let time = parse::date_time(value)?;
    let form = if milliseconds { "%Y-%m-%dT%H:%M:%S.%3fZ" } else { "%Y-%m-%dT%H:%M:%SZ" };
    Some(time.strftime(form).to_string())
}
