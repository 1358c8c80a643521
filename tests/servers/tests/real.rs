//! Every server starts, answers what only it can, survives being killed, and runs beside another. `cargo xtask test` installs them.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "real/postgres.rs"]
mod postgres;
#[path = "real/power_dns.rs"]
mod power_dns;
