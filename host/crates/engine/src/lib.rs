//! Drives runs: obeys the commands of the pure reducer, records results as events, owns timers, callbacks and recovery.
//!
//! The engine knows the world through its [`port`]s only. What it promises rests on one rule: an effect is begun after the append that decided on it is
//! durable, and its result is recorded before anything follows from it.

pub mod api;
mod attempt;
mod bindings;
mod definitions;
mod driver;
mod feed;
mod fold;
mod ids;
pub mod port;
mod recovery;
mod routed;
mod row;
mod shared;
mod start;
mod task;
mod tasks;
pub mod testing;
mod timers;
mod token;

pub use self::{
    bindings::{Binding, BindingTable, BoundPlugin},
    definitions::Pack,
    driver::{Driver, OpenError, Options, Ports},
    routed::Routed,
    shared::Sampler,
};
