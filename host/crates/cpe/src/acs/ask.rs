//! What is asked of a device that is in session, and what becomes of it.

use std::{fmt, sync::Arc};

use engine::port::{LiveSpan, SpanContext};
use pipeline::{AttributeValue, Timestamp};

use super::Proof;
use crate::{
    quirks::Quirks,
    soap::{Fault, Inform, Namespace, WriteError},
};

/// A session; no two of one process are the same. It is no secret: the cookie of a session cannot be told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A device that is in session.
#[derive(Debug, Clone)]
pub struct Live {
    /// The session.
    pub session: SessionId,
    /// How it began.
    pub inform: Arc<Inform>,
    /// The namespace that the device speaks.
    pub namespace: Namespace,
    /// What proves that it is this device.
    pub proof: Proof,
    /// How it differs from the standard.
    pub quirks: Arc<Quirks>,
    /// How many requests of the device were answered in this session so far.
    pub exchanges: u32,
}

/// Why a request to a device has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AskError {
    /// The device was not in session: nothing was sent.
    #[error("the device is not in session")]
    NotInSession,
    /// The session ended before the answer came. Where `sent` is false the device has not seen the request; else it may have carried it out.
    #[error("the session ended before the answer ({})", if *.sent { "the request was sent" } else { "the request was not sent" })]
    Lost {
        /// Whether the request was sent.
        sent: bool,
    },
    /// The device answered with a fault.
    #[error("the device answered with fault {}", .0.code)]
    Fault(Fault),
    /// The request cannot be sent to this device, as in a value that XML cannot carry: nothing was sent.
    #[error("the request cannot be sent: {0}")]
    Invalid(WriteError),
    /// The device answered something else than what was asked.
    #[error("the device answered with {0}")]
    Unexpected(String),
}

impl AskError {
    /// The value of `error.type` on the span of the request: the code of a fault, or what happened instead of an answer.
    fn kind(&self) -> String {
        match self {
            Self::NotInSession | Self::Lost { sent: false } => "not_sent".to_owned(),
            Self::Lost { sent: true } => "lost".to_owned(),
            Self::Fault(fault) => fault.code.to_string(),
            Self::Invalid(_) => "invalid".to_owned(),
            Self::Unexpected(_) => "unexpected".to_owned(),
        }
    }
}

/// The span of a request to a device.
pub(super) fn span(parent: SpanContext, method: &'static str, started: Timestamp, ended: Timestamp, error: Option<&AskError>) -> LiveSpan {
    let mut attributes = vec![("cpe.rpc.method".to_owned(), AttributeValue::Text(method.to_owned()))];
    if let Some(AskError::Fault(fault)) = error {
        attributes.push(("cpe.fault_code".to_owned(), AttributeValue::Text(fault.code.to_string())));
    }
    LiveSpan {
        scope: "cpe.acs",
        name: format!("cwmp {method}"),
        client: true,
        context: None,
        parent: Some(parent),
        links: Vec::new(),
        started,
        ended,
        attributes,
        error: error.map(|error| (error.kind(), error.to_string())),
    }
}
