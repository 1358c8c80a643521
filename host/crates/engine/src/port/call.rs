//! The call: what the engine asks of a provider and what it hears back.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use pipeline::{AttemptId, Attributes, Failure, IdempotencyKey, Pin, PipelineName, Revision, RunId, TenantName};
pub use pipeline::{Observed, PendingAnswer};
use serde_json::Value;

/// Makes calls. Layers (routing, limits, telemetry) wrap this one method.
#[async_trait]
pub trait Runner: fmt::Debug + Send + Sync {
    /// Makes one call and always answers: what the host caused itself (trap, timeout, denial) is classified in the report. Effects of a dropped future are
    /// not undone, so the engine never drops one.
    async fn call(&self, call: Call) -> CallReport;
}

/// One call of one verb of one contract.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whose run it is.
    pub tenant: TenantName,
    /// The run.
    pub run: RunId,
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The binding-table revision that the item was bound by: it says what the provider may reach.
    pub revision: Revision,
    /// Which attempt makes the call.
    pub attempt: AttemptId,
    /// What a person calls the item.
    pub label: String,
    /// The key of the effect: the same for every attempt. An undo has its own; `observe` is given the key that the effect was made under.
    pub key: IdempotencyKey,
    /// What is called.
    pub pin: Arc<Pin>,
    /// Which function.
    pub verb: Verb,
    /// The request in the contract's JSON form.
    pub request: Arc<Value>,
    /// Request fields that the provider must know when they are set.
    pub must_understand: &'static [&'static str],
    /// The wall clock of the call, host awaits included.
    pub timeout: Duration,
    /// Where an event from outside can be sent, if the step wants one.
    pub callback: Option<CallbackAddress>,
    /// The attempt's span, parent of everything the call does.
    pub span: SpanContext,
}

/// A verb of a contract with what only it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Do the work.
    Apply,
    /// Continue a pending operation.
    Resume {
        /// What the provider returned when it pended.
        checkpoint: String,
        /// Why it is continued.
        signal: Signal,
    },
    /// Tell whether the effect exists.
    Observe,
    /// Take the effect back.
    Undo {
        /// What the provider returned when it was done.
        receipt: Arc<Value>,
    },
}

impl Verb {
    /// The name of the WIT function.
    pub fn function(&self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Resume { .. } => "resume",
            Self::Observe => "observe",
            Self::Undo { .. } => "undo",
        }
    }
}

/// Why a pending operation is continued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The time to ask again has come.
    Timer,
    /// The event from outside has come, with this body.
    Callback(String),
    /// The operation is not wanted any more.
    Cancel,
}

/// Where an event from outside can be sent, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAddress {
    /// The host's name of the operation.
    pub operation: String,
    /// The address, which contains the one-time token.
    pub url: String,
}

/// A span as a parent: W3C trace context in text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanContext {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// The `tracestate` header, possibly empty.
    pub trace_state: String,
}

impl SpanContext {
    /// The `traceparent` header.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct CallReport {
    /// The answer, or why there is none. A failure's class already takes into account whether anything was sent.
    pub answer: Result<Answer, Failure>,
    /// Whether a request left the host, so that making the call again might repeat an effect.
    pub sent: bool,
    /// Attributes that the provider set on the attempt's span.
    pub attributes: Attributes,
    /// Key-value changes that take effect with the record of this outcome, or not at all. Empty when the call failed.
    pub writes: Vec<KeyValueWrite>,
}

impl CallReport {
    /// A report of a failure that had no effect on the host.
    pub fn failed(failure: Failure, sent: bool) -> Self {
        Self { answer: Err(failure), sent, attributes: Attributes::new(), writes: Vec::new() }
    }
}

/// The answer of a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The work is done; this is the receipt (or the output of a pure contract).
    Done(Value),
    /// There is nothing (any more) to take back.
    Undone,
    /// The request was taken and must be resumed.
    Pending(PendingAnswer),
    /// The answer of `observe`.
    Observed(Observed),
}

/// A change of one key that a call made, checked against what the call had read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValueWrite {
    /// The plugin whose keys they are.
    pub namespace: String,
    /// The key.
    pub key: String,
    /// The version that the call saw; 0 when there was none.
    pub expected_version: u64,
    /// The new value; `None` deletes. A write whose value equals what was read is a check only.
    pub value: Option<String>,
}
