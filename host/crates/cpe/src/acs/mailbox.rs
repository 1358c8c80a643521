//! The requests that wait for a device, and the one that it has and did not answer yet.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::{AskError, SessionId};
use crate::soap::{Answer, Envelope, Message, Namespace, Rpc, WriteError};

/// How an envelope is written for the device.
pub(super) type Write<'a> = &'a dyn Fn(&Envelope) -> Result<String, WriteError>;

/// A request, and who waits for the answer.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) rpc: Rpc,
    pub(super) answer: oneshot::Sender<Result<Answer, AskError>>,
}

/// A request that the device has.
#[derive(Debug)]
struct Sent {
    id: String,
    letter: Letter,
    /// The connection on which it was sent.
    connection: u64,
    again: bool,
}

/// The requests of one session.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: VecDeque<Letter>,
    sent: Option<Sent>,
    /// How many were sent; the ID of the next one is made of it.
    count: u32,
}

impl Mailbox {
    pub(super) fn put(&mut self, letter: Letter) {
        self.waiting.push_back(letter);
    }

    /// Takes what the device said for the answer to what it was sent. An ID that is another one, or missing, does not matter, because one request at a time is
    /// out. An answer to nothing is dropped.
    pub(super) fn answered(&mut self, message: Message) {
        let Some(Sent { letter, .. }) = self.sent.take() else { return };
        let unexpected = format!("`{}` to `{}`", message.name().chars().take(LONGEST_SHOWN).collect::<String>(), letter.rpc.name());
        let answer = match message {
            Message::Answer(answer) if answer.name().strip_suffix("Response") == Some(letter.rpc.name()) => Ok(answer),
            Message::Fault(fault) => Err(AskError::Fault(fault)),
            Message::Answer(_) | Message::Inform(_) | Message::Rpc(_) | Message::Event(_) | Message::Reply(_) | Message::Unknown { .. } => {
                Err(AskError::Unexpected(unexpected))
            }
        };
        letter.resolve(answer);
    }

    /// The device said something that cannot be read where an answer was due.
    pub(super) fn garbled(&mut self, what: &str) {
        if let Some(Sent { letter, .. }) = self.sent.take() {
            letter.resolve(Err(AskError::Unexpected(what.to_owned())));
        }
    }

    /// The body of the request that the device gets now, as it is our turn to speak. Requests that nobody waits for any more are not sent.
    ///
    /// A device that says nothing though it was asked something may not have got it: when it comes on another connection it gets the same again, once.
    pub(super) fn next(&mut self, session: SessionId, connection: u64, namespace: Namespace, write: Write<'_>) -> Option<String> {
        if let Some(sent) = self.sent.take() {
            if sent.connection == connection || sent.again {
                sent.letter.resolve(Err(AskError::Unexpected("an empty body".to_owned())));
            } else if !may_repeat(&sent.letter.rpc) {
                sent.letter.resolve(Err(AskError::Lost { sent: true }));
            } else if !sent.letter.answer.is_closed()
                && let Some((body, letter)) = written(&sent.id, sent.letter, namespace, write)
            {
                self.sent = Some(Sent { letter, connection, again: true, ..sent });
                return Some(body);
            }
        }
        while let Some(letter) = self.waiting.pop_front() {
            if letter.answer.is_closed() {
                continue;
            }
            self.count += 1;
            let id = format!("{session}-{}", self.count);
            if let Some((body, letter)) = written(&id, letter, namespace, write) {
                self.sent = Some(Sent { id, letter, connection, again: false });
                return Some(body);
            }
        }
        None
    }

    /// The session is over.
    pub(super) fn lost(&mut self) {
        if let Some(Sent { letter, .. }) = self.sent.take() {
            letter.resolve(Err(AskError::Lost { sent: true }));
        }
        for letter in self.waiting.drain(..) {
            letter.resolve(Err(AskError::Lost { sent: false }));
        }
    }
}

/// How much of a device's word is repeated in an error.
const LONGEST_SHOWN: usize = 64;

impl Letter {
    /// Whoever asked may have stopped waiting: then nobody hears the answer.
    fn resolve(self, answer: Result<Answer, AskError>) {
        let _ = self.answer.send(answer);
    }
}

/// The body, and the letter again. One that cannot be written is answered here.
fn written(id: &str, letter: Letter, namespace: Namespace, write: Write<'_>) -> Option<(String, Letter)> {
    let Letter { rpc, answer } = letter;
    let envelope = Envelope::new(namespace, id, Message::Rpc(rpc));
    let body = write(&envelope);
    match (body, envelope.message) {
        (Ok(body), Message::Rpc(rpc)) => Some((body, Letter { rpc, answer })),
        (Ok(_), _) => None,
        (Err(error), _) => {
            let _ = answer.send(Err(AskError::Invalid(error)));
            None
        }
    }
}

/// Whether a device that gets the request twice is where it would be had it got it once.
fn may_repeat(rpc: &Rpc) -> bool {
    match rpc {
        Rpc::GetRpcMethods
        | Rpc::SetParameterValues { .. }
        | Rpc::GetParameterValues { .. }
        | Rpc::GetParameterNames { .. }
        | Rpc::SetParameterAttributes { .. }
        | Rpc::GetParameterAttributes { .. }
        | Rpc::Reboot { .. }
        | Rpc::FactoryReset
        | Rpc::CancelTransfer { .. } => true,
        Rpc::AddObject { .. } | Rpc::DeleteObject { .. } | Rpc::Download(_) | Rpc::Upload(_) | Rpc::ScheduleInform { .. } => false,
    }
}
