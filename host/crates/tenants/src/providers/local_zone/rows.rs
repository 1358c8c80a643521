//! Sets of records as they are kept: each value says whose it is.

use engine::port::Document;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RECORD_COLLECTION;
use crate::contract::DnsRecord;

/// All values of one name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordSet {
    pub(super) zone: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) ttl: u32,
    pub(super) shared: bool,
    pub(super) values: Vec<Owned>,
}

/// A value and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Owned {
    pub(super) value: String,
    pub(super) owner: String,
}

/// The id of a set's document.
pub(super) fn id(name: &str, kind: &str) -> String {
    format!("{name} {kind}")
}

/// What a requested record finds.
pub(super) struct Claim {
    pub(super) found: Option<RecordSet>,
    /// Who has what is requested, if it is somebody else.
    pub(super) foreign: Option<String>,
    /// Whether everything is there as requested.
    pub(super) is_met: bool,
    /// Whether anything of it is there.
    pub(super) is_begun: bool,
}

impl Claim {
    pub(super) fn of(found: Option<RecordSet>, owner: &str, record: &DnsRecord) -> Self {
        let Some(set) = &found else { return Self { found, foreign: None, is_met: false, is_begun: false } };
        // Sets that are shared and sets that are not do not mix, whosever they are.
        let other = set.values.iter().map(|value| &value.owner).find(|other| *other != owner);
        let foreign = match (record.shared, set.shared) {
            (true, true) => None,
            (false, false) => other.cloned(),
            (true, false) | (false, true) => Some(other.map_or_else(|| owner.to_owned(), Clone::clone)),
        };
        let has = |value: &String| set.values.iter().any(|found| found.value == *value && found.owner == owner);
        let complete = record.values.iter().all(has);
        let is_met = complete && (record.shared || (set.ttl == record.ttl && set.values.len() == record.values.len()));
        let is_begun = if record.shared { record.values.iter().any(has) } else { foreign.is_none() };
        Self { is_met: is_met && foreign.is_none(), is_begun, foreign, found }
    }
}

impl RecordSet {
    /// The set with a record that may be written: in its place, or, where it is shared, among the others. The values of a set have one TTL, the shortest.
    pub(super) fn with(found: Option<Self>, owner: &str, zone: &str, record: &DnsRecord) -> Self {
        let (mut values, mut ttl) = (Vec::new(), record.ttl);
        if let Some(set) = found.filter(|_| record.shared) {
            ttl = ttl.min(set.ttl);
            values = set.values;
        }
        values.extend(record.values.iter().map(|value| Owned { value: value.clone(), owner: owner.to_owned() }));
        values.sort();
        values.dedup();
        let (zone, name, kind) = (zone.to_owned(), record.name.clone(), record.kind.clone());
        Self { zone, name, kind, ttl, shared: record.shared, values }
    }

    /// The set without what an owner has of a record; nothing when it has nothing of it.
    pub(super) fn without(&self, owner: &str, record: &DnsRecord) -> Option<Self> {
        let goes = |value: &Owned| value.owner == owner && (!record.shared || record.values.contains(&value.value));
        let mut rest = self.clone();
        rest.values.retain(|value| !goes(value));
        (rest.values.len() < self.values.len()).then_some(rest)
    }

    /// The values, each once.
    pub(super) fn distinct(&self) -> Vec<String> {
        let mut values: Vec<_> = self.values.iter().map(|value| value.value.clone()).collect();
        values.dedup();
        values
    }

    pub(super) fn document(&self, rank: u64) -> Document {
        let attributes = vec![("zone", self.zone.clone())];
        Document { collection: RECORD_COLLECTION, id: id(&self.name, &self.kind), rank, body: json!(self), attributes }
    }
}
