//! One request of a device, and its answer.

mod message;
mod opening;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{
    Acs, AuthMode, Credentials, Intake, Options, SessionEnd, Shared,
    body::{self, BodyError},
    reply::{self, Reply},
    session::{Move, Session, Turn},
};
use crate::{
    quirks::Termination,
    soap::{Envelope, Limits, Message, WriteError, read, write},
};

/// A connection with a device.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) acs: Acs,
    pub(super) intake: Arc<dyn Intake>,
    pub(super) credentials: Arc<dyn Credentials>,
    /// No other connection of this process has it.
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    /// Whether nobody on the way can read what is sent.
    pub(super) secure: bool,
    /// The names in the certificate of the device.
    pub(super) names: Vec<String>,
    /// Whether there are too many connections already.
    pub(super) turned_away: bool,
    pub(super) bound: Mutex<Bound>,
}

/// What happened on a connection so far.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// The session that it carries.
    session: Option<Arc<Session>>,
    /// Whether the last session that it carried is over.
    over: bool,
    /// How often in a row the device was asked to prove who it is.
    challenged: u8,
}

impl Connection {
    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Reply {
        if request.method() != Method::POST {
            return reply::not_allowed();
        }
        if self.turned_away {
            return self.busy();
        }
        let (head, body) = request.into_parts();
        let options = &self.shared().options;
        let sent = match body::read(body, options, &self.shared().large).await {
            Ok(sent) => sent,
            Err(BodyError::Crowded) => return self.busy(),
            Err(error) => return reply::refused(error.status(), &error.to_string()),
        };
        match said(&head.headers, &sent.bytes, options) {
            Ok(None) => match self.turn(&head.headers) {
                Some(turn) => self.ours(&turn).await,
                None => self.no_session(),
            },
            Ok(Some(envelope)) if matches!(envelope.message, Message::Inform(_)) => self.inform(&head, sent, envelope).await,
            Ok(Some(envelope)) => self.message(&head.headers, envelope).await,
            Err((status, why)) => {
                if let Some(turn) = self.turn(&head.headers) {
                    turn.garbled("a message that cannot be read");
                }
                reply::refused(status, &why)
            }
        }
    }

    /// The connection is closed.
    pub(super) fn closed(&self) {
        if let Some(session) = self.bound().session.take() {
            session.disconnected(self.number);
        }
    }

    /// It is our turn to speak: a request, once there is one, or the end.
    async fn ours(&self, turn: &Turn) -> Reply {
        let session = &turn.session;
        let style = session.quirks.style();
        let written = |envelope: &Envelope| write(envelope, &style);
        let until = Instant::now() + self.shared().options.hold(session.patience);
        let mut last = false;
        loop {
            // Listens before it looks.
            let changed = session.changed();
            match turn.next(last, &written) {
                Move::Ask(body) => return reply::envelope(body),
                Move::End => {
                    self.end(session, SessionEnd::Done);
                    return self.over(session.quirks.termination);
                }
                Move::Stale => return self.busy(),
                Move::Wait => {}
            }
            // The loser of this race holds nothing.
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until) => last = true,
            }
        }
    }

    /// The session that a request belongs to: that of its cookie, or that of its connection. A cookie of a session that is over counts as none.
    fn turn(&self, headers: &HeaderMap) -> Option<Turn> {
        let Shared { options, table, cookies, gate, clock, .. } = self.shared();
        let by_cookie = cookies.sessions(headers).find_map(|id| Turn::new(table.with(id)?, self.number));
        let by_connection = || options.bind_connections.then(|| self.bound().session.clone()).flatten().and_then(|open| Turn::new(open, self.number));
        let turn = by_cookie.or_else(by_connection)?;
        if options.auth != AuthMode::None {
            gate.seen(headers, clock.now());
        }
        self.bound().session = Some(turn.session.clone());
        Some(turn)
    }

    /// The answer to what belongs to no session. A device whose session has just ended may say so twice; one whose session was lost begins it again.
    fn no_session(&self) -> Reply {
        let over = self.bound().over;
        if over { self.over(Termination::NoContent) } else { reply::refused(StatusCode::BAD_REQUEST, "no session: it begins with an Inform") }
    }

    fn end(&self, session: &Arc<Session>, end: SessionEnd) {
        self.shared().end(session, end, &*self.intake);
        let mut bound = self.bound();
        if bound.session.as_ref().is_some_and(|bound| Arc::ptr_eq(bound, session)) {
            bound.session = None;
            bound.over = end == SessionEnd::Done;
        }
    }

    fn busy(&self) -> Reply {
        reply::busy(self.shared().options.retry_after_s)
    }

    fn over(&self, termination: Termination) -> Reply {
        reply::over(termination, self.shared().options.close_after_session)
    }

    fn shared(&self) -> &Shared {
        &self.acs.shared
    }

    fn bound(&self) -> MutexGuard<'_, Bound> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message in a body; nothing where the body is empty.
fn said(headers: &HeaderMap, sent: &Bytes, options: &Options) -> Result<Option<Envelope>, (StatusCode, String)> {
    let body = body::decoded(sent, headers, options).map_err(|error| (error.status(), error.to_string()))?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let limits = Limits { bytes: options.inflated_bytes.max(options.body_bytes), ..Limits::default() };
    read(&body, body::charset(headers), &limits).map(Some).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

/// What a device sent, such as its ID, cannot be said back to it.
fn unwritten(error: &WriteError) -> Reply {
    reply::refused(StatusCode::BAD_REQUEST, &error.to_string())
}
