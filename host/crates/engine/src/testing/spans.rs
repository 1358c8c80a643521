//! Spans in memory, with addresses that count up.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use pipeline::PipelineName;

use crate::port::{LiveSpan, LiveSpans, SpanContext};

/// Keeps every span that it is given; every trace is sampled.
#[derive(Debug, Default)]
pub struct MemorySpans {
    next: AtomicU64,
    spans: Mutex<Vec<LiveSpan>>,
}

impl MemorySpans {
    /// What was recorded so far.
    pub fn spans(&self) -> Vec<LiveSpan> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl LiveSpans for MemorySpans {
    fn root(&self, _pipeline: &PipelineName) -> SpanContext {
        let number = self.number();
        SpanContext { trace_id: format!("{number:032x}"), span_id: format!("{number:016x}"), sampled: true, trace_state: String::new() }
    }

    fn child(&self, parent: &SpanContext) -> SpanContext {
        SpanContext { span_id: format!("{:016x}", self.number()), ..parent.clone() }
    }

    fn record(&self, span: LiveSpan) {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }
}
