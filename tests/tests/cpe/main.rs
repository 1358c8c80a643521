//! Devices: virtual ones over real HTTP, the real binary, real plugins, back ends of the lab.
#![allow(clippy::unwrap_used, reason = "tests")]

mod good_device;
mod hostile;
mod operator;
mod orders;
mod support;
mod telemetry;
mod tls;
mod transfers;
mod trouble;
