//! `jackfield:tenant/storage`: the place where a tenant keeps files.

pub use super::{Characteristic, Tenant};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose it is, and what it may cost and where it may be.
    pub tenant: Tenant,
    /// The name of the bucket. Names of buckets are shared with the whole world.
    pub bucket: String,
    /// What to write on it, such as who pays.
    pub labels: Vec<Characteristic>,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The bucket.
    pub bucket: String,
    /// Where it is, as the vendor names the region.
    pub region: String,
    /// The vendor, such as `aws`.
    pub provider: String,
    /// The tenant's id, which is written on the bucket.
    pub owner: String,
}

crate::contracts::effectful! {
    /// Storage of tenants. `apply` makes the bucket, `undo` removes it with everything in it.
    Storage
}
