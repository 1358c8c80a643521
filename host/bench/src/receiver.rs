//! A live OTLP receiver on loopback: reads every request to its end and acknowledges it, on a thread of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, extract::DefaultBodyLimit, http::header};

/// A receiver; it ends with the process.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Such as `http://127.0.0.1:4318`.
    pub(crate) endpoint: String,
    bytes: Arc<AtomicU64>,
}

impl Receiver {
    /// Starts a receiver on a free port.
    pub(crate) fn start() -> Result<Self> {
        let bytes = Arc::new(AtomicU64::new(0));
        let (ready, listening) = mpsc::channel();
        let received = bytes.clone();
        thread::Builder::new().name("receiver".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::bind("127.0.0.1:0").await {
                    Ok(listener) => listener,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                // Nobody is told only when nobody waits any more.
                drop(ready.send(listener.local_addr()));
                // Serving ends with the process.
                drop(axum::serve(listener, router(received)).await);
            });
        })?;
        let address = listening.recv().context("the receiver's thread ended")??;
        Ok(Self { endpoint: format!("http://{address}"), bytes })
    }

    /// How much was received so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// An empty body is the empty answer of every OTLP service in protobuf: everything was accepted.
fn router(received: Arc<AtomicU64>) -> Router {
    let accept = move |body: Bytes| {
        received.fetch_add(body.len() as u64, Ordering::Relaxed);
        std::future::ready(([(header::CONTENT_TYPE, "application/x-protobuf")], ()))
    };
    Router::new().fallback(accept).layer(DefaultBodyLimit::disable())
}
