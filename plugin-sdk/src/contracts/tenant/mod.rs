//! The contracts of `jackfield:tenant`: storage, names, certificates, the first data, other systems, a welcome.

pub mod certificate;
pub mod certificate_order;
pub mod dns;
pub mod integration;
pub mod mail;
pub mod seed;
pub mod storage;

pub use super::{Characteristic, characteristic};

/// A tenant as every step knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, which never changes: 1 to 64 characters of `[a-z0-9_-]`.
    pub id: String,
    /// Its name in addresses: a label of DNS.
    pub slug: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be, as the operator names the region.
    pub region: String,
}

/// One set of records of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsRecord {
    /// The whole name in lower case, without the last dot.
    pub name: String,
    /// The type: `A`, `AAAA`, `CNAME`, `TXT` or `CAA`.
    pub kind: String,
    /// How long it may be remembered, in seconds.
    pub ttl: u32,
    /// The values as in a zone file, a text without its quotes; a name without the last dot.
    pub values: Vec<String>,
    /// Whether others may have values of the same name and type. If so, only these are added and removed; if not, the whole set is this
    /// owner's, and a TXT record beside it says so.
    pub shared: bool,
}

/// What a certificate authority wants to find in the DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The whole name of the TXT record, without the last dot.
    pub name: String,
    /// Its text.
    pub value: String,
}
