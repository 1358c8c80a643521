//! What a pipeline is: data plus pure functions, so that it can be listed, drawn and checked without being run.

mod selectors;
mod validate;

use std::{num::NonZeroU32, time::Duration};

use serde_json::Value;

pub use self::{selectors::Selectors, validate::InvalidDefinition};
use crate::{
    contract::ContractTrack,
    failure::Failure,
    id::{PipelineName, StepName},
    measure::{Attributes, Measurement, Transition},
    retry::RetryPolicy,
    view::{MappingError, View},
};

/// A named, versioned graph of steps.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The pipeline.
    pub name: PipelineName,
    /// Written into `RunStarted`; a run keeps the version it began with.
    pub version: u32,
    /// The steps; a step may only name earlier ones, so the order of this list is one valid order of execution.
    pub steps: Vec<StepDefinition>,
    /// What a completed run returns to its parent.
    pub output: fn(&View<'_>) -> Value,
    /// How a run shows itself in traces.
    pub telemetry: RunTelemetry,
    /// The pipeline's own metrics, computed from one committed event.
    pub measure: fn(&Transition<'_>) -> Vec<Measurement>,
}

/// How a run shows itself in traces.
#[derive(Debug, Clone)]
pub struct RunTelemetry {
    /// The instrumentation scope of all spans of the run.
    pub scope: &'static str,
    /// The name of the root span.
    pub root_span: &'static str,
    /// Whether the root span is of kind SERVER (INTERNAL otherwise).
    pub root_is_server: bool,
    /// Attributes of the root span that are known at the start.
    pub root_attributes: fn(&View<'_>) -> Attributes,
    /// The name of a short span that is exported at once, so that a live run can be found.
    pub submitted_span: Option<&'static str>,
    /// Attributes of the root span that are known at the end.
    pub end_attributes: fn(&View<'_>) -> Attributes,
    /// Spans over several steps; a step is in one of them at most.
    pub phases: &'static [Phase],
}

/// A span over several steps: the parent of the spans that theirs would otherwise have the root as parent of.
#[derive(Debug, Clone)]
pub struct Phase {
    /// The name of the span.
    pub span: &'static str,
    /// The steps, in the order of the definition.
    pub steps: &'static [&'static str],
    /// The attributes of the span.
    pub attributes: fn(&View<'_>) -> Attributes,
}

impl RunTelemetry {
    /// The phase that a step belongs to.
    pub fn phase(&self, step: &StepName) -> Option<&'static Phase> {
        self.phases.iter().find(|phase| phase.steps.contains(&step.as_str()))
    }
}

/// One step of a pipeline.
#[derive(Debug, Clone)]
pub struct StepDefinition {
    /// The step.
    pub name: StepName,
    /// What is called.
    pub work: Work,
    /// The steps that must have completed before this one is scheduled.
    pub after: Vec<StepName>,
    /// `None`: exactly one item. Otherwise one item per mapped request, at most this many at a time.
    pub fan_out: Option<NonZeroU32>,
    /// Computes the requests from the run's input and the outputs so far. Called once per round; the result is journaled.
    pub map: fn(&View<'_>) -> Result<Vec<Mapped>, MappingError>,
    /// How often an item is tried.
    pub retry: RetryPolicy,
    /// The wall clock of one call, host awaits included.
    pub timeout: Duration,
    /// Looks at a request and what came of it, and refuses an output that is not what the run needs (an activation whose test failed).
    pub accept: fn(&Value, &Value) -> Result<(), Failure>,
    /// When a completed item is taken back.
    pub undo: Undo,
    /// What the step means to the run.
    pub criticality: Criticality,
    /// What happens when an item has failed for good.
    pub on_failure: OnFailure,
    /// What bindings may choose a provider by.
    pub selectors: Selectors,
    /// Request fields that a provider must know when they are set.
    pub must_understand: &'static [&'static str],
    /// How the step shows itself in traces.
    pub telemetry: StepTelemetry,
}

/// What a step calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A contract with effects: `apply`, `resume`, `observe`, `undo`.
    Effect {
        /// The contract.
        contract: ContractTrack,
        /// Whether the call is given a one-time callback address.
        callback: bool,
    },
    /// A contract without effects: `apply` only, repeatable at will.
    Pure {
        /// The contract.
        contract: ContractTrack,
    },
    /// A run of another pipeline, linked to this one.
    Child {
        /// The pipeline.
        pipeline: PipelineName,
    },
}

impl Work {
    /// The contract that is called, if any.
    pub fn contract(&self) -> Option<&ContractTrack> {
        match self {
            Self::Effect { contract, .. } | Self::Pure { contract } => Some(contract),
            Self::Child { .. } => None,
        }
    }
}

/// One request as the mapping computed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// What a person calls the item, such as the name of a service; empty for a step without fan-out.
    pub label: String,
    /// The request in the contract's JSON form.
    pub request: Value,
}

impl Mapped {
    /// The single request of a step without fan-out.
    pub fn one(request: Value) -> Vec<Self> {
        vec![Self { label: String::new(), request }]
    }
}

/// When a completed item is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// When the run unwinds.
    OnUnwind,
    /// As soon as the named step has completed, and when the run unwinds before that.
    After(StepName),
    /// Never: it has no effect or its effect is meant to stay.
    Never,
}

/// What a step means to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criticality {
    /// The run cannot complete without it.
    Required,
    /// The run goes on when it fails.
    BestEffort,
    /// Once it has completed, nothing is undone any more: failures are held for a person.
    PointOfNoReturn,
}

/// What happens when an item has failed for good.
#[derive(Debug, Clone, Copy)]
pub struct OnFailure {
    /// Undo what the run has done so far, first. Ignored after a point of no return.
    pub unwind: bool,
    /// How the run goes on then.
    pub then: AfterFailure,
    /// The reason under which a fallout is opened.
    pub reason: fn(&Failure) -> &'static str,
}

/// How a run goes on after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterFailure {
    /// It is held for a person.
    Fallout,
    /// It ends as failed.
    Fail,
}

/// How a step shows itself in traces and metrics. Every function is pure and total.
#[derive(Debug, Clone)]
pub struct StepTelemetry {
    /// The name of the span that groups the items of a fan-out step.
    pub group_span: Option<&'static str>,
    /// The name of an attempt's span, computed from the item's request.
    pub span: fn(&Value) -> String,
    /// The value of the label `step` in metrics, where it differs from the step's name.
    pub metric_step: &'static str,
    /// Attributes of an attempt's span, from the run, the item's request and its output when it succeeded.
    pub attributes: fn(&View<'_>, &Value, Option<&Value>) -> Attributes,
    /// Attributes of the group span, from the outputs of the completed items; called on success and failure.
    pub group_attributes: fn(&View<'_>, completed: usize, failed: bool) -> Attributes,
    /// The description of a failed span; the contract fixes some.
    pub failure_text: fn(&Value, &Failure) -> String,
    /// The name of a compensation's span, computed from the item's request.
    pub undo_span: fn(&Value) -> String,
    /// Attributes of an attempt's span that come from which attempt it is, in both of the spans of an attempt that has two.
    pub count_attributes: fn(&Counted) -> Attributes,
    /// Where a request and its completion are two spans: what the second of them is.
    pub completion: Option<Completion>,
}

/// Which attempt a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How many there are at most.
    pub attempts: u32,
    /// Whether it failed.
    pub failed: bool,
}

/// The second span of an attempt that waits for the outside. The first ends when the work has been handed over and is exported at once; the second begins
/// when what was waited for has come and is linked to the first. So a wait of days holds no span open.
#[derive(Debug, Clone, Copy)]
pub struct Completion {
    /// The name of the span.
    pub span: &'static str,
    /// Its attributes, from the run, the item's request and its output when it succeeded.
    pub attributes: fn(&View<'_>, &Value, Option<&Value>) -> Attributes,
}

impl Definition {
    /// The position and the definition of a step.
    pub fn step(&self, name: &StepName) -> Option<(usize, &StepDefinition)> {
        self.steps.iter().enumerate().find(|(_, step)| step.name == *name)
    }

    /// Checks what the types cannot: unique names, only backward references, sound undo and fan-out.
    pub fn validate(&self) -> Result<(), InvalidDefinition> {
        validate::validate(self)
    }
}
