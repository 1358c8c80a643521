//! `POST /tenants`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::api::InboundTrace;
use serde_json::{Value, json};

use super::{Api, ApiError, BASE, Body, By, From};
use crate::sign_up::{Accepted, Caller, SignUp};

/// The header under which a repeated POST finds the tenant of the first one.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The longest idempotency key, in bytes.
const MAX_KEY: usize = 200;

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    by: Option<Extension<By>>,
    from: Option<Extension<From>>,
    headers: HeaderMap,
    Body(sign_up): Body<SignUp>,
) -> Result<Response, ApiError> {
    let key = idempotency_key(&headers)?;
    let caller = match by {
        // Whoever has a token is known: its sign-ups count together with all others only.
        Some(Extension(By(name))) => Caller { name, address: None },
        None if api.options.sign_up.open => Caller { name: String::new(), address: from.map(|Extension(From(address))| address) },
        None => return Err(ApiError::new(StatusCode::UNAUTHORIZED, "signing up needs a token here").expecting("`Authorization: Bearer TOKEN`")),
    };
    let anonymous = caller.name.is_empty();
    let accepted = api.intake.accept(sign_up, key, &caller, inbound_trace(&headers)).await?;
    let ticket = anonymous.then(|| api.key.ticket(&accepted.id));
    let status = if accepted.created { StatusCode::ACCEPTED } else { StatusCode::OK };
    let location = HeaderValue::try_from(format!("{BASE}/{}", accepted.id)).ok();
    let mut response = (status, Json(shown(accepted, ticket.as_deref()))).into_response();
    response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

/// What a client needs to go on. Who has no token gets a ticket, which shows this tenant and no other.
fn shown(accepted: Accepted, ticket: Option<&str>) -> Value {
    let Accepted { id, run, domain, created: _ } = accepted;
    let query = ticket.map_or_else(String::new, |ticket| format!("?ticket={ticket}"));
    let links = json!({ "self": format!("{BASE}/{id}{query}"), "events": format!("{BASE}/{id}/events{query}") });
    let mut shown = json!({ "id": id, "run": run, "domain": domain, "links": links });
    if let Some(ticket) = ticket {
        shown["ticket"] = ticket.into();
    }
    shown
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let text = first.to_str().unwrap_or_default();
    if given.next().is_some() || text.is_empty() || text.len() > MAX_KEY {
        let expected = "one value of 1 to 200 visible ASCII characters";
        return Err(ApiError::bad(IDEMPOTENCY_KEY, format!("{IDEMPOTENCY_KEY} cannot be used: expected {expected}"), expected));
    }
    Ok(Some(text.to_owned()))
}

fn inbound_trace(headers: &HeaderMap) -> Option<InboundTrace> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    InboundTrace::parse(text("traceparent")?, text("tracestate").unwrap_or_default())
}
