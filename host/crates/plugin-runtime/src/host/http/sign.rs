//! Authentication that depends on the request: the host signs what it sends, with the body whole.

mod hmac;
mod sigv4;

use http::{HeaderMap, HeaderValue, Method, Uri};
use package::hex;
use pipeline::Timestamp;
use ring::digest::{SHA256, digest};

use self::{hmac::Hmac, sigv4::Sigv4};
use crate::grant::Auth;

/// A way to sign requests.
#[derive(Debug)]
pub(super) enum Signing {
    Sigv4(Sigv4),
    Hmac(Hmac),
}

/// A request as it is signed.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a Method,
    /// The real one.
    pub(super) uri: &'a Uri,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

impl Signing {
    /// How requests are signed, if they are.
    pub(super) fn of(auth: &Auth) -> Result<Option<Self>, String> {
        Ok(match auth {
            Auth::Bearer(_) | Auth::Basic { .. } | Auth::Header { .. } => None,
            Auth::Sigv4 { access_key, secret_key, session_token, region, service } => {
                Some(Self::Sigv4(Sigv4::new(access_key, secret_key, session_token.as_ref(), region, service)?))
            }
            Auth::Hmac(auth) => Some(Self::Hmac(Hmac::new(auth)?)),
        })
    }

    /// Adds the headers that say who sends the request.
    pub(super) fn sign(&self, request: &Unsigned<'_>, headers: &mut HeaderMap) {
        match self {
            Self::Sigv4(sigv4) => sigv4.sign(request, headers),
            Self::Hmac(hmac) => hmac.sign(request, headers),
        }
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// A value of characters that were checked or made here.
fn value(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("the parts were checked when the rule was read");
    value.set_sensitive(true);
    value
}

/// Whether a text can stand in a header.
fn visible(at: &str, text: &str) -> Result<String, String> {
    HeaderValue::from_str(text).map(|_| text.to_owned()).map_err(|_| format!("{at}: expected visible ASCII"))
}
