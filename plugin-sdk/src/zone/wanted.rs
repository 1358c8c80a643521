//! What is asked for, checked and in one form.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

use super::{BAD_REQUEST, MAX_TTL, text};
use crate::{Failure, dns, tenant::DnsRecord};

/// The first label of a name that says whose the name is.
const MARKER: &str = "_jackfield-owner";
/// The types of the contract.
const KINDS: [&str; 5] = ["A", "AAAA", "CNAME", "TXT", "CAA"];
/// Sets in a request. A tenant has a handful.
const MAX_RECORDS: usize = 64;
/// Values in a set.
const MAX_VALUES: usize = 32;
/// Bytes of a value: longer texts are no use in a DNS answer.
const MAX_VALUE: usize = 4096;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The zone.
    pub zone: String,
    /// Whose the records are.
    pub owner: String,
    /// The sets, each name and type once; values sorted, each once.
    pub records: Vec<DnsRecord>,
}

/// Where the TXT record is that says whose a name is.
pub fn marker(name: &str) -> String {
    match name.strip_prefix("*.") {
        Some(rest) => format!("{MARKER}._wildcard.{rest}"),
        None => format!("{MARKER}.{name}"),
    }
}

/// What that TXT record says.
pub fn marker_text(owner: &str) -> String {
    format!("heritage=jackfield,owner={owner}")
}

impl Wanted {
    pub(super) fn of_request(request: &dns::Request, ttls: &RangeInclusive<u32>) -> Result<Self, Failure> {
        if request.records.is_empty() {
            return Err(bad("there are no records; expected at least one"));
        }
        if let Some(empty) = request.records.iter().find(|record| record.values.is_empty()) {
            return Err(bad(format!("{:?} {} has no values; expected at least one", empty.name, empty.kind)));
        }
        Self::new(&request.owner, &request.zone, &request.records, ttls)
    }

    /// A receipt of what had drifted may have sets without values.
    pub(super) fn of_receipt(receipt: &dns::Receipt) -> Result<Self, Failure> {
        Self::new(&receipt.owner, &receipt.zone, &receipt.records, &(0..=MAX_TTL))
    }

    fn new(owner: &str, zone: &str, records: &[DnsRecord], ttls: &RangeInclusive<u32>) -> Result<Self, Failure> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        if owner.is_empty() || owner.len() > 128 || !owner.bytes().all(allowed) {
            return Err(bad(format!("the owner is {owner:?}; expected 1 to 128 characters of [a-zA-Z0-9._:-]")));
        }
        if records.len() > MAX_RECORDS {
            return Err(bad(format!("there are {} sets of records; expected at most {MAX_RECORDS}", records.len())));
        }
        let zone = domain(zone)?;
        let mut merged: Vec<DnsRecord> = Vec::new();
        for record in records {
            let record = normal(record, &zone, ttls)?;
            match merged.iter_mut().find(|it| it.name == record.name && it.kind == record.kind) {
                Some(same) if same.shared && record.shared => {
                    same.values.extend(record.values);
                    same.values.sort();
                    same.values.dedup();
                }
                Some(_) => return Err(bad(format!("{} {} is asked for twice", record.name, record.kind))),
                None => merged.push(record),
            }
        }
        if let Some(alias) = merged.iter().find(|it| it.kind == "CNAME" && merged.iter().any(|other| other.name == it.name && other.kind != "CNAME"))
        {
            return Err(bad(format!("{} is asked for as a CNAME and as something else; expected one or the other", alias.name)));
        }
        Ok(Self { zone, owner: owner.to_owned(), records: merged })
    }

    /// Where to look: at every name, and at what says whose it is.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let owned = self.records.iter().filter(|it| !it.shared).map(|it| marker(&it.name));
        self.records.iter().map(|it| it.name.clone()).chain(owned).collect()
    }
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::rejected(BAD_REQUEST, message)
}

fn normal(record: &DnsRecord, zone: &str, ttls: &RangeInclusive<u32>) -> Result<DnsRecord, Failure> {
    let (name, kind) = (domain(&record.name)?, record.kind.to_ascii_uppercase());
    if name != zone && !name.ends_with(&format!(".{zone}")) {
        return Err(bad(format!("{name:?} is not in the zone {zone:?}")));
    }
    if name.split('.').any(|label| label == MARKER) {
        return Err(bad(format!("{name:?}: names with {MARKER} say whose a name is, and are written by themselves")));
    }
    if !KINDS.contains(&kind.as_str()) {
        return Err(bad(format!("{name}: the type is {:?}; expected one of {}", record.kind, KINDS.join(", "))));
    }
    if kind == "CNAME" && (record.shared || record.values.len() > 1 || name == zone) {
        return Err(bad(format!("{name}: a CNAME cannot be shared, has one value and is not at the apex of a zone")));
    }
    if record.ttl > MAX_TTL {
        return Err(bad(format!("{name} {kind}: the TTL is {}; expected at most {MAX_TTL}", record.ttl)));
    }
    if record.values.len() > MAX_VALUES {
        return Err(bad(format!("{name} {kind} has {} values; expected at most {MAX_VALUES}", record.values.len())));
    }
    let mut values = record.values.iter().map(|it| value(&name, &kind, it)).collect::<Result<Vec<_>, _>>()?;
    values.sort();
    values.dedup();
    let ttl = record.ttl.clamp(*ttls.start(), *ttls.end());
    Ok(DnsRecord { name, kind, ttl, values, shared: record.shared })
}

/// A value of a request. A text there is without quotes, so that quotes in it are part of it.
fn value(name: &str, kind: &str, value: &str) -> Result<String, Failure> {
    if value.len() > MAX_VALUE {
        return Err(bad(format!("{name} {kind}: a value has {} bytes; expected at most {MAX_VALUE}", value.len())));
    }
    let fits = match kind {
        "A" => value.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<Ipv6Addr>().is_ok(),
        "CNAME" => return domain(value),
        "CAA" => text::caa(value).is_some(),
        _ => return Ok(value.to_owned()),
    };
    if fits { Ok(text::canonical(kind, value)) } else { Err(bad(format!("{name} {kind}: {value:?} is no value of this type"))) }
}

/// A name in lower case without the last dot.
fn domain(text: &str) -> Result<String, Failure> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |(at, label): (usize, &str)| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        (1..=63).contains(&label.len()) && (plain || (at == 0 && label == "*"))
    };
    if name.len() <= 253 && name.split('.').enumerate().all(label) {
        return Ok(name);
    }
    let shown: String = text.chars().take(80).collect();
    Err(bad(format!("{shown:?} is no name: expected labels of 1 to 63 characters of [a-z0-9_-] and 253 in all, a wildcard only in front")))
}
