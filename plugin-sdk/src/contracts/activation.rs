//! `jackfield:order/activation`: switches the service on and tests it.

pub use crate::contracts::{Characteristic, Resource, ServiceSpec};

/// What to activate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the order.
    pub order: String,
    /// The id of the customer, if the order names one.
    pub customer: Option<String>,
    /// All services of the order.
    pub services: Vec<ServiceSpec>,
    /// All resources of the order, configured.
    pub resources: Vec<Resource>,
}

/// What was activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the service in the activation system.
    pub service_id: String,
    /// The state there; `active` is the good one.
    pub result: String,
    /// Whether the test of the service passed.
    pub test_passed: bool,
}

crate::contracts::effectful! {
    /// Activation of a service. `apply` switches it on, often with [`Pending`](crate::Pending); `undo` terminates it.
    Activation
}
