//! The providers against servers that are not ours: Pebble with PowerDNS, and a mail server. What they need is installed by `cargo xtask test`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "real/acme.rs"]
mod acme;
#[path = "real/smtp.rs"]
mod smtp;
#[allow(dead_code, reason = "shared with the tests of the crate itself")]
#[path = "../src/providers/testing.rs"]
mod testing;
