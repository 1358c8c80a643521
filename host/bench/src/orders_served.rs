//! The TMF622 interface over a stack, on a port of loopback, and a client of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use bytes::Bytes;
use engine::Pack;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as Pooled, connect::HttpConnector},
    rt::TokioExecutor,
};
use orders::tmf622::Intake;
use pipeline::TenantName;
use tokio::{net::TcpListener, task::JoinSet};

use crate::stack::Stack;

/// How long an answer may take before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(300);

/// The pipeline of orders as the host has it.
pub(crate) fn pack() -> Pack {
    Pack { definition: Arc::new(orders::definition(&orders::Options::default())), document: Some(orders::document) }
}

/// An order that the no-op plugin fulfils.
pub(crate) fn order(customer: &str) -> serde_json::Value {
    serde_json::json!({
        "externalId": "PO-1",
        "channel": [{"id": "web", "name": "web"}],
        "relatedParty": [{"id": customer, "role": "customer", "@referredType": "Individual"}],
        "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "fibre"}, "product": {"place": [{"id": "north", "role": "installation"}]}}],
    })
}

/// Serves orders until it is dropped.
pub(crate) fn serve(stack: &Stack, listener: TcpListener) -> Result<JoinSet<std::io::Result<()>>> {
    let intake = Intake { engine: stack.driver.clone(), documents: stack.store.clone(), tenant: TenantName::new("default")?, categories: Vec::new() };
    let mut serving = JoinSet::new();
    serving.spawn(axum::serve(listener, orders::tmf622::router(intake)).into_future());
    Ok(serving)
}

/// POSTs the same order again and again over connections that are kept.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: Pooled<HttpConnector, Full<Bytes>>,
    url: String,
    body: Bytes,
}

impl Client {
    /// A client of a host.
    pub(crate) fn new(address: SocketAddr, customer: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            http: Pooled::builder(TokioExecutor::new()).build(connector),
            url: format!("http://{address}/tmf-api/productOrderingManagement/v4/productOrder"),
            body: order(customer).to_string().into(),
        }
    }

    /// Returns when the whole answer is here; fails unless it is a 201.
    pub(crate) async fn post(&self) -> Result<()> {
        let request = Request::post(&self.url).header(header::CONTENT_TYPE, "application/json").body(Full::new(self.body.clone()))?;
        let exchange = async {
            let answer = self.http.request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(PATIENCE, exchange).await??;
        ensure!(status == StatusCode::CREATED, "the answer to a POST was {status}: {}", String::from_utf8_lossy(&body));
        Ok(())
    }
}
