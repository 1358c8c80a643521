//! The `Authorization` of a client: Basic at once, Digest as soon as it has been challenged, with one nonce for as long as it is taken.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_auth::{ChallengeParser, ChallengeRef};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::device::Login;

/// Who says it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credentials<'a> {
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
}

/// What a client remembers of the last challenge.
#[derive(Debug, Default)]
pub(crate) struct Session {
    digest: Option<Box<Digest>>,
    basic: bool,
}

/// A challenge of RFC 7616, and how often it was answered.
#[derive(Debug)]
struct Digest {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The challenge names the algorithm.
    named: bool,
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Session {
    /// The value of the header, if there is anything to say.
    pub(crate) fn authorize(&mut self, how: Login, credentials: Credentials<'_>, method: &str, uri: &str) -> Option<String> {
        match (how, &mut self.digest) {
            (Login::Nothing, _) => None,
            (Login::Basic, _) => Some(basic(credentials)),
            (_, Some(digest)) => Some(digest.answer(credentials, method, uri)),
            (_, None) => self.basic.then(|| basic(credentials)),
        }
    }

    /// Takes the challenges of a 401; `false` if none of them can be answered.
    pub(crate) fn challenged(&mut self, how: Login, challenges: &[String]) -> bool {
        let parsed: Vec<_> = challenges.iter().flat_map(|challenge| ChallengeParser::new(challenge).filter_map(Result::ok)).collect();
        let digests = parsed.iter().filter_map(Digest::of).filter(|digest| fits(how, digest.algorithm));
        self.digest = digests.max_by_key(|digest| digest.algorithm == Algorithm::Sha256).map(Box::new);
        self.basic = self.digest.is_none() && how == Login::Digest && parsed.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("basic"));
        self.digest.is_some() || self.basic
    }
}

impl Digest {
    /// `None` for what is no Digest, or one that cannot be answered with `auth`.
    fn of(challenge: &ChallengeRef<'_>) -> Option<Self> {
        let part = |name: &str| challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_unescaped());
        let algorithm = match part("algorithm").as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5") => Algorithm::Md5,
            Some("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let protected = part("qop")?.split(',').any(|quality| quality.trim().eq_ignore_ascii_case("auth"));
        let is_digest = challenge.scheme.eq_ignore_ascii_case("digest") && protected;
        is_digest.then_some(Self {
            realm: part("realm")?,
            nonce: part("nonce")?,
            opaque: part("opaque"),
            algorithm,
            named: part("algorithm").is_some(),
            count: 0,
        })
    }

    fn answer(&mut self, Credentials { username, password }: Credentials<'_>, method: &str, uri: &str) -> String {
        self.count += 1;
        let Self { realm, nonce, opaque, algorithm, named, count } = self;
        let secret = algorithm.hash(&[username, realm, password]);
        let client = &algorithm.hash(&[&secret, nonce])[..16];
        let counted = format!("{count:08x}");
        let response = algorithm.hash(&[&secret, nonce, &counted, client, "auth", &algorithm.hash(&[method, uri])]);
        let mut said = format!(
            "Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", cnonce=\"{client}\", nc={counted}, qop=auth, \
             response=\"{response}\""
        );
        if *named {
            let _ = write!(said, ", algorithm={}", algorithm.name());
        }
        if let Some(opaque) = opaque {
            let _ = write!(said, ", opaque=\"{opaque}\"");
        }
        said
    }
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of parts with colons between them, in hexadecimal.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

fn basic(Credentials { username, password }: Credentials<'_>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

fn fits(how: Login, algorithm: Algorithm) -> bool {
    match how {
        Login::Digest => true,
        Login::DigestMd5 => algorithm == Algorithm::Md5,
        Login::DigestSha256 => algorithm == Algorithm::Sha256,
        Login::Basic | Login::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Credentials, Session};
    use crate::device::Login;

    const MD5: &str = r#"Digest realm="acs", qop="auth", nonce="n", algorithm=MD5"#;
    const BOTH: &str = r#"Digest realm="acs", qop="auth", nonce="n", algorithm=MD5, Digest realm="acs", qop="auth", nonce="m", algorithm=SHA-256, Basic realm="acs""#;

    fn said(how: Login, challenge: &str) -> Option<String> {
        let mut session = Session::default();
        session.challenged(how, &[challenge.to_owned()]);
        session.authorize(how, Credentials { username: "u", password: "p" }, "POST", "/")
    }

    #[test]
    fn a_client_answers_the_challenge_that_it_knows() {
        let cases = [
            (Login::Digest, BOTH, "algorithm=SHA-256"),
            (Login::DigestMd5, BOTH, r#"nonce="n""#),
            (Login::DigestSha256, BOTH, r#"nonce="m""#),
            (Login::Digest, r#"Basic realm="acs""#, "Basic dTpw"),
            (Login::Basic, BOTH, "Basic dTpw"),
        ];
        for (how, challenge, expected) in cases {
            let said = said(how, challenge).unwrap();
            assert!(said.contains(expected), "{how:?}: {said}");
        }
        assert_eq!((said(Login::DigestSha256, MD5), said(Login::Nothing, MD5)), (None, None));
    }

    #[test]
    fn a_nonce_is_counted() {
        let mut session = Session::default();
        assert!(session.challenged(Login::Digest, &[MD5.to_owned()]));
        for count in ["nc=00000001", "nc=00000002"] {
            let said = session.authorize(Login::Digest, Credentials { username: "u", password: "p" }, "POST", "/").unwrap();
            assert!(said.contains(count), "{said}");
        }
    }

    /// The example of RFC 7616, section 3.9.1, as far as it is not the client's choice.
    #[test]
    fn hashes_are_those_of_the_standard() {
        let cases = [
            (Algorithm::Md5, "3d78807defe7de2157e2b0b6573a855f", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                Algorithm::Sha256,
                "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ];
        for (algorithm, secret, response) in cases {
            assert_eq!(algorithm.hash(&["Mufasa", "http-auth@example.org", "Circle of Life"]), secret);
            let (nonce, client) = ("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
            let second = algorithm.hash(&["GET", "/dir/index.html"]);
            assert_eq!(algorithm.hash(&[secret, nonce, "00000001", client, "auth", &second]), response);
        }
    }
}
