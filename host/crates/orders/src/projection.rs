//! What a user sees of an order: the TMF622 representation, projected from committed events into a document.

mod render;
mod state;

use engine::port::Document;
use jiff::Timestamp as Instant;
use pipeline::{Event, Run, RunId, Timestamp, Transition};
use serde_json::Value;

pub(crate) use self::render::{BASE, href, select};
pub use self::state::OrderState;
use self::{
    render::render,
    state::{Snapshot, snapshot},
};
use crate::order_pipeline::DECOMPOSE;

/// The collection of the documents.
pub const COLLECTION: &str = "product-order";

/// The longest indexed value, in bytes. An order is not found by a longer one.
pub(crate) const MAX_INDEXED: usize = 256;

/// The attributes that a list can be filtered by: those of the first level that are text.
pub(crate) const FILTERS: [&str; 16] = [
    "id",
    "href",
    "state",
    "orderDate",
    "completionDate",
    "cancellationDate",
    "externalId",
    "category",
    "description",
    "priority",
    "requestedStartDate",
    "requestedCompletionDate",
    "notificationContact",
    "@type",
    "@baseType",
    "@schemaLocation",
];

/// The order after an event, if the event changed what a user sees of it. Where the state before is not given, the kind of event decides alone.
pub fn document(transition: &Transition<'_>) -> Option<Document> {
    let Transition { definition, before, record, after } = transition;
    if !may_show(&record.event) {
        return None;
    }
    let now = snapshot(definition, after)?;
    let unchanged = before.and_then(|before| snapshot(definition, before)).is_some_and(|before| before == now);
    (!unchanged).then(|| project(after, &now))
}

/// Whether an event can change what a user sees. Most events of an order do not, and its document is as large as the order itself.
fn may_show(event: &Event) -> bool {
    match event {
        Event::RunStarted(_) | Event::FalloutOpened(_) | Event::FalloutResolved { .. } | Event::RunEnded { .. } | Event::RunReopened { .. } => true,
        // With the first step `acknowledged` becomes `inProgress`.
        Event::StepScheduled { step, .. } => step.as_str() == DECOMPOSE,
        Event::StepRefused { .. }
        | Event::AttemptStarted { .. }
        | Event::AttemptPended { .. }
        | Event::ResumeFailed { .. }
        | Event::ResumeHeld { .. }
        | Event::AttemptFinished { .. }
        | Event::AttemptLost { .. }
        | Event::RetryAbandoned { .. }
        | Event::TimerFired { .. }
        | Event::CancelRequested { .. }
        | Event::CallbackReceived { .. }
        | Event::ChildStarted { .. }
        | Event::ChildEnded { .. }
        | Event::ItemForgiven { .. }
        | Event::UnwindStarted { .. }
        | Event::UndoScheduled { .. }
        | Event::PinChanged(_)
        | Event::ParentNotified => false,
    }
}

fn project(run: &Run, snapshot: &Snapshot) -> Document {
    let body = render(&run.input()["order"], run.id(), Some(run.started_at()), snapshot);
    let filters = FILTERS.into_iter().filter_map(|key| Some((key, body[key].as_str()?.to_owned())));
    let attributes = filters.filter(|(_, value)| value.len() <= MAX_INDEXED).collect();
    Document { collection: COLLECTION, id: run.id().to_string(), rank: run.started_at().0, body, attributes }
}

/// The order as it was when it was accepted: what the answer to a POST shows. The date is left out where it is not known.
pub(crate) fn accepted(sent: &Value, id: &RunId, at: Option<Timestamp>) -> Value {
    render(sent, id, at, &Snapshot::ACCEPTED)
}

/// What a user sees of a run beside what was sent.
#[cfg(test)]
pub(crate) fn state_of(definition: &pipeline::Definition, run: &Run) -> Option<Snapshot> {
    snapshot(definition, run)
}

/// An instant as RFC 3339 in UTC with milliseconds.
fn date_time(at: Timestamp) -> String {
    let millis = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    Instant::from_millisecond(millis).map_or_else(|_| Instant::MAX.to_string(), |instant| format!("{instant:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_utc_with_milliseconds() {
        assert_eq!(date_time(Timestamp(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(date_time(Timestamp(1_900_000_000_123_456)), "2030-03-17T17:46:40.123Z");
        assert!(date_time(Timestamp(u64::MAX)).starts_with("9999-12-3"));
    }
}
