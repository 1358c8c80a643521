//! The `Authorization` of a client: Basic at once, Digest as soon as it has been challenged, with one nonce for as long as it is taken.

use http_auth::{BasicClient, ChallengeParser, DigestClient, PasswordParams, digest::Algorithm};

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
    digest: Option<Box<DigestClient>>,
    basic: bool,
}

impl Session {
    /// The value of the header, if there is anything to say.
    pub(crate) fn authorize(&mut self, how: Login, credentials: Credentials<'_>, method: &str, uri: &str) -> Option<String> {
        let Credentials { username, password } = credentials;
        match how {
            Login::Nothing => None,
            Login::Basic => Some(http_auth::basic::encode_credentials(username, password)),
            Login::Digest | Login::DigestMd5 | Login::DigestSha256 => match &mut self.digest {
                Some(digest) => digest.respond(&PasswordParams { username, password, uri, method, body: None }).ok(),
                None if self.basic => Some(http_auth::basic::encode_credentials(username, password)),
                None => None,
            },
        }
    }

    /// Takes the challenges of a 401; `false` if none of them can be answered.
    pub(crate) fn challenged(&mut self, how: Login, challenges: &[String]) -> bool {
        let parsed: Vec<_> = challenges.iter().flat_map(|challenge| ChallengeParser::new(challenge).filter_map(Result::ok)).collect();
        let digests = parsed.iter().filter_map(|challenge| DigestClient::try_from(challenge).ok());
        let digest = digests.filter(|digest| fits(how, digest.algorithm())).max_by_key(|digest| digest.algorithm() != Algorithm::Md5);
        self.basic = digest.is_none() && how == Login::Digest && parsed.iter().any(|challenge| BasicClient::try_from(challenge).is_ok());
        self.digest = digest.map(Box::new);
        self.digest.is_some() || self.basic
    }
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
    use super::{Credentials, Session};
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
}
