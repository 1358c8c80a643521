//! Small definitions and events for tests and examples of this crate and of those above it.

use std::{num::NonZeroU32, time::Duration};

use serde_json::{Value, json};

use crate::{
    AfterFailure, AttemptId, Attributes, ContractTrack, Criticality, Definition, Epoch, Event, Failure, Mapped, OnFailure, Pin, PipelineName,
    Provider, Record, RetryPolicy, Revision, Run, RunId, RunStarted, RunTelemetry, ScheduledItem, Selectors, Seq, StepDefinition, StepName,
    StepTelemetry, TenantName, Timestamp, TraceIdentity, Undo, Verbs, Verdict, View, Work,
};

/// A pipeline named `test` whose steps follow one another, each with effects that are undone on unwind.
pub fn linear(steps: &[&str]) -> Definition {
    let mut definition = empty();
    for (position, name) in steps.iter().enumerate() {
        let mut step = step(name);
        step.after = steps[..position].last().map(|previous| word(previous)).into_iter().collect();
        definition.steps.push(step);
    }
    definition
}

/// A pipeline named `test` without steps.
pub fn empty() -> Definition {
    Definition {
        name: PipelineName::new("test").expect("a valid name"),
        version: 1,
        steps: Vec::new(),
        output: |view| view.input().clone(),
        telemetry: RunTelemetry {
            scope: "test",
            root_span: "test.run",
            root_is_server: false,
            root_attributes: |_| Attributes::new(),
            submitted_span: None,
            end_attributes: |_| Attributes::new(),
            phases: &[],
        },
        measure: |_| Vec::new(),
    }
}

/// A step that passes the run's input on, tries three times, is undone on unwind, and is held for a person after a failure.
pub fn step(name: &str) -> StepDefinition {
    StepDefinition {
        name: word(name),
        work: Work::Effect { contract: contract(), callback: false },
        after: Vec::new(),
        fan_out: None,
        map: |view: &View<'_>| Ok(Mapped::one(view.input().clone())),
        retry: RetryPolicy {
            max_attempts: NonZeroU32::new(3).expect("not zero"),
            initial: Duration::from_millis(10),
            max: Duration::from_secs(1),
            deadline: Duration::from_secs(3600),
        },
        timeout: Duration::from_secs(10),
        accept: |_, _| Ok(()),
        undo: Undo::OnUnwind,
        criticality: Criticality::Required,
        on_failure: OnFailure { unwind: true, then: AfterFailure::Fail, reason: |_| "test_failed" },
        selectors: Selectors::NONE,
        must_understand: &[],
        telemetry: StepTelemetry {
            group_span: None,
            span: |_| "test.step".to_owned(),
            metric_step: "test",
            attributes: |_, _, _| Attributes::new(),
            group_attributes: |_, _, _| Attributes::new(),
            failure_text: |_: &Value, failure: &Failure| failure.message.clone(),
            undo_span: |_| "test.undo".to_owned(),
            count_attributes: |_| Attributes::new(),
            completion: None,
        },
    }
}

/// Maps the array `items` of the input to one request each.
pub fn map_items(view: &View<'_>) -> Result<Vec<Mapped>, crate::MappingError> {
    let items = view.input()["items"].as_array().ok_or_else(|| crate::MappingError("the input has no array `items`".to_owned()))?;
    Ok(items.iter().enumerate().map(|(n, item)| Mapped { label: format!("item {n}"), request: item.clone() }).collect())
}

/// The contract that test steps call.
pub fn contract() -> ContractTrack {
    "jackfield:test/effect@1".parse().expect("a valid contract")
}

/// The binding of test items: observable, resumable, undoable, not idempotent.
pub fn pin() -> Pin {
    Pin {
        provider: Provider::Native { name: "test".to_owned() },
        contract: "jackfield:test/effect@1.0.0".to_owned(),
        verbs: Verbs { observe: true, resume: true, undo: true },
        idempotent: false,
    }
}

/// A run id from a number.
pub fn run_id(n: u64) -> RunId {
    RunId::new(format!("00000000-0000-7000-8000-{n:012x}")).expect("a valid id")
}

/// The trace identity of test runs.
pub fn trace() -> TraceIdentity {
    TraceIdentity {
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        span_id: "00f067aa0ba902b7".to_owned(),
        sampled: true,
        trace_state: String::new(),
        parent_span_id: None,
    }
}

/// The first record of a run with the input `{}`.
pub fn started(definition: &Definition) -> Record {
    started_with(definition, json!({}))
}

/// The first record of a run.
pub fn started_with(definition: &Definition, input: Value) -> Record {
    let started = RunStarted {
        pipeline: definition.name.clone(),
        version: definition.version,
        tenant: TenantName::new("default").expect("a valid name"),
        input,
        idempotency_key: None,
        revision: Revision::new("0".repeat(64)).expect("a valid revision"),
        trace: trace(),
        parent: None,
    };
    Record { seq: Seq(1), epoch: Epoch(1), at: Timestamp(0), event: Event::RunStarted(started.into()) }
}

/// The record that follows, `at` microseconds.
pub fn record(run: &Run, at: u64, event: Event) -> Record {
    Record { seq: run.head().next(), epoch: run.epoch(), at: Timestamp(at), event }
}

/// Items bound to the test provider; child runs stay unbound.
pub fn scheduled(step: StepName, round: u32, mut items: Vec<ScheduledItem>) -> Event {
    for item in &mut items {
        item.pin = Some(pin().into());
    }
    Event::StepScheduled { step, round, items, revision: None }
}

/// The end of an attempt.
pub fn finished(attempt: AttemptId, verdict: Verdict) -> Event {
    Event::AttemptFinished { attempt, started_at: Timestamp(0), verdict, retry_at: None, attributes: Attributes::new() }
}

fn word(name: &str) -> StepName {
    StepName::new(name).expect("a valid step name")
}
