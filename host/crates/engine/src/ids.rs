//! Identities that are drawn: run ids and trace ids. Everything else is derived from them.

use pipeline::{RunId, TraceIdentity};

use crate::api::InboundTrace;

/// A new run id: UUID version 7 (RFC 9562), so that ids sort by time.
pub(crate) fn run_id() -> RunId {
    RunId::new(uuid::Uuid::now_v7().to_string()).expect("a UUID in its text form is a run id")
}

/// The trace of a new run: the caller's when there is one, otherwise a new one.
pub(crate) fn trace(inbound: Option<InboundTrace>, sampled: bool) -> TraceIdentity {
    let span_id = random::<8>();
    match inbound {
        Some(InboundTrace { trace_id, parent_span_id, trace_state, .. }) => {
            TraceIdentity { trace_id, span_id, sampled, trace_state, parent_span_id: Some(parent_span_id) }
        }
        None => TraceIdentity { trace_id: random::<16>(), span_id, sampled, trace_state: String::new(), parent_span_id: None },
    }
}

/// `N` random bytes in hexadecimal from the operating system, never all zero.
fn random<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    if bytes.iter().all(|byte| *byte == 0) {
        bytes[N - 1] = 1;
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
