//! HTTP to the endpoints that the manifest names: `http://{logical name}/path`. The host maps the name to the real
//! endpoint, adds authentication and trace context, and checks every request.
//!
//! ```no_run
//! # use jackfield_plugin_sdk::{http, Failure};
//! # #[derive(serde::Deserialize)] struct Port { name: String }
//! # fn port() -> Result<Port, Failure> {
//! let answer = http::Request::get("http://element/ports/7").header("accept", "application/json").send()?;
//! let port: Port = answer.require_success("port_refused")?.json()?;
//! # Ok(port) }
//! ```
//!
//! `?` turns an [`Error`] into the [`Failure`] that is true: `unavailable` as long as this call has changed nothing
//! outside, `unknown-outcome` from the first request on that may have changed something. Requests with the methods GET
//! and HEAD change nothing.

mod effects;
mod error;
mod request;
mod response;
#[cfg(target_family = "wasm")]
mod wasi;

pub use error::{BAD_ANSWER, Error, ErrorKind, NO_ANSWER, UNREACHABLE};
pub use request::{Method, Request, encode};
pub use response::Response;

#[cfg(target_family = "wasm")]
use wasi as transport;

#[cfg(not(target_family = "wasm"))]
use crate::testing::http as transport;

#[cfg(target_family = "wasm")]
pub(crate) use effects::reset as begin_call;
#[cfg(not(target_family = "wasm"))]
pub(crate) use effects::reset;

pub(crate) use effects::possible as effects_possible;
#[cfg(not(target_family = "wasm"))]
pub(crate) use response::Raw;

/// The failure codes that this module makes; every plugin with an HTTP capability declares them.
pub(crate) const CODES: &[&str] = &[UNREACHABLE, NO_ANSWER, BAD_ANSWER];

/// Bytes of a response body that are read unless [`Request::limit`] says otherwise.
pub const DEFAULT_LIMIT: usize = 1024 * 1024;
