//! The virtual device against a small scripted server over real HTTP.
#![allow(clippy::unwrap_used, reason = "tests")]

mod acs;
mod captured;
mod faults;
mod rpcs;
mod sessions;
mod storms;
mod tls;
mod transfers;
mod wake;
