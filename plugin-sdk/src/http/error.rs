//! Why there is no usable answer, and which failure that is.

use crate::Failure;

/// Failure code: no connection could be made.
pub const UNREACHABLE: &str = "unreachable";
/// Failure code: the request was sent, no complete answer came.
pub const NO_ANSWER: &str = "no_answer";
/// Failure code: an answer came that cannot be used.
pub const BAD_ANSWER: &str = "bad_answer";

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    effects: bool,
    message: String,
}

/// What went wrong, by what it says about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is malformed; nothing was sent.
    Invalid,
    /// The host refused to send it: no such logical name, or method or path not granted.
    Denied,
    /// No connection: nothing was sent.
    Unreachable,
    /// It was sent, and no complete answer came in time.
    NoAnswer,
    /// An answer came that is too long, not text or not the JSON that was asked for.
    BadAnswer,
}

impl Error {
    /// `sent` tells whether this request reached the other side and may have changed something there.
    pub(crate) fn new(kind: ErrorKind, sent: bool, message: impl Into<String>) -> Self {
        Self { kind, effects: sent || super::effects_possible(), message: message.into() }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether this call may have changed something outside by now.
    pub fn effect_possible(&self) -> bool {
        self.effects
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.kind {
            ErrorKind::Invalid | ErrorKind::Denied | ErrorKind::Unreachable => UNREACHABLE,
            ErrorKind::NoAnswer => NO_ANSWER,
            ErrorKind::BadAnswer => BAD_ANSWER,
        };
        if error.effects {
            return Self::unknown_outcome(code, error.message);
        }
        match error.kind {
            ErrorKind::Invalid => Self::rejected(code, error.message),
            // The host knows what it refused itself: it makes `plugin.denied` of this, which is not retried and names the missing grant.
            ErrorKind::Denied | ErrorKind::Unreachable | ErrorKind::NoAnswer | ErrorKind::BadAnswer => Self::unavailable(code, error.message),
        }
    }
}
