//! `jackfield:order/inventory`: takes one resource for one service.

pub use crate::contracts::{Characteristic, Resource, ServiceSpec};

/// What is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the order.
    pub order: String,
    /// The id of the customer, if the order names one.
    pub customer: Option<String>,
    /// The place of installation, if the order names one. May be a street address: personal data.
    pub location: Option<String>,
    /// The service that needs a resource, and of which type.
    pub service: ServiceSpec,
    /// The network element to take it from if it has one free; another will do.
    pub preferred_element: Option<String>,
}

/// The resource that was taken.
pub type Receipt = Resource;

crate::contracts::effectful! {
    /// Allocation of resources. `apply` takes one, or rejects with the code `no_inventory`; `undo` gives it back.
    Inventory
}
