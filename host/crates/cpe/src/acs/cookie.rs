//! The cookie of a session: its ID, and a proof that it was made here.

use http::{HeaderMap, header::COOKIE};

use super::SessionId;
use crate::digest::{hex, same};

const NAME: &str = "cwmp";
/// Digits of the ID, and of the proof.
const ID: usize = 16;
const PROOF: usize = 24;
/// How many values are looked at; devices send old ones too.
const MOST: usize = 8;

/// Makes cookies and recognises them.
pub(super) struct Cookies {
    key: [u8; 32],
}

impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cookies").finish_non_exhaustive()
    }
}

impl Cookies {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The value of `Set-Cookie`. An empty path leaves the attribute out.
    pub(super) fn set(&self, session: SessionId, path: &str) -> String {
        let attribute = if path.is_empty() { "" } else { "; Path=" };
        format!("{NAME}={session}{}{attribute}{path}", self.proof(session))
    }

    /// The sessions of cookies that were made here, whatever else stands around them: devices echo attributes, join cookies with commas, and quote.
    pub(super) fn sessions<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = SessionId> + 'a {
        let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split([';', ',', ' '])).filter_map(|part| part.trim().split_once('='));
        let values = pairs.filter(|(name, _)| name.trim() == NAME).map(|(_, value)| value.trim().trim_matches('"'));
        values.take(MOST).filter_map(|value| self.session(value))
    }

    fn session(&self, value: &str) -> Option<SessionId> {
        let session = SessionId(u64::from_str_radix(value.get(..ID)?, 16).ok()?);
        same(value.get(ID..)?.as_bytes(), self.proof(session).as_bytes()).then_some(session)
    }

    fn proof(&self, session: SessionId) -> String {
        hex(&blake3::keyed_hash(&self.key, &session.0.to_be_bytes()).as_bytes()[..PROOF / 2])
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(headers: &[&str], expected: &[u64]) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(COOKIE, HeaderValue::from_str(header).unwrap());
        }
        let found: Vec<_> = Cookies::new([1; 32]).sessions(&map).map(|session| session.0).collect();
        assert_eq!(found, expected, "{headers:?}");
    }

    #[test]
    fn cookies_are_found_as_devices_send_them_back() {
        let cookies = Cookies::new([1; 32]);
        let (one, two) = (cookies.set(SessionId(1), "/"), cookies.set(SessionId(2), ""));
        let foreign = Cookies::new([2; 32]).set(SessionId(3), "");
        check(&[&two], &[2]);
        check(&[&one], &[1]);
        check(&[&format!("a=b, {one}"), &two], &[1, 2]);
        check(&[&format!("$Version=\"1\"; {}", two.replace('=', "=\"").replacen(&two[5..], &format!("{}\"", &two[5..]), 1))], &[2]);
        check(&[&format!("{two},x=y;{one}")], &[2, 1]);
        check(&[&foreign, "cwmp=", "cwmp=0", "cwmp=ü", &two[..20], &format!("x{two}")], &[]);
    }
}
