//! Signed callbacks (Standard Webhooks 1.0.0): HMAC-SHA256 over id, timestamp and the raw body, several keys for rotation, five minutes of tolerance.
//!
//! The signature does not cover the operation that a message is for. So the id of a message belongs to the first operation that it was sent to, durably:
//! the same message for another operation is refused.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use engine::port::{Document, DocumentQuery};
use pipeline::Provider;
use serde_json::json;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, Webhook};

use super::{Callbacks, failed, unknown};

/// The collection of messages that have been delivered.
const MESSAGES: &str = "callback-message";

/// How long the id of a message is kept: longer than its signature is good for, on either side.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// The longest id of a message, in bytes.
const MAX_ID: usize = 256;

/// The keys of one sender.
pub(crate) struct Keys(Vec<Webhook>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Keys as the standard writes them: `whsec_` and base64 of 24 to 64 bytes.
    pub(crate) fn read(texts: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let key = Webhook::new(text.trim()).map_err(|_| "expected whsec_ and base64".to_owned())?;
            let length = text.trim().trim_start_matches("whsec_").trim_end_matches('=').len() * 3 / 4;
            if (24..=64).contains(&length) { Ok(key) } else { Err(format!("the key has {length} bytes: expected 24 to 64")) }
        };
        texts.iter().map(read).collect::<Result<Vec<_>, _>>().map(Self)
    }

    fn verify(&self, body: &[u8], headers: &HeaderMap) -> bool {
        self.0.iter().any(|key| key.verify(body, headers).is_ok())
    }
}

/// Whether a message says that it is signed.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER_WEBHOOK_SIGNATURE)
}

impl Callbacks {
    /// The token of the operation, if the message is signed by whom it was asked of and was never sent to another operation.
    pub(super) async fn verified(&self, operation: &str, headers: &HeaderMap, body: &[u8]) -> Result<String, Response> {
        // Whoever has no key of ours makes nothing be read.
        let signed_by = self.keys.iter().filter(|(_, keys)| keys.verify(body, headers)).map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        if signed_by.is_empty() {
            return Err(refused("the signature is not good: it is none of a known key, or the timestamp is more than five minutes away"));
        }
        let awaited = self.driver.awaited(operation).await.map_err(|error| failed(&error))?.ok_or_else(unknown)?;
        let (Provider::Plugin { name, .. } | Provider::Native { name }) = &awaited.provider;
        if !signed_by.contains(&name.as_str()) {
            return Err(refused("the message is signed by another than whom the operation was asked of"));
        }
        let id = headers.get(HEADER_WEBHOOK_ID).and_then(|id| id.to_str().ok()).filter(|id| (1..=MAX_ID).contains(&id.len()));
        let id = id.ok_or_else(|| refused("the id of the message has no 1 to 256 characters"))?;
        self.first_for(operation, &format!("{name}/{id}")).await?;
        Ok(awaited.token)
    }

    /// Notes that a message is for an operation, unless it was for another.
    async fn first_for(&self, operation: &str, id: &str) -> Result<(), Response> {
        let unavailable = |error: &dyn fmt::Display| (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response();
        let known = self.documents.get(MESSAGES, id).await.map_err(|error| unavailable(&error))?;
        if let Some(known) = known {
            let same = known.body["operation"] == operation;
            return if same { Ok(()) } else { Err((StatusCode::CONFLICT, "the message was for another operation\n").into_response()) };
        }
        let rank = now();
        let body = json!({ "operation": operation });
        let note = Document { collection: MESSAGES, id: id.to_owned(), rank, body, attributes: Vec::new() };
        self.documents.put(vec![note]).await.map_err(|error| unavailable(&error))?;
        self.forget(rank).await;
        Ok(())
    }

    /// Forgets messages whose signatures are good no more. What is not forgotten now is forgotten with the next message.
    async fn forget(&self, now: u64) {
        let kept = u64::try_from(KEPT.as_micros()).unwrap_or(u64::MAX);
        let Ok(newest) = self.documents.find(DocumentQuery { collection: MESSAGES, limit: 1, ..DocumentQuery::default() }).await else { return };
        let oldest = DocumentQuery { collection: MESSAGES, offset: newest.total.saturating_sub(8), limit: 8, ..DocumentQuery::default() };
        let Ok(page) = self.documents.find(oldest).await else { return };
        for old in page.documents.iter().filter(|old| old.rank.saturating_add(kept) < now) {
            let _kept_until_the_next = self.documents.remove(MESSAGES, &old.id).await;
        }
    }
}

fn refused(why: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response()
}

/// Microseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "signatures are good for a time by the wall clock")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(key: &str, id: &str, at: i64, body: &str) -> HeaderMap {
        let signature = Webhook::new(key).unwrap().sign(id, at, body.as_bytes()).unwrap();
        let pairs = [("webhook-id", id.to_owned()), ("webhook-timestamp", at.to_string()), ("webhook-signature", format!("v1,AAAA {signature}"))];
        pairs.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_message_is_good_under_any_key_of_its_sender_for_five_minutes() {
        let (old, new, other) =
            ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0", "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB");
        let keys = Keys::read(&[old.to_owned(), new.to_owned()]).unwrap();
        let at = i64::try_from(now() / 1_000_000).unwrap();
        let good = |key: &str, at: i64, body: &str| keys.verify(body.as_bytes(), &signed(key, "m1", at, "issued"));
        assert!(good(old, at, "issued") && good(new, at - 200, "issued"));
        assert!(!good(new, at, "issued!"), "another body");
        assert!(!good(other, at, "issued"), "another key");
        assert!(!good(new, at - 400, "issued") && !good(new, at + 400, "issued"), "another time");
        assert!(!keys.verify(b"issued", &HeaderMap::new()));
        for wrong in ["whsec_AAAA", "whsec_no base64", ""] {
            assert!(Keys::read(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
