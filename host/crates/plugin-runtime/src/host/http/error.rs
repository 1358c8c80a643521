//! What went wrong on the way, as a guest sees it.

use std::{error::Error as _, io};

use hyper_util::client::legacy;
use wasmtime_wasi_http::Error;

use crate::host::net::ConnectError;

/// The error as a guest sees it. What went wrong before anything was written must not look like a lost answer.
pub(super) fn translated(error: &legacy::Error) -> Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(connect) = cause.downcast_ref::<ConnectError>() {
            return from_connect(connect);
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            return from_hyper(hyper);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return from_io(io, error.is_connect());
        }
        source = cause.source();
    }
    if error.is_connect() {
        Error::DnsError { rcode: Some(bounded_text(error)), info_code: None }
    } else {
        Error::InternalError(Some(bounded_text(error)))
    }
}

/// Why there was no connection, if that is what went wrong.
pub(super) fn connecting(error: &legacy::Error) -> Option<&ConnectError> {
    error.source()?.downcast_ref()
}

fn from_connect(error: &ConnectError) -> Error {
    match error {
        ConnectError::Resolve { problem, .. } if problem.kind() == io::ErrorKind::TimedOut => Error::DnsTimeout,
        ConnectError::Resolve { .. } => Error::DnsError { rcode: None, info_code: None },
        ConnectError::Prohibited { .. } => Error::DestinationIpProhibited,
        ConnectError::Io(error) => from_io(error, true),
    }
}

fn from_hyper(error: &hyper::Error) -> Error {
    if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else if error.is_parse() {
        Error::HttpProtocolError
    } else if let Some(bounded) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        if let Error::HttpRequestBodySize(size) = bounded {
            Error::HttpRequestBodySize(*size)
        } else {
            Error::InternalError(Some(bounded.to_string()))
        }
    } else if error.is_user() {
        // The guest ended its own body, or it is not as long as it said.
        Error::InternalError(Some(error.to_string()))
    } else {
        Error::ConnectionTerminated
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of the standard library grow; the rest is a broken connection")]
fn from_io(error: &io::Error, connecting: bool) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut if connecting => Error::ConnectionTimeout,
        io::ErrorKind::TimedOut => Error::ConnectionReadTimeout,
        io::ErrorKind::InvalidData if connecting => Error::TlsProtocolError,
        _ if connecting => Error::DestinationUnavailable,
        _ => Error::ConnectionTerminated,
    }
}

fn bounded_text(error: &legacy::Error) -> String {
    crate::call::bounded(error.to_string(), 256)
}
