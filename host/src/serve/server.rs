//! The HTTP server: connections bounded in number, requests bounded in the time that they take to arrive.
//!
//! A client that sends its request a byte at a time costs a connection for a while, and nobody else anything.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
};

/// The pause after a connection could not be accepted: out of file descriptors, most likely.
const AFTER_ERROR: Duration = Duration::from_millis(50);

/// What is served, and within which bounds.
pub(super) struct Server {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    /// How many connections there are at a time; more wait in the system's queue.
    pub(super) max_connections: usize,
    /// How long the head of a request may take to arrive, and how long a connection may be idle.
    pub(super) receive: Duration,
}

impl Server {
    /// Serves until it is told to stop, and then until every request that has begun is answered.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self { listener, router, max_connections, receive } = self;
        let places = Arc::new(Semaphore::new(max_connections));
        let mut connections = JoinSet::new();
        loop {
            // The losers of this race hold nothing: a place that was taken is given back, a connection is accepted or it is not.
            tokio::select! {
                () = told(&mut stop) => break,
                Some(_) = connections.join_next() => {}
                (stream, address, place) = accept(&listener, &places) => {
                    // Sign-ups without a token are counted by where they come from.
                    let from = tenants::api::From(address);
                    connections.spawn(connection(stream, from, router.clone(), receive, stop.clone(), place));
                }
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }
}

/// Returns when it is time to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await;
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, IpAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip(), place),
            Err(error) => {
                tracing::warn!("no connection can be accepted: {error}");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    from: tenants::api::From,
    router: Router,
    receive: Duration,
    mut stop: watch::Receiver<bool>,
    place: Option<OwnedSemaphorePermit>,
) {
    let _place = place;
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(receive);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(from);
        router.call(request)
    });
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the client's business.
    tokio::select! {
        _ = served.as_mut() => return,
        () = told(&mut stop) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ended = served.await;
}
