//! The contract `mail` answered by a mail server over SMTP. What cannot be known is not guessed: that a message is about to be handed over is written down
//! first, so that one whose fate is unknown is never sent again by itself.

mod options;
mod session;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Document, Documents, Observed, Runner};
use lettre::message::Mailbox;
use pipeline::{Failure, FailureClass, Pin, Verbs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use tracing::warn;

pub use self::options::{SmtpLogin, SmtpOptions, SmtpTls};
use self::session::Server;
use super::{
    effect::{self, Effect, body, done, held, ours, rejected, unavailable, unreadable, unwritten},
    message::{check_message_id, message, sender},
};
use crate::contract::{MailReceipt, MailRequest};

/// The name of the provider in bindings.
pub const SMTP_PROVIDER: &str = "smtp";

/// The collection of messages, by id: what became of each. It has no addresses.
pub const MAIL_COLLECTION: &str = "tenant-mail";

/// So much of a server's answer is kept.
const LONGEST_ANSWER: usize = 200;

/// Sends messages through one mail server.
#[derive(Clone)]
pub struct Smtp {
    server: Arc<Server>,
    from: Mailbox,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
enum Row {
    /// It was handed over, or not: nobody knows unless something else is written later.
    Sending,
    /// The server took it.
    Sent { answer: String },
    /// The server did not take it.
    Refused,
}

/// How a message was not sent.
enum Stop {
    /// The server does not have it.
    NotTaken(Failure),
    /// Nobody knows.
    InDoubt(String),
}

impl Smtp {
    /// A mail server.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used; says which.
    pub fn new(options: &SmtpOptions, login: Option<SmtpLogin>, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let server = Arc::new(Server::new(options, login)?);
        Ok(Self { server, from: sender(&options.from)?, documents, clock })
    }

    /// What the step of the mail is bound to.
    pub fn pin() -> Pin {
        let verbs = Verbs { observe: true, resume: false, undo: false };
        effect::native(SMTP_PROVIDER, "jackfield:tenant/mail@1.0.0", verbs, false)
    }

    async fn row(&self, id: &str) -> Result<Option<Row>, Failure> {
        let found = self.documents.get(MAIL_COLLECTION, id).await.map_err(|error| unreadable(&error))?;
        found.map(|document| body(MAIL_COLLECTION, &document.body)).transpose()
    }

    async fn note(&self, id: &str, row: &Row) -> Result<(), Failure> {
        let document =
            Document { collection: MAIL_COLLECTION, id: id.to_owned(), rank: self.clock.now().0, body: json!(row), attributes: Vec::new() };
        self.documents.put(vec![document]).await.map_err(|error| unwritten(&error))
    }

    /// Hands a message over. It is noted when the server is ready for it, and not before: until then nothing can have been taken.
    async fn send(&self, call: &Call, request: &MailRequest) -> Result<String, Failure> {
        let id = &request.message_id;
        let made = message(&self.from, request, self.clock.now())?;
        let deadline = Instant::now() + call.timeout.min(self.server.timeout);
        let mut session = self.server.session(made.envelope(), deadline).await?;
        self.note(id, &Row::Sending).await?;
        let sent = session.hand_over(&made.formatted(), deadline).await;
        let row = match &sent {
            Ok(answer) => Row::Sent { answer: answer.clone() },
            Err(Stop::NotTaken(_)) => Row::Refused,
            Err(Stop::InDoubt(_)) => Row::Sending,
        };
        // What is known is known even if it cannot be written down: the journal of the run has it.
        if row != Row::Sending
            && let Err(failure) = self.note(id, &row).await
        {
            warn!("what became of message {id} cannot be written down: {}", failure.message);
        }
        session.end(deadline).await;
        sent.map_err(|stop| match stop {
            Stop::NotTaken(failure) => failure,
            Stop::InDoubt(why) => {
                let message = format!("message {id} was handed over, and the server did not say whether it took it: {why}");
                Failure::new(FailureClass::Unknown, "mail_in_doubt", message)
            }
        })
    }
}

#[async_trait]
impl Runner for Smtp {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for Smtp {
    type Request = MailRequest;
    type Receipt = MailReceipt;

    /// One whose fate is unknown is sent again when it comes here: after `unsupported` only a person lets it come.
    async fn apply(&self, call: &Call, request: MailRequest) -> Result<Answer, Failure> {
        check_message_id(&request.message_id)?;
        let answer = match self.row(&request.message_id).await? {
            Some(Row::Sent { answer }) => answer,
            Some(Row::Sending | Row::Refused) | None => self.send(call, &request).await?,
        };
        Ok(done(&MailReceipt { message_id: request.message_id, answer }))
    }

    async fn observe(&self, _: &Call, request: MailRequest) -> Result<Observed, Failure> {
        check_message_id(&request.message_id)?;
        Ok(match self.row(&request.message_id).await? {
            None | Some(Row::Refused) => Observed::Absent,
            Some(Row::Sending) => Observed::Unsupported,
            Some(Row::Sent { answer }) => ours(&MailReceipt { message_id: request.message_id, answer }),
        })
    }

    async fn undo(&self, _: &Call, _: MailReceipt) -> Result<(), Failure> {
        Err(held("plugin.contract", "a message cannot be taken back"))
    }
}

#[cfg(test)]
mod tests;
