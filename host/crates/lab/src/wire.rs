//! HTTP as a small device speaks it: one connection, one request at a time, bytes that are counted by hand.

mod connection;
mod login;
mod tls;

pub use self::tls::{Tls, TlsError};
pub(crate) use self::{
    connection::{Answer, Connection, Target, WireError},
    login::{Algorithm, Credentials, Session as LoginSession},
};
