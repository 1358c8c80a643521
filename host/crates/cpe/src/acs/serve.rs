//! The listeners: connections bounded in number, one task each.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use http::Request;
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, watch},
    task::JoinSet,
    time::Instant,
};

use super::{
    Acs, Credentials, Intake, SessionEnd, Shared, Tls,
    exchange::{Bound, Connection},
    framing::Framed,
    session::Session,
    tls,
    wire::{Line, Wire},
};

/// The pause after a connection could not be accepted: out of file descriptors, most likely.
const AFTER_ERROR: Duration = Duration::from_millis(50);
/// How much of a head is buffered. Heads of devices are small; bodies pass through in pieces.
const BUFFER: usize = 64 * 1024;
/// How often the table is looked through for sessions that are over.
const SWEEP: Duration = Duration::from_secs(1);

/// A listener, and what stands behind it.
#[derive(Debug)]
pub struct Door {
    /// Where devices connect.
    pub listener: TcpListener,
    /// TLS, if it is spoken there.
    pub tls: Option<Tls>,
    /// What Informs go to.
    pub intake: Arc<dyn Intake>,
    /// What devices prove themselves with.
    pub credentials: Arc<dyn Credentials>,
}

impl Acs {
    /// Serves a listener until it is told to stop, and then until every request that has begun is answered. Several listeners may be served at a time, with the
    /// same intake: a session may move between them.
    pub async fn serve(&self, door: Door, mut stop: watch::Receiver<bool>) {
        let Door { listener, tls, intake, credentials } = door;
        let mut connections = JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP.min(Duration::from_millis(self.shared.options.session_ms) / 4).max(Duration::from_millis(10)));
        loop {
            // The losers of this race hold nothing: a connection is accepted or it is not.
            tokio::select! {
                () = told(&mut stop) => break,
                Some(_) = connections.join_next() => {}
                _ = sweep.tick() => self.shared.sweep(&*intake),
                (stream, peer) = accept(&listener) => {
                    let connection = Accepted { acs: self.clone(), intake: intake.clone(), credentials: credentials.clone(), stream, peer };
                    connections.spawn(connection.run(tls.clone(), stop.clone()));
                }
            }
        }
        drop(listener);
        // Requests that are held are answered now, those that are at work when they are done.
        self.shared.stop(&*intake);
        while connections.join_next().await.is_some() {}
        self.shared.stop(&*intake);
    }
}

impl Shared {
    /// The session is over, if it was not before.
    pub(super) fn end(&self, session: &Arc<Session>, end: SessionEnd, intake: &dyn Intake) {
        let admitted = session.end(end);
        self.ended(session, end, admitted, intake);
    }

    /// A session that is over is forgotten, and the intake told of it if it admitted it.
    pub(super) fn ended(&self, session: &Arc<Session>, end: SessionEnd, admitted: bool, intake: &dyn Intake) {
        self.table.close(session);
        if admitted {
            intake.ended(&session.device, session.id, end);
        }
    }

    /// Ends the sessions of devices that were silent for too long, and those that go on for too long.
    fn sweep(&self, intake: &dyn Intake) {
        let now = Instant::now();
        for (session, end) in self.table.find(|session| session.overdue(now)) {
            self.end(&session, end, intake);
        }
    }

    fn stop(&self, intake: &dyn Intake) {
        for (session, end) in self.table.find(|_| Some(SessionEnd::Stopped)) {
            self.end(&session, end, intake);
        }
    }
}

/// Returns when it is time to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!("no connection can be accepted: {error}");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

/// A connection that was accepted.
struct Accepted {
    acs: Acs,
    intake: Arc<dyn Intake>,
    credentials: Arc<dyn Credentials>,
    stream: TcpStream,
    peer: SocketAddr,
}

impl Accepted {
    async fn run(self, tls: Option<Tls>, mut stop: watch::Receiver<bool>) {
        let Self { acs, intake, credentials, stream, peer } = self;
        let shared = acs.shared.clone();
        let place = shared.places.clone().try_acquire_owned();
        // The few that are told to come again later are few.
        let (_place, turned_away): (OwnedSemaphorePermit, bool) = match (place, shared.waiting.clone().try_acquire_owned()) {
            (Ok(place), _) => (place, false),
            (Err(_), Ok(place)) => (place, true),
            (Err(_), Err(_)) => return,
        };
        // An answer is one piece: there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let number = shared.connections.fetch_add(1, Ordering::Relaxed);
        let bound = Mutex::new(Bound::default());
        let mut connection = Connection {
            acs,
            intake,
            credentials,
            number,
            peer,
            line: Line(stream.clone()),
            secure: tls.is_some(),
            names: Vec::new(),
            turned_away,
            bound,
        };
        match tls {
            None => serve(Wire(stream), connection, stop).await,
            Some(tls) => {
                let limit = Duration::from_millis(shared.options.head_ms);
                // Who has not said who it is when it is time to stop has nothing to lose.
                let accepted = tokio::select! {
                    accepted = tokio::time::timeout(limit, tls.acceptor.accept(Wire(stream))) => accepted,
                    () = told(&mut stop) => return,
                };
                let Ok(Ok(stream)) = accepted else { return };
                connection.names = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(tls::names).unwrap_or_default();
                serve(stream, connection, stop).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, connection: Connection, mut stop: watch::Receiver<bool>) {
    let head = Duration::from_millis(connection.acs.shared.options.head_ms);
    let (stream, length) = Framed::new(stream, head);
    let connection = Arc::new(connection);
    let service = service_fn(|request: Request<Incoming>| {
        length.is(request.body().size_hint().exact());
        let connection = connection.clone();
        async move { Ok::<_, Infallible>(connection.answer(request).await) }
    });
    let mut server = http1::Builder::new();
    // Some devices look for `Set-Cookie` and know no `set-cookie`.
    server.title_case_headers(true);
    server.timer(TokioTimer::new()).header_read_timeout(head).max_buf_size(BUFFER).half_close(true);
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    // How a connection ends is the device's business.
    tokio::select! {
        _ = served.as_mut() => {}
        () = told(&mut stop) => {
            served.as_mut().graceful_shutdown();
            let _ended = served.await;
        }
    }
    connection.closed();
}
