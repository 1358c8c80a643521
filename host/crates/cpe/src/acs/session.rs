//! One session: what the device is, whose turn it is, and what waits for it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    Live, Proof, SessionEnd, SessionId, Work,
    mailbox::{Letter, Mailbox, Write},
};
use crate::{
    device::DeviceKey,
    quirks::Quirks,
    soap::{Inform, Message, Namespace},
};

/// A session that is open, or was.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) device: DeviceKey,
    pub(super) inform: Arc<Inform>,
    pub(super) namespace: Namespace,
    pub(super) proof: Proof,
    pub(super) quirks: Arc<Quirks>,
    pub(super) limits: Limits,
    state: Mutex<State>,
    /// Something changed that a request which is held waits for.
    changed: Notify,
}

/// How long a session lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Without a word from the device.
    pub(super) patience: Duration,
    /// Whatever the device says.
    pub(super) until: Instant,
    /// For so many requests of the device.
    pub(super) exchanges: u32,
}

/// Whether requests to the device may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// The intake has not answered, and nobody has said.
    Unknown,
    More,
    NoMore,
}

#[derive(Debug)]
struct State {
    mailbox: Mailbox,
    /// Whether the intake took it in; only then is it told of the end.
    admitted: bool,
    outlook: Outlook,
    exchanges: u32,
    /// When the device was last heard or answered.
    heard: Instant,
    /// The connection of the latest request, while it is open.
    connection: Option<u64>,
    /// Counts the requests of the device. One that is held and is not the latest is given up.
    turn: u32,
    /// Whether a request is with us: the device cannot be late then.
    busy: bool,
    end: Option<SessionEnd>,
}

/// What the answer to a request of the device is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// A request of ours.
    Ask(String),
    /// Nothing yet, but something may come.
    Wait,
    /// Nothing: the session is over now. `admitted`: the intake is to be told.
    End { admitted: bool },
    /// None: the device has sent another request since, or began another session.
    Stale,
}

/// A request of a device within its session. While it lives, the device is not late.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) session: Arc<Session>,
    connection: u64,
    number: u32,
}

impl Session {
    pub(super) fn new(live: Live, device: DeviceKey, limits: Limits) -> Self {
        let Live { session: id, inform, namespace, proof, quirks, exchanges } = live;
        let state = State {
            mailbox: Mailbox::default(),
            admitted: false,
            outlook: Outlook::Unknown,
            exchanges,
            heard: Instant::now(),
            connection: None,
            turn: 0,
            busy: false,
            end: None,
        };
        Self { id, device, inform, namespace, proof, quirks, limits, state: Mutex::new(state), changed: Notify::new() }
    }

    pub(super) fn live(&self) -> Option<Live> {
        let state = self.state();
        let live = || Live {
            session: self.id,
            inform: self.inform.clone(),
            namespace: self.namespace,
            proof: self.proof,
            quirks: self.quirks.clone(),
            exchanges: state.exchanges,
        };
        state.end.is_none().then(live)
    }

    /// Puts a request into the mailbox; gives it back if the session is over.
    pub(super) fn put(&self, letter: Letter) -> Result<(), Letter> {
        let mut state = self.state();
        if state.end.is_some() {
            return Err(letter);
        }
        state.mailbox.put(letter);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    pub(super) fn expect(&self, more: bool) {
        self.state().outlook = if more { Outlook::More } else { Outlook::NoMore };
        self.changed.notify_waiters();
    }

    /// The intake took the Inform in. Gives how the session ended if it is over by now: then the intake is to be told.
    pub(super) fn admit(&self, work: Work) -> Option<SessionEnd> {
        let mut state = self.state();
        state.admitted = true;
        // Who works with the device may have said meanwhile, and knows better. What was asked is work, whatever is said.
        if state.outlook == Outlook::Unknown {
            state.outlook = if work == Work::Expected { Outlook::More } else { Outlook::NoMore };
        }
        state.end
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.state().admitted
    }

    /// The session is over, if it was not before. True if the intake is to be told.
    pub(super) fn end(&self, end: SessionEnd) -> bool {
        let admitted = self.state().end(end);
        self.changed.notify_waiters();
        admitted
    }

    /// How the session ends if the device was silent for too long, or has had all that a session may take.
    pub(super) fn overdue(&self, now: Instant) -> Option<SessionEnd> {
        let Limits { patience, until, .. } = self.limits;
        let state = self.state();
        if state.end.is_some() {
            return None;
        }
        let late = !state.busy && now.saturating_duration_since(state.heard) >= patience;
        if late && state.connection.is_none() {
            return Some(SessionEnd::DeviceLeft);
        }
        (late || now >= until).then_some(SessionEnd::TimedOut)
    }

    /// How the session ends instead of taking one more request of the device, if it has had all that a session may take.
    pub(super) fn exhausted(&self, now: Instant) -> Option<SessionEnd> {
        let exhausted = now >= self.limits.until || self.state().exchanges >= self.limits.exchanges;
        exhausted.then_some(SessionEnd::TimedOut)
    }

    /// The connection is closed.
    pub(super) fn disconnected(&self, connection: u64) {
        let mut state = self.state();
        if state.connection == Some(connection) {
            state.connection = None;
        }
    }

    /// What changes the answer to [`Turn::next`] after this was called.
    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A state is changed by assignments only, so that one that a panic left behind is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The session is over, if it was not before. True if the intake is to be told.
    fn end(&mut self, end: SessionEnd) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(end);
        self.mailbox.lost();
        self.admitted
    }
}

impl Turn {
    /// The device sent a request that belongs to the session; nothing if it is over.
    pub(super) fn new(session: Arc<Session>, connection: u64) -> Option<Self> {
        let mut state = session.state();
        if state.end.is_some() {
            return None;
        }
        state.turn = state.turn.wrapping_add(1);
        state.exchanges = state.exchanges.saturating_add(1);
        state.connection = Some(connection);
        state.busy = true;
        state.heard = Instant::now();
        let number = state.turn;
        drop(state);
        // A request that is still held is stale now.
        session.changed.notify_waiters();
        Some(Self { session, connection, number })
    }

    /// The device answered.
    pub(super) fn answered(&self, message: Message) {
        self.session.state().mailbox.answered(message);
    }

    /// The device sent what cannot be read.
    pub(super) fn garbled(&self, what: &str) {
        self.session.state().mailbox.garbled(what);
    }

    /// It is our turn: what the device gets. `last`: it is kept waiting no longer. Where the session ends, it has ended when this returns: nothing can be asked
    /// between the decision and the end.
    pub(super) fn next(&self, last: bool, write: Write<'_>) -> Move {
        let mut state = self.session.state();
        if state.end.is_some() || state.turn != self.number {
            return Move::Stale;
        }
        match state.mailbox.next(self.session.id, self.connection, self.session.namespace, write) {
            Some(body) => Move::Ask(body),
            None if state.outlook != Outlook::NoMore && !last => Move::Wait,
            None => Move::End { admitted: state.end(SessionEnd::Done) },
        }
    }
}

impl Drop for Turn {
    /// The request is answered, or nobody waits for the answer any more.
    fn drop(&mut self) {
        let mut state = self.session.state();
        if state.turn == self.number {
            state.busy = false;
            state.heard = Instant::now();
        }
    }
}
