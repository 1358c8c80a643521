//! The virtual device against a small scripted server over real HTTP.
#![allow(clippy::unwrap_used, reason = "tests")]

mod acs;
mod faults;
mod rpcs;
mod sessions;
mod storms;
mod transfers;
mod wake;
