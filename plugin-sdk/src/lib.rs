//! Write Jackfield plugins in Rust.
//!
#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
pub mod config;
mod contracts;
mod export;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod glue;
pub mod http;
pub mod kv;
mod manifest;
pub mod metrics;
pub mod secrets;
pub mod spans;
pub mod sql;
mod step;
pub mod telemetry;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use contracts::{
    Characteristic, Resource, ServiceSpec, activation,
    activation::Activation,
    billing,
    billing::Billing,
    catalog,
    catalog::Catalog,
    characteristic, cpe,
    cpe::{configuration, configuration::Configuration, device_inventory, device_inventory::DeviceInventory, profile, profile::Profile},
    inventory,
    inventory::Inventory,
    provisioning,
    provisioning::Provisioning,
    tenant,
    tenant::{
        certificate, certificate::Certificate, certificate_order, certificate_order::CertificateOrder, dns, dns::Dns, integration,
        integration::Integration, mail, mail::Mail, seed, seed::Seed, storage, storage::Storage,
    },
};
pub use manifest::{Capabilities, Contract, Endpoint, Manifest, Metric, MetricKind, SECTION, Secret, Setting, Telemetry, Verb};
pub use step::{Call, Callback, Failure, Observed, Outcome, Pending, Reason, Signal, Unavailable};
