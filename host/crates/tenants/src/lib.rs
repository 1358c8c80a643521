//! Tenants of a service: the pipeline `tenant`, the interface over which they come and go, and the providers that the host has for their steps.

pub mod contract;
pub mod providers;
