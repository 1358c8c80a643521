//! The CWMP server: sessions with devices over HTTP.
//!
//! A device drives its session: it posts an Inform, then what it has to say, then an empty body, and only the answer to that may carry a request of ours. So
//! what is asked of a device waits in the mailbox of its session ([`Acs::ask`]), and what an Inform means is decided behind the trait [`Intake`].

mod ask;
mod auth;
mod body;
mod cookie;
mod credential;
mod exchange;
mod failures;
mod framing;
mod intake;
mod mailbox;
mod nonces;
mod options;
mod reply;
mod serve;
mod session;
mod table;
mod tls;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use engine::port::{Clock, LiveSpans, SpanContext};
use tokio::sync::{Semaphore, oneshot};

pub use self::{
    ask::{AskError, Live, SessionId},
    credential::{Credential, Credentials, Unavailable},
    intake::{Admission, Busy, Contact, Intake, Proof, SessionEnd, Work},
    options::{AuthMode, Options},
    serve::Door,
    tls::{Tls, TlsError},
};
use self::{auth::Gate, cookie::Cookies, failures::Failures, mailbox::Letter, nonces::Nonces, session::Session, table::Table};
pub use crate::digest::Algorithm;
use crate::{
    device::DeviceKey,
    soap::{Answer, Rpc},
};

/// The server. Cheap to clone: the listeners, the provider of the device steps and the interface for operators share it.
#[derive(Debug, Clone)]
pub struct Acs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    clock: Arc<dyn Clock>,
    spans: Arc<dyn LiveSpans>,
    table: Table,
    gate: Gate,
    cookies: Cookies,
    /// The ID of the next session.
    next: AtomicU64,
    /// The number of the next connection.
    connections: AtomicU64,
    places: Arc<Semaphore>,
    /// Places for Informs that the intake has not answered.
    informs: Arc<Semaphore>,
    /// Places for large bodies.
    large: Arc<Semaphore>,
    /// Places for connections that are only told to come again later.
    waiting: Arc<Semaphore>,
}

impl Shared {
    fn next_session(&self) -> SessionId {
        SessionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// The server cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcsError {
    /// Without random bytes no session is safe.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(getrandom::Error),
    /// Devices would not understand the realm.
    #[error("the realm `{0}` cannot be sent to devices; expected letters, digits, spaces and signs without `\"` and `\\`")]
    Realm(String),
}

fn places(count: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)))
}

/// One more connection for so many that there may be is told to come again later, instead of nothing.
const TURNED_AWAY: usize = 8;

impl Acs {
    /// A server without a listener yet.
    ///
    /// # Errors
    /// If the realm is unfit, or the system gives no random bytes.
    pub fn new(options: Options, clock: Arc<dyn Clock>, spans: Arc<dyn LiveSpans>) -> Result<Self, AcsError> {
        if !options::is_realm(&options.realm) {
            return Err(AcsError::Realm(options.realm));
        }
        let (mut nonces, mut cookies, mut first) = ([0; 32], [0; 32], [0; 8]);
        for random in [&mut nonces[..], &mut cookies, &mut first] {
            getrandom::fill(random).map_err(AcsError::NoRandomness)?;
        }
        let shared = Shared {
            table: Table::new(options.sessions),
            gate: Gate::new(Nonces::new(nonces, options.nonce_s, options.nonces), Failures::new(options.wrong_secrets, options.wrong_secret_s)),
            cookies: Cookies::new(cookies),
            next: AtomicU64::new(u64::from_le_bytes(first)),
            connections: AtomicU64::new(0),
            places: places(options.connections),
            informs: places(options.informs),
            large: places(options.large_bodies),
            waiting: places(options.connections.div_ceil(TURNED_AWAY)),
            options,
            clock,
            spans,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The session of a device, if it is in one.
    #[must_use]
    pub fn in_session(&self, device: &DeviceKey) -> Option<Live> {
        self.shared.table.of(device)?.live()
    }

    /// Puts a request into the mailbox of a device that is in this session, and waits for its answer. Dropped, a request that was not sent yet never is. A later
    /// session of the same device gets nothing: it may be somebody else's, who has proved less.
    ///
    /// # Errors
    /// See [`AskError`]: whether anything was sent, and what the device said instead.
    pub async fn ask(&self, device: &DeviceKey, session: SessionId, rpc: Rpc, span: Option<SpanContext>) -> Result<Answer, AskError> {
        let session = self.open(device, session).ok_or(AskError::NotInSession)?;
        let (method, started) = (rpc.name(), self.shared.clock.now());
        let (answer, answered) = oneshot::channel();
        session.put(Letter { rpc, answer }).map_err(|_| AskError::NotInSession)?;
        // A letter is always answered before it is dropped.
        let answer = answered.await.unwrap_or(Err(AskError::Lost { sent: true }));
        if let Some(parent) = span {
            self.shared.spans.record(ask::span(parent, method, started, self.shared.clock.now(), answer.as_ref().err()));
        }
        answer
    }

    /// Whether more requests may come for this session, if it is open. With `false` it ends at the device's next empty body, or at once if the device waits.
    pub fn expect(&self, device: &DeviceKey, session: SessionId, more: bool) {
        if let Some(session) = self.open(device, session) {
            session.expect(more);
        }
    }

    fn open(&self, device: &DeviceKey, session: SessionId) -> Option<Arc<Session>> {
        self.shared.table.of(device).filter(|open| open.id == session)
    }

    /// How many devices are in session.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.table.count()
    }

    /// How many devices may be in session at a time.
    #[must_use]
    pub fn session_limit(&self) -> usize {
        self.shared.options.sessions
    }
}
