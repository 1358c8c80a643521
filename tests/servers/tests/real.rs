//! Every server starts, answers what only it can, is killed and started again, and runs beside another of its kind. What it needs is
//! installed by `cargo xtask test`.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "real/bind.rs"]
mod bind;
#[path = "real/moto.rs"]
mod moto;
#[path = "real/pebble.rs"]
mod pebble;
#[path = "real/postgres.rs"]
mod postgres;
#[path = "real/power_dns.rs"]
mod power_dns;
#[path = "real/smtp_sink.rs"]
mod smtp_sink;
