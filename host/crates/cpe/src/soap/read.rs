//! Reads what devices send, which is often not quite what the standard says.

mod answers;
mod charset;
mod cursor;
mod envelope;
mod events;
mod field;
mod requests;
#[cfg(test)]
mod tests;

use cursor::Cursor;

use super::{Envelope, Limits, SoapError, SoapProblem};

/// Reads one envelope. `charset` is the parameter of the HTTP header `Content-Type`.
///
/// It is read as a server of devices reads it: a bare `GetRPCMethods` is a request of the device, a `GetRPCMethodsResponse` its answer.
/// Accepted are any prefixes, undeclared ones too; no header, no `cwmp:ID`; wrong counts and missing or odd types; details of a fault wherever they stand;
/// stray bytes around the envelope, and an envelope of which only closing tags are missing.
///
/// # Errors
/// What is no CWMP message, what was cut off, a document type, two envelopes, and whatever is beyond the limits.
pub fn read(bytes: &[u8], charset: Option<&str>, limits: &Limits) -> Result<Envelope, SoapError> {
    within("the body", bytes.len(), limits.bytes)?;
    let text = charset::decode(bytes, charset)?;
    within("the decoded body", text.len(), limits.bytes)?;
    let skipped = stray(&text);
    let mut cursor = Cursor::new(&text[skipped..], skipped as u64, limits);
    envelope::read(&mut cursor)
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), SoapError> {
    if found > limit {
        return Err(SoapError { problem: SoapProblem::TooMuch { what, limit }, at: limit as u64, expected: "less" });
    }
    Ok(())
}

/// How many bytes before the document belong to no document: the rest of a message before whose length was wrong.
fn stray(text: &str) -> usize {
    let opens = |at: &usize| !matches!(text.as_bytes().get(at + 1), None | Some(b'/'));
    text.bytes().enumerate().filter(|&(_, byte)| byte == b'<').map(|(at, _)| at).find(opens).unwrap_or(0)
}
