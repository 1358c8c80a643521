//! What plugins may import: one file per interface.

mod bindings;
mod config;
pub(crate) mod http;
pub(crate) mod interface;
pub(crate) mod keyvalue;
mod metrics;
pub(crate) mod net;
pub(crate) mod secrets;
pub(crate) mod spans;
pub(crate) mod stderr;
pub(crate) mod tcp;
pub(crate) mod telemetry;

use wasmtime::component::{HasData, Linker};

use crate::call::CallState;

/// Gives the host interfaces access to the whole state of a call.
struct OfCall;

impl HasData for OfCall {
    type Data<'a> = &'a mut CallState;
}

/// Links every interface that the host itself offers. What a plugin may import is decided before it is linked.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    bindings::keyvalue::add_to_linker::<_, OfCall>(linker, |state| state)?;
    bindings::secrets::add_to_linker::<_, OfCall>(linker, |state| state)?;
    bindings::config::add_to_linker::<_, OfCall>(linker, |state| state)?;
    bindings::telemetry::add_to_linker::<_, OfCall>(linker, |state| state)?;
    bindings::spans::add_to_linker::<_, OfCall>(linker, |state| state)?;
    bindings::metrics::add_to_linker::<_, OfCall>(linker, |state| state)
}
