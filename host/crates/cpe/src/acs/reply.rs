//! What is answered over HTTP.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE},
};
use http_body_util::Full;

use crate::quirks::Termination;

pub(super) type Reply = Response<Full<Bytes>>;

/// An envelope.
pub(super) fn envelope(body: String) -> Reply {
    let mut reply = Response::new(Full::from(body));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=\"utf-8\""));
    reply
}

/// An envelope that begins a session.
pub(super) fn opened(body: String, cookie: String) -> Reply {
    let mut reply = envelope(body);
    // The path of a quirk may be unfit for a header: then there is no cookie, as with devices that keep none.
    if let Ok(cookie) = cookie.try_into() {
        reply.headers_mut().insert(SET_COOKIE, cookie);
    }
    reply
}

/// The session is over.
pub(super) fn over(termination: Termination, close: bool) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = match termination {
        Termination::NoContent => StatusCode::NO_CONTENT,
        Termination::EmptyOk => StatusCode::OK,
    };
    if close { closing(reply) } else { reply }
}

/// A refusal; the connection is closed.
pub(super) fn refused(status: StatusCode, why: &str) -> Reply {
    let mut reply = Response::new(Full::from(format!("{why}\n")));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    closing(reply)
}

/// Not this method.
pub(super) fn not_allowed() -> Reply {
    let mut reply = refused(StatusCode::METHOD_NOT_ALLOWED, "only POST is answered here");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    reply
}

/// Come again later: between `shortest_s` seconds and twice that, so that devices that were turned away together do not come back together.
pub(super) fn busy(shortest_s: u64) -> Reply {
    let spread = getrandom::u64().unwrap_or_default() % shortest_s.saturating_add(1);
    let mut reply = refused(StatusCode::SERVICE_UNAVAILABLE, "come again later");
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(shortest_s.saturating_add(spread)));
    reply
}

/// Prove who you are.
pub(super) fn challenge(challenges: Vec<HeaderValue>, close: bool) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::UNAUTHORIZED;
    for challenge in challenges {
        reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    if close { closing(reply) } else { reply }
}

fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}
