//! Bindings: which provider answers which contract for which input. A revision of the table is immutable and known by its content hash.

mod cache;
mod check;
mod explain;
mod selectors;
mod table;

pub(crate) use self::{
    cache::{Bindings, Tables},
    explain::suits,
};
pub use self::{
    check::BindingProblem,
    explain::{Explained, Fit, Misfit},
    selectors::SelectorNames,
    table::{Binding, BindingTable, BoundPlugin, Choice, PinPolicy},
};
