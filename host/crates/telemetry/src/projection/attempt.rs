//! Spans of attempts: one per attempt, waiting included, in both directions; of children; and of steps that were refused.

use pipeline::{
    AttemptId, Attributes, Counted, Direction, Event, Failure, FailureClass, ItemId, ItemState, StepDefinition, StepName, Timestamp, Verdict,
};
use serde_json::Value;

use super::{ParentSpan, ProjectedSpan, Scene, SpanLink};
use crate::{generated::attribute, registry};

/// What the events that end an attempt have in common.
struct Ended<'a> {
    id: &'a AttemptId,
    started_at: Timestamp,
    output: Option<&'a Value>,
    failure: Option<&'a Failure>,
    provided: &'a Attributes,
}

impl<'a> Scene<'a> {
    pub(super) fn attempts(&self) -> Vec<ProjectedSpan> {
        if let Event::AttemptPended { attempt, started_at, .. } = &self.record.event {
            return self.handed_over(attempt, *started_at).into_iter().collect();
        }
        let ended = self.ended();
        if let Event::AttemptFinished { attempt, .. } | Event::AttemptLost { attempt, .. } = &self.record.event
            && let Some(completion) = self.completion(attempt)
        {
            return self.in_two(attempt, completion, ended);
        }
        ended.into_iter().collect()
    }

    /// The span of an attempt that an event ends.
    fn ended(&self) -> Option<ProjectedSpan> {
        let nothing = Attributes::new();
        let cancelled = Failure::new(FailureClass::Rejected, "host.cancelled", "cancelled while it was waited for");
        match &self.record.event {
            Event::AttemptFinished { attempt, started_at, verdict, attributes, .. } => {
                let (output, failure) = match verdict {
                    Verdict::Done(output) => (Some(output), None),
                    // A completion says whether what was asked for has come.
                    Verdict::Undone => (None, self.completion(attempt).map(|_| &cancelled)),
                    Verdict::Refused { output, failure } => (Some(output), Some(failure)),
                    Verdict::Failed(failure) => (None, Some(failure)),
                };
                self.attempt(&Ended { id: attempt, started_at: *started_at, output: output.map(|output| &**output), failure, provided: attributes })
            }
            Event::AttemptLost { attempt, started_at } => {
                let failure = Failure::new(FailureClass::Unknown, "host.restarted", "the host was restarted during the attempt");
                let mut span =
                    self.attempt(&Ended { id: attempt, started_at: *started_at, output: None, failure: Some(&failure), provided: &nothing })?;
                span.end = self.lost_at(*started_at);
                span.events.iter_mut().chain(&mut span.exception).for_each(|event| event.at = span.end);
                Some(span)
            }
            Event::ChildEnded { item, result, .. } => {
                let id = AttemptId { item: item.clone(), direction: Direction::Do, attempt: 1 };
                let started_at = self.item(item)?.1.since;
                self.attempt(&Ended { id: &id, started_at, output: result.as_ref().ok(), failure: result.as_ref().err(), provided: &nothing })
            }
            Event::StepRefused { step, failure } => self.refused(step, failure),
            Event::RunStarted(_)
            | Event::StepScheduled { .. }
            | Event::AttemptStarted { .. }
            | Event::AttemptPended { .. }
            | Event::ResumeFailed { .. }
            | Event::ResumeHeld { .. }
            | Event::RetryAbandoned { .. }
            | Event::TimerFired { .. }
            | Event::CancelRequested { .. }
            | Event::CallbackReceived { .. }
            | Event::ChildStarted { .. }
            | Event::ItemForgiven { .. }
            | Event::UnwindStarted { .. }
            | Event::UndoScheduled { .. }
            | Event::PinChanged(_)
            | Event::FalloutOpened(_)
            | Event::FalloutResolved { .. }
            | Event::RunEnded { .. }
            | Event::ParentNotified
            | Event::RunReopened { .. } => None,
        }
    }

    fn attempt(&self, ended: &Ended<'_>) -> Option<ProjectedSpan> {
        let (step, item) = self.item(&ended.id.item)?;
        let telemetry = &step.telemetry;
        let (name, mut attributes) = match ended.id.direction {
            Direction::Do => ((telemetry.span)(&item.request), (telemetry.attributes)(&self.view(), &item.request, ended.output)),
            Direction::Undo => ((telemetry.undo_span)(&item.request), self.undo_attributes(ended.id)),
        };
        if ended.id.direction == Direction::Do {
            attributes.extend(self.counted(step, ended.id, ended.failure.is_some()));
        }
        provided(&name, ended.provided, &mut attributes);
        let mut span = self.span(self.trace().attempt_span(ended.id), &name, ended.started_at, attributes);
        if ended.id.direction == Direction::Do {
            span.parent = self.parent_of(step, &ended.id.item);
        }
        if let Some(failure) = ended.failure {
            span.fail(&(telemetry.failure_text)(&item.request, failure), &failure.error_type);
            span.exception(&self.projector.policy, failure);
        }
        span.links.extend(self.retry_of(ended.id));
        Some(span)
    }

    /// A step that could not be scheduled has no attempts; its refusal is shown in their place.
    fn refused(&self, step: &StepName, failure: &Failure) -> Option<ProjectedSpan> {
        let (_, definition) = self.step(step)?;
        let telemetry = &definition.telemetry;
        let (name, attributes) = match telemetry.group_span {
            Some(name) => (name.to_owned(), (telemetry.group_attributes)(&self.view(), 0, true)),
            None => {
                let mut attributes = (telemetry.attributes)(&self.view(), &Value::Null, None);
                attributes.extend((telemetry.count_attributes)(&Counted { attempt: 1, attempts: definition.retry.max_attempts.get(), failed: true }));
                ((telemetry.span)(&Value::Null), attributes)
            }
        };
        // The number of the record makes the id: a step can be refused more than once in a round.
        let id = self.trace().named_span(&format!("refused {step} {}", self.record.seq.0));
        let mut span = self.span(id, &name, self.record.at, attributes);
        span.parent = self.under_phase(step);
        span.fail(&(telemetry.failure_text)(&Value::Null, failure), &failure.error_type);
        span.exception(&self.projector.policy, failure);
        Some(span)
    }

    pub(super) fn counted(&self, step: &StepDefinition, id: &AttemptId, failed: bool) -> Attributes {
        (step.telemetry.count_attributes)(&Counted { attempt: id.attempt, attempts: step.retry.max_attempts.get(), failed })
    }

    pub(super) fn item(&self, id: &ItemId) -> Option<(&'a StepDefinition, &'a ItemState)> {
        let (_, step) = self.step(&id.step)?;
        Some((step, self.run.item(self.definition, id)?))
    }

    pub(super) fn parent_of(&self, step: &StepDefinition, item: &ItemId) -> Option<ParentSpan> {
        match (step.fan_out, step.telemetry.group_span) {
            (Some(_), Some(_)) => {
                // An item that was given other input has a later round than its step; the group is the step's.
                let round = self.step(&item.step).map_or(item.round, |(position, _)| self.run.steps()[position].round);
                Some(ParentSpan { span_id: self.trace().group_span(&item.step, round), remote: false })
            }
            (Some(_), None) | (None, _) => self.under_phase(&item.step),
        }
    }

    pub(super) fn retry_of(&self, id: &AttemptId) -> Option<SpanLink> {
        let earlier = AttemptId { attempt: id.attempt.checked_sub(1).filter(|number| *number > 0)?, ..id.clone() };
        let attributes = vec![(attribute::LINK_REASON.to_owned(), "retry_of".into())];
        Some(SpanLink { span_id: self.trace().attempt_span(&earlier), attributes })
    }

    fn undo_attributes(&self, id: &AttemptId) -> Attributes {
        vec![
            (attribute::PIPELINE_NAME.to_owned(), self.definition.name.as_str().into()),
            (attribute::PIPELINE_RUN_ID.to_owned(), self.run.id().as_str().into()),
            (attribute::PIPELINE_STEP_NAME.to_owned(), id.item.step.as_str().into()),
            (attribute::PIPELINE_ATTEMPT.to_owned(), i64::from(id.attempt).into()),
        ]
    }

    /// When a lost attempt ended: with its process, and where that time is not known, at the last record of its run.
    fn lost_at(&self, started_at: Timestamp) -> Timestamp {
        let run = self.before.map_or(started_at, pipeline::Run::last_at);
        let life = self.projector.signs_of_life.get(&self.record.epoch).copied();
        life.unwrap_or(run).max(run).max(started_at).min(self.record.at.max(started_at))
    }
}

/// Adds what the provider said, where the contract lets it speak: on a span of the registry only what its row names, on other spans whatever
/// has the form of an attribute of a plugin. What the definition itself computed stays.
fn provided(name: &str, provided: &Attributes, attributes: &mut Attributes) {
    let row = registry::span(name);
    for (key, value) in provided {
        let allowed = match row {
            Some(row) => row.attribute(key).is_some() && key != attribute::ERROR_TYPE,
            None => crate::calls::is_guest_key(key),
        };
        if allowed && !attributes.iter().any(|(known, _)| known == key) {
            attributes.push((key.clone(), value.clone()));
        }
    }
}
