//! The two spans of an attempt that waits for the outside: the request, exported as soon as it was handed over, and its completion, linked to it.

use pipeline::{Activity, AttemptId, Attributes, Completion, Direction, Timestamp};

use super::{ProjectedSpan, Scene, SpanLink};
use crate::generated::attribute;

impl Scene<'_> {
    /// How the completion of an attempt shows itself, where it is a span of its own.
    pub(super) fn completion(&self, id: &AttemptId) -> Option<Completion> {
        let (_, step) = self.step(&id.item.step).filter(|_| id.direction == Direction::Do)?;
        step.telemetry.completion
    }

    /// The request: the attempt was handed over for the first time.
    pub(super) fn handed_over(&self, id: &AttemptId, started_at: Timestamp) -> Option<ProjectedSpan> {
        self.completion(id)?;
        if self.continued_since(id).is_some() {
            return None;
        }
        let (step, item) = self.item(&id.item)?;
        let telemetry = &step.telemetry;
        let mut attributes = (telemetry.attributes)(&self.view(), &item.request, None);
        attributes.extend(self.counted(step, id, false));
        let mut span = self.span(self.trace().attempt_span(id), &(telemetry.span)(&item.request), started_at, attributes);
        span.parent = self.parent_of(step, &id.item);
        span.links.extend(self.retry_of(id));
        Some(span)
    }

    /// The spans of an attempt that ended, of which `ended` would be the only one if its completion were not a span of its own.
    pub(super) fn in_two(&self, id: &AttemptId, completion: Completion, ended: Option<ProjectedSpan>) -> Vec<ProjectedSpan> {
        let Some(ended) = ended else { return Vec::new() };
        let continued = self.continued_since(id);
        let failed = matches!(ended.status, super::SpanStatus::Error(_));
        match continued {
            // It failed before anything was handed over.
            None if failed => vec![ended],
            None => {
                let completed = self.completed(id, completion, &ended, ended.end);
                std::iter::once(ended).chain(completed).collect()
            }
            Some(since) => self.completed(id, completion, &ended, since).into_iter().collect(),
        }
    }

    fn completed(&self, id: &AttemptId, completion: Completion, ended: &ProjectedSpan, since: Timestamp) -> Option<ProjectedSpan> {
        let (step, item) = self.item(&id.item)?;
        // Also what was brought and not accepted.
        let output = item.receipt();
        let mut attributes = (completion.attributes)(&self.view(), &item.request, output.map(|output| &**output));
        let failed = matches!(ended.status, super::SpanStatus::Error(_));
        attributes.extend(self.counted(step, id, failed));
        let mut span = self.span(self.trace().completion_span(id), completion.span, since.min(ended.end), attributes);
        span.end = ended.end;
        span.parent = ended.parent.clone();
        span.status = ended.status.clone();
        span.attributes.extend(ended.attributes.iter().filter(|(key, _)| key == attribute::ERROR_TYPE).cloned());
        (span.events, span.exception) = (ended.events.clone(), ended.exception.clone());
        let attributes: Attributes = vec![(attribute::LINK_REASON.to_owned(), "callback_of".into())];
        span.links.push(SpanLink { span_id: self.trace().attempt_span(id), attributes });
        Some(span)
    }

    /// Since when an attempt that had been handed over is being continued.
    fn continued_since(&self, id: &AttemptId) -> Option<Timestamp> {
        let item = self.before?.item(self.definition, &id.item)?;
        match &item.activity {
            Activity::Ready(ready) => ready.resume.as_ref().map(|_| ready.since),
            Activity::Pending(pending) => Some(pending.started_at),
            Activity::Queued | Activity::Backoff { .. } | Activity::Child { .. } | Activity::Idle => None,
        }
    }
}
