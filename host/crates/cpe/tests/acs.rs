//! The CWMP server against devices that speak HTTP byte by byte.

#[path = "acs/device.rs"]
mod device;
#[path = "acs/server.rs"]
mod server;
#[path = "acs/sessions.rs"]
mod sessions;
