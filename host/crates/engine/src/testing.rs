//! Test implementations of the ports: a store, secrets and spans in memory, a clock that is set by hand, providers written as functions.

mod clock;
mod providers;
mod secrets;
mod spans;
mod store;

pub use self::{
    clock::SimClock,
    providers::{Providers, pin, table},
    secrets::MemorySecrets,
    spans::MemorySpans,
    store::MemoryStore,
};
