//! HTTP Digest (RFC 7616): the hashes that both sides compute. Devices ask for it, and are asked for it by us.

use http_auth::{ChallengeRef, parser::ChallengeParser};
use md5::Md5;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// An algorithm of Digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// MD5.
    #[serde(rename = "md5")]
    Md5,
    /// SHA-256.
    #[serde(rename = "sha-256")]
    Sha256,
}

/// What the response of a Digest is made of, besides the secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    /// As the client says it.
    pub(crate) uri: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) protection: Protection<'a>,
}

/// The quality of protection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protection<'a> {
    /// None, as before RFC 2617.
    None,
    /// `auth`.
    Auth { count: &'a str, client: &'a str },
    /// `auth-int`, which covers the body too.
    Body { count: &'a str, client: &'a str, body: &'a [u8] },
}

impl Algorithm {
    /// Its name in headers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of a header; MD5 where it says none.
    pub(crate) fn named(name: Option<&str>) -> Option<Self> {
        let Some(name) = name else { return Some(Self::Md5) };
        [Self::Md5, Self::Sha256].into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// What stands for a user name and a password in a realm, in lower-case hexadecimal digits.
    #[must_use]
    pub fn secret(self, username: &str, realm: &str, password: &str) -> String {
        self.hash(&[username, realm, password])
    }

    /// The response of an exchange, for a [`Algorithm::secret`].
    pub(crate) fn response(self, secret: &str, exchange: Exchange<'_>) -> String {
        let Exchange { method, uri, nonce, protection } = exchange;
        match protection {
            Protection::None => self.hash(&[secret, nonce, &self.hash(&[method, uri])]),
            Protection::Auth { count, client } => self.hash(&[secret, nonce, count, client, "auth", &self.hash(&[method, uri])]),
            Protection::Body { count, client, body } => {
                let request = self.hash(&[method, uri, &self.digest(body)]);
                self.hash(&[secret, nonce, count, client, "auth-int", &request])
            }
        }
    }

    /// Of the parts with colons between them. One of them may be a password.
    fn hash(self, parts: &[&str]) -> String {
        self.digest(Zeroizing::new(parts.join(":")).as_bytes())
    }

    fn digest(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
        }
    }
}

/// In lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Compares without telling by the time it takes where the difference is.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

/// The parameters of a `Digest` challenge or credential.
#[derive(Debug)]
pub(crate) struct Parameters<'a>(Vec<(&'a str, String)>);

impl<'a> Parameters<'a> {
    /// The `Digest` parts of a header. Where one cannot be read, what stands before it counts.
    pub(crate) fn all(header: &'a str) -> Vec<Self> {
        let digest = |part: ChallengeRef<'a>| {
            let parameters = part.params.into_iter().map(|(name, value)| (name, value.to_unescaped()));
            part.scheme.eq_ignore_ascii_case("digest").then(|| Self(parameters.collect()))
        };
        ChallengeParser::new(header).map_while(Result::ok).filter_map(digest).collect()
    }

    /// A parameter. One that is there twice is not there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7616, section 3.9.1, and of RFC 2069 as corrected.
    #[test]
    fn responses_are_those_of_the_standard() {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let protection = Protection::Auth { count: "00000001", client: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" };
        let exchange = Exchange { method: "GET", uri: "/dir/index.html", nonce, protection };
        for (algorithm, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let secret = algorithm.secret("Mufasa", "http-auth@example.org", "Circle of Life");
            assert_eq!(algorithm.response(&secret, exchange), response);
        }
        let secret = Algorithm::Md5.secret("Mufasa", "testrealm@host.com", "CircleOfLife");
        let exchange = Exchange { nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", protection: Protection::None, ..exchange };
        assert_eq!(Algorithm::Md5.response(&secret, exchange), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn parameters_are_read_as_devices_write_them() {
        let header = r#"Basic realm="x", Digest realm="a \"b\"", nonce="n,1", QOP=auth, algorithm=MD5, nc=00000001, nc=00000002"#;
        let all = Parameters::all(header);
        let [digest] = &all[..] else { panic!("{all:?}") };
        assert_eq!(["realm", "nonce", "qop", "nc", "none"].map(|name| digest.get(name)), [Some(r#"a "b""#), Some("n,1"), Some("auth"), None, None]);
        assert!(Parameters::all("Digest realm=\"x").is_empty());
    }
}
