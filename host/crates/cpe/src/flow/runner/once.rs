//! What must not be done twice. It is written down before it is sent, so that afterwards it is known whether it may have been.

use pipeline::{Failure, FailureClass};
use serde::{Deserialize, Serialize};

use super::{fault::Stop, talk::Talk};

/// Where something stands that must not be done twice.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Once {
    /// The session in which it is about to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// The session in which it may have been sent: its answer was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
}

impl Once {
    /// Whether it is about to be sent in this session.
    pub(super) fn is_next(&self, talk: &Talk<'_>) -> bool {
        self.about.as_ref() == Some(&talk.session())
    }

    /// Whether it may have been sent in an earlier session, so that this one may show what came of it. Waits for another session where it was in this one.
    pub(super) fn in_doubt(&mut self, talk: &Talk<'_>) -> Result<bool, Stop> {
        let elsewhere = self.about.take_if(|about| *about != talk.session());
        // A process that is still there has noted what came of its requests.
        if let Some(session) = elsewhere.filter(|session| !talk.runner.is_of_this_process(session)) {
            self.doubt = Some(session);
        }
        match &self.doubt {
            Some(session) if *session == talk.session() => Err(Stop::Wait),
            Some(_) => Ok(true),
            None => Ok(false),
        }
    }

    /// Sends it, once it is written down that it is about to be.
    pub(super) async fn send<T>(&mut self, talk: &mut Talk<'_>, ask: impl AsyncFnOnce(&mut Talk<'_>) -> Result<T, Stop>) -> Result<T, Stop> {
        if !self.is_next(talk) {
            *self = Self { about: Some(talk.session()), doubt: None };
            return Err(Stop::Note);
        }
        self.about = None;
        let sent_before = std::mem::take(&mut talk.sent);
        let answer = ask(talk).await;
        let sent = talk.sent;
        talk.sent |= sent_before;
        let lost = match &answer {
            Err(Stop::Wait) => sent,
            // Words that nobody understands are no promise that nothing was done.
            Err(Stop::Failed(failure)) => sent && failure.class == FailureClass::Unavailable,
            Ok(_) | Err(Stop::WaitFor(_) | Stop::Note | Stop::Fault { .. }) => false,
        };
        if !lost {
            return answer;
        }
        self.doubt = Some(talk.session());
        Err(Stop::Wait)
    }
}

/// The device does not show whether it did what it was asked, and it must not be asked twice: a person decides.
pub(super) fn nobody_knows(method: &str, shows: &str) -> Stop {
    let message = format!("the answer to {method} was lost and {shows}: look at the device before it is asked again");
    Stop::Failed(Failure::new(FailureClass::Rejected, "_OTHER", message))
}
