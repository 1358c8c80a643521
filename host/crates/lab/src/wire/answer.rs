//! The head of an answer, and how its body ends.

use super::WireError;

/// The most fields of a head.
const MAX_FIELDS: usize = 64;

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Name and value of each cookie.
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) challenges: Vec<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection cannot be used again.
    pub(crate) closes: bool,
}

/// How a body ends.
pub(super) enum Length {
    Known(usize),
    Chunked,
    UntilClose,
}

/// The answer without its body, how that ends, and the length of the head. `None` when there is more to come.
pub(super) fn parse_head(bytes: &[u8]) -> Result<Option<(Answer, Length, usize)>, WireError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Response::new(&mut fields);
    let malformed = |error: httparse::Error| WireError::Malformed(error.to_string());
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(malformed)? else { return Ok(None) };
    let mut answer = Answer { status: head.code.unwrap_or_default(), closes: head.version == Some(0), ..Answer::default() };
    let mut ends = if matches!(answer.status, 204 | 304) || answer.status < 200 { Length::Known(0) } else { Length::UntilClose };
    for field in head.headers.iter() {
        let value = String::from_utf8_lossy(field.value);
        let value = value.trim();
        match field.name {
            name if name.eq_ignore_ascii_case("content-length") => {
                ends = Length::Known(value.parse().map_err(|_| WireError::Malformed(format!("its length is {value:?}")))?);
            }
            name if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") => ends = Length::Chunked,
            name if name.eq_ignore_ascii_case("connection") => answer.closes = value.eq_ignore_ascii_case("close"),
            name if name.eq_ignore_ascii_case("www-authenticate") => answer.challenges.push(value.to_owned()),
            name if name.eq_ignore_ascii_case("retry-after") => answer.retry_after = value.parse().ok(),
            name if name.eq_ignore_ascii_case("set-cookie") => answer.cookies.extend(cookie(value)),
            _ => {}
        }
    }
    answer.closes |= matches!(ends, Length::UntilClose);
    Ok(Some((answer, ends, length)))
}

fn cookie(field: &str) -> Option<(String, String)> {
    let (name, value) = field.split(';').next()?.split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}
