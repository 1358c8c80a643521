//! Plugins called directly through the runtime: no engine, no journal, no binary; what they report is remembered.

mod bench;
mod component;
mod spans;

pub use self::{
    bench::{Bench, call, failed, inventory_request, receipt},
    component::{Core, append_manifest, component, inventory_manifest, order_files},
    spans::Spans,
};
