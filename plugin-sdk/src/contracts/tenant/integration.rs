//! `jackfield:tenant/integration`: tells another system of a new tenant.

pub use super::{Characteristic, Tenant};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whom it is about.
    pub tenant: Tenant,
    /// What the tenant calls itself.
    pub name: String,
    /// The system, as the plan names it.
    pub integration: String,
    /// Where the tenant is found.
    pub domain: String,
    /// What else the plan says about it.
    pub settings: Vec<Characteristic>,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The system.
    pub integration: String,
    /// What the tenant is there.
    pub id: String,
}

crate::contracts::effectful! {
    /// Other systems that know of tenants. `apply` tells one, `undo` tells it that the tenant is gone.
    Integration
}
