//! `GET /productOrder`: filters by first-level attributes, pages, selected attributes.
//!
//! As TMF630 has it, several values of one attribute are alternatives, whether the attribute is repeated or its values are separated by commas or semicolons;
//! several attributes must all match.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use engine::port::{DocumentPage, DocumentQuery};
use serde_json::Value;

use super::{ApiError, Intake, reply, shortened};
use crate::projection::{COLLECTION, FILTERS, MAX_INDEXED, select};

/// How many orders a page has unless the client says otherwise.
const DEFAULT_LIMIT: u64 = 20;

/// How many orders a page has at most. A client that asks for more gets so many, and sees it in `X-Result-Count`.
const MAX_LIMIT: u64 = 100;

/// The deepest offset. The store counts through skipped rows.
const MAX_OFFSET: u64 = 1_000_000;

/// How many values there may be in all filters together.
const MAX_FILTERS: usize = 32;

/// How many attributes can be selected.
const MAX_FIELDS: usize = 64;

#[derive(Debug, Default)]
struct Wanted {
    fields: Option<Vec<String>>,
    offset: Option<u64>,
    limit: Option<u64>,
    filters: Vec<(String, String)>,
}

pub(super) async fn list(State(intake): State<Arc<Intake>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let Wanted { fields, offset, limit, filters } = parse(query.as_deref())?;
    let (offset, limit) = (offset.unwrap_or(0), limit.unwrap_or(DEFAULT_LIMIT));
    let query = DocumentQuery { collection: COLLECTION, equal: filters, offset, limit };
    let DocumentPage { documents, total } = intake.documents.find(query).await.map_err(ApiError::unreadable)?;
    let orders = documents.into_iter().map(|document| match &fields {
        Some(fields) => select(document.body, fields),
        None => document.body,
    });
    let orders: Vec<Value> = orders.collect();
    let mut response = reply::json(StatusCode::OK, &orders);
    let counts = [("x-total-count", total), ("x-result-count", orders.len() as u64)];
    response.headers_mut().extend(counts.map(|(name, count)| (HeaderName::from_static(name), HeaderValue::from(count))));
    Ok(response)
}

/// The selection of a request that allows nothing else.
pub(super) fn only_fields(query: Option<&str>) -> Result<Option<Vec<String>>, ApiError> {
    let mut fields = None;
    for (key, value) in pairs(query)? {
        match key.as_str() {
            "fields" => once(&mut fields, &key, read_fields(&decoded(&key, value)?)?)?,
            _ => return Err(ApiError::invalid_query(&shortened(&key), "is not known here: expected fields")),
        }
    }
    Ok(fields)
}

fn parse(query: Option<&str>) -> Result<Wanted, ApiError> {
    let mut wanted = Wanted::default();
    for (key, value) in pairs(query)? {
        match key.as_str() {
            "fields" => once(&mut wanted.fields, &key, read_fields(&decoded(&key, value)?)?)?,
            "offset" => once(&mut wanted.offset, &key, number(&key, &decoded(&key, value)?, 0..=MAX_OFFSET)?)?,
            "limit" => once(&mut wanted.limit, &key, number(&key, &decoded(&key, value)?, 1..=u64::MAX)?.min(MAX_LIMIT))?,
            filter if FILTERS.contains(&filter) => {
                for value in value.split([',', ';']) {
                    wanted.filters.push((key.clone(), read_filter(&key, decoded(&key, value)?)?));
                }
            }
            _ => {
                let expected = format!("is not known: expected fields, offset, limit or one of the attributes {}", FILTERS.join(", "));
                return Err(ApiError::invalid_query(&shortened(&key), expected));
            }
        }
        if wanted.filters.len() > MAX_FILTERS {
            return Err(ApiError::invalid_query(&key, format!("is one value too many: expected at most {MAX_FILTERS} in all filters")));
        }
    }
    Ok(wanted)
}

/// Takes a parameter that has one value.
fn once<T>(place: &mut Option<T>, key: &str, value: T) -> Result<(), ApiError> {
    if place.replace(value).is_none() { Ok(()) } else { Err(ApiError::invalid_query(key, "is given twice: expected it once")) }
}

/// The parameters in order, repeated ones kept. Values are as they were sent, because an encoded comma separates nothing.
fn pairs(query: Option<&str>) -> Result<Vec<(String, &str)>, ApiError> {
    let parts = query.unwrap_or_default().split('&').filter(|part| !part.is_empty());
    let parts = parts.map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        Ok((decoded(key, key)?, value))
    });
    parts.collect()
}

fn decoded(key: &str, text: &str) -> Result<String, ApiError> {
    decode(text).ok_or_else(|| ApiError::invalid_query(&shortened(key), "is not valid percent-encoded UTF-8"))
}

/// Percent-decoding as in `application/x-www-form-urlencoded`, except that `+` stays: timestamps have it and clients forget to encode it.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        if byte == b'%' {
            let digits = bytes.get(position + 1..position + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            decoded.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            position += 3;
        } else {
            decoded.push(byte);
            position += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

fn read_fields(value: &str) -> Result<Vec<String>, ApiError> {
    let fields: Vec<String> = value.split(',').map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect();
    if fields.is_empty() || fields.len() > MAX_FIELDS || fields.iter().any(|field| field.contains('.')) {
        return Err(ApiError::invalid_query(
            "fields",
            format!("is not valid: expected 1 to {MAX_FIELDS} first-level attributes separated by commas"),
        ));
    }
    Ok(fields)
}

fn read_filter(key: &str, value: String) -> Result<String, ApiError> {
    let expected = format!("is not valid: expected a value of 1 to {MAX_INDEXED} bytes");
    if (1..=MAX_INDEXED).contains(&value.len()) { Ok(value) } else { Err(ApiError::invalid_query(key, expected)) }
}

fn number(key: &str, value: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, ApiError> {
    let expected = if *range.end() == u64::MAX { format!("at least {}", range.start()) } else { format!("{} to {}", range.start(), range.end()) };
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| ApiError::invalid_query(key, format!("is `{}`: expected a whole number, {expected}", shortened(value))))
}
