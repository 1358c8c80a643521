//! The CWMP server: sessions with devices over HTTP.
//!
//! A device drives its session: it posts an Inform, then what it has to say, then an empty body, and only the answer to that may carry a request of ours. So
//! what is asked of a device waits in the mailbox of its session ([`Acs::ask`]), and what an Inform means is decided behind the trait [`Intake`].

mod ask;
mod credential;
mod intake;
mod mailbox;
mod options;
mod session;
mod table;

use std::sync::Arc;

use engine::port::{Clock, LiveSpans, SpanContext};
use tokio::sync::oneshot;

pub use self::{
    ask::{AskError, Live, SessionId},
    credential::{Credential, Credentials, Unavailable},
    intake::{Admission, Busy, Contact, Intake, Proof, SessionEnd, Work},
    options::{Algorithm, AuthMode, Options},
};
use self::{mailbox::Letter, table::Table};
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
}

impl Acs {
    /// A server without a listener yet.
    #[must_use]
    pub fn new(options: Options, clock: Arc<dyn Clock>, spans: Arc<dyn LiveSpans>) -> Self {
        let table = Table::new(options.sessions);
        Self { shared: Arc::new(Shared { options, clock, spans, table }) }
    }

    /// The session of a device, if it is in one.
    #[must_use]
    pub fn in_session(&self, device: &DeviceKey) -> Option<Live> {
        self.shared.table.of(device)?.live()
    }

    /// Puts a request into the mailbox of a device that is in session, and waits for its answer. Dropped, a request that was not sent yet never is.
    ///
    /// # Errors
    /// See [`AskError`]: whether anything was sent, and what the device said instead.
    pub async fn ask(&self, device: &DeviceKey, rpc: Rpc, span: Option<SpanContext>) -> Result<Answer, AskError> {
        let session = self.shared.table.of(device).ok_or(AskError::NotInSession)?;
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

    /// Whether more requests may come for the session that is open. With `false` it ends at the device's next empty body, or at once if the device waits.
    pub fn expect(&self, device: &DeviceKey, more: bool) {
        if let Some(session) = self.shared.table.of(device) {
            session.expect(more);
        }
    }

    /// How many devices are in session.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.table.count()
    }
}
