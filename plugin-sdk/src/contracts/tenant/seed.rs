//! `jackfield:tenant/seed`: fills the database of a new tenant.

pub use super::{Characteristic, Tenant};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose database it is.
    pub tenant: Tenant,
    /// What the tenant calls itself.
    pub name: String,
    /// Which data to begin with, as the plan says.
    pub template: String,
    /// What the data says.
    pub settings: Vec<Characteristic>,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which data.
    pub template: String,
    /// Its version.
    pub version: String,
    /// How many rows.
    pub rows: u64,
}

crate::contracts::effectful! {
    /// The first data of a tenant, written through [`sql`](crate::sql).
    Seed
}
