//! An HTTP client that looks at everything, and at raw bytes where a client would refuse to.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, header::HeaderMap};
use hyper_util::{client::legacy::Client as Http, rt::TokioExecutor};
use lab::{Lab, Options};
use serde_json::Value;

/// A lab with a client.
pub(crate) struct Client {
    /// The back ends.
    pub(crate) lab: Lab,
    http: Http<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
}

impl Answer {
    /// A header as text; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    /// A lab whose activations take `ms` milliseconds.
    pub(crate) async fn new(ms: u64) -> Self {
        let options = Options { activation: std::time::Duration::from_millis(ms), ..Options::default() };
        Self { lab: Lab::start(options).await.unwrap(), http: Http::builder(TokioExecutor::new()).build_http() }
    }

    /// One request; `None` when the connection ended without an answer.
    pub(crate) async fn try_send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(Full::from(body.to_owned())).unwrap()).await.ok()?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Some(Answer { status: parts.status.as_u16(), headers: parts.headers, body, bytes })
    }

    pub(crate) async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.try_send(method, url, headers, body).await.expect("an answer")
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send(Method::GET, url, &[], "").await
    }

    pub(crate) async fn post(&self, url: &str, body: &Value) -> Answer {
        self.send(Method::POST, url, &[("content-type", "application/json")], &body.to_string()).await
    }

    pub(crate) async fn delete(&self, url: &str) -> Answer {
        self.send(Method::DELETE, url, &[], "").await
    }

    /// Flips a switch of a back end.
    pub(crate) async fn switch(&self, base: &str, action: &str, rule: Value) {
        let answer = self.post(&format!("{base}/_lab/{action}"), &rule).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// The ledger of a back end, one line per effect.
    pub(crate) async fn ledger(&self, base: &str) -> Vec<String> {
        let effects = self.get(&format!("{base}/_lab/ledger")).await.body;
        let line = |effect: &Value| {
            format!("{} {} {}", effect["action"].as_str().unwrap(), effect["resource"].as_str().unwrap(), effect["key"].as_str().unwrap())
        };
        effects.as_array().unwrap().iter().map(line).collect()
    }
}
