//! The engine as packs, HTTP and CLI see it: start a run, signal it, look at it, decide about it.

use async_trait::async_trait;
use pipeline::{PipelineName, Record, Resolution, ResolutionRefused, Run, RunId, TenantName};
use serde_json::Value;

use crate::port::ReadError;

/// What users of the engine may do. Everything else happens by itself.
#[async_trait]
pub trait Engine: std::fmt::Debug + Send + Sync {
    /// Starts a run. When it returns, the run is durable. The same key starts nothing new and returns the run that it started before.
    async fn start(&self, start: Start) -> Result<Started, StartError>;

    /// Delivers an event from outside to the item that a one-time token was made for.
    async fn signal(&self, token: &str, body: String) -> Result<SignalAnswer, EngineError>;

    /// Lets a run go on that waits for the time to ask or to try again, because what it waits for may be there now. A call that is under way counts: if it
    /// ends in waiting, it is followed by another at once. What a plugin waits for before it is tried again is not shortened. Whether the run goes on by
    /// itself, now or when its time has come.
    async fn wake(&self, run: &RunId) -> Result<bool, EngineError>;

    /// The records of a run and the state they fold to.
    async fn query(&self, run: &RunId) -> Result<Option<RunView>, EngineError>;

    /// Records a person's decision about a fallout.
    async fn resolve(&self, decision: Decision) -> Result<(), ResolveError>;
}

/// What a run begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whose run it is.
    pub tenant: TenantName,
    /// The pipeline; its newest registered definition is used.
    pub pipeline: PipelineName,
    /// The pipeline's typed input in JSON form.
    pub input: Value,
    /// The key under which a repeated start finds this run; at most 256 bytes.
    pub idempotency_key: Option<String>,
    /// The W3C trace context of the caller.
    pub trace: Option<InboundTrace>,
}

/// The W3C trace context that came with a request, already checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundTrace {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub parent_span_id: String,
    /// The caller's sampling decision.
    pub sampled: bool,
    /// The `tracestate` header.
    pub trace_state: String,
}

impl InboundTrace {
    /// Reads a `traceparent` header (W3C Trace Context, version 00 or later); anything malformed is as if it were absent, as the standard demands.
    pub fn parse(traceparent: &str, trace_state: &str) -> Option<Self> {
        let mut parts = traceparent.trim().split('-');
        let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let well_formed = hex(version, 2) && version != "ff" && hex(trace_id, 32) && hex(span_id, 16) && hex(flags, 2);
        let extra = parts.next().is_some();
        if !well_formed || (version == "00" && extra) || trace_id.bytes().all(|b| b == b'0') || span_id.bytes().all(|b| b == b'0') {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        let trace_state = if trace_state.len() <= 512 { trace_state.to_owned() } else { String::new() };
        Some(Self { trace_id: trace_id.to_owned(), parent_span_id: span_id.to_owned(), sampled, trace_state })
    }
}

/// A run that was started, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether this call started it.
    pub created: bool,
}

/// What became of an event from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalAnswer {
    /// It was recorded and the item continues with it.
    Accepted,
    /// The token was used before; nothing changed.
    AlreadyUsed,
    /// The item does not wait for it any more; nothing changed.
    TooLate,
    /// No such token was ever given out.
    Unknown,
}

/// A run with its journal.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The state.
    pub run: Run,
    /// The records it was folded from.
    pub records: Vec<Record>,
}

/// A person's decision about a fallout.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The run.
    pub run: RunId,
    /// The fallout; `None` when the run has exactly one open.
    pub fallout: Option<u32>,
    /// What to do.
    pub resolution: Resolution,
    /// Who decided; 1 to 128 characters.
    pub by: String,
    /// Why; at most 4096 characters.
    pub note: String,
}

/// Why a run was not started. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No such pipeline is registered.
    #[error("no pipeline `{0}` is registered")]
    UnknownPipeline(PipelineName),
    /// The input or the key is too large.
    #[error("{what} has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The host is draining or the store has no room: try again later.
    #[error("no run can be started now: {0}")]
    Unavailable(String),
}

/// Why the engine could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store could not be written to now.
    #[error("the store cannot be written to: {0}")]
    Unavailable(String),
    /// The journal does not fold: it was written by a newer version, or it is damaged.
    #[error("the journal of run {run} cannot be read: {detail}")]
    Journal {
        /// The run.
        run: RunId,
        /// What is wrong.
        detail: String,
    },
    /// The event from outside is too large.
    #[error("the body has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// Why a decision was not recorded. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No such run.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// The run has none or several open fallouts, and none was named.
    #[error("run {run} has {open} open fallouts; name the one that is meant")]
    Ambiguous {
        /// The run.
        run: RunId,
        /// How many are open.
        open: usize,
    },
    /// The decision does not fit the fallout.
    #[error(transparent)]
    Refused(#[from] ResolutionRefused),
    /// The name or the note has a wrong length.
    #[error("{0}")]
    Invalid(String),
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_traceparent_is_as_if_it_were_absent() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parsed = InboundTrace::parse(good, "a=b").unwrap();
        assert!(parsed.sampled && parsed.trace_state == "a=b");
        for bad in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(InboundTrace::parse(bad, ""), None, "{bad}");
        }
        assert!(InboundTrace::parse("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-x", "").is_some());
    }
}
