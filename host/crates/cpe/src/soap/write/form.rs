//! The forms that the schemas demand of texts.

use base64::Engine;

use crate::{soap::Namespace, value::ValueType};

/// The longest name of a parameter, URL, user, password or file.
pub(super) const NAME: usize = 256;
/// The longest key of a command or of a change.
pub(super) const KEY: usize = 32;
/// The longest type of a file, and name of a method or of an entity.
pub(super) const TYPE: usize = 64;
/// The longest URL of a page.
pub(super) const PAGE: usize = 1_024;

/// Whether XML 1.0 has no way to write a character, not even as a reference.
pub(crate) fn forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// The name of a type in XML Schema.
pub(super) fn xsd(kind: ValueType) -> &'static str {
    if kind == ValueType::Base64 { "base64Binary" } else { kind.name() }
}

/// Whether a literal is one of its type.
pub(super) fn is_literal(kind: ValueType, text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let signed = text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        ValueType::String => true,
        ValueType::Int => signed && text.parse::<i32>().is_ok(),
        ValueType::Long => signed && text.parse::<i64>().is_ok(),
        ValueType::UnsignedInt => digits && text.parse::<u32>().is_ok(),
        ValueType::UnsignedLong => digits && text.parse::<u64>().is_ok(),
        ValueType::Boolean => matches!(text, "0" | "1" | "true" | "false"),
        ValueType::DateTime => is_date_time(text),
        ValueType::Base64 => base64::prelude::BASE64_STANDARD.decode(text).is_ok(),
        ValueType::HexBinary => text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
    }
}

/// `YYYY-MM-DDThh:mm:ss`, then perhaps a fraction, then perhaps `Z` or an offset. There is no year 0.
fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked("YYYY-MM-DDThh:mm:ss".len()) else { return false };
    let shape = date.bytes().zip(*b"0000-00-00T00:00:00").all(|(byte, form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
    let zone = match rest.strip_prefix('.') {
        None => Some(rest),
        Some(fraction) => Some(fraction.trim_start_matches(|digit: char| digit.is_ascii_digit())).filter(|zone| zone.len() < fraction.len()),
    };
    shape && !date.starts_with("0000") && !date.ends_with("60") && date.parse::<jiff::civil::DateTime>().is_ok() && zone.is_some_and(is_zone)
}

fn is_zone(text: &str) -> bool {
    let offset = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str| Some(text).filter(|text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<u8>().ok();
        Some((number(hours)?, number(minutes)?))
    };
    match text.strip_prefix(['+', '-']) {
        None => matches!(text, "" | "Z"),
        Some(rest) => offset(rest).is_some_and(|(hours, minutes)| (hours < 14 && minutes < 60) || (hours, minutes) == (14, 0)),
    }
}

/// What kind of transfer a type of file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Download,
    Upload,
}

/// Whether a type of file is one: before `cwmp-1-2` one of a few, or a vendor's own. White space at its ends could get lost.
pub(super) fn is_file_type(text: &str, direction: Direction, namespace: Namespace) -> bool {
    if text.trim() != text {
        return false;
    }
    if let Some(vendor) = text.strip_prefix("X ") {
        let Some((who, what)) = vendor.split_once(' ') else { return false };
        let oui = who.len() == 6 && who.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
        return !what.is_empty() && !what.contains(['\n', '\r']) && !who.is_empty() && (oui || namespace >= Namespace::V1_2) && one_line(who);
    }
    match (namespace, direction) {
        (Namespace::V1_0 | Namespace::V1_1, Direction::Download) => {
            matches!(text, "1 Firmware Upgrade Image" | "2 Web Content" | "3 Vendor Configuration File")
        }
        (Namespace::V1_0 | Namespace::V1_1, Direction::Upload) => matches!(text, "1 Vendor Configuration File" | "2 Vendor Log File"),
        (Namespace::V1_2 | Namespace::V1_3 | Namespace::V1_4, _) => {
            let Some((number, words)) = text.split_once(' ') else { return false };
            let numbered = !number.starts_with('0') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            numbered && words.split(' ').all(|word| !word.is_empty() && one_line(word))
        }
    }
}

fn one_line(word: &str) -> bool {
    !word.contains(char::is_whitespace)
}

/// Whether a code is one of the version.
pub(super) fn is_fault(code: u32, namespace: Namespace) -> bool {
    match code {
        8000..=8005 | 8800..=8899 | 9000..=9013 | 9800..=9899 => true,
        8006..=8799 | 9014..=9799 => namespace > Namespace::V1_0,
        _ => false,
    }
}
