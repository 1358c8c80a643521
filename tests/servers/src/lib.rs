//! Real servers for tests, each a child process on loopback with a temporary folder of its own.
//!
//! | type | server | stands for | after [`kill9`](Postgres::kill9) and [`restart`](Postgres::restart) |
//! |---|---|---|---|
//! | [`Postgres`] | PostgreSQL | the databases of tenants | has all that was committed |
//! | [`PowerDns`] | PowerDNS, with LMDB or SQLite | the DNS of a vendor with an HTTP API | has all that it acknowledged |
//! | [`Bind`] | BIND | the DNS of a vendor with signed updates (RFC 2136) | has all that it acknowledged |
//! | [`Pebble`] | Pebble | a certificate authority that speaks ACME | has lost every account, order and certificate |
//! | [`Moto`] | Moto | S3 with users, policies and signatures | has lost every bucket, and has other keys |
//! | [`SmtpSink`] | aiosmtpd | the mail server of a vendor, which fails on request | has what it received |
//!
//! Each has a way to look at it that is not ours: psql, dig, nsupdate, boto3, the management interface of Pebble and [`Lego`], an ACME
//! client. A test compares what the host says with what these say.
//!
//! A value of one of these types is a running server. It is killed, and its folder removed, when the value is dropped, and also when the
//! test process ends in any other way, so a `static` may hold one for all tests of a file. No service of the system is used or touched:
//! programs come from installed packages, or from those that `cargo xtask test` unpacked under `target/debian`, and run with a
//! configuration of their own. Ports are below those that the system gives to clients. A server is ready when it has answered a question
//! that only this instance can answer.
//!
//! What is not installed is [`Error::Missing`], with the line that installs it.

mod account;
mod bind;
mod dig;
mod error;
mod http;
mod identity;
mod lego;
mod moto;
mod pebble;
mod port;
mod postgres;
mod power_dns;
mod process;
mod program;
mod python;
mod random;
mod smtp_sink;

pub use bind::Bind;
pub use dig::Record;
pub use error::Error;
pub use lego::Lego;
pub use moto::{AccessKey, Moto};
pub use pebble::{Pebble, PebbleOptions};
pub use postgres::{Postgres, PostgresOptions};
pub use power_dns::{Backend, PowerDns};
pub use smtp_sink::{Received, SmtpOptions, SmtpSink};
