//! The root span of a run, made when the run ends and dated back to its start, and the short one that makes a live run findable.

use pipeline::{Event, Failure, Outcome, Phase};

use super::{ParentSpan, ProjectedSpan, Scene, SpanStatus};
use crate::registry::{self, Kind};

impl Scene<'_> {
    pub(super) fn submitted(&self) -> Option<ProjectedSpan> {
        let name = self.definition.telemetry.submitted_span.filter(|_| matches!(self.record.event, Event::RunStarted(_)))?;
        let attributes = (self.definition.telemetry.root_attributes)(&self.view());
        Some(self.span(self.trace().named_span(name), name, self.record.at, attributes))
    }

    pub(super) fn root(&self) -> Option<ProjectedSpan> {
        let outcome = self.run.outcome()?;
        // A run that was reopened had its root span when it was over for the first time.
        if self.run.reopened().is_some() || self.before.is_some_and(|before| before.outcome().is_some()) {
            return None;
        }
        let telemetry = &self.definition.telemetry;
        let mut attributes = (telemetry.root_attributes)(&self.view());
        attributes.extend((telemetry.end_attributes)(&self.view()));
        let mut span = self.span(self.trace().span_id.clone(), telemetry.root_span, self.run.started_at(), attributes);
        // The parent of a child run is its parent's root, which this process made.
        let remote = self.run.started().parent.is_none();
        span.parent = self.trace().parent_span_id.clone().map(|span_id| ParentSpan { span_id, remote });
        span.kind = if telemetry.root_is_server { Kind::Server } else { Kind::Internal };
        match outcome {
            Outcome::Completed if registry::span(telemetry.root_span).is_some_and(|row| row.ok_on_success) => span.status = SpanStatus::Ok,
            Outcome::Completed => {}
            Outcome::Cancelled => {
                span.fail(&self.run.fallouts().last().map_or("cancelled".to_owned(), |fallout| fallout.opened.reason.clone()), "host.cancelled")
            }
            Outcome::Failed { failure, step } => {
                let (failure, step) = self.cause().unwrap_or((failure, step.as_ref()));
                span.fail(&self.reason(failure, step), &failure.error_type);
            }
        }
        Some(span)
    }

    /// What the run was taken back for stays its error, whatever went wrong on the way back.
    fn cause(&self) -> Option<(&Failure, Option<&pipeline::StepName>)> {
        match self.before?.phase() {
            Phase::Unwinding { cause, step, .. } => Some((cause.as_ref()?, step.as_ref())),
            Phase::Forward | Phase::Ended(_) => None,
        }
    }

    /// The reason under which a person was asked, or would have been.
    fn reason(&self, failure: &Failure, step: Option<&pipeline::StepName>) -> String {
        // An undo that failed as well is not why the run did.
        if let Some(fallout) = self.run.fallouts().iter().rev().find(|fallout| fallout.opened.failure == *failure) {
            return fallout.opened.reason.clone();
        }
        let step = step.and_then(|name| self.step(name));
        step.map_or_else(|| registry::error_type(&failure.error_type).to_owned(), |(_, step)| (step.on_failure.reason)(failure).to_owned())
    }
}
