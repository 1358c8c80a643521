//! Records of messages as text, and back.

use hickory_proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{A, AAAA, CAA, CNAME, TXT},
};
use jackfield_plugin_sdk::zone::{self, RecordSet};

/// Bytes of one string of a TXT record.
const STRING: usize = 255;

/// A name of a request. One that was checked always is one.
pub(crate) fn name(text: &str) -> Option<Name> {
    Name::from_labels(text.split('.').map(str::as_bytes)).ok()
}

/// A name as requests have them.
pub(crate) fn dotted(name: &Name) -> String {
    let labels: Vec<String> = name.iter().map(|label| String::from_utf8_lossy(label).to_ascii_lowercase()).collect();
    labels.join(".")
}

/// The value of a record in the form of zone files.
#[expect(clippy::wildcard_enum_match_arm, reason = "types that are not of the contract are only shown")]
pub(crate) fn value(data: &RData) -> String {
    match data {
        RData::A(A(address)) => address.to_string(),
        RData::AAAA(AAAA(address)) => address.to_string(),
        RData::CNAME(CNAME(name)) => dotted(name),
        RData::TXT(text) => zone::quoted(&text.txt_data.concat()),
        RData::CAA(caa) => format!("{} {} {}", caa.flags(), caa.tag, zone::quoted(&caa.value)),
        other => other.to_string(),
    }
}

/// The data of a record with a value that was checked.
pub(crate) fn data(kind: &str, value: &str) -> Option<RData> {
    Some(match kind {
        "A" => RData::A(A(value.parse().ok()?)),
        "AAAA" => RData::AAAA(AAAA(value.parse().ok()?)),
        "CNAME" => RData::CNAME(CNAME(name(value)?)),
        "TXT" if value.is_empty() => RData::TXT(TXT::from_bytes(vec![b""])),
        "TXT" => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(STRING).collect())),
        "CAA" => {
            let (flags, tag, value) = zone::caa(value)?;
            let mut caa = CAA::new_issue(flags & 0x80 != 0, None, Vec::new());
            (caa.reserved_flags, caa.tag, caa.value) = (flags & 0x7f, tag, value.into_bytes());
            RData::CAA(caa)
        }
        _ => return None,
    })
}

/// The type that a text names.
pub(crate) fn kind(text: &str) -> Option<RecordType> {
    text.parse().ok()
}

/// Records as sets.
pub(crate) fn sets(records: &[Record]) -> Vec<RecordSet> {
    let mut sets: Vec<RecordSet> = Vec::new();
    for record in records {
        let (name, kind, value) = (dotted(&record.name), record.record_type().to_string(), value(&record.data));
        match sets.iter_mut().find(|set| set.name == name && set.kind == kind) {
            Some(set) => set.values.push(value),
            None => sets.push(RecordSet { name, kind, ttl: record.ttl, values: vec![value] }),
        }
    }
    sets
}
