//! What all providers have in common: requests and receipts are read from a call, and failures have one form.

use std::fmt;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, DocumentError, Observed, ReadError, Signal, Verb, WriteError};
use pipeline::{Attributes, Failure, FailureClass, Pin, Provider, Verbs};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// One effect with its four verbs, over typed requests and receipts.
#[async_trait]
pub(crate) trait Effect: fmt::Debug + Send + Sync {
    /// The request of the contract.
    type Request: DeserializeOwned + Send + Sync;
    /// Its receipt.
    type Receipt: DeserializeOwned + Serialize + Send + Sync;

    async fn apply(&self, call: &Call, request: Self::Request) -> Result<Answer, Failure>;

    async fn resume(&self, call: &Call, _: Self::Request, _: &str, _: &Signal) -> Result<Answer, Failure> {
        Err(held("plugin.contract", format!("the provider `{}` never pends", call.pin.provider.name())))
    }

    async fn observe(&self, call: &Call, request: Self::Request) -> Result<Observed, Failure>;

    async fn undo(&self, call: &Call, receipt: Self::Receipt) -> Result<(), Failure>;
}

/// Makes a call of an effect. Whatever is not a mere look counts as sent.
pub(crate) async fn run<E: Effect>(effect: &E, call: &Call) -> CallReport {
    let answer = match &call.verb {
        Verb::Apply => match read(&call.request, "request") {
            Ok(request) => effect.apply(call, request).await,
            Err(failure) => Err(failure),
        },
        Verb::Resume { checkpoint, signal } => match read(&call.request, "request") {
            Ok(request) => effect.resume(call, request, checkpoint, signal).await,
            Err(failure) => Err(failure),
        },
        Verb::Observe => match read(&call.request, "request") {
            Ok(request) => effect.observe(call, request).await.map(Answer::Observed),
            Err(failure) => Err(failure),
        },
        Verb::Undo { receipt } => match read(receipt, "receipt") {
            Ok(receipt) => effect.undo(call, receipt).await.map(|()| Answer::Undone),
            Err(failure) => Err(failure),
        },
    };
    CallReport { answer, sent: call.verb != Verb::Observe, attributes: Attributes::new(), writes: Vec::new() }
}

fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| held("plugin.contract", format!("the {what} does not fit: {error}")))
}

/// What a step is bound to.
pub(crate) fn native(name: &str, contract: &str, verbs: Verbs, idempotent: bool) -> Pin {
    Pin { provider: Provider::Native { name: name.to_owned() }, contract: contract.to_owned(), verbs, idempotent }
}

/// An effect that can be looked at and taken back.
pub(crate) const LASTING: Verbs = Verbs { observe: true, resume: false, undo: true };

pub(crate) fn done<T: Serialize>(receipt: &T) -> Answer {
    Answer::Done(json!(receipt))
}

pub(crate) fn ours<T: Serialize>(receipt: &T) -> Observed {
    Observed::Ours(json!(receipt))
}

pub(crate) fn drifted<T: Serialize>(receipt: &T) -> Observed {
    Observed::Drifted(json!(receipt))
}

pub(crate) fn rejected(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Rejected, code, message)
}

pub(crate) fn unavailable(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Unavailable, code, message)
}

pub(crate) fn held(code: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureClass::Held, code, message)
}

pub(crate) fn unreadable(error: &ReadError) -> Failure {
    unavailable("host.internal", error.to_string())
}

/// Nothing was written.
pub(crate) fn unwritten(error: &DocumentError) -> Failure {
    match error {
        DocumentError::Write(error) => unremoved(error),
        DocumentError::TooMuch { .. } => held("host.internal", error.to_string()),
    }
}

pub(crate) fn unremoved(error: &WriteError) -> Failure {
    match error {
        WriteError::Unavailable(_) => unavailable("host.internal", error.to_string()),
        WriteError::Fenced(_) | WriteError::Fatal(_) => held("host.internal", error.to_string()),
    }
}

/// A document that this host wrote itself.
pub(crate) fn body<T: DeserializeOwned>(collection: &str, value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| held("host.internal", format!("a document of `{collection}` cannot be read: {error}")))
}
