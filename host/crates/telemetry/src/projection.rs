//! From committed events to spans: pure functions. The same event gives the same spans, byte for byte, in any process and at any time.
//!
//! Long spans are never held open: the identity of a run's trace is in its first record, the ids of attempts are derived from it, and each
//! span is made when the event that ends it was committed. Nothing here names the SDK.

mod attempt;
mod completion;
mod group;
mod phase;
mod root;

use std::collections::BTreeMap;

use engine::port::OwnedTransition;
use pipeline::{AttributeValue, Attributes, Definition, Epoch, Failure, Run, StepDefinition, Timestamp, TraceIdentity, View};

use crate::{
    generated::attribute,
    policy::{self, MAX_NAME_BYTES, Policy, cut},
    registry::{self, Kind},
};

/// A span as it will be exported.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectedSpan {
    /// The instrumentation scope.
    pub scope: &'static str,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The parent, unless the span is the root of its trace.
    pub parent: Option<ParentSpan>,
    /// The trace's `tracestate`.
    pub trace_state: String,
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: Kind,
    /// When the work began.
    pub start: Timestamp,
    /// When it ended, never before it began.
    pub end: Timestamp,
    /// The attributes.
    pub attributes: Attributes,
    /// How it ended.
    pub status: SpanStatus,
    /// Other spans it speaks of.
    pub links: Vec<SpanLink>,
    /// What happened on the way.
    pub events: Vec<SpanEvent>,
    /// Why the work failed, where it failed. It is also among the events unless the policy wants log records instead.
    pub exception: Option<SpanEvent>,
}

/// A parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentSpan {
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Whether another process made it.
    pub remote: bool,
}

/// How a span ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanStatus {
    /// It did not fail.
    Unset,
    /// The contract says that success is to be recorded.
    Ok,
    /// It failed; at most 256 bytes of description.
    Error(String),
}

/// A link to another span of the same trace.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanLink {
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// Something that happened within a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
}

/// Makes spans of committed events.
#[derive(Debug, Clone, Default)]
pub struct Projector {
    /// What is done to values.
    pub policy: Policy,
    /// By epoch: the last sign of life of the process before it, which is when the attempts it reports as lost ended.
    pub signs_of_life: BTreeMap<Epoch, Timestamp>,
}

impl Projector {
    /// The spans that a committed event ends. None for a run that is not sampled.
    pub fn spans(&self, transition: &OwnedTransition) -> Vec<ProjectedSpan> {
        let run = &*transition.after;
        if !run.started().trace.sampled {
            return Vec::new();
        }
        let scene =
            Scene { projector: self, definition: &transition.definition, before: transition.before.as_deref(), run, record: &transition.record };
        let mut spans = scene.attempts();
        spans.extend(scene.groups());
        spans.extend(scene.phases());
        spans.extend(scene.submitted());
        spans.extend(scene.root());
        spans
    }
}

/// One committed event with all that its spans depend on.
struct Scene<'a> {
    projector: &'a Projector,
    definition: &'a Definition,
    before: Option<&'a Run>,
    run: &'a Run,
    record: &'a pipeline::Record,
}

impl<'a> Scene<'a> {
    fn trace(&self) -> &'a TraceIdentity {
        &self.run.started().trace
    }

    fn view(&self) -> View<'a> {
        View::new(self.definition, self.run)
    }

    fn step(&self, name: &pipeline::StepName) -> Option<(usize, &'a StepDefinition)> {
        self.definition.step(name)
    }

    fn under_root(&self) -> Option<ParentSpan> {
        Some(ParentSpan { span_id: self.trace().span_id.clone(), remote: false })
    }

    /// A span of this run that did not fail; the caller changes what differs.
    fn span(&self, span_id: String, name: &str, start: Timestamp, attributes: Attributes) -> ProjectedSpan {
        let trace = self.trace();
        ProjectedSpan {
            // Where the contract gives a span a scope of its own.
            scope: registry::span(name).map_or(self.definition.telemetry.scope, |row| row.scope),
            trace_id: trace.trace_id.clone(),
            span_id,
            parent: self.under_root(),
            trace_state: trace.trace_state.clone(),
            name: cut(name, MAX_NAME_BYTES).to_owned(),
            kind: Kind::Internal,
            start,
            end: self.record.at.max(start),
            attributes: self.projector.policy.attributes(attributes),
            status: SpanStatus::Unset,
            links: Vec::new(),
            events: Vec::new(),
            exception: None,
        }
    }
}

impl ProjectedSpan {
    /// Marks the span as failed.
    fn fail(&mut self, description: &str, error_type: &str) {
        let error_type = registry::error_type(error_type);
        self.status = SpanStatus::Error(policy::description(description, error_type).to_owned());
        self.attributes.push((attribute::ERROR_TYPE.to_owned(), error_type.into()));
    }

    /// Tells the failure where it happened: once, on the span of the attempt.
    fn exception(&mut self, policy: &Policy, failure: &Failure) {
        let exception = SpanEvent { at: self.end, name: "exception".to_owned(), attributes: policy.attributes(exception_attributes(failure)) };
        if policy.exceptions.on_spans() {
            self.events.push(exception.clone());
        }
        self.exception = Some(exception);
    }
}

/// The attributes of an exception. A message of several lines is a summary followed by a backtrace.
pub(crate) fn exception_attributes(failure: &Failure) -> Attributes {
    let (message, backtrace) = failure.message.split_once('\n').unwrap_or((&failure.message, ""));
    let mut attributes: Attributes = vec![
        (attribute::EXCEPTION_TYPE.to_owned(), AttributeValue::from(registry::error_type(&failure.error_type))),
        (attribute::EXCEPTION_MESSAGE.to_owned(), message.into()),
    ];
    if !backtrace.is_empty() {
        attributes.push((attribute::EXCEPTION_STACKTRACE.to_owned(), backtrace.into()));
    }
    attributes
}
