//! What a text means as a value of a type.

use base64::{Engine, alphabet, engine::general_purpose};
use jiff::{Timestamp, civil, tz::TimeZone};

/// Readers of base64 differ in whether they write the padding.
const BASE64: general_purpose::GeneralPurpose = general_purpose::GeneralPurpose::new(
    &alphabet::STANDARD,
    general_purpose::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Wide enough for every integer type.
pub(super) fn integer(text: &str) -> Option<i128> {
    text.trim().parse().ok()
}

/// A point in time. One without an offset is taken as UTC: devices that leave it out have no other clock.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.contains(['T', 't']) {
        return None;
    }
    let local = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| Some(local()?.timestamp()))
}

pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(without_space(text)).ok()
}

pub(super) fn hex(text: &str) -> Option<String> {
    let text = without_space(text);
    (text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_ascii_lowercase())
}

pub(super) fn without_space(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}
