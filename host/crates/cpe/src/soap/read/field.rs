//! Reads single fields: forgiving where nothing depends on them.

use std::{ops::RangeInclusive, str::FromStr};

use quick_xml::events::BytesStart;

use super::{SoapError, cursor::Cursor};
use crate::{soap::ParameterValue, value::ValueType};

/// The longest name of a type that is kept.
const LONGEST_TYPE: usize = 64;

/// Reads the fields of the element that is open, each by its name. A field with another name is passed over.
macro_rules! fields {
    ($cursor:ident { $($name:pat => $read:expr,)* }) => {
        $cursor.children(|$cursor, name, _| {
            match name {
                $($name => $read,)*
                _ => $cursor.skip()?,
            }
            Ok(())
        })
    };
}
pub(super) use fields;

/// A text in which white space at the ends means nothing.
pub(super) fn word(cursor: &mut Cursor<'_>) -> Result<String, SoapError> {
    Ok(cursor.text()?.trim().to_owned())
}

/// A value, in which spaces count. A line break at an end is how a device lays out its message, and goes with the white space around it.
pub(super) fn value(cursor: &mut Cursor<'_>) -> Result<String, SoapError> {
    let text = cursor.text()?;
    let mut value = &*text;
    if value.len() > value.trim_start().len() && value[..value.len() - value.trim_start().len()].contains('\n') {
        value = value.trim_start();
    }
    if value[value.trim_end().len()..].contains('\n') {
        value = value.trim_end();
    }
    Ok(value.to_owned())
}

/// A number nothing depends on: 0 if it is none.
pub(super) fn number(cursor: &mut Cursor<'_>) -> Result<u32, SoapError> {
    Ok(cursor.text()?.trim().parse().unwrap_or(0))
}

/// A number that counts, and what it can be.
pub(super) struct Exact<T> {
    pub(super) field: &'static str,
    pub(super) range: RangeInclusive<T>,
    /// The range in words.
    pub(super) expected: &'static str,
}

/// Whether what was asked for is done.
pub(super) const STATUS: Exact<u8> = Exact { field: "Status", range: 0..=1, expected: "0 or 1" };
/// How changes are reported.
pub(super) const NOTIFICATION: Exact<u8> = Exact { field: "Notification", range: 0..=6, expected: "0 to 6" };
/// The number of an object.
pub(super) const INSTANCE: Exact<u32> = Exact { field: "InstanceNumber", range: 1..=u32::MAX, expected: "the number of the object" };

impl<T: FromStr + PartialOrd> Exact<T> {
    pub(super) fn read(&self, cursor: &mut Cursor<'_>) -> Result<T, SoapError> {
        let text = cursor.text()?;
        text.trim().parse().ok().filter(|number| self.range.contains(number)).ok_or_else(|| self.refuse(cursor, &text))
    }

    pub(super) fn refuse(&self, cursor: &Cursor<'_>, found: &str) -> SoapError {
        cursor.field(self.field, found, self.expected)
    }
}

/// True for `1` and `true` in any case.
pub(super) fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, SoapError> {
    let text = cursor.text()?;
    let text = text.trim();
    Ok(text == "1" || text.eq_ignore_ascii_case("true"))
}

/// The texts of all children: a list of `string`.
pub(super) fn strings(cursor: &mut Cursor<'_>, list: &mut Vec<String>) -> Result<(), SoapError> {
    cursor.list(list, None, "a list", cursor.limits().parameters, word)
}

/// A list of `ParameterValueStruct`.
pub(super) fn parameter_values(cursor: &mut Cursor<'_>, list: &mut Vec<ParameterValue>) -> Result<(), SoapError> {
    cursor.list(list, Some(b"ParameterValueStruct"), "a list of parameters", cursor.limits().parameters, parameter_value)
}

fn parameter_value(cursor: &mut Cursor<'_>) -> Result<ParameterValue, SoapError> {
    let mut entry = ParameterValue { name: String::new(), value: String::new(), xsd: String::new() };
    cursor.children(|cursor, name, start| match name {
        b"Name" => {
            entry.name = word(cursor)?;
            Ok(())
        }
        b"Value" => {
            entry.xsd = kind(start);
            entry.value = value(cursor)?;
            Ok(())
        }
        _ => cursor.skip(),
    })?;
    if entry.xsd.is_empty() {
        ValueType::String.name().clone_into(&mut entry.xsd);
    }
    Ok(entry)
}

/// The type in the attribute `xsi:type`, whatever prefixes it has.
fn kind(start: &BytesStart<'_>) -> String {
    let mut attributes = start.attributes();
    let named = attributes.with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == b"type");
    let Some(found) = named.as_ref().and_then(|attribute| std::str::from_utf8(&attribute.value).ok()) else { return String::new() };
    let local = found.rsplit_once(':').map_or(found, |(_, local)| local).trim();
    match ValueType::of_name(local) {
        Some(kind) => kind.name().to_owned(),
        None => local.chars().filter(|character| character.is_alphanumeric()).take(LONGEST_TYPE).collect(),
    }
}
