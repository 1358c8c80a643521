//! Records as the API has them: one for each value.

use jackfield_plugin_sdk::zone::{self, Change, RecordSet};
use serde::Deserialize;
use serde_json::{Value, json};

/// A record.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    ttl: u32,
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// A new record.
    Create(Value),
    /// Another value or TTL of a record.
    Update(String, Value),
    /// A record goes.
    Delete(String),
}

/// Records of one name and type as sets.
pub(crate) fn sets(records: &[Record]) -> Vec<RecordSet> {
    let mut sets: Vec<RecordSet> = Vec::new();
    for Record { name, kind, content, ttl, .. } in records {
        match sets.iter_mut().find(|set| set.name == *name && set.kind == *kind) {
            Some(set) => set.values.push(content.clone()),
            None => sets.push(RecordSet { name: name.clone(), kind: kind.clone(), ttl: *ttl, values: vec![content.clone()] }),
        }
    }
    sets
}

/// What to do for a change, with the records that were seen: a value that goes becomes one that comes as far as there are both.
pub(crate) fn operations(change: &Change, records: &[Record]) -> Vec<Operation> {
    let of_set = |it: &&Record| it.name.trim_end_matches('.').eq_ignore_ascii_case(&change.name) && it.kind == change.kind;
    let there: Vec<&Record> = records.iter().filter(of_set).collect();
    let value = |record: &Record| zone::canonical(&change.kind, &record.content);
    let removed: Vec<&str> = change.removed().collect();
    let (going, staying): (Vec<&Record>, Vec<&Record>) = there.into_iter().partition(|record| removed.contains(&value(record).as_str()));
    let mut going = going.into_iter();
    let mut operations: Vec<Operation> = Vec::new();
    for added in change.added() {
        operations.push(match going.next() {
            Some(old) if !change.shared => Operation::Update(old.id.clone(), body(change, added)),
            Some(_) | None => Operation::Create(body(change, added)),
        });
    }
    operations.extend(going.map(|record| Operation::Delete(record.id.clone())));
    let other_ttl = staying.into_iter().filter(|record| !change.shared && record.ttl != change.ttl);
    operations.extend(other_ttl.map(|record| Operation::Update(record.id.clone(), body(change, &value(record)))));
    operations
}

fn body(change: &Change, value: &str) -> Value {
    let Change { name, kind, ttl, .. } = change;
    let mut body = json!({ "name": name, "type": kind, "ttl": ttl });
    match (kind.as_str(), zone::caa(value)) {
        ("CAA", Some((flags, tag, value))) => body["data"] = json!({ "flags": flags, "tag": tag, "value": value }),
        ("TXT", _) => body["content"] = zone::quoted(value.as_bytes()).into(),
        _ => body["content"] = value.into(),
    }
    if ["A", "AAAA", "CNAME"].contains(&kind.as_str()) {
        body["proxied"] = false.into();
    }
    body
}
