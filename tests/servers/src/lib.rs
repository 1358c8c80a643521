//! Real servers for tests, each a child process on loopback with a temporary folder of its own.
//!
//! | type | server | stands for |
//! |---|---|---|
//! | [`Postgres`] | PostgreSQL | the databases of tenants |
//! | [`PowerDns`] | PowerDNS, LMDB or SQLite | DNS of a vendor with an HTTP API |

mod account;
mod dig;
mod error;
mod http;
mod port;
mod postgres;
mod power_dns;
mod process;
mod program;
mod random;

pub use dig::Record;
pub use error::Error;
pub use postgres::{Postgres, PostgresOptions};
pub use power_dns::{Backend, PowerDns};
