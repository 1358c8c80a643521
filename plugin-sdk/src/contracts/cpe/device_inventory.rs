//! `jackfield:cpe/inventory`: whose device it is. Pure: it may read, it changes nothing.

use super::{Characteristic, Device};

/// The device that wants to be provisioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The device.
    pub device: Device,
}

/// What the inventory knows of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The customer that the device belongs to.
    pub customer_id: String,
    /// The plan that the customer has. It becomes a label of metrics.
    pub service_plan: String,
    /// Where the device is, if the inventory says so.
    pub location_id: Option<String>,
    /// What else the next steps need to know.
    pub characteristics: Vec<Characteristic>,
}

/// Look-up of devices.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement a contract that `export!` names",
    note = "write `impl DeviceInventory for {Self}`, or take the contract out of `export!`"
)]
pub trait DeviceInventory {
    /// Looks the device up.
    ///
    /// # Errors
    /// A device that the inventory does not have is [`Failure::Rejected`](crate::Failure::Rejected) with the code `unknown_device`.
    fn apply(call: &crate::Call, request: Request) -> Result<Subscription, crate::Failure>;
}
