//! `GET /tenants/{id}/events`: server-sent events for a page that waits for a tenant. Each event is the whole document; its id is a digest of it, so that a client that
//! comes again is sent nothing that it has.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde_json::Value;

use super::{Api, ApiError};
use crate::following::Listener;

/// A line is sent this often, so that whoever is between sees that somebody is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What one client was told so far.
struct Stream {
    api: Arc<Api>,
    id: String,
    listener: Listener,
    /// The digest of the document that the client has.
    last: String,
    /// Whether the document has to be looked at before anything has changed.
    fresh: bool,
    /// Whether nothing more will happen by itself.
    over: bool,
}

pub(super) async fn events(State(api): State<Arc<Api>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let tenant = api.tenant(&id).await?;
    // This answer tells a browser not to come again (HTML Living Standard, section 9.2.3).
    if is_over(&tenant) && digest(&tenant) == last {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let listener = api.listeners.listen(&id).ok_or_else(|| ApiError::unavailable("there are as many listeners as there may be"))?;
    let stream = Stream { api, id, listener, last, fresh: true, over: false };
    let events = stream::unfold(stream, Stream::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.over || (!self.fresh && !self.listener.changed().await) {
                return None;
            }
            self.fresh = false;
            // A client whose stream ends comes again, and is told then why nothing can be read.
            let tenant = self.api.tenant(&self.id).await.ok()?;
            self.over = is_over(&tenant);
            let digest = digest(&tenant);
            if digest != self.last {
                let event = Event::default().event("tenant").id(&digest).data(tenant.to_string());
                self.last = digest;
                return Some((Ok(event), self));
            }
        }
    }
}

/// Whether nothing more happens to a tenant unless somebody asks for it.
fn is_over(tenant: &Value) -> bool {
    matches!(tenant["state"].as_str(), Some("ready" | "failed" | "cancelled" | "removed"))
}

fn digest(tenant: &Value) -> String {
    blake3::hash(tenant.to_string().as_bytes()).to_hex()[..16].to_owned()
}
