//! The requests: list, read and patch of resources.

use jackfield_plugin_sdk::{
    Failure,
    http::{self, Request},
};
use serde_json::Value;

use crate::{INVENTORY_REFUSED, document::Document, settings::Filters};

const BASE: &str = "/tmf-api/resourceInventoryManagement/v4/resource";
const MERGE_PATCH: &str = "application/merge-patch+json";
/// How many free resources are listed at a time: more than are tried, so that calls in parallel rarely meet.
const PAGE: &str = "50";
/// The answers that say that somebody else was faster: gone, changed, changed.
const OVERTAKEN: [u16; 3] = [404, 409, 412];

/// How a change ended.
pub(crate) enum Patched {
    /// It is there.
    Done,
    /// Somebody else was faster. Nothing was changed.
    Overtaken,
}

/// Where a resource is.
pub(crate) fn path(id: &str) -> String {
    format!("{BASE}/{}", http::encode(id))
}

/// The resources that carry the reservation of a key.
pub(crate) fn reserved_by(key: &str) -> Result<Vec<Document>, Failure> {
    let filters: Filters = [("resourceCharacteristic.value".to_owned(), key.to_owned())].into();
    let found = list(&filters)?;
    // A customer's characteristic with our key as its value would be a strange thing, but not ours.
    Ok(found.into_iter().filter(|it| it.reserved_by() == Some(key)).collect())
}

/// The ids of free resources: those of the preferred element if it has any, otherwise all.
pub(crate) fn free(filters: &Filters, preferred: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut filters = filters.clone();
    filters.insert("resourceStatus".into(), "available".into());
    if let Some(element) = preferred {
        let mut nearer = filters.clone();
        nearer.insert("resourceRelationship.id".into(), element.into());
        // Only a wish: an inventory that cannot filter by it is no reason to fail.
        let nearer = page(&nearer)?.into_iter().filter(|it| nearer.iter().all(|(name, value)| it.has(name, value)));
        let ids = ids(nearer);
        if !ids.is_empty() {
            return Ok(ids);
        }
    }
    Ok(ids(list(&filters)?))
}

/// One resource and its entity tag, or none.
pub(crate) fn read(id: &str) -> Result<Option<(Document, String)>, Failure> {
    let answer = Request::get(url(&path(id))).send()?;
    if answer.status() == 404 {
        return Ok(None);
    }
    let answer = answer.require_success(INVENTORY_REFUSED)?;
    let Some(tag) = answer.header("etag").map(str::to_owned) else {
        let message = format!("the inventory gives {id} no entity tag: without it two orders could take it");
        return Err(Failure::rejected(INVENTORY_REFUSED, message));
    };
    Ok(Some((document(answer.json()?)?, tag)))
}

/// Changes a resource that is still as it was read.
pub(crate) fn patch(id: &str, tag: &str, key: &str, change: &Value) -> Result<Patched, Failure> {
    let request = Request::patch(url(&path(id))).header("content-type", MERGE_PATCH).header("if-match", tag).header("idempotency-key", key);
    let answer = request.json(change).send()?;
    if OVERTAKEN.contains(&answer.status()) {
        return Ok(Patched::Overtaken);
    }
    answer.require_success(INVENTORY_REFUSED)?;
    Ok(Patched::Done)
}

/// The first page of what fits. An answer with anything else in it comes from an inventory that does not filter so, whose first page proves nothing.
fn list(filters: &Filters) -> Result<Vec<Document>, Failure> {
    let documents = page(filters)?;
    for (name, value) in filters {
        if let Some(other) = documents.iter().find(|it| !it.has(name, value)) {
            let message = format!("the inventory does not filter by {name}: asked for {value:?}, it answered {}, which has another", other.id());
            return Err(Failure::rejected(INVENTORY_REFUSED, message));
        }
    }
    Ok(documents)
}

fn page(filters: &Filters) -> Result<Vec<Document>, Failure> {
    let query: String = filters.iter().map(|(name, value)| format!("{}={}&", http::encode(name), http::encode(value))).collect();
    let answer = Request::get(format!("{}?{query}limit={PAGE}", url(BASE))).send()?.require_success(INVENTORY_REFUSED)?;
    let listed: Vec<Value> = answer.json()?;
    listed.into_iter().map(document).collect()
}

fn document(value: Value) -> Result<Document, Failure> {
    Document::new(value).ok_or_else(|| Failure::unavailable(http::BAD_ANSWER, "the inventory answered a resource without an id"))
}

fn ids(documents: impl IntoIterator<Item = Document>) -> Vec<String> {
    documents.into_iter().map(|it| it.id().to_owned()).collect()
}

fn url(path: &str) -> String {
    format!("http://inventory{path}")
}
