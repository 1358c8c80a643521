//! A keyed hash in a header: over the body, or over the time, a dot and the body.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName};
use package::hex;
use ring::hmac::{self, Context, HMAC_SHA256, HMAC_SHA512, Key};

use super::{Unsigned, value, visible};
use crate::{
    grant::{HmacAlgorithm, HmacAuth, HmacEncoding, HmacOver},
    host::http::headers::header_name,
};

/// A keyed hash as a rule has it.
#[derive(Debug)]
pub(in crate::host::http) struct Hmac {
    key: Key,
    header: HeaderName,
    /// Where the time goes, if it is hashed.
    timestamp: Option<HeaderName>,
    encoding: HmacEncoding,
    prefix: String,
}

impl Hmac {
    pub(super) fn new(auth: &HmacAuth) -> Result<Self, String> {
        let HmacAuth { key, header, algorithm, over, timestamp_header, encoding, prefix } = auth;
        let algorithm = match algorithm {
            HmacAlgorithm::Sha256 => HMAC_SHA256,
            HmacAlgorithm::Sha512 => HMAC_SHA512,
        };
        let timestamp = match over {
            HmacOver::Body => None,
            HmacOver::TimestampBody => Some(header_name("auth.hmac.timestamp_header", timestamp_header)?),
        };
        Ok(Self {
            key: Key::new(algorithm, key.reveal().as_bytes()),
            header: header_name("auth.hmac.header", header)?,
            timestamp,
            encoding: *encoding,
            prefix: visible("auth.hmac.prefix", prefix)?,
        })
    }

    pub(super) fn sign(&self, request: &Unsigned<'_>, headers: &mut HeaderMap) {
        let mut context = Context::with_key(&self.key);
        if let Some(header) = &self.timestamp {
            let seconds = (request.now.0 / 1_000_000).to_string();
            context.update(seconds.as_bytes());
            context.update(b".");
            headers.insert(header, value(&seconds));
        }
        context.update(request.body);
        let tag: hmac::Tag = context.sign();
        let text = match self.encoding {
            HmacEncoding::Hex => hex(tag.as_ref()),
            HmacEncoding::Base64 => BASE64_STANDARD.encode(tag.as_ref()),
        };
        headers.insert(&self.header, value(&format!("{}{text}", self.prefix)));
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Timestamp;

    use super::*;

    fn check(auth: &str, expected: &[(&str, &str)]) {
        let hmac = Hmac::new(&serde_json::from_str(auth).unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        let body = b"what do ya want for nothing?";
        let (method, uri) = (http::Method::POST, http::Uri::from_static("http://x/"));
        hmac.sign(&Unsigned { method: &method, uri: &uri, body, now: Timestamp(1_700_000_000_999_999) }, &mut headers);
        let found: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        for header in expected {
            assert!(found.contains(header), "{header:?} in {found:?}");
        }
        assert_eq!(found.len(), expected.len(), "{found:?}");
    }

    /// The second test of RFC 4231.
    #[test]
    fn the_hash_is_that_of_the_rfc() {
        check(
            r#"{"key":"Jefe","over":"body","header":"x-hub-signature-256","prefix":"sha256="}"#,
            &[("x-hub-signature-256", "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")],
        );
        check(
            r#"{"key":"Jefe","over":"body","algorithm":"sha512"}"#,
            &[(
                "x-signature",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            )],
        );
        check(r#"{"key":"Jefe","over":"body","encoding":"base64"}"#, &[("x-signature", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")]);
    }

    #[test]
    fn the_time_is_hashed_and_sent() {
        let hmac = hmac::sign(&Key::new(HMAC_SHA256, b"Jefe"), b"1700000000.what do ya want for nothing?");
        check(r#"{"key":"Jefe"}"#, &[("x-timestamp", "1700000000"), ("x-signature", &hex(hmac.as_ref()))]);
    }

    #[test]
    fn a_header_of_the_connection_is_refused() {
        let auth = serde_json::from_str(r#"{"key":"Jefe","header":"Host"}"#).unwrap();
        assert_eq!(Hmac::new(&auth).unwrap_err(), "auth.hmac.header: `Host` belongs to the connection and is set by the host");
    }
}
