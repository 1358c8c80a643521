//! The span tree of a run, from its journal: what telemetry exported when spans ended, and those that are open now.
//!
//! Live spans (plugin calls, HTTP) are not in the journal; they are found in the trace back end under the same trace id.

use std::{collections::HashSet, sync::Arc};

use engine::{
    api::RunView,
    port::{OwnedTransition, Position},
};
use pipeline::{Activity, AttemptId, Definition, Direction, Event, IllegalEvent, ItemState, Record, Run, StepStatus, Timestamp, apply, begin};
use serde_json::{Value, json};
use telemetry::projection::{ProjectedSpan, Projector, SpanStatus};

/// The trace of a run, ended or not, as it is `now`.
pub(super) fn trace(definition: &Arc<Definition>, view: &RunView, now: Timestamp) -> Result<Value, IllegalEvent> {
    let ended = ended(definition, view)?;
    let known: HashSet<&str> = ended.iter().map(|span| span.span_id.as_str()).collect();
    let open = open(definition, &view.run).into_iter().filter(|span| !known.contains(span.span_id.as_str()));
    let mut spans: Vec<Value> = ended.iter().map(ended_json).chain(open.map(|span| span.json())).collect();
    spans.sort_by_key(|span| (span["start"].as_u64(), span["end"].as_u64().unwrap_or(u64::MAX)));
    let identity = &view.run.started().trace;
    Ok(json!({"trace_id": identity.trace_id, "sampled": identity.sampled, "root": identity.span_id, "now": now, "spans": spans}))
}

/// The spans that the journal ends, by the projector that exports them. It skips runs that are not sampled, and a person wants to see those too.
fn ended(definition: &Arc<Definition>, view: &RunView) -> Result<Vec<ProjectedSpan>, IllegalEvent> {
    let projector = Projector::default();
    let (mut before, mut spans): (Option<Arc<Run>>, Vec<ProjectedSpan>) = (None, Vec::new());
    for record in &view.records {
        let record = sampled(record);
        let after = match &before {
            None => begin(definition, view.run.id().clone(), &record)?,
            Some(run) => apply(definition, Run::clone(run), &record)?,
        };
        let after = Arc::new(after);
        let definition = Arc::clone(definition);
        spans.extend(projector.spans(&OwnedTransition {
            position: Position(0),
            definition,
            before,
            record: Arc::new(record),
            after: Arc::clone(&after),
        }));
        before = Some(after);
    }
    Ok(spans)
}

fn sampled(record: &Record) -> Record {
    let mut record = record.clone();
    if let Event::RunStarted(started) = &mut record.event {
        Arc::make_mut(started).trace.sampled = true;
    }
    record
}

fn ended_json(span: &ProjectedSpan) -> Value {
    let (status, description) = match &span.status {
        SpanStatus::Unset => ("unset", None),
        SpanStatus::Ok => ("ok", None),
        SpanStatus::Error(description) => ("error", Some(description)),
    };
    json!({
        "span_id": span.span_id,
        "parent": span.parent.as_ref().map(|parent| &parent.span_id),
        "name": span.name,
        "start": span.start,
        "end": span.end,
        "status": status,
        "description": description,
        "attributes": span.attributes.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "links": span.links.iter().map(|link| &link.span_id).collect::<Vec<_>>(),
    })
}

/// A span whose end is not known yet.
struct Open {
    span_id: String,
    parent: Option<String>,
    name: String,
    start: Timestamp,
}

impl Open {
    fn json(self) -> Value {
        json!({"span_id": self.span_id, "parent": self.parent, "name": self.name, "start": self.start, "end": null, "status": "open"})
    }
}

fn open(definition: &Definition, run: &Run) -> Vec<Open> {
    if run.outcome().is_some() {
        return Vec::new();
    }
    let identity = &run.started().trace;
    let root = Open {
        span_id: identity.span_id.clone(),
        parent: identity.parent_span_id.clone(),
        name: definition.telemetry.root_span.to_owned(),
        start: run.started_at(),
    };
    let mut spans = vec![root];
    for step in 0..definition.steps.len() {
        let group = group(definition, run, step);
        let parent = group.as_ref().map_or_else(|| identity.span_id.clone(), |group| group.span_id.clone());
        spans.extend(group);
        let items = 0..run.steps()[step].items.len();
        spans.extend(items.filter_map(|item| attempt(definition, run, (step, item), &parent)));
    }
    spans
}

/// The span that groups the items of a step that is being worked on.
fn group(definition: &Definition, run: &Run, position: usize) -> Option<Open> {
    let (step, state) = (&definition.steps[position], &run.steps()[position]);
    let name = step.telemetry.group_span.filter(|_| step.fan_out.is_some())?;
    let StepStatus::Scheduled(start) = state.status else { return None };
    let identity = &run.started().trace;
    let span_id = identity.group_span(&step.name, state.round);
    Some(Open { span_id, parent: Some(identity.span_id.clone()), name: name.to_owned(), start })
}

/// The span of an attempt that is under way; waiting for an answer is a part of it, waiting for the next attempt is not.
fn attempt(definition: &Definition, run: &Run, (step, item): (usize, usize), group: &str) -> Option<Open> {
    let state: &ItemState = &run.steps()[step].items[item];
    let (direction, attempt, start) = match &state.activity {
        Activity::Ready(ready) => {
            let resumed = ready.resume.as_ref().map(|resume| resume.pending.started_at);
            (ready.direction, ready.attempt, resumed.unwrap_or(ready.since))
        }
        Activity::Pending(pending) => (pending.direction, pending.attempt, pending.started_at),
        Activity::Child { .. } => (Direction::Do, 1, state.since),
        Activity::Queued | Activity::Backoff { .. } | Activity::Idle => return None,
    };
    let telemetry = &definition.steps[step].telemetry;
    let (name, parent) = match direction {
        Direction::Do => ((telemetry.span)(&state.request), group.to_owned()),
        Direction::Undo => ((telemetry.undo_span)(&state.request), run.started().trace.span_id.clone()),
    };
    let id = AttemptId { item: run.item_id(definition, step, item), direction, attempt };
    Some(Open { span_id: run.started().trace.attempt_span(&id), parent: Some(parent), name, start })
}
