//! Changes as an update: prerequisites are what was seen (RFC 2136, sections 2.4 and 2.5).

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{DNSClass, Name, Record, RecordType},
};
use jackfield_plugin_sdk::zone::{self, Change};

use crate::records::{data, dotted, kind, name, value};

/// An update without changes, whose one prerequisite is that nothing has the name.
pub(crate) fn unused(id: u16, zone: &Name, name: Name) -> Message {
    let mut message = empty(id, zone);
    message.answers.push(bare(name, RecordType::ANY, DNSClass::NONE));
    message
}

/// All changes. None if a name or a value is none, which requests were checked for.
pub(crate) fn update(id: u16, zone: &Name, changes: &[Change], seen: &[Record]) -> Option<Message> {
    let mut message = empty(id, zone);
    for change in changes {
        let (owner, of_kind) = (name(&change.name)?, kind(&change.kind)?);
        let there = set(seen, &change.name, of_kind);
        if !change.shared {
            require(&mut message, as_seen(&owner, of_kind, &there));
            let marker = zone::marker(&change.name);
            let says = set(seen, &marker, RecordType::TXT);
            if !says.is_empty() && change.name != marker {
                require(&mut message, as_seen(&name(&marker)?, RecordType::TXT, &says));
            }
        }
        let goes = |kind: &str| changes.iter().any(|it| it.name == change.name && it.kind == kind && it.after.is_empty());
        let beside = changes.iter().any(|it| it.name == change.name && it != change);
        if of_kind != RecordType::CNAME {
            if !change.after.is_empty() && !goes("CNAME") {
                require(&mut message, vec![bare(owner.clone(), RecordType::CNAME, DNSClass::NONE)]);
            }
        } else if there.is_empty() && !beside {
            require(&mut message, vec![bare(owner.clone(), RecordType::ANY, DNSClass::NONE)]);
        }
        message.authorities.extend(updates(change, &owner, of_kind, &there)?);
    }
    Some(message)
}

/// Of a shared set the values that differ; otherwise the whole set anew.
fn updates(change: &Change, owner: &Name, of_kind: RecordType, there: &[&Record]) -> Option<Vec<Record>> {
    let added = |value: &str| Some(Record::from_rdata(owner.clone(), change.ttl, data(&change.kind, value)?));
    if !change.shared {
        let mut all = vec![bare(owner.clone(), of_kind, DNSClass::ANY)];
        for value in &change.after {
            all.push(added(value)?);
        }
        return Some(all);
    }
    let removed: Vec<&str> = change.removed().collect();
    let goes = |record: &&&Record| removed.contains(&zone::canonical(&change.kind, &value(&record.data)).as_str());
    let mut all: Vec<Record> = there.iter().filter(goes).map(|record| classed(record, DNSClass::NONE)).collect();
    for value in change.added() {
        all.push(added(value)?);
    }
    Some(all)
}

fn empty(id: u16, zone: &Name) -> Message {
    let mut message = Message::new(id, MessageType::Query, OpCode::Update);
    message.add_query(Query::query(zone.clone(), RecordType::SOA));
    message
}

fn set<'a>(seen: &'a [Record], name: &str, kind: RecordType) -> Vec<&'a Record> {
    seen.iter().filter(|record| record.record_type() == kind && dotted(&record.name) == name).collect()
}

/// That a set is exactly as it was seen: these records, or none.
fn as_seen(owner: &Name, kind: RecordType, there: &[&Record]) -> Vec<Record> {
    if there.is_empty() {
        return vec![bare(owner.clone(), kind, DNSClass::NONE)];
    }
    there.iter().map(|record| classed(record, DNSClass::IN)).collect()
}

fn require(message: &mut Message, prerequisites: Vec<Record>) {
    for prerequisite in prerequisites {
        if !message.answers.contains(&prerequisite) {
            message.answers.push(prerequisite);
        }
    }
}

/// A record without data, whose class says what it means.
fn bare(owner: Name, kind: RecordType, class: DNSClass) -> Record {
    let mut record = Record::update0(owner, 0, kind);
    record.dns_class = class;
    record
}

fn classed(record: &Record, class: DNSClass) -> Record {
    let mut record = record.clone();
    (record.dns_class, record.ttl) = (class, 0);
    record
}
