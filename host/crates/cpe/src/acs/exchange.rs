//! One request of a device, and its answer.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, request::Parts};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::{
    Acs, AuthMode, Contact, Credentials, Intake, Live, Options, Proof, SessionEnd, Shared,
    auth::{Shown, Verdict},
    body::{self, BodyError, Sent},
    reply::{self, Reply},
    session::{Move, Session, Turn},
};
use crate::{
    quirks::{Quirks, Termination},
    soap::{AcsReply, DeviceRpc, Envelope, Fault, Inform, Limits, Message, Namespace, Style, WriteError, read, write},
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

/// After so many challenges in a row, the first one included, the connection is closed.
const CHALLENGES: u8 = 2;

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

    /// A device begins a session.
    async fn inform(&self, head: &Parts, sent: Sent, envelope: Envelope) -> Reply {
        let Envelope { id, namespace, session_timeout, supported_versions, message: Message::Inform(mut inform), .. } = envelope else {
            return reply::refused(StatusCode::BAD_REQUEST, "no Inform");
        };
        let proof = match self.proof(head, &sent.bytes, &inform).await {
            Ok(proof) => proof,
            Err(reply) => return reply,
        };
        drop(sent);
        // It is kept as long as the session is.
        inform.parameters.shrink_to_fit();
        inform.events.shrink_to_fit();
        let quirks = self.intake.quirks(&inform);
        let namespace = quirks.namespace.unwrap_or(namespace);
        let live = Live { session: self.shared().next_session(), inform: Arc::from(inform), namespace, proof, quirks, exchanges: 0 };
        let Some(turn) = self.open(live, session_timeout) else { return self.busy() };
        let session = turn.session.clone();
        let contact = Contact {
            device: session.device.clone(),
            inform: session.inform.clone(),
            namespace,
            session: session.id,
            proof,
            peer: self.peer,
            at: self.shared().clock.now(),
        };
        let unadmitted = Unadmitted(self, &session);
        let Ok(admission) = self.intake.inform(contact).await else { return self.busy() };
        session.admit(admission.work);
        drop(unadmitted);
        let response = Envelope {
            id,
            use_version: version(namespace, &supported_versions),
            ..Envelope::new(namespace, "", Message::Reply(AcsReply::Inform { max_envelopes: 1 }))
        };
        match write(&response, &style(&session.quirks)) {
            Ok(body) => reply::opened(body, self.shared().cookies.set(session.id, &session.quirks.cookie_path)),
            Err(error) => unwritten(&error),
        }
    }

    /// What proves that the device is who it says, or what it is answered instead.
    async fn proof(&self, head: &Parts, sent: &[u8], inform: &Inform) -> Result<Proof, Reply> {
        let Shared { options, gate, clock, .. } = self.shared();
        let shown = Shown { headers: &head.headers, uri: &head.uri, body: sent, secure: self.secure, names: &self.names };
        let now = clock.now();
        let (stale, last) = match gate.check(&shown, &inform.device.key(), inform, options, &*self.credentials, now).await {
            Verdict::Known(proof) => {
                self.bound().challenged = 0;
                return Ok(proof);
            }
            Verdict::Unavailable => return Err(self.busy()),
            Verdict::Other => (false, true),
            Verdict::Challenge { stale } => (stale, false),
        };
        let mut bound = self.bound();
        bound.challenged += 1;
        let close = last || bound.challenged >= CHALLENGES;
        Err(reply::challenge(gate.challenges(options, self.secure, stale, now), close))
    }

    /// Opens a session, in place of any other one of the device.
    fn open(&self, live: Live, asked_s: Option<u32>) -> Option<Turn> {
        let Shared { options, table, .. } = self.shared();
        let device = live.inform.device.key();
        let session = Arc::new(Session::new(live, device, options.patience(asked_s)));
        let turn = Turn::new(session.clone(), self.number)?;
        let before = table.open(&session).ok()?;
        if let Some(before) = before {
            self.end(&before, SessionEnd::Superseded);
        }
        let mut bound = self.bound();
        bound.over = false;
        bound.session = Some(session);
        Some(turn)
    }

    /// Anything but an Inform.
    async fn message(&self, headers: &HeaderMap, envelope: Envelope) -> Reply {
        let Some(turn) = self.turn(headers) else { return self.no_session() };
        let Envelope { id, message, .. } = envelope;
        let answer = match message {
            Message::Event(event) => self.event(&turn.session, event).await,
            Message::Answer(_) | Message::Fault(_) | Message::Reply(_) => {
                turn.answered(message);
                return self.ours(&turn).await;
            }
            Message::Unknown { ref name } if name.ends_with("Response") => {
                turn.answered(message);
                return self.ours(&turn).await;
            }
            Message::Unknown { .. } | Message::Rpc(_) | Message::Inform(_) => Message::Fault(Fault::new(8000, "Method not supported")),
        };
        let response = Envelope { id, ..Envelope::new(turn.session.namespace, "", answer) };
        match write(&response, &style(&turn.session.quirks)) {
            Ok(body) => reply::envelope(body),
            Err(error) => unwritten(&error),
        }
    }

    /// A request of the device other than Inform.
    async fn event(&self, session: &Session, event: DeviceRpc) -> Message {
        if event != DeviceRpc::GetRpcMethods && self.intake.event(&session.device, &event).await.is_err() {
            return Message::Fault(Fault::new(8005, "Retry request"));
        }
        Message::Reply(match event {
            DeviceRpc::TransferComplete(_) => AcsReply::TransferComplete,
            DeviceRpc::AutonomousTransferComplete(_) => AcsReply::AutonomousTransferComplete,
            DeviceRpc::GetRpcMethods => AcsReply::GetRpcMethods(methods(session.namespace)),
            DeviceRpc::RequestDownload { .. } => AcsReply::RequestDownload,
            DeviceRpc::Kicked { next, .. } => AcsReply::Kicked { next_url: next },
            DeviceRpc::DuStateChangeComplete { .. } => AcsReply::DuStateChangeComplete,
            DeviceRpc::AutonomousDuStateChangeComplete { .. } => AcsReply::AutonomousDuStateChangeComplete,
        })
    }

    /// It is our turn to speak: a request, once there is one, or the end.
    async fn ours(&self, turn: &Turn) -> Reply {
        let session = &turn.session;
        let style = style(&session.quirks);
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

/// Closes a session that the intake did not take in, also where the connection broke before it answered.
struct Unadmitted<'a>(&'a Connection, &'a Arc<Session>);

impl Drop for Unadmitted<'_> {
    fn drop(&mut self) {
        if !self.1.is_admitted() {
            self.0.end(self.1, SessionEnd::DeviceLeft);
        }
    }
}

fn style(quirks: &Quirks) -> Style {
    Style { prolog: quirks.prolog, boolean: quirks.boolean }
}

/// The version that a device is told to speak, if it told which ones it can: the newest one that is known here.
fn version(namespace: Namespace, supported: &[String]) -> Option<String> {
    const KNOWN: [&str; 5] = ["1.4", "1.3", "1.2", "1.1", "1.0"];
    if namespace < Namespace::V1_2 {
        return None;
    }
    KNOWN.into_iter().find(|known| supported.iter().any(|version| version.trim() == *known)).map(str::to_owned)
}

/// What a device of this version may ask of us.
fn methods(namespace: Namespace) -> Vec<String> {
    const ALWAYS: &[&str] = &["Inform", "GetRPCMethods", "TransferComplete", "RequestDownload", "Kicked"];
    const SINCE_1_1: &[&str] = &["AutonomousTransferComplete"];
    const SINCE_1_2: &[&str] = &["DUStateChangeComplete", "AutonomousDUStateChangeComplete"];
    let since = |oldest, methods: &'static [&str]| if namespace >= oldest { methods } else { &[] };
    [ALWAYS, since(Namespace::V1_1, SINCE_1_1), since(Namespace::V1_2, SINCE_1_2)].concat().into_iter().map(str::to_owned).collect()
}

/// What a device sent, such as its ID, cannot be said back to it.
fn unwritten(error: &WriteError) -> Reply {
    reply::refused(StatusCode::BAD_REQUEST, &error.to_string())
}
