//! The query of a list, as TMF630 has it: filters by attribute, `fields`, `offset` and `limit`.

use serde_json::Value;

use crate::reply;

/// How many resources are listed unless the query says otherwise, and at most.
const LIMIT: usize = 100;
const MOST: usize = 1000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Attributes, and the values that each may have.
    filters: Vec<(String, Vec<String>)>,
    /// The attributes of the first level to show; none means all.
    fields: Option<Vec<String>>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

impl Query {
    /// Reads a query string. A comma separates alternatives; an encoded one is part of a value.
    pub(super) fn parse(query: &str) -> Result<Self, String> {
        let mut parsed = Self { filters: Vec::new(), fields: None, offset: 0, limit: LIMIT };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is no filter: expected attribute=value"))?;
            let values: Vec<String> = value.split(',').map(reply::decode).collect();
            let number = || value.parse::<usize>().map_err(|_| format!("{name} is {value:?}: expected a number"));
            match reply::decode(name).as_str() {
                "offset" => parsed.offset = number()?,
                "limit" => parsed.limit = number()?.min(MOST),
                "fields" => parsed.fields = Some(values),
                attribute => parsed.filters.push((attribute.to_owned(), values)),
            }
        }
        Ok(parsed)
    }

    /// Whether a document passes all filters. A dot leads below an attribute; of a list, any element will do.
    pub(super) fn matches(&self, document: &Value) -> bool {
        self.filters.iter().all(|(attribute, values)| {
            let path: Vec<&str> = attribute.split('.').collect();
            values.iter().any(|value| has(document, &path, value))
        })
    }

    /// The attributes that were asked for; `id` and `href` are always there.
    pub(super) fn select(&self, document: &Value) -> Value {
        let (Some(fields), Value::Object(all)) = (&self.fields, document) else { return document.clone() };
        let shown = |name: &str| ["id", "href"].contains(&name) || fields.iter().any(|field| field == name);
        all.iter().filter(|(name, _)| shown(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

fn has(value: &Value, path: &[&str], wanted: &str) -> bool {
    match (value, path) {
        (Value::Array(all), _) => all.iter().any(|it| has(it, path, wanted)),
        (_, [name, rest @ ..]) => has(&value[*name], rest, wanted),
        (Value::String(text), []) => text == wanted,
        (other, []) => other.to_string().as_str() == wanted,
    }
}
