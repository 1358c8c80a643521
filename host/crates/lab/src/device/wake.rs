//! Connection requests: a GET with Digest, by whom the device has been told to expect.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering},
};

use http_auth::ChallengeParser;
use http_body_util::Empty;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONNECTION, WWW_AUTHENTICATE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::{Device, Inner};
use crate::{server, wire::Algorithm};

const REALM: &str = "device";

/// Nonces differ in this number.
static NONCE: AtomicU64 = AtomicU64::new(1);

/// A nonce that no other device has.
pub(super) fn nonce() -> String {
    format!("{:016x}", NONCE.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Marks that a session is under way.
pub(super) struct InSession<'a>(&'a Inner);

impl<'a> InSession<'a> {
    pub(super) fn begin(device: &'a Inner) -> Self {
        device.in_session.fetch_add(1, Ordering::SeqCst);
        Self(device)
    }
}

impl Drop for InSession<'_> {
    fn drop(&mut self) {
        self.0.in_session.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Answers connection requests until it is dropped.
pub(super) async fn serve(device: Device, listener: TcpListener) {
    server::accept(listener, |stream| connection(device.clone(), stream)).await;
}

async fn connection(device: Device, stream: TcpStream) {
    let service = service_fn(move |request| {
        let answer = device.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

impl Device {
    fn answer(&self, request: &Request<Incoming>) -> Response<Empty<Bytes>> {
        let mut response = Response::new(Empty::new());
        if request.method() != Method::GET {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return response;
        }
        let mut state = self.0.state();
        let username = self.0.managed(&state, "ConnectionRequestUsername");
        let password = self.0.managed(&state, "ConnectionRequestPassword");
        let said = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let proven = said.map(|said| proves(said, &username, &password, &state.nonce));
        if proven == Some(true) {
            if self.0.in_session.load(Ordering::SeqCst) > 0 {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            } else {
                state.statistics.woken += 1;
                state.happened("6 CONNECTION REQUEST", "");
                self.0.woken.notify_one();
            }
            return response;
        }
        if proven == Some(false) {
            state.statistics.not_woken += 1;
        }
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = format!("Digest realm=\"{REALM}\", qop=\"auth\", nonce=\"{}\", algorithm=MD5", state.nonce);
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge.parse().expect("a challenge is made of printable characters"));
        if state.faults.closes_after_challenge {
            response.headers_mut().insert(CONNECTION, "close".parse().expect("a word is a value"));
        }
        response
    }
}

/// Whether what a client says proves that it knows the password. A device without credentials is woken by nobody.
fn proves(said: &str, username: &str, password: &str, nonce: &str) -> bool {
    let Some(Ok(said)) = ChallengeParser::new(said).next() else { return false };
    let part =
        |name: &str| said.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or(String::new(), |(_, value)| value.to_unescaped());
    let hash = |parts: &[&str]| Algorithm::Md5.hash(parts);
    let (first, second) = (hash(&[username, REALM, password]), hash(&["GET", &part("uri")]));
    let expected = hash(&[&first, nonce, &part("nc"), &part("cnonce"), "auth", &second]);
    said.scheme.eq_ignore_ascii_case("digest") && !username.is_empty() && part("username") == username && part("response") == expected
}
