//! Recovery: what a new epoch must record about the calls that the old one may have been making.

use crate::{
    contract::Pin,
    definition::{Definition, Work},
    event::Event,
    run::{Ready, Run},
};

/// The attempts that were lost with their process, as events. Fold them in order; there are none in a run that was at rest.
pub fn lost_attempts(definition: &Definition, run: &Run) -> Vec<Event> {
    let mut events = Vec::new();
    if run.outcome().is_some() {
        return events;
    }
    for (s, step) in run.steps().iter().enumerate() {
        for (i, item) in step.items.iter().enumerate() {
            let Some(ready) = item.ready() else { continue };
            if may_have_begun(&definition.steps[s].work, item.pin.as_deref(), ready) {
                let attempt = ready.attempt_id(run.item_id(definition, s, i));
                events.push(Event::AttemptLost { attempt, started_at: ready.since });
            }
        }
    }
    events
}

/// Whether the journal must say that a call is about to be made: only then can a later epoch tell "never begun" from "in doubt".
pub fn needs_start_record(work: &Work, pin: Option<&Pin>, ready: &Ready) -> bool {
    let effect = matches!(work, Work::Effect { .. });
    effect && ready.direction == crate::key::Direction::Do && ready.resume.is_none() && pin.is_some_and(|pin| !pin.can_settle_doubt())
}

pub(crate) fn may_have_begun(work: &Work, pin: Option<&Pin>, ready: &Ready) -> bool {
    ready.resume.is_none() && (ready.started || !needs_start_record(work, pin, ready))
}
