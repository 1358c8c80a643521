//! Values of records as text: the one form in which they are compared, and the form of zone files.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, Ipv6Addr},
};

/// Bytes of one string of a TXT record (RFC 1035, section 3.3).
const STRING: usize = 255;

/// A value as it is compared, from the form of zone files. What cannot be read stays as it is.
pub fn canonical(kind: &str, value: &str) -> String {
    let value = value.trim();
    match kind {
        "A" => value.parse::<Ipv4Addr>().map_or_else(|_| value.to_owned(), |it| it.to_string()),
        "AAAA" => value.parse::<Ipv6Addr>().map_or_else(|_| value.to_owned(), |it| it.to_string()),
        "CNAME" | "NS" => value.trim_end_matches('.').to_ascii_lowercase(),
        "TXT" => unquoted(value).unwrap_or_else(|| value.to_owned()),
        "CAA" => caa(value).map_or_else(|| value.to_owned(), |(flags, tag, value)| format!("{flags} {tag} {}", quoted(value.as_bytes()))),
        _ => value.to_owned(),
    }
}

/// A value in the form of zone files, from the one that is compared.
pub fn presented(kind: &str, value: &str) -> String {
    match kind {
        "TXT" => quoted(value.as_bytes()),
        "CNAME" => format!("{value}."),
        _ => value.to_owned(),
    }
}

/// The flags, the tag and the value of a CAA record: `0 issue "ca.example"`, with or without the quotes.
pub fn caa(text: &str) -> Option<(u8, String, String)> {
    let mut parts = text.trim().splitn(3, char::is_whitespace);
    let (flags, tag, value) = (parts.next()?.parse().ok()?, parts.next()?.to_ascii_lowercase(), parts.next()?.trim());
    let known = !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    known.then(|| (flags, tag, unquoted(value).unwrap_or_else(|| value.to_owned())))
}

/// A text in quotes, in as many strings as it needs.
pub fn quoted(text: &[u8]) -> String {
    if text.is_empty() {
        return "\"\"".to_owned();
    }
    let strings: Vec<String> = text.chunks(STRING).map(quoted_string).collect();
    strings.join(" ")
}

fn quoted_string(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            other => {
                let _never_fails = write!(quoted, "\\{other:03}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The text of quoted strings in one piece; none if they are not quoted.
fn unquoted(text: &str) -> Option<String> {
    let mut bytes = text.bytes().peekable();
    let mut plain = Vec::new();
    while bytes.peek().is_some() {
        if bytes.next()? != b'"' {
            return None;
        }
        loop {
            match bytes.next()? {
                b'"' => break,
                b'\\' => plain.push(escaped(&mut bytes)?),
                other => plain.push(other),
            }
        }
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
    }
    (!text.is_empty()).then(|| String::from_utf8_lossy(&plain).into_owned())
}

/// What follows a backslash: three digits are the number of a byte, anything else stands for itself.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let number = [first, bytes.next()?, bytes.next()?];
    std::str::from_utf8(&number).ok()?.parse().ok()
}
