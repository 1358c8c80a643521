//! `jackfield:order/provisioning`: configures one resource in the network.

pub use crate::contracts::{Characteristic, Resource, ServiceSpec};

/// What to configure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the order.
    pub order: String,
    /// The place of installation, if the order names one. May be a street address: personal data.
    pub location: Option<String>,
    /// The service the resource is for.
    pub service: ServiceSpec,
    /// The resource.
    pub resource: Resource,
}

/// What was configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id or path of what was written, enough for `undo` to find it.
    pub configuration: String,
    /// The network element it was written to.
    pub network_element: String,
    /// The state in a word, for example `configured`.
    pub result: String,
}

crate::contracts::effectful! {
    /// Configuration of resources. `apply` writes it, `undo` removes it.
    Provisioning
}
