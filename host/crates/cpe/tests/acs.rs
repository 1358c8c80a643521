//! The CWMP server against devices that speak HTTP byte by byte.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "acs/auth.rs"]
mod auth;
#[path = "acs/bad_input.rs"]
mod bad_input;
#[path = "acs/device.rs"]
mod device;
#[path = "acs/http.rs"]
mod http;
#[path = "acs/limits.rs"]
mod limits;
#[path = "acs/mutated.rs"]
mod mutated;
#[path = "acs/server.rs"]
mod server;
#[path = "acs/sessions.rs"]
mod sessions;
