//! A network element with RESTCONF (RFC 8040): data resources that are list entries, in the JSON encoding of RFC 7951.
//!
//! GET 200 or 404, PUT 201 or 204, DELETE 204 or 404; `ETag` with `If-Match` and `If-None-Match` (412); errors as `ietf-restconf:errors`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::{Value, json};

use crate::{control::Control, reply};

const MEDIA_TYPE: &str = "application/yang-data+json";
const DATA: &str = "/restconf/data/";

/// The routes of the element.
pub(crate) fn element(control: Control) -> Router {
    let element = Element { control, data: Arc::default() };
    Router::new().route("/restconf/data/{*path}", any(handle)).with_state(element)
}

#[derive(Clone)]
struct Element {
    control: Control,
    data: Arc<Mutex<Data>>,
}

#[derive(Default)]
struct Data {
    entries: BTreeMap<Place, Entry>,
    version: u64,
}

/// A list entry: the path of its list, and its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    module: String,
    list: String,
    key: String,
}

struct Entry {
    value: Value,
    tag: String,
}

/// Why a request was refused: the status, the error tag of RFC 8040 section 7, a message.
type Refusal = (StatusCode, &'static str, String);

async fn handle(State(element): State<Element>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The encoded path: a key may have an encoded slash, which must not be taken for one that separates.
    let Some(place) = parts.uri.path().strip_prefix(DATA).and_then(Place::parse) else {
        return refuse((StatusCode::BAD_REQUEST, "invalid-value", "the path is no list entry: expected module:container/list=key".to_owned()));
    };
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return refuse((StatusCode::BAD_REQUEST, "malformed-message", "the body broke off".to_owned()));
    };
    let result = match parts.method {
        Method::GET => element.read(&place),
        Method::PUT => element.write(place, &parts.headers, &body),
        Method::DELETE => element.delete(&place, &parts.headers),
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, "operation-not-supported", "expected GET, PUT or DELETE".to_owned())),
    };
    result.unwrap_or_else(refuse)
}

impl Place {
    fn parse(path: &str) -> Option<Self> {
        let (container, entry) = path.split_once('/')?;
        let (module, _) = container.split_once(':')?;
        let (list, key) = entry.split_once('=')?;
        let plain = !key.is_empty() && !key.contains('/');
        plain.then(|| Self { module: module.to_owned(), list: list.to_owned(), key: reply::decode(key) })
    }

    /// The member that a document of this entry has.
    fn member(&self) -> String {
        format!("{}:{}", self.module, self.list)
    }

    fn resource(&self) -> String {
        format!("{}={}", self.member(), self.key)
    }
}

impl Element {
    fn read(&self, place: &Place) -> Result<Response, Refusal> {
        let data = self.data();
        let entry = data.entries.get(place).ok_or_else(|| missing(place))?;
        let document = json!({ place.member(): [entry.value] });
        let mut response = reply::typed(StatusCode::OK, MEDIA_TYPE, &document);
        response.headers_mut().insert(header::ETAG, entry.tag.parse().expect("a tag is made of a number"));
        Ok(response)
    }

    fn write(&self, place: Place, headers: &HeaderMap, body: &Bytes) -> Result<Response, Refusal> {
        let media_type = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
        if media_type != MEDIA_TYPE {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid-value", format!("the media type is {media_type:?}: expected {MEDIA_TYPE}")));
        }
        let value = instance(&place, body)?;
        let mut data = self.data();
        check_conditions(data.entries.get(&place), headers)?;
        data.version += 1;
        let tag = format!("\"v{}\"", data.version);
        let (resource, owner) = (place.resource(), owner(&value));
        let before = data.entries.insert(place, Entry { value, tag });
        let (action, status) = if before.is_none() { ("created", StatusCode::CREATED) } else { ("replaced", StatusCode::NO_CONTENT) };
        self.control.record(action, resource, owner);
        Ok(status.into_response())
    }

    fn delete(&self, place: &Place, headers: &HeaderMap) -> Result<Response, Refusal> {
        let mut data = self.data();
        let found = data.entries.get(place);
        if found.is_none() {
            return Err(missing(place));
        }
        check_conditions(found, headers)?;
        let removed = data.entries.remove(place);
        self.control.record("deleted", place.resource(), removed.map(|entry| owner(&entry.value)).unwrap_or_default());
        Ok(StatusCode::NO_CONTENT.into_response())
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The instance in a body: an array of one under the list's name, with the key that the path names (RFC 8040, section 4.5).
fn instance(place: &Place, body: &[u8]) -> Result<Value, Refusal> {
    let malformed = |message: String| (StatusCode::BAD_REQUEST, "malformed-message", message);
    let document: Value = serde_json::from_slice(body).map_err(|error| malformed(format!("the body is not JSON: {error}")))?;
    let instances = document[place.member()].as_array();
    let Some([value]) = instances.map(Vec::as_slice) else {
        return Err(malformed(format!("expected an array of one instance under {:?}", place.member())));
    };
    if value["id"] != place.key {
        return Err((StatusCode::BAD_REQUEST, "invalid-value", format!("the instance's key is {}: the path says {:?}", value["id"], place.key)));
    }
    Ok(value.clone())
}

fn check_conditions(found: Option<&Entry>, headers: &HeaderMap) -> Result<(), Refusal> {
    let none_match = text(headers, &header::IF_NONE_MATCH) == Some("*");
    let wanted = text(headers, &header::IF_MATCH);
    let holds = !(none_match && found.is_some()) && wanted.is_none_or(|wanted| found.is_some_and(|entry| entry.tag == wanted));
    if holds { Ok(()) } else { Err((StatusCode::PRECONDITION_FAILED, "operation-failed", "the precondition does not hold".to_owned())) }
}

fn missing(place: &Place) -> Refusal {
    (StatusCode::NOT_FOUND, "invalid-value", format!("there is no {}", place.resource()))
}

fn refuse((status, tag, message): Refusal) -> Response {
    let error = json!({ "error-type": "application", "error-tag": tag, "error-message": message });
    reply::typed(status, MEDIA_TYPE, &json!({ "ietf-restconf:errors": { "error": [error] } }))
}

/// Whoever wrote an entry, if its model has such a leaf.
fn owner(value: &Value) -> String {
    value["owner"].as_str().unwrap_or_default().to_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
