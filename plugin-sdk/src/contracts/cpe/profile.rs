//! `jackfield:cpe/profile`: what the customer of a device bought. Pure: it may read, it changes nothing.

use super::{Characteristic, Device, ServiceProfile};

/// Whose profile is wanted, for which device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The device.
    pub device: Device,
    /// The customer, as the inventory named it.
    pub customer_id: String,
    /// The plan, as the inventory named it.
    pub service_plan: String,
    /// What else the inventory said.
    pub characteristics: Vec<Characteristic>,
}

/// Look-up of profiles.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement a contract that `export!` names",
    note = "write `impl Profile for {Self}`, or take the contract out of `export!`"
)]
pub trait Profile {
    /// Fetches the profile. Passwords and keys are sealed ([`secrets::seal`](crate::secrets::seal)) as soon as they are read.
    ///
    /// # Errors
    /// A customer or plan without one is [`Failure::Rejected`](crate::Failure::Rejected) with the code `no_profile`.
    fn apply(call: &crate::Call, request: Request) -> Result<ServiceProfile, crate::Failure>;
}
