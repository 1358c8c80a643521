//! What an append changes about the binding tables and plugins that are needed.

use std::collections::BTreeMap;

use pipeline::{Definition, Event, Record, Run};

use crate::port::HoldChange;

/// The difference between what a run needs before and after some records; `before` is `None` for a run that they start.
pub(crate) fn changes(definition: &Definition, before: Option<&Run>, after: &Run, records: &[Record]) -> Vec<HoldChange> {
    if !records.iter().any(|record| may_change(&record.event)) {
        return Vec::new();
    }
    let mut changes: BTreeMap<_, i64> = BTreeMap::new();
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for (hold, parts) in before.map(|before| before.holds(definition)).unwrap_or_default() {
        *changes.entry(hold).or_default() -= count(parts);
    }
    for (hold, parts) in after.holds(definition) {
        *changes.entry(hold).or_default() += count(parts);
    }
    let changed = changes.into_iter().filter(|(_, change)| *change != 0);
    changed.map(|((revision, digest), change)| HoldChange { revision, digest, change }).collect()
}

/// Whether an event can change what its run needs. A live run needs what its items are bound to, whatever becomes of them.
fn may_change(event: &Event) -> bool {
    match event {
        Event::RunStarted(_)
        | Event::StepScheduled { .. }
        | Event::PinChanged(_)
        | Event::FalloutResolved { .. }
        | Event::RunEnded { .. }
        | Event::RunReopened { .. } => true,
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
        | Event::FalloutOpened(_)
        | Event::ParentNotified => false,
    }
}
