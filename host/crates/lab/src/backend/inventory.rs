//! Resource inventory (TMF639 v4): resources that can be listed by any attribute, read with an entity tag and changed by JSON merge patch (RFC 7396).
//!
//! A patch with `If-Match` of an older tag is 412. One that reserves what is not available is 409, as is the deletion of what is reserved. There is no
//! idempotency key: the header `Idempotency-Key` is only what the ledger calls the client.

mod query;
mod stock;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use self::query::Query;
use crate::{
    control::Control,
    reply::{self, Refusal},
};

const BASE: &str = "/tmf-api/resourceInventoryManagement/v4";

/// `ResourceStatusType`.
const STATUSES: [&str; 6] = ["standby", "alarm", "available", "reserved", "unknown", "suspended"];

/// The media types in which a patch may come.
const PATCHES: [&str; 2] = ["application/merge-patch+json", "application/json"];

/// The routes of the inventory.
pub(crate) fn inventory(control: Control) -> Router {
    let resources = stock::resources().into_iter().map(|document| (text(&document["id"]), Stored { document, version: 1, holder: String::new() }));
    let system = System { control, resources: Arc::new(Mutex::new(resources.collect())) };
    let routes =
        Router::new().route("/resource", get(list).post(create)).route("/resource/{id}", get(show).patch(change).delete(remove)).with_state(system);
    Router::new().nest(BASE, routes)
}

#[derive(Clone)]
struct System {
    control: Control,
    resources: Arc<Mutex<BTreeMap<String, Stored>>>,
}

struct Stored {
    document: Value,
    /// Rises with every change.
    version: u64,
    /// Who reserved it, by the key of that request.
    holder: String,
}

impl System {
    fn resources(&self) -> MutexGuard<'_, BTreeMap<String, Stored>> {
        self.resources.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Stored {
    fn is_reserved(&self) -> bool {
        self.document["resourceStatus"] == "reserved"
    }

    fn answer(&self, status: StatusCode) -> Response {
        let mut response = reply::json(status, &self.document);
        response.headers_mut().insert(header::ETAG, self.tag().parse().expect("a tag is made of a number"));
        response
    }

    fn tag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

async fn list(State(system): State<System>, RawQuery(query): RawQuery) -> Response {
    let query = match Query::parse(query.as_deref().unwrap_or_default()) {
        Ok(query) => query,
        Err(problem) => return reply::tmf_error(StatusCode::BAD_REQUEST, problem),
    };
    let resources = system.resources();
    let matching: Vec<&Value> = resources.values().map(|stored| &stored.document).filter(|document| query.matches(document)).collect();
    let page: Vec<Value> = matching.iter().skip(query.offset).take(query.limit).map(|document| query.select(document)).collect();
    let mut response = reply::json(StatusCode::OK, &json!(page));
    for (name, count) in [("x-total-count", matching.len()), ("x-result-count", page.len())] {
        response.headers_mut().insert(HeaderName::from_static(name), count.into());
    }
    response
}

async fn show(State(system): State<System>, Path(id): Path<String>) -> Response {
    system.resources().get(&id).map_or_else(|| refuse(missing(&id)), |stored| stored.answer(StatusCode::OK))
}

async fn create(State(system): State<System>, body: String) -> Response {
    let mut document = match reply::parse_object(&body, "resource") {
        Ok(document) => document,
        Err(refusal) => return refuse(refusal),
    };
    if let Err(refusal) = check(&document) {
        return refuse(refusal);
    }
    let mut resources = system.resources();
    let id = document["id"].as_str().map_or_else(|| format!("resource-{}", resources.len() + 1), str::to_owned);
    if resources.contains_key(&id) {
        return refuse((StatusCode::CONFLICT, format!("there is a resource {id} already")));
    }
    document["id"] = id.as_str().into();
    document["href"] = format!("{BASE}/resource/{id}").into();
    system.control.record("created", format!("resource {id}"), "");
    let stored = Stored { document, version: 1, holder: String::new() };
    let response = stored.answer(StatusCode::CREATED);
    resources.insert(id, stored);
    response
}

async fn change(State(system): State<System>, Path(id): Path<String>, headers: HeaderMap, body: String) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = header(header::CONTENT_TYPE);
    if !PATCHES.contains(&media_type.split(';').next().unwrap_or_default().trim()) {
        return refuse((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the media type is {media_type:?}: expected {}", PATCHES.join(" or "))));
    }
    let mut resources = system.resources();
    let Some(stored) = resources.get_mut(&id) else { return refuse(missing(&id)) };
    let changed = match changed(stored, headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok()), &body) {
        Ok(changed) => changed,
        Err(refusal) => return refuse(refusal),
    };
    let before = stored.is_reserved();
    stored.document = changed;
    stored.version += 1;
    let (action, key) = match (before, stored.is_reserved()) {
        (false, true) => {
            stored.holder = header(HeaderName::from_static("idempotency-key")).to_owned();
            ("reserved", stored.holder.clone())
        }
        (true, false) => ("released", std::mem::take(&mut stored.holder)),
        (true, true) | (false, false) => ("replaced", stored.holder.clone()),
    };
    system.control.record(action, format!("resource {id}"), key);
    stored.answer(StatusCode::OK)
}

async fn remove(State(system): State<System>, Path(id): Path<String>) -> Response {
    let mut resources = system.resources();
    match resources.get(&id) {
        None => return refuse(missing(&id)),
        Some(stored) if stored.is_reserved() => return refuse((StatusCode::CONFLICT, format!("{id} is reserved"))),
        Some(_) => {}
    }
    resources.remove(&id);
    system.control.record("deleted", format!("resource {id}"), "");
    StatusCode::NO_CONTENT.into_response()
}

/// What a resource becomes by a patch.
fn changed(stored: &Stored, wanted: Option<&str>, body: &str) -> Result<Value, Refusal> {
    let patch = reply::parse_object(body, "resource")?;
    if wanted.is_some_and(|tag| tag != "*" && tag != stored.tag()) {
        return Err((StatusCode::PRECONDITION_FAILED, format!("the resource has the tag {} by now", stored.tag())));
    }
    if ["id", "href"].iter().any(|name| patch.get(name).is_some()) {
        return Err((StatusCode::BAD_REQUEST, "id and href cannot be changed".to_owned()));
    }
    let status = &stored.document["resourceStatus"];
    if patch["resourceStatus"] == "reserved" && *status != "available" {
        return Err((StatusCode::CONFLICT, format!("the resource is {status}: expected \"available\"")));
    }
    let mut changed = stored.document.clone();
    super::merge(&mut changed, &patch);
    check(&changed)?;
    Ok(changed)
}

fn check(document: &Value) -> Result<(), Refusal> {
    let status = &document["resourceStatus"];
    if !STATUSES.iter().any(|known| status == known) {
        return Err((StatusCode::BAD_REQUEST, format!("resourceStatus is {status}: expected one of {}", STATUSES.join(", "))));
    }
    if !document["resourceSpecification"]["id"].is_string() {
        return Err((StatusCode::BAD_REQUEST, "resourceSpecification.id is missing: expected the id of a resource specification".to_owned()));
    }
    Ok(())
}

fn missing(id: &str) -> Refusal {
    (StatusCode::NOT_FOUND, format!("there is no resource {id}"))
}

fn refuse((status, message): Refusal) -> Response {
    reply::tmf_error(status, message)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
