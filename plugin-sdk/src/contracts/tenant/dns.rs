//! `jackfield:tenant/dns`: names of tenants.

pub use super::DnsRecord;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose records they are: the tenant's id.
    pub owner: String,
    /// The zone, without the last dot.
    pub zone: String,
    /// The records, all of them in the zone.
    pub records: Vec<DnsRecord>,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The zone.
    pub zone: String,
    /// Whose records they are.
    pub owner: String,
    /// The records that were written, or were there as requested.
    pub records: Vec<DnsRecord>,
    /// The vendor, such as `powerdns`.
    pub provider: String,
}

crate::contracts::effectful! {
    /// Names of tenants. `apply` writes the records that differ and reads them back, `undo` removes this owner's. Never overwrites a record of another
    /// owner: that is rejected with the code `foreign_record`.
    Dns
}
