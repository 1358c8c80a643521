//! Calls of providers as an engine would make them.

use std::{sync::Arc, time::Duration};

use engine::port::{Answer, Call, Observed, Runner, Signal, SpanContext, Verb};
use pipeline::{AttemptId, Direction, Failure, IdempotencyKey, ItemId, Pin, PipelineName, Revision, StepName, TenantName};
use serde::Serialize;
use serde_json::{Value, json};

/// The engine's tenant of all calls.
pub(crate) fn owner() -> TenantName {
    TenantName::new("default").unwrap()
}

/// Calls of one provider.
#[derive(Debug, Clone)]
pub(crate) struct Caller<R> {
    pub(crate) runner: R,
    pub(crate) pin: Pin,
    /// Which item of the run calls, so which idempotency key.
    pub(crate) item: u32,
}

impl<R: Runner> Caller<R> {
    pub(crate) fn new(runner: R, pin: Pin) -> Self {
        Self { runner, pin, item: 0 }
    }

    pub(crate) fn call(&self, verb: Verb, request: &impl Serialize) -> Call {
        let item = ItemId { step: StepName::new("a").unwrap(), item: self.item, round: 1 };
        let run = pipeline::testing::run_id(7);
        Call {
            key: IdempotencyKey::derive(&owner(), &run, &item, Direction::Do),
            tenant: owner(),
            run,
            pipeline: PipelineName::new("tenant").unwrap(),
            revision: Revision::new("0".repeat(64)).unwrap(),
            attempt: AttemptId { item, direction: Direction::Do, attempt: 1 },
            label: String::new(),
            pin: Arc::new(self.pin.clone()),
            verb,
            request: Arc::new(json!(request)),
            must_understand: &[],
            timeout: Duration::from_secs(20),
            callback: None,
            span: SpanContext { trace_id: String::new(), span_id: String::new(), sampled: false, trace_state: String::new() },
        }
    }

    pub(crate) async fn apply(&self, request: &impl Serialize) -> Result<Answer, Failure> {
        self.runner.call(self.call(Verb::Apply, request)).await.answer
    }

    /// The receipt of an effect that is there at once.
    pub(crate) async fn receipt(&self, request: &impl Serialize) -> Value {
        match self.apply(request).await {
            Ok(Answer::Done(receipt)) => receipt,
            other => panic!("expected a receipt: {other:?}"),
        }
    }

    pub(crate) async fn resume(&self, request: &impl Serialize, checkpoint: &str, signal: Signal) -> Result<Answer, Failure> {
        self.runner.call(self.call(Verb::Resume { checkpoint: checkpoint.to_owned(), signal }, request)).await.answer
    }

    pub(crate) async fn observe(&self, request: &impl Serialize) -> Observed {
        match self.runner.call(self.call(Verb::Observe, request)).await.answer {
            Ok(Answer::Observed(observed)) => observed,
            other => panic!("expected an observation: {other:?}"),
        }
    }

    /// Takes an effect back, twice: the second time it is gone already.
    pub(crate) async fn undo(&self, request: &impl Serialize, receipt: &Value) {
        for _ in 0..2 {
            let call = self.call(Verb::Undo { receipt: Arc::new(receipt.clone()) }, request);
            assert_eq!(self.runner.call(call).await.answer, Ok(Answer::Undone));
        }
    }

    pub(crate) async fn fails(&self, request: &impl Serialize) -> String {
        match self.apply(request).await {
            Err(failure) => format!("{:?} {}", failure.class, failure.error_type),
            other => panic!("expected a failure: {other:?}"),
        }
    }
}
