//! Read, write and delete one data resource (RFC 8040, sections 4.3, 4.5 and 4.7), with entity tags where the server
//! gives them, so that nothing is overwritten that was not read.

use jackfield_plugin_sdk::{
    Failure,
    http::{Request, Response},
};
use serde::Deserialize;

use crate::{
    CONFIG_REFUSED,
    entry::{Document, Entry},
};

const MEDIA_TYPE: &str = "application/yang-data+json";

/// What is there.
pub(crate) struct Found {
    pub(crate) entry: Entry,
    pub(crate) tag: Option<String>,
}

/// How a write ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there.
    Done,
    /// The precondition failed: somebody was faster. Nothing was written.
    Overtaken,
}

/// The entry at a path, or none.
pub(crate) fn read(path: &str) -> Result<Option<Found>, Failure> {
    let answer = Request::get(url(path)).header("accept", MEDIA_TYPE).send()?;
    if answer.status() == 404 {
        return Ok(None);
    }
    let answer = success(answer)?;
    let tag = answer.header("etag").map(str::to_owned);
    let Document { service } = answer.json()?;
    Ok(service.into_iter().next().map(|entry| Found { entry, tag }))
}

/// Creates the entry, or replaces the one that was found.
pub(crate) fn write(path: &str, entry: &Entry, before: Option<&Found>) -> Result<Written, Failure> {
    let request = Request::put(url(path)).header("accept", MEDIA_TYPE).header("content-type", MEDIA_TYPE);
    let request = match before {
        None => request.header("if-none-match", "*"),
        Some(Found { tag: Some(tag), .. }) => request.header("if-match", tag),
        Some(Found { tag: None, .. }) => request,
    };
    let answer = request.json(&Document { service: vec![entry.clone()] }).send()?;
    if answer.status() == 412 {
        return Ok(Written::Overtaken);
    }
    success(answer)?;
    Ok(Written::Done)
}

/// Deletes the entry, if it has that entity tag. One that is gone is fine.
pub(crate) fn delete(path: &str, tag: Option<&str>) -> Result<(), Failure> {
    let request = Request::delete(url(path)).header("accept", MEDIA_TYPE);
    let request = match tag {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    let answer = request.send()?;
    if answer.status() == 412 {
        return Err(Failure::unavailable(CONFIG_REFUSED, format!("{path} changed while it was to be deleted")));
    }
    if answer.status() != 404 {
        success(answer)?;
    }
    Ok(())
}

fn url(path: &str) -> String {
    format!("http://element{path}")
}

/// `ietf-restconf:errors` (RFC 8040, section 8).
#[derive(Deserialize)]
struct Errors {
    #[serde(rename = "ietf-restconf:errors")]
    errors: ErrorList,
}

#[derive(Deserialize)]
struct ErrorList {
    error: Vec<Error>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Error {
    error_tag: String,
    #[serde(default)]
    error_message: String,
}

/// As [`Response::require_success`], but a lock held by somebody else is worth a retry: RFC 8040 answers 409 for it.
fn success(answer: Response) -> Result<Response, Failure> {
    let error = if answer.status() == 409 { answer.json::<Errors>().ok().and_then(|it| it.errors.error.into_iter().next()) } else { None };
    match (error, answer.require_success(CONFIG_REFUSED)) {
        (Some(error), Err(Failure::Rejected(reason))) if ["in-use", "lock-denied"].contains(&error.error_tag.as_str()) => {
            Err(Failure::unavailable(CONFIG_REFUSED, format!("{} ({})", reason.message, error.error_message)))
        }
        (_, result) => result,
    }
}
