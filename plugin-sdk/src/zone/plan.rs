//! What is wanted against what is there: pure functions.

use super::{
    Seen, Wanted,
    text::canonical,
    wanted::{marker, marker_text},
};
use crate::{Observed, tenant::DnsRecord};

/// The types that a name is used with; as long as one of them is there, the name has an owner.
const USES: [&str; 4] = ["A", "AAAA", "CNAME", "CAA"];

/// All records of one name and type, as a zone has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: String,
    /// The TTL in seconds.
    pub ttl: u32,
    /// The values.
    pub values: Vec<String>,
}

impl RecordSet {
    /// The same in the form in which sets are compared.
    #[must_use]
    pub fn canonical(self) -> Self {
        let Self { name, kind, ttl, values } = self;
        let (name, kind) = (name.trim_end_matches('.').to_ascii_lowercase(), kind.to_ascii_uppercase());
        let mut values: Vec<String> = values.iter().map(|value| canonical(&kind, value)).collect();
        values.sort();
        values.dedup();
        Self { name, kind, ttl, values }
    }
}

/// One set that is to become another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: String,
    /// The TTL it is to have.
    pub ttl: u32,
    /// Whether others have values in it too.
    pub shared: bool,
    /// What was seen, if the set is there.
    pub before: Option<RecordSet>,
    /// The values it is to have; none: the set is to go.
    pub after: Vec<String>,
}

impl Change {
    /// The values that are there and are to go.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.seen().iter().filter(|value| !self.after.contains(value)).map(String::as_str)
    }

    /// The values that are to come.
    pub fn added(&self) -> impl Iterator<Item = &str> {
        self.after.iter().filter(|value| !self.seen().contains(value)).map(String::as_str)
    }

    /// Whether nothing but the TTL differs.
    pub fn is_only_ttl(&self) -> bool {
        self.before.is_some() && self.removed().next().is_none() && self.added().next().is_none()
    }

    fn seen(&self) -> &[String] {
        self.before.as_ref().map_or(&[], |set| &set.values)
    }
}

/// What is in the way.
#[derive(Debug)]
pub(super) struct Foreign {
    /// Whose it is.
    pub(super) whose: String,
    /// What is in the way.
    pub(super) message: String,
}

/// What has to be changed; whose a name is comes first.
pub(super) fn changes(wanted: &Wanted, present: &[RecordSet]) -> Result<Vec<Change>, Foreign> {
    let (mut markers, mut changes): (Vec<Change>, Vec<Change>) = (Vec::new(), Vec::new());
    for record in &wanted.records {
        let obstacles = obstacles(wanted, present, record)?;
        for obstacle in obstacles.into_iter().map(|set| removed(set.clone())) {
            // Two records of one name have the same obstacle.
            if !changes.contains(&obstacle) {
                changes.push(obstacle);
            }
        }
        let before = set(present, &record.name, &record.kind);
        let change = change_of(record, before);
        let same = before.is_some_and(|set| record.shared || set.ttl == record.ttl) && change.is_only_ttl();
        if !same {
            changes.push(change);
        }
        let marker = marker(&record.name);
        if !record.shared && set(present, &marker, "TXT").is_none() && !markers.iter().any(|it| it.name == marker) {
            let after = vec![marker_text(&wanted.owner)];
            markers.push(Change { name: marker, kind: "TXT".into(), ttl: record.ttl, shared: false, before: None, after });
        }
    }
    markers.extend(changes);
    Ok(markers)
}

/// What has to go; whose a name is comes last.
pub(super) fn removal(wanted: &Wanted, present: &[RecordSet]) -> Vec<Change> {
    let (mut changes, mut markers): (Vec<Change>, Vec<Change>) = (Vec::new(), Vec::new());
    for record in &wanted.records {
        let found = set(present, &record.name, &record.kind);
        if record.shared {
            let Some(set) = found else { continue };
            let after: Vec<String> = set.values.iter().filter(|value| !record.values.contains(value)).cloned().collect();
            if after.len() < set.values.len() {
                changes.push(Change { after, shared: true, ..removed(set.clone()) });
            }
            continue;
        }
        let marker = marker(&record.name);
        let Some(says) = set(present, &marker, "TXT").filter(|set| owner(set) == wanted.owner) else { continue };
        changes.extend(found.map(|set| removed(set.clone())));
        let goes = |kind: &str| wanted.records.iter().any(|it| !it.shared && it.name == record.name && it.kind == kind);
        let used = present.iter().any(|set| set.name == record.name && USES.contains(&set.kind.as_str()) && !goes(&set.kind));
        if !used && !markers.iter().any(|it| it.name == marker) {
            markers.push(removed(says.clone()));
        }
    }
    changes.extend(markers);
    changes
}

/// What is there of what is wanted.
pub(super) fn observe(wanted: &Wanted, present: &[RecordSet], provider: &str) -> Seen {
    let (mut complete, mut absent) = (true, true);
    let mut receipt = wanted.receipt(provider);
    for (record, seen) in wanted.records.iter().zip(&mut receipt.records) {
        let obstacles = match obstacles(wanted, present, record) {
            Ok(obstacles) => obstacles,
            Err(foreign) => return Observed::Foreign(foreign.whose),
        };
        let change = change_of(record, set(present, &record.name, &record.kind));
        let marked = record.shared || set(present, &marker(&record.name), "TXT").is_some();
        complete &= marked && change.is_only_ttl() && obstacles.is_empty();
        let there = change.before.map_or_else(Vec::new, |set| set.values);
        seen.values = there.into_iter().filter(|value| !record.shared || record.values.contains(value)).collect();
        absent &= seen.values.is_empty() && (record.shared || !marked);
    }
    match (complete, absent) {
        (true, _) => Observed::Ours(wanted.receipt(provider)),
        (false, true) => Observed::Absent,
        (false, false) => Observed::Drifted(receipt),
    }
}

fn set<'a>(present: &'a [RecordSet], name: &str, kind: &str) -> Option<&'a RecordSet> {
    present.iter().find(|set| set.name == name && set.kind == kind)
}

/// Whom a marker names. One that nobody of us wrote names its whole text, which is no owner's.
fn owner(marker: &RecordSet) -> String {
    match marker.values.as_slice() {
        [text] => text.strip_prefix(marker_text("").as_str()).unwrap_or(text).to_owned(),
        several => several.join(" and "),
    }
}

/// The sets of this owner that have to go before the record can come: a CNAME stands alone at its name.
fn obstacles<'a>(wanted: &Wanted, present: &'a [RecordSet], record: &DnsRecord) -> Result<Vec<&'a RecordSet>, Foreign> {
    let DnsRecord { name, kind, shared, .. } = record;
    let says = set(present, &marker(name), "TXT").map(owner);
    match says.as_deref() {
        Some(other) if !shared && other != wanted.owner => {
            return Err(Foreign { whose: other.to_owned(), message: format!("{name} belongs to {other}, not to {}", wanted.owner) });
        }
        Some(_) | None => {}
    }
    let ours = !shared && says.is_some();
    let mut obstacles = Vec::new();
    for set in present.iter().filter(|set| set.name == *name) {
        let same = set.kind == *kind;
        let alone = (set.kind == "CNAME" || kind == "CNAME") && !["RRSIG", "NSEC"].contains(&set.kind.as_str());
        let in_the_way = if same { !shared && !ours } else { alone };
        if in_the_way && !(ours && USES.contains(&set.kind.as_str())) {
            let message = format!("{name} {} is there and has no owner of ours: expected a TXT record at {}", set.kind, marker(name));
            return Err(Foreign { whose: format!("{name} {} of nobody known", set.kind), message });
        }
        if in_the_way && !same {
            obstacles.push(set);
        }
    }
    Ok(obstacles)
}

fn change_of(record: &DnsRecord, before: Option<&RecordSet>) -> Change {
    let DnsRecord { name, kind, ttl, values, shared } = record.clone();
    let mut after = values;
    let mut ttl = ttl;
    if let (true, Some(set)) = (shared, before) {
        after.extend(set.values.iter().cloned());
        after.sort();
        after.dedup();
        ttl = set.ttl;
    }
    Change { name, kind, ttl, shared, before: before.cloned(), after }
}

fn removed(set: RecordSet) -> Change {
    let RecordSet { name, kind, ttl, .. } = set.clone();
    Change { name, kind, ttl, shared: false, before: Some(set), after: Vec::new() }
}
