//! Which characters the bytes of a message stand for.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{SoapError, SoapProblem, cursor::shown};

/// How far an XML declaration is looked for.
const DECLARATION: usize = 200;

/// The text of a body. A byte order mark decides; then what the bytes can only be; then what was declared. Where one of two declarations says UTF-8 and the
/// bytes are UTF-8, they are.
/// Bytes that were declared as UTF-8, or not at all, and are not UTF-8 are taken as Latin 1, which is what such devices send.
pub(super) fn decode<'a>(bytes: &'a [u8], http: Option<&str>) -> Result<Cow<'a, str>, SoapError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return Ok(decode_as(encoding, &bytes[length..]));
    }
    match bytes {
        [b'<', 0, ..] => return Ok(decode_as(UTF_16LE, bytes)),
        [0, b'<', ..] => return Ok(decode_as(UTF_16BE, bytes)),
        _ => {}
    }
    let utf8 = std::str::from_utf8(bytes).ok();
    if let Some(text) = utf8.filter(|text| text.is_ascii()) {
        return Ok(Cow::Borrowed(text));
    }
    let labels = [http, declaration(bytes)].into_iter().flatten().map(|label| label.trim_matches(['"', '\'', ' '])).filter(|label| !label.is_empty());
    let found: Vec<Result<&Encoding, &str>> = labels.map(declared).collect();
    if let Some(text) = utf8.filter(|_| found.contains(&Ok(UTF_8))) {
        return Ok(Cow::Borrowed(text));
    }
    let other = found.iter().flatten().copied().find(|&encoding| encoding != UTF_8);
    match (utf8, other) {
        (Some(text), None) => Ok(Cow::Borrowed(text)),
        (_, Some(encoding)) => Ok(decode_as(encoding, bytes)),
        (None, None) => match found.iter().find_map(|label| label.err()) {
            Some(label) => Err(unknown(label)),
            None => Ok(decode_as(WINDOWS_1252, bytes)),
        },
    }
}

/// What a label declares. Sixteen bits would have been seen in the bytes, so a label that says so is wrong.
fn declared(label: &str) -> Result<&'static Encoding, &str> {
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(label),
    }
}

fn decode_as<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    match encoding.decode_without_bom_handling(bytes) {
        (_, true) if encoding == UTF_8 => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        (text, _) => text,
    }
}

fn unknown(label: &str) -> SoapError {
    SoapError { problem: SoapProblem::Charset(shown(label)), at: 0, expected: "one of the Encoding Standard, such as `utf-8`" }
}

/// The `encoding` of the XML declaration, which is in ASCII whatever follows.
fn declaration(bytes: &[u8]) -> Option<&str> {
    let start = &bytes[..bytes.len().min(DECLARATION)];
    let start = start.utf8_chunks().next()?.valid();
    let declaration = &start[start.find("<?xml")?..];
    let declaration = &declaration[..declaration.find("?>")?];
    let value = declaration[declaration.find("encoding")? + "encoding".len()..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next()
}
