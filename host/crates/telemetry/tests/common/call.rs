//! A plugin call as the runtime reports it.

use std::{sync::Arc, time::Duration};

use engine::port::{Call, CallEnd, SpanContext, Verb};
use pipeline::{Digest, Direction, IdempotencyKey, Pin, PipelineName, Provider, TenantName, Verbs, testing};

/// The second attempt to allocate a resource, by the plugin `inventory-pool`.
pub fn call(sampled: bool) -> Call {
    let attempt = super::history::attempt("allocate_inventory", 0, 2);
    let tenant = TenantName::new("default").unwrap();
    let run = testing::run_id(1);
    let key = IdempotencyKey::derive(&tenant, &run, &attempt.item, Direction::Do);
    let provider = Provider::Plugin { name: "inventory-pool".to_owned(), version: "1.2.3".to_owned(), digest: Digest::new("a".repeat(64)).unwrap() };
    Call {
        tenant,
        run,
        pipeline: PipelineName::new("order").unwrap(),
        attempt,
        revision: pipeline::Revision::new("0".repeat(64)).unwrap(),
        label: String::new(),
        key,
        pin: Arc::new(Pin { provider, contract: "jackfield:order/inventory@1.0.0".to_owned(), verbs: Verbs::default(), idempotent: false }),
        verb: Verb::Apply,
        request: Arc::new(serde_json::json!({})),
        must_understand: &[],
        timeout: Duration::from_secs(1),
        callback: None,
        span: SpanContext {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            span_id: "00f067aa0ba902b7".to_owned(),
            sampled,
            trace_state: String::new(),
        },
    }
}

/// How a call ended, well or with this code.
pub fn end(error: Option<&str>) -> CallEnd {
    CallEnd {
        cpu: Duration::from_micros(20),
        memory_peak: 65_536,
        outcome: if error.is_some() { "failed" } else { "done" },
        error_type: error.map(str::to_owned),
        error_message: error.map(|_| "unreachable executed\nbacktrace".to_owned()),
    }
}
