//! The interface over its real routes, with an engine in memory.

mod bad_requests;
mod memory;
mod orders;
mod schema;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt;
use pipeline::TenantName;
use serde_json::{Value, json};
use tower_service::Service;

use self::memory::Memory;
use super::{BASE, Intake, router};

/// A client of the interface; every answer is checked against the OpenAPI document.
struct Client {
    router: Router,
    memory: Arc<Memory>,
}

/// An answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Client {
    fn new() -> Self {
        let memory = Arc::new(Memory::default());
        let tenant = TenantName::new("default").unwrap();
        let categories = vec!["residential".to_owned()];
        let router = router(Intake { engine: memory.clone(), documents: memory.clone(), tenant, categories });
        Self { router, memory }
    }

    async fn post(&self, body: &Value) -> Answer {
        self.post_with(&[], body).await
    }

    async fn post_with(&self, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", "/productOrder", headers, serde_json::to_vec(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Vec::new()).await
    }

    /// The status and the headers; there is no body.
    async fn head(&self, path: &str) -> (StatusCode, HeaderMap) {
        let request = Request::head(format!("{BASE}{path}")).body(Body::empty()).unwrap();
        let (parts, body) = self.router.clone().call(request).await.unwrap().into_parts();
        assert!(body.collect().await.unwrap().to_bytes().is_empty());
        (parts.status, parts.headers)
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{BASE}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers["content-type"], "application/json;charset=utf-8");
        let answer = Answer { status: parts.status, headers: parts.headers, body: serde_json::from_slice(&bytes).unwrap() };
        schema::check(method, path, &answer);
        answer
    }
}

/// The smallest order.
fn minimal() -> Value {
    json!({"productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre"}}]})
}
