//! Product orders: the pipeline `order` and the TM Forum interface (TMF622 v4) over which orders come in.
//!
//! The pack is data and pure functions for the engine ([`definition`], [`document`], [`initial_series`]) and one HTTP router ([`tmf622::router`]). What a
//! user sees of an order is projected from committed events; nothing here keeps state of its own.
//!
//! ```
//! // The pipeline is data: it can be listed without being run.
//! let definition = orders::definition(&orders::Options::default());
//! definition.validate().unwrap();
//! let steps: Vec<_> = definition.steps.iter().map(|step| step.name.as_str()).collect();
//! assert_eq!(steps, ["decompose", "allocate_inventory", "provision", "activate", "billing_setup"]);
//! let contracts: Vec<_> = definition.steps.iter().filter_map(|step| Some(step.work.contract()?.short().to_owned())).collect();
//! assert_eq!(contracts, ["catalog", "inventory", "provisioning", "activation", "billing"]);
//! ```

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
