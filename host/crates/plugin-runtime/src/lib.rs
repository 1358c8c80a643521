//! Runs plugins: WebAssembly components that answer step contracts, under limits.
//!
//! [`Runtime::load`] checks a component against its manifest, the contracts this host speaks and what the operator granted, and compiles it. [`WasmRunner`] makes
//! calls: a fresh instance for each, with a budget of CPU time, one wall clock, bounded memory and bounded output. Whatever the host causes itself it also
//! classifies itself; a plugin's word counts only for what the plugin knows.
//!
//! This is the only crate that names wasmtime. It knows nothing of journals, of OpenTelemetry or of what a step is for.
//!
//! ```
//! use plugin_runtime::{Options, Runtime};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let runtime = Runtime::new(Options { max_calls: 4, ..Options::default() }).unwrap();
//! // Whatever is wrong with a file is said before anything of it runs.
//! let refused = runtime.check(b"\x7fELF and so on".to_vec()).await.unwrap_err();
//! assert_eq!(refused.to_string(), "the file is not webassembly: it begins with 7f 45 4c 46, expected 00 61 73 6d");
//! # });
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod aot;
mod bulkhead;
mod call;
mod contracts;
mod engine_config;
mod error;
mod grant;
mod guard;
mod host;
mod limits;
mod load;
mod options;
mod plugin;
mod runner;
mod runtime;
pub mod shape;

pub use self::{
    aot::worker::{WorkerError, compile_worker},
    contracts::{Contract, Contracts, ContractsError},
    engine_config::Allocation,
    error::{ContractMismatch, LoadError, RuntimeError},
    grant::{AddressRange, Auth, Grant, HmacAlgorithm, HmacAuth, HmacEncoding, HmacOver, HttpRule, Rate, Secret, TracePolicy},
    guard::{BreakerOptions, BreakerState, EndpointHealth, PluginHealth, RetryBudgetOptions},
    host::secrets::{HostSecrets, SealKey, SealKeyError},
    limits::PluginLimits,
    load::{ContractVerdict, ImportVerdict, Report, VerbVerdict, Verdict},
    options::{CompileLimits, Limits, Options},
    plugin::{Crossing, Plugin, PluginContract, Plugins},
    runner::WasmRunner,
    runtime::Runtime,
};
