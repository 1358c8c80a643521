//! The identity of a run's trace, persisted with the run, and span ids derived from it.
//!
//! Ids follow W3C Trace Context level 1: 16 and 8 bytes, lower-case hexadecimal, never all zero.

use serde::{Deserialize, Serialize};

use crate::key::AttemptId;

/// The trace that a run belongs to: decided once, when the run starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceIdentity {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The run's root span: 16 hexadecimal digits.
    pub span_id: String,
    /// Whether the run's spans are exported. Decided once and kept for every attempt and callback.
    pub sampled: bool,
    /// The caller's `tracestate`, empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_state: String,
    /// The caller's span, when the run was started inside a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
}

impl TraceIdentity {
    /// The span id of an attempt.
    pub fn attempt_span(&self, id: &AttemptId) -> String {
        self.derive(&[
            id.item.step.as_str().as_bytes(),
            &id.item.item.to_le_bytes(),
            &id.item.round.to_le_bytes(),
            &[id.direction as u8],
            &id.attempt.to_le_bytes(),
        ])
    }

    /// The span id of the completion of an attempt, where that is a span of its own.
    pub fn completion_span(&self, id: &AttemptId) -> String {
        let AttemptId { item, direction, attempt } = id;
        self.named_span(&format!("completion {} {} {} {} {attempt}", item.step, item.item, item.round, *direction as u8))
    }

    /// The id of the span over the steps of a phase in one round.
    pub fn phase_span(&self, phase: &str, round: u32) -> String {
        self.named_span(&format!("phase {phase} {round}"))
    }

    /// The id of the span that groups the items of a fan-out step in one round.
    pub fn group_span(&self, step: &crate::id::StepName, round: u32) -> String {
        self.derive(&[step.as_str().as_bytes(), b"group", &round.to_le_bytes()])
    }

    /// The id of a named span of the run that exists once, such as the one that marks its submission.
    pub fn named_span(&self, name: &str) -> String {
        self.derive(&[b"named", name.as_bytes()])
    }

    /// The W3C `traceparent` header under which `span_id` is the parent.
    pub fn traceparent(&self, span_id: &str) -> String {
        format!("00-{}-{span_id}-{:02x}", self.trace_id, u8::from(self.sampled))
    }

    fn derive(&self, parts: &[&[u8]]) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("jackfield 2026 span id");
        hasher.update(self.trace_id.as_bytes());
        // Several runs may belong to one trace: a caller's, or a parent's with its children.
        hasher.update(self.span_id.as_bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut id = [0; 8];
        hasher.finalize_xof().fill(&mut id);
        // An all-zero span id is invalid in W3C Trace Context; one in 2^64 becomes 1.
        let id = u64::from_be_bytes(id).max(1);
        format!("{id:016x}")
    }
}
