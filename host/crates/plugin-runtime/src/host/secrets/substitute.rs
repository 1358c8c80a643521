//! Handles are replaced by secrets where a request leaves the host.

use http::HeaderValue;

use super::{
    super::bindings::secrets::Error,
    handles::{CallSecrets, SECRET},
    seal::SEALED,
};

/// Where a secret is put, which says how it is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// As it is.
    Plain,
    /// Percent-encoded: a query, a form.
    Query,
    /// Inside a string of JSON.
    Json,
    /// Inside a text or attribute of XML.
    Xml,
}

impl Place {
    /// The place that a body of this media type is.
    pub(crate) fn of_body(content_type: Option<&HeaderValue>) -> Self {
        let full = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let media = full.split(';').next().unwrap_or_default().trim();
        match media {
            "application/x-www-form-urlencoded" => Self::Query,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            xml if xml.ends_with("/xml") || xml.ends_with("+xml") => Self::Xml,
            _ => Self::Plain,
        }
    }

    fn write(self, secret: &str, out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(secret.as_bytes()),
            Self::Query => {
                for byte in secret.bytes() {
                    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                        out.push(byte);
                    } else {
                        out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                    }
                }
            }
            Self::Json => {
                let quoted = serde_json::to_string(secret).unwrap_or_default();
                out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            }
            Self::Xml => {
                for c in secret.chars() {
                    match c {
                        '&' => out.extend_from_slice(b"&amp;"),
                        '<' => out.extend_from_slice(b"&lt;"),
                        '>' => out.extend_from_slice(b"&gt;"),
                        '"' => out.extend_from_slice(b"&quot;"),
                        '\'' => out.extend_from_slice(b"&apos;"),
                        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                }
            }
        }
    }
}

impl CallSecrets {
    /// The text with its handles replaced; `None` where it has none.
    ///
    /// # Errors
    ///
    /// What looks like a handle and stands for nothing: it would leave the host as a text that nobody understands.
    pub(crate) fn substitute(&self, text: &[u8], place: Place) -> Result<Option<Vec<u8>>, Error> {
        let (mut out, mut rest, mut found) = (Vec::new(), text, false);
        while let Some((before, handle, after)) = next(rest) {
            let secret = self.reveal(handle)?;
            out.extend_from_slice(before);
            place.write(secret.reveal(), &mut out);
            (rest, found) = (after, true);
        }
        out.extend_from_slice(rest);
        Ok(found.then_some(out))
    }
}

/// The first handle, with what is before and after it.
pub(super) fn next(text: &[u8]) -> Option<(&[u8], &str, &[u8])> {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|b| *b == SECRET.as_bytes()[0]).map(|at| from + at) {
        let rest = &text[at..];
        let length = [SECRET, SEALED].iter().find(|prefix| rest.starts_with(prefix.as_bytes())).map(|prefix| prefix.len());
        if let Some(length) = length {
            let inner = rest[length..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
            let end = length + inner;
            if rest.get(end) == Some(&b'.') {
                let handle = str::from_utf8(&rest[..=end]).ok()?;
                return Some((&text[..at], handle, &rest[end + 1..]));
            }
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{super::Secrets, *};
    use crate::{grant::Secret, host::secrets::Caller};

    fn worker() -> Caller {
        Caller { plugin: "worker".into(), tenant: "default".into(), run: "r1".into() }
    }

    #[test]
    fn a_secret_is_written_as_its_place_demands() {
        let by_name = [("token".to_owned(), Secret::new("a&b \"c\""))].into();
        let call = CallSecrets::new(Arc::new(Secrets::new(by_name, &[].into(), None, true)), worker());
        let handle = call.handle("token").unwrap();
        let text = format!("<{handle}|{handle}> jackfield x");
        for (content_type, secret) in [
            (None, "a&b \"c\""),
            (Some("text/plain"), "a&b \"c\""),
            (Some("application/x-www-form-urlencoded"), "a%26b%20%22c%22"),
            (Some("application/merge-patch+json; charset=utf-8"), "a&b \\\"c\\\""),
            (Some("application/yang-data+xml"), "a&amp;b &quot;c&quot;"),
        ] {
            let place = Place::of_body(content_type.map(HeaderValue::from_static).as_ref());
            let found = call.substitute(text.as_bytes(), place).unwrap().unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), format!("<{secret}|{secret}> jackfield x"));
        }
        assert_eq!(call.substitute(b"no handle of jackfield-secret", Place::Plain).unwrap(), None);
        for foreign in ["jackfield-secret.00.", "jackfield-secret..", "jackfield-sealed.AAAA."] {
            assert!(call.substitute(foreign.as_bytes(), Place::Plain).is_err(), "{foreign}");
        }
    }
}
