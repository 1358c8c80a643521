//! Plugins called directly through the runtime: no engine, no journal, no binary; what they report is remembered.

mod bench;
mod component;
mod keys;
mod spans;

pub use self::{
    bench::{Bench, call, call_of, failed, inventory_request, receipt},
    component::{Core, append_manifest, component, inventory_manifest, order_files},
    keys::Keys,
    spans::{Child, Spans},
};
