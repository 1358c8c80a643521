//! Test implementations of the ports: a store in memory, a clock that is set by hand, providers written as functions.

mod clock;
mod providers;
mod store;

pub use self::{
    clock::SimClock,
    providers::{Providers, pin, table},
    store::MemoryStore,
};
