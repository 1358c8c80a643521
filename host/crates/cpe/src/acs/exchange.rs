//! One request of a device, and its answer.

mod message;
mod opening;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, Method, Request, StatusCode};
use hyper::body::Incoming;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    Acs, AuthMode, Credentials, Intake, Options, SessionEnd, Shared,
    body::{self, BodyError, Sent},
    reply::{self, Reply},
    session::{Move, Session, Turn},
    wire::Line,
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
    pub(super) line: Line,
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
        let Shared { options, large, .. } = self.shared();
        let said = match body::read(body, options, large).await {
            Ok(sent) => said(&head.headers, sent, options, large),
            Err(error) => Err(error.into()),
        };
        match said {
            Ok((_, None)) => match self.turn(&head.headers) {
                Some(turn) => self.ours(&turn).await,
                None => self.no_session(),
            },
            Ok((sent, Some(envelope))) if matches!(envelope.message, Message::Inform(_)) => self.inform(&head, sent, envelope).await,
            Ok((sent, Some(envelope))) => {
                // What waits for its answer keeps no place of a large body.
                drop(sent);
                self.message(&head.headers, envelope).await
            }
            Err(refused) => self.unread(&head.headers, &refused),
        }
    }

    /// The answer to what cannot be read. Where a session waits for a message it is told that this was none, unless the device may send it again: its connection
    /// broke.
    fn unread(&self, headers: &HeaderMap, refused: &Unread) -> Reply {
        if !matches!(refused, Unread::Body(BodyError::Broken))
            && let Some(turn) = self.turn(headers)
        {
            turn.garbled("a message that cannot be read");
        }
        match refused {
            Unread::Body(BodyError::Crowded) => self.busy(),
            Unread::Body(error) => reply::refused(error.status(), &error.to_string()),
            Unread::Message(why) => reply::refused(StatusCode::BAD_REQUEST, why),
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
        let until = Instant::now() + self.shared().options.hold(session.limits.patience);
        let mut last = false;
        loop {
            // Listens before it looks.
            let changed = session.changed();
            match turn.next(last, &written) {
                Move::Ask(body) => return reply::envelope(body),
                Move::End { admitted } => {
                    self.shared().ended(session, SessionEnd::Done, admitted, &*self.intake);
                    self.unbind(session, SessionEnd::Done);
                    return self.over(session.quirks.termination);
                }
                Move::Stale => return self.busy(),
                Move::Wait => {}
            }
            // The loser of this race holds nothing.
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until) => last = true,
                // Nothing is sent to who is most likely gone. With its cookie the device may go on on another connection.
                () = self.line.ended() => return self.busy(),
            }
        }
    }

    /// The session that a request belongs to: that of its cookie, or that of its connection. A cookie of a session that is over counts as none.
    fn turn(&self, headers: &HeaderMap) -> Option<Turn> {
        let Shared { options, table, cookies, gate, clock, .. } = self.shared();
        let take = |session: Arc<Session>| {
            if let Some(end) = session.exhausted(Instant::now()) {
                self.end(&session, end);
            }
            Turn::new(session, self.number)
        };
        let by_cookie = cookies.sessions(headers).find_map(|id| take(table.with(id)?));
        let by_connection = || options.bind_connections.then(|| self.bound().session.clone()).flatten().and_then(take);
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
        self.unbind(session, end);
    }

    /// The connection carries a session no longer.
    fn unbind(&self, session: &Arc<Session>, end: SessionEnd) {
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

/// Why a body gives no message.
#[derive(Debug)]
enum Unread {
    Body(BodyError),
    Message(String),
}

impl From<BodyError> for Unread {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

/// The message in a body, and the body as it was sent; no message where the body is empty.
fn said(headers: &HeaderMap, mut sent: Sent, options: &Options, places: &Arc<Semaphore>) -> Result<(Sent, Option<Envelope>), Unread> {
    let body = body::decoded(&mut sent, headers, options, places)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok((sent, None));
    }
    let limits = Limits { bytes: options.inflated_bytes.max(options.body_bytes), ..Limits::default() };
    let envelope = read(&body, body::charset(headers), &limits).map_err(|error| Unread::Message(error.to_string()))?;
    Ok((sent, Some(envelope)))
}

/// What a device sent, such as its ID, cannot be said back to it.
fn unwritten(error: &WriteError) -> Reply {
    reply::refused(StatusCode::BAD_REQUEST, &error.to_string())
}
