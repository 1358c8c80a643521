//! A small HTTP client for the host's own interface: plain HTTP, one request at a time, bounded in time and size.

use std::time::Duration;

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exit::Problem;

/// The largest answer that is read, in bytes: a run with a very long journal.
const MAX_ANSWER: usize = 64 << 20;

/// How long an answer may take. The host itself answers in milliseconds; a disk that is full makes it slower.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host and the right to talk to it.
#[derive(Debug)]
pub(super) struct Client {
    base: String,
    token: String,
    http: Http<HttpConnector, Full<Bytes>>,
}

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// A client for the host at that address.
    pub(super) fn new(url: &str, token: String) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().map_err(|error| Problem::Usage(format!("`{url}` is no address: {error}; expected http://HOST:PORT")))?;
        match uri.scheme_str() {
            Some("http") if uri.host().is_some() => {}
            Some("https") => {
                let way = "forward a local port to it (such as `ssh -L 8640:127.0.0.1:8640 MACHINE`) and give http://127.0.0.1:8640";
                return Err(Problem::Usage(format!("`{url}`: this command speaks plain http only; run it on the host's machine, or {way}")).into());
            }
            _ => return Err(Problem::Usage(format!("`{url}` is no address: expected http://HOST:PORT")).into()),
        }
        let http = Http::builder(TokioExecutor::new()).build(HttpConnector::new());
        Ok(Self { base: url.trim_end_matches('/').to_owned(), token, http })
    }

    /// GET, with everything but 2xx as an error.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], Vec::new(), PATIENCE).await
    }

    /// POST of a JSON text, with everything but 2xx as an error.
    pub(super) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, headers, body, PATIENCE).await
    }

    /// POST that may take as long as `patience`.
    pub(super) async fn post_slowly(&self, path: &str, body: Vec<u8>, patience: Duration) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, &[], body, patience).await
    }

    /// POST of the bytes of a file.
    pub(super) async fn upload(&self, path: &str, body: Vec<u8>, patience: Duration) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, &[("content-type", "application/wasm")], body, patience).await
    }

    /// PUT of a JSON text, which may take as long as `patience`.
    pub(super) async fn put(&self, path: &str, body: Vec<u8>, patience: Duration) -> anyhow::Result<Answer> {
        self.send(Method::PUT, path, &[], body, patience).await
    }

    /// DELETE.
    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, &[], Vec::new(), PATIENCE).await
    }

    /// DELETE of what a JSON text confirms.
    pub(super) async fn delete_confirmed(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, &[], body, PATIENCE).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>, patience: Duration) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).map_err(|error| Problem::Usage(format!("the request cannot be made: {error}")))?;
        let answer = tokio::time::timeout(patience, self.exchange(request)).await;
        let answer = answer.map_err(|_| Problem::Unreachable(format!("{} gave no answer within {} s", self.base, patience.as_secs())))??;
        if answer.status.is_success() { Ok(answer) } else { Err(answer.problem(path)) }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let response = self.http.request(request).await.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::Unreachable(format!("{} cannot be reached: {why}; expected a running host", self.base))
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("the answer of {} broke off or has more than {MAX_ANSWER} bytes: {error}", self.base))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context("the answer is not the expected JSON: is it a Jackfield host of this version?")
    }

    /// An answer that is an error, with the exit code that fits and what the host said.
    fn problem(&self, path: &str) -> anyhow::Error {
        let message = self.message(path);
        match self.status {
            StatusCode::NOT_FOUND => Problem::NotFound(message).into(),
            StatusCode::UNAUTHORIZED => Problem::Refused(format!("the host does not know the token: {message}")).into(),
            status if status.is_client_error() => Problem::Refused(message).into(),
            _ => anyhow::anyhow!("{message}"),
        }
    }

    /// What the host said: `error` in the admin interface, `reason` and `message` in the TM Forum one (TMF630).
    fn message(&self, path: &str) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if let Some(error) = body["error"].as_str() {
            return error.to_owned();
        }
        if let Some(message) = body["message"].as_str() {
            return body["reason"].as_str().map_or_else(|| message.to_owned(), |reason| format!("{reason}: {message}"));
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
        format!("{path} answered {}: {}", self.status, text.trim())
    }
}

/// Percent-encodes one part of a path or a query (RFC 3986).
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Reads a file, or standard input for `-`, up to a limit.
pub(super) fn read_input(file: &str, limit: usize) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let most = limit as u64 + 1;
    let read = if file == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{file} cannot be read"))?;
    if bytes.len() > limit {
        bail!("{file} has more than {limit} bytes");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_refused_with_the_way_out() {
        for (url, expected) in [
            ("https://host:1", "this command speaks plain http only"),
            ("host:1", "`host:1` is no address: expected http://HOST:PORT"),
            ("ftp://host", "expected http://HOST:PORT"),
            ("http://", "is no address"),
        ] {
            let error = Client::new(url, String::new()).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
        assert!(Client::new("http://127.0.0.1:8640/", String::new()).is_ok());
    }

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        assert_eq!(encode("a/b c?"), "a%2Fb%20c%3F");
    }
}
