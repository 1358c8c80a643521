//! The runtime over real components: loading, calls, limits, failures, capabilities.

#![allow(clippy::unwrap_used, reason = "tests")]

mod calls;
mod capabilities;
mod changed;
mod containment;
mod egress;
mod inventory_pool;
mod limits;
mod loading;
mod support;
mod turns;
