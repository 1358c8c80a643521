//! Spans that group the items of a fan-out step: one per step and round, made when the step settles.

use pipeline::{
    Activity, Criticality, Definition, Direction, Failure, FalloutOpened, FalloutSubject, ItemState, Phase, Run, Standing, StepStatus, Timestamp,
};

use super::{ProjectedSpan, Scene};

impl Scene<'_> {
    pub(super) fn groups(&self) -> Vec<ProjectedSpan> {
        // Every step of a run that was reopened had settled when the run was over for the first time.
        if self.run.reopened().is_some() {
            return Vec::new();
        }
        (0..self.definition.steps.len()).filter_map(|step| self.group(step)).collect()
    }

    fn group(&self, position: usize) -> Option<ProjectedSpan> {
        let definition = &self.definition.steps[position];
        let name = definition.telemetry.group_span.filter(|_| definition.fan_out.is_some())?;
        let scheduled = settled(self.definition, self.run, position)?;
        let round = self.run.steps()[position].round;
        let known = self.before.is_some_and(|before| before.steps()[position].round == round && settled(self.definition, before, position).is_some());
        // After a fallout of the step its span was exported already; what a person did then is seen in the attempts' own spans.
        if known || self.had_fallout(position, scheduled) {
            return None;
        }
        let items = &self.run.steps()[position].items;
        let failed = items.iter().find_map(|item| failure(item));
        let completed = items.iter().filter(|item| matches!(item.standing, Standing::Done { .. })).count();
        let attributes = (definition.telemetry.group_attributes)(&self.view(), completed, failed.is_some());
        let mut span = self.span(self.trace().group_span(&definition.name, round), name, scheduled, attributes);
        span.parent = self.under_phase(&definition.name);
        if let Some((item, failure)) = failed {
            span.fail(&(definition.telemetry.failure_text)(&item.request, failure), &failure.error_type);
        }
        Some(span)
    }

    pub(super) fn had_fallout(&self, position: usize, scheduled: Timestamp) -> bool {
        let name = &self.definition.steps[position].name;
        let before = self.before.map_or(&[][..], Run::fallouts);
        // Other kinds of fallout lead to a new round or come while everything is undone.
        let failed = |opened: &FalloutOpened| opened.subject == FalloutSubject::Failed && opened.item.is_some() && opened.step == *name;
        before.iter().any(|fallout| failed(&fallout.opened) && fallout.opened_at >= scheduled)
    }
}

/// When the step was scheduled, if no item of it will do anything more in this round by itself.
fn settled(definition: &Definition, run: &Run, position: usize) -> Option<Timestamp> {
    let state = run.steps().get(position)?;
    let scheduled = match state.status {
        StepStatus::Done { scheduled, .. } => return Some(scheduled),
        StepStatus::Scheduled(scheduled) => scheduled,
        StepStatus::Waiting | StepStatus::Refused(_) => return None,
    };
    // A best-effort step goes on after a failure and is done in the end.
    let matters = definition.steps[position].criticality != Criticality::BestEffort;
    let stopped = match run.phase() {
        Phase::Ended(_) => return Some(scheduled),
        Phase::Unwinding { .. } => true,
        Phase::Forward => matters && state.items.iter().any(|item| failure(item).is_some()),
    };
    (stopped && !state.items.iter().any(|item| is_doing(item))).then_some(scheduled)
}

/// How the steps of a phase have come to an end.
pub(super) struct PhaseEnded {
    /// When the first of them was scheduled.
    pub(super) since: Timestamp,
    /// The first that failed, with the request and why.
    pub(super) failure: Option<(usize, std::sync::Arc<serde_json::Value>, Failure)>,
}

/// What became of the steps at these positions, if none of them will go on by itself.
pub(super) fn phase_ended(definition: &Definition, run: &Run, positions: &[usize]) -> Option<PhaseEnded> {
    let states = || positions.iter().map(|position| (*position, &run.steps()[*position]));
    let scheduled = states().filter_map(|(_, state)| match state.status {
        StepStatus::Scheduled(scheduled) | StepStatus::Done { scheduled, .. } => Some(scheduled),
        StepStatus::Waiting | StepStatus::Refused(_) => None,
    });
    let since = scheduled.min()?;
    let failed = states().find_map(|(position, state)| {
        let matters = definition.steps[position].criticality != Criticality::BestEffort;
        let refused = match &state.status {
            StepStatus::Refused(failure) => Some((std::sync::Arc::default(), failure.clone())),
            StepStatus::Waiting | StepStatus::Scheduled(_) | StepStatus::Done { .. } => None,
        };
        let item = || state.items.iter().find_map(|item| failure(item)).map(|(item, failure)| (item.request.clone(), failure.clone()));
        refused.or_else(item).filter(|_| matters).map(|(request, failure)| (position, request, failure))
    });
    let over = states().all(|(_, state)| matches!(state.status, StepStatus::Done { .. }));
    let stopped = *run.phase() != Phase::Forward || failed.is_some();
    let doing = states().flat_map(|(_, state)| &state.items).any(|item| is_doing(item));
    (over || (stopped && !doing)).then_some(PhaseEnded { since, failure: failed })
}

/// Why an item has failed for good, if it has.
fn failure(item: &ItemState) -> Option<(&ItemState, &Failure)> {
    let failed = matches!(item.standing, Standing::Failed { .. } | Standing::Forgiven);
    item.last_failure.as_ref().filter(|_| failed).map(|failure| (item, failure))
}

/// Whether the item is doing its work, or will without being asked.
fn is_doing(item: &ItemState) -> bool {
    match &item.activity {
        Activity::Ready(ready) => ready.direction == Direction::Do,
        Activity::Backoff { direction, .. } => *direction == Direction::Do,
        Activity::Pending(pending) => pending.direction == Direction::Do,
        Activity::Child { .. } => true,
        Activity::Queued | Activity::Idle => false,
    }
}
