//! Whether records can be kept: what a DNS server would refuse is refused here.

use std::net::{Ipv4Addr, Ipv6Addr};

use pipeline::Failure;

use super::KINDS;
use crate::{
    contract::{DnsRecord, DnsRequest},
    providers::{
        effect::rejected,
        names::{is_name, shown},
    },
};

/// How many records a request has at most.
const MOST_RECORDS: usize = 64;

/// How many values a record has at most.
const MOST_VALUES: usize = 64;

/// The longest value in bytes.
const LONGEST_VALUE: usize = 4096;

/// The longest TTL (RFC 2181, section 8).
const LONGEST_TTL: u32 = 0x7fff_ffff;

pub(super) fn request(request: &DnsRequest) -> Result<(), Failure> {
    let owner = &request.owner;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if !(1..=128).contains(&owner.len()) || !owner.bytes().all(good) {
        return Err(bad(format!("`{}` is no owner: expected 1 to 128 characters of [a-zA-Z0-9._:-]", shown(owner))));
    }
    if !is_name(&request.zone, false) {
        return Err(bad(format!("`{}` is no name of a zone", shown(&request.zone))));
    }
    let (count, records) = (request.records.len(), &request.records);
    if !(1..=MOST_RECORDS).contains(&count) {
        return Err(bad(format!("a request has {count} records: expected 1 to {MOST_RECORDS}")));
    }
    for (n, one) in records.iter().enumerate() {
        if records[..n].iter().any(|other| (&other.name, &other.kind) == (&one.name, &one.kind)) {
            return Err(bad(format!("{} {} is there twice", shown(&one.name), shown(&one.kind))));
        }
        if one.kind == "CNAME" && records.iter().any(|other| other.name == one.name && other.kind != "CNAME") {
            return Err(bad(format!("{} cannot have records beside a CNAME", shown(&one.name))));
        }
        record(&request.zone, one)?;
    }
    Ok(())
}

fn record(zone: &str, record: &DnsRecord) -> Result<(), Failure> {
    let DnsRecord { name, kind, ttl, values, shared } = record;
    let inside = name == zone || name.strip_suffix(zone).is_some_and(|front| front.ends_with('.'));
    if !is_name(name, true) || !inside {
        return Err(rejected("not_in_zone", format!("`{}` is no name in the zone {zone}", shown(name))));
    }
    if !KINDS.contains(&kind.as_str()) {
        return Err(bad(format!("`{}` is no type of records: expected one of {}", shown(kind), KINDS.join(", "))));
    }
    if *shared && kind != "TXT" {
        return Err(bad(format!("{name} {kind} is to be shared: only TXT records are")));
    }
    let most = if kind == "CNAME" { 1 } else { MOST_VALUES };
    if !(1..=most).contains(&values.len()) || *ttl > LONGEST_TTL {
        return Err(bad(format!("{name} {kind} has {} values and the TTL {ttl}: expected 1 to {most} and at most {LONGEST_TTL}", values.len())));
    }
    match values.iter().find(|value| value.len() > LONGEST_VALUE || !is_value(kind, value)) {
        Some(value) => Err(bad(format!("`{}` is no value of a record of type {kind}", shown(value)))),
        None => Ok(()),
    }
}

fn is_value(kind: &str, value: &str) -> bool {
    match kind {
        "A" => value.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<Ipv6Addr>().is_ok(),
        "CNAME" => is_name(value, false),
        "TXT" => !value.chars().any(char::is_control),
        _ => is_caa(value),
    }
}

/// Flags, a tag and a value in quotes (RFC 8659, section 4.1.1).
fn is_caa(value: &str) -> bool {
    let mut parts = value.splitn(3, ' ');
    let (flags, tag, rest) = (parts.next(), parts.next(), parts.next());
    let quoted = rest.and_then(|rest| rest.strip_prefix('"')).and_then(|rest| rest.strip_suffix('"'));
    flags.is_some_and(|flags| flags.parse::<u8>().is_ok())
        && tag.is_some_and(|tag| !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && quoted.is_some_and(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\'))
}

fn bad(message: String) -> Failure {
    rejected("bad_record", message)
}
