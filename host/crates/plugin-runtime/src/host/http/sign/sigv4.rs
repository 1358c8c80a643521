//! AWS Signature Version 4, in the header `authorization`, as the IAM user guide describes it ("Create a signed AWS API request").

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use jiff::{Timestamp, tz::Offset};
use package::hex;
use ring::hmac::{self, HMAC_SHA256, Key};

use super::{Unsigned, sha256_hex, value, visible};
use crate::grant::Secret;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The credentials of a rule and what they are for.
#[derive(Debug)]
pub(in crate::host::http) struct Sigv4 {
    access_key: Secret,
    secret_key: Secret,
    session_token: Option<Secret>,
    region: String,
    service: String,
}

impl Sigv4 {
    pub(super) fn new(access_key: &Secret, secret_key: &Secret, session_token: Option<&Secret>, region: &str, service: &str) -> Result<Self, String> {
        visible("auth.sigv4.access_key", access_key.reveal())?;
        if let Some(token) = session_token {
            visible("auth.sigv4.session_token", token.reveal())?;
        }
        Ok(Self {
            access_key: access_key.clone(),
            secret_key: secret_key.clone(),
            session_token: session_token.cloned(),
            region: visible("auth.sigv4.region", region)?,
            service: visible("auth.sigv4.service", service)?,
        })
    }

    pub(super) fn sign(&self, request: &Unsigned<'_>, headers: &mut HeaderMap) {
        let at = i64::try_from(request.now.0 / 1_000_000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_default();
        let at = Offset::UTC.to_datetime(at);
        let (day, time) = (at.strftime("%Y%m%d").to_string(), at.strftime("%Y%m%dT%H%M%SZ").to_string());
        headers.insert(DATE, value(&time));
        let hash = sha256_hex(request.body);
        if self.service == "s3" {
            headers.insert(CONTENT, value(&hash));
        }
        if let Some(token) = &self.session_token {
            headers.insert(TOKEN, value(token.reveal()));
        }
        headers.insert(header::HOST, value(&host(request.uri)));
        let (names, lines) = canonical_headers(headers);
        let canonical = [
            request.method.as_str(),
            &self.path(request.uri.path()),
            &canonical_query(request.uri.query().unwrap_or_default()),
            &lines,
            &names,
            &hash,
        ]
        .join("\n");
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let signature = hex(self.key(&day, text.as_bytes()).as_ref());
        let credential = self.access_key.reveal();
        let authorization = format!("AWS4-HMAC-SHA256 Credential={credential}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.insert(header::AUTHORIZATION, value(&authorization));
    }

    /// The signature, by the key of the day, region and service.
    fn key(&self, day: &str, text: &[u8]) -> hmac::Tag {
        let first = format!("AWS4{}", self.secret_key.reveal());
        let steps: [&[u8]; 4] = [day.as_bytes(), self.region.as_bytes(), self.service.as_bytes(), b"aws4_request"];
        let key = steps.into_iter().fold(Key::new(HMAC_SHA256, first.as_bytes()), |key, step| Key::new(HMAC_SHA256, hmac::sign(&key, step).as_ref()));
        hmac::sign(&key, text)
    }

    /// Every service but S3 encodes the path once more.
    fn path(&self, path: &str) -> String {
        let once = encode(path, b"/%");
        if self.service == "s3" { once } else { encode(&once, b"/") }
    }
}

/// As the client sends it.
fn host(uri: &Uri) -> String {
    let name = uri.host().unwrap_or_default();
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    match uri.port_u16().filter(|port| *port != default) {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

/// The names of the headers that are signed, and each with its value.
fn canonical_headers(headers: &HeaderMap) -> (String, String) {
    let signed = |name: &&HeaderName| **name == header::HOST || **name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-");
    let mut names: Vec<_> = headers.keys().filter(signed).map(HeaderName::as_str).collect();
    names.sort_unstable();
    let text = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let line = |name: &&str| {
        let values: Vec<_> = headers.get_all(*name).iter().map(text).collect();
        format!("{name}:{}\n", values.join(","))
    };
    (names.join(";"), names.iter().map(line).collect())
}

/// The parameters in the order of their names and then values.
fn canonical_query(query: &str) -> String {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (encode(name, b"%"), encode(value, b"%"))
    };
    let mut pairs: Vec<_> = query.split('&').filter(|part| !part.is_empty()).map(pair).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encodes everything but unreserved characters and those that are kept.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const IAM: [&str; 2] = ["AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"];
    const S3: [&str; 2] = ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"];

    fn check(keys: [&str; 2], service: &str, request: &str, headers: &[(&'static str, &str)], seconds: u64, expected: &str) {
        let [access_key, secret_key] = keys.map(Secret::new);
        let sigv4 = Sigv4::new(&access_key, &secret_key, None, "us-east-1", service).unwrap();
        let (method, uri) = request.split_once(' ').unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let (method, uri) = (method.parse().unwrap(), uri.parse().unwrap());
        sigv4.sign(&Unsigned { method: &method, uri: &uri, body: b"", now: pipeline::Timestamp(seconds * 1_000_000) }, &mut map);
        let found = map[header::AUTHORIZATION].to_str().unwrap();
        assert!(found.ends_with(expected), "{found}");
    }

    /// The published test suite of AWS: 2015-08-30T12:36:00Z.
    #[test]
    fn signatures_are_those_of_the_published_suite() {
        for (request, expected) in [
            ("GET https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST https://example.amazonaws.com/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            check(IAM, "service", request, &[], 1_440_938_160, &format!("SignedHeaders=host;x-amz-date, Signature={expected}"));
        }
        check(
            IAM,
            "iam",
            "GET https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers",
            &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            1_440_938_160,
            "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        );
    }

    /// The examples of the reference of Amazon S3: 2013-05-24T00:00:00Z.
    #[test]
    fn signatures_are_those_of_the_examples_of_s3() {
        for (query, expected) in [
            ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let request = format!("GET https://examplebucket.s3.amazonaws.com/?{query}");
            check(S3, "s3", &request, &[], 1_369_353_600, &format!("SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={expected}"));
        }
    }
}
