//! The back ends.

mod activation;
mod billing;
mod catalogue;
mod element;
mod inventory;

pub use self::catalogue::{Catalogue, CatalogueError};
pub(crate) use self::{activation::activation, billing::billing, catalogue::catalogue, element::element, inventory::inventory};
