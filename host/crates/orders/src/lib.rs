//! Product orders: the pipeline `order` and the TM Forum interface (TMF622 v4) over which orders come in.
//!
//! The pack is data and pure functions for the engine ([`definition`], [`document`], [`initial_series`]) and one HTTP router ([`tmf622::router`]). What a
//! user sees of an order is projected from committed events; nothing here keeps state of its own.

mod contract;
mod input;
mod measure;
mod options;
mod order_pipeline;
mod projection;
pub mod tmf622;

#[cfg(test)]
mod simulation;

pub use self::{
    input::{ItemAction, ItemInput, OrderInput},
    measure::{REASONS, initial_series, measure},
    options::{Options, Policy, StepOptions},
    order_pipeline::{PIPELINE, RESOURCE_TYPES, VERSION, definition},
    projection::{COLLECTION, OrderState, document},
};
