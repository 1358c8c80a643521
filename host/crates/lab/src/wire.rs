//! HTTP as a small device speaks it: one connection, one request at a time, bytes that are counted by hand.

mod answer;
mod connection;
mod login;
mod target;
mod tls;

pub use self::tls::{Tls, TlsError};
pub(crate) use self::{
    answer::Answer,
    connection::{Connection, WireError},
    login::{Algorithm, Credentials, Session as LoginSession},
    target::Target,
};
