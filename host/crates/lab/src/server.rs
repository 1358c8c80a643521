//! A small HTTP/1.1 server that can do what no honest server does: hang up after the work is done, or say its answer twice.

mod echo;

use std::{convert::Infallible, io, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower_service::Service;

use self::echo::Echo;

/// How an answer reaches the client; the control puts it into a response's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Not at all: the connection is closed.
    Dropped,
    /// Its bytes are sent twice on the same connection.
    Twice,
}

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    accept(listener, |stream| connection(stream, router.clone())).await;
}

/// Accepts connections and serves each of them, until it is dropped.
pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(listener: TcpListener, serve: impl Fn(TcpStream) -> F) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(serve(stream))),
                // Out of file descriptors, most likely: the next accept may find one again.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let (stream, echo) = Echo::new(stream);
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, echo) = (router.clone(), echo.clone());
        async move {
            let response: Result<Response, Infallible> = router.call(request.map(Body::new)).await;
            let response = response.unwrap_or_else(|never| match never {});
            match response.extensions().get::<Delivery>() {
                Some(Delivery::Dropped) => return Err(io::Error::other("the answer is dropped")),
                Some(Delivery::Twice) => echo.arm(),
                None => {}
            }
            Ok(response)
        }
    });
    // A connection that ends badly is the client's business, or what a switch asked for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
