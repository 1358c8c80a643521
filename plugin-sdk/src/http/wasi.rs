//! The transport over `wasi:http/outgoing-handler`.

use super::{ErrorKind, Method, Request, response::Raw};
use crate::bindings::imports::wasi::{
    http::{
        outgoing_handler,
        types::{ErrorCode, Fields, IncomingResponse, OutgoingBody, OutgoingRequest, Scheme},
    },
    io::streams::StreamError,
};

type Problem = (ErrorKind, String);

/// Bytes written to the host at a time: what `blocking-write-and-flush` takes.
const CHUNK: usize = 4096;

pub(super) fn send(request: &Request) -> Result<Raw, Problem> {
    let outgoing = outgoing(request)?;
    let body = outgoing.body().map_err(|()| invalid("the request has no body to write to"))?;
    let pending = outgoing_handler::handle(outgoing, None).map_err(|code| problem(&code))?;
    // A body that cannot be written whole is not the end: the other side may answer early, and the answer tells more.
    let written = write(body, &request.body);
    pending.subscribe().block();
    let answer = match pending.get() {
        Some(Ok(answer)) => answer.map_err(|code| problem(&code))?,
        Some(Err(())) | None => return Err((ErrorKind::NoAnswer, "the host gave no answer".into())),
    };
    let raw = read(answer, request.limit)?;
    match written {
        Ok(()) => Ok(raw),
        Err(_) if raw.status >= 400 => Ok(raw),
        Err(why) => Err((ErrorKind::NoAnswer, why)),
    }
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, Problem> {
    use crate::bindings::imports::wasi::http::types::Method as Wire;

    let rest = request.url.strip_prefix("http://");
    let rest = rest.ok_or_else(|| invalid("the URL must be http://{logical name}/path"))?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let headers = Fields::new();
    for (name, value) in &request.headers {
        let added = headers.append(name, value.as_bytes());
        added.map_err(|why| invalid(&format!("the header {name} cannot be sent: {why}")))?;
    }
    let length = request.body.len();
    if length > 0 || !request.method.is_safe() {
        let set = headers.append("content-length", length.to_string().as_bytes());
        set.map_err(|why| invalid(&format!("the body's length cannot be sent: {why}")))?;
    }
    let method = match request.method {
        Method::Get => Wire::Get,
        Method::Head => Wire::Head,
        Method::Post => Wire::Post,
        Method::Put => Wire::Put,
        Method::Patch => Wire::Patch,
        Method::Delete => Wire::Delete,
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method).map_err(|()| invalid("the method cannot be sent"))?;
    outgoing.set_scheme(Some(&Scheme::Http)).map_err(|()| invalid("the scheme cannot be sent"))?;
    outgoing.set_authority(Some(authority)).map_err(|()| invalid("the URL has no usable host"))?;
    outgoing.set_path_with_query(Some(&path)).map_err(|()| invalid("the URL has no usable path"))?;
    Ok(outgoing)
}

fn write(body: OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    {
        let stream = body.write().map_err(|()| "the request body cannot be written")?;
        for chunk in bytes.chunks(CHUNK) {
            stream.blocking_write_and_flush(chunk).map_err(|error| format!("the request body broke off: {error}"))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| format!("the request body broke off: {code}"))
}

fn read(answer: IncomingResponse, limit: usize) -> Result<Raw, Problem> {
    let no_answer = |why: String| (ErrorKind::NoAnswer, why);
    let entries = answer.headers().entries();
    let headers = entries.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
    let headers = headers.collect();
    let status = answer.status();
    let body = answer.consume().map_err(|()| no_answer("the answer has no body to read".into()))?;
    let stream = body.stream().map_err(|()| no_answer("the answer has no body to read".into()))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(no_answer(format!("the answer broke off: {}", error.to_debug_string())));
            }
        }
        if bytes.len() > limit {
            return Err((ErrorKind::BadAnswer, format!("the answer is longer than {limit} bytes")));
        }
    }
    Ok(Raw { status, headers, body: bytes })
}

fn invalid(why: &str) -> Problem {
    (ErrorKind::Invalid, why.to_owned())
}

/// Sorts the host's error by whether the request can have reached the other side. What is not surely unsent counts as
/// sent.
fn problem(code: &ErrorCode) -> Problem {
    let kind = match code {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => ErrorKind::Unreachable,
        ErrorCode::DestinationIpProhibited | ErrorCode::HttpRequestDenied => ErrorKind::Denied,
        ErrorCode::HttpRequestLengthRequired
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestTrailerSectionSize(_)
        | ErrorCode::HttpRequestTrailerSize(_) => ErrorKind::Invalid,
        ErrorCode::ConnectionTerminated
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::HttpResponseHeaderSize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseTrailerSectionSize(_)
        | ErrorCode::HttpResponseTrailerSize(_)
        | ErrorCode::HttpResponseTransferCoding(_)
        | ErrorCode::HttpResponseContentCoding(_)
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::HttpUpgradeFailed
        | ErrorCode::HttpProtocolError
        | ErrorCode::LoopDetected
        | ErrorCode::ConfigurationError
        | ErrorCode::InternalError(_) => ErrorKind::NoAnswer,
    };
    (kind, format!("{code:?}"))
}
