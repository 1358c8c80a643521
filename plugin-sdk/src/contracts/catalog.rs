//! `jackfield:order/catalog`: what an offering consists of. Pure: it may read, it changes nothing.

pub use crate::contracts::{Characteristic, ServiceSpec};

/// What the order item asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A new product.
    Add,
    /// A change of an existing product.
    Modify,
    /// The end of an existing product.
    Delete,
}

#[cfg(target_family = "wasm")]
impl Action {
    /// The case with this WIT discriminant; the bindings call it.
    #[doc(hidden)]
    #[allow(unsafe_code, clippy::missing_safety_doc, reason = "the bindings call it as an unsafe function")]
    pub unsafe fn _lift(discriminant: u8) -> Self {
        match discriminant {
            0 => Self::Add,
            1 => Self::Modify,
            2 => Self::Delete,
            other => panic!("the host sent action {other}, which the canonical ABI forbids"),
        }
    }
}

/// An order item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the product offering.
    pub offering: String,
    /// What to do with it.
    pub action: Action,
    /// How many, from 1.
    pub quantity: u32,
    /// The characteristics that the customer chose.
    pub characteristics: Vec<Characteristic>,
}

/// What it takes to fulfil the order item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decomposition {
    /// The services, in the order in which to provision them. Never empty.
    pub services: Vec<ServiceSpec>,
    /// The billing plan, if the catalogue names one.
    pub plan: Option<String>,
}

/// Decomposition of an offering into services.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement a contract that `export!` names",
    note = "write `impl Catalog for {Self}`, or take the contract out of `export!`"
)]
pub trait Catalog {
    /// Decomposes an order item.
    ///
    /// # Errors
    /// An offering that does not exist or consists of nothing is [`Failure::Rejected`](crate::Failure::Rejected).
    fn apply(call: &crate::Call, request: Request) -> Result<Decomposition, crate::Failure>;
}
