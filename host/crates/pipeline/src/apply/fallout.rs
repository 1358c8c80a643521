//! Transitions of fallouts: opened by the reducer, resolved by people.

use std::sync::Arc;

use serde_json::Value;

use super::{Fold, Step};
use crate::{
    definition::{Definition, Undo},
    event::{AfterUnwind, FalloutOpened, FalloutSubject, Outcome, Resolution},
    id::StepName,
    key::{Direction, ItemId},
    run::{Activity, Fallout, ItemState, Phase, Run, Standing, StepStatus},
};

/// Why a decision does not fit a fallout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolutionRefused {
    /// No such fallout is open.
    #[error("fallout {0} is not open")]
    NotOpen(u32),
    /// The kind of fallout has no such resolution.
    #[error("`{action}` does not fit a fallout of kind `{subject}`: expected {expected}")]
    DoesNotFit {
        /// What was decided.
        action: &'static str,
        /// The kind of fallout.
        subject: &'static str,
        /// What fits.
        expected: &'static str,
    },
    /// Cancelling after a point of no return.
    #[error("the run has passed its point of no return and cannot be cancelled: expected retry, retry-with, skip-with or fail")]
    PastNoReturn,
}

/// Whether a decision fits; the same check is made when the event is applied.
pub fn check_resolution(definition: &Definition, run: &Run, id: u32, resolution: &Resolution) -> Result<(), ResolutionRefused> {
    let fallout = run.open_fallouts().find(|fallout| fallout.opened.id == id).ok_or(ResolutionRefused::NotOpen(id))?;
    let misfit = |action, subject, expected| Err(ResolutionRefused::DoesNotFit { action, subject, expected });
    match (fallout.opened.subject, resolution) {
        (FalloutSubject::Unwound, Resolution::SkipWith(_)) => misfit("skip-with", "unwound", "retry, retry-with, cancel or fail"),
        (FalloutSubject::UndoFailed, Resolution::RetryWith(_)) => misfit("retry-with", "undo-failed", "retry, skip-with or fail"),
        (FalloutSubject::UndoFailed, Resolution::Cancel) => misfit("cancel", "undo-failed", "retry, skip-with or fail"),
        (FalloutSubject::Failed, Resolution::RetryWith(_)) if fallout.opened.item.is_none() => {
            misfit("retry-with", "failed step without items", "retry, skip-with, cancel or fail")
        }
        (FalloutSubject::Failed, Resolution::Cancel) if run.phase == Phase::Forward && run.past_no_return(definition) => {
            Err(ResolutionRefused::PastNoReturn)
        }
        _ => Ok(()),
    }
}

impl Fold<'_> {
    /// Only what has happened can be held for a person, and only once.
    fn may_open(&self, opened: &FalloutOpened) -> Step {
        let step = &self.run.steps[self.position(&opened.step)?];
        let item = opened.item.map(|item| step.items.get(item as usize).ok_or("the fallout names no item of the step")).transpose()?;
        let fits = match (opened.subject, item) {
            (FalloutSubject::Failed, None) => matches!(step.status, StepStatus::Refused(_)),
            (FalloutSubject::Failed, Some(item)) => matches!(item.standing, Standing::Failed { .. }) && item.activity == Activity::Idle,
            (FalloutSubject::UndoFailed, Some(item)) => {
                let undoable = match item.standing {
                    Standing::UndoFailed { .. } | Standing::Failed { .. } | Standing::Forgiven | Standing::Done { by_hand: false, .. } => true,
                    Standing::Open | Standing::Done { by_hand: true, .. } | Standing::Undone => false,
                };
                undoable && item.activity == Activity::Idle
            }
            (FalloutSubject::UndoFailed, None) => false,
            (FalloutSubject::Unwound, _) => matches!(self.run.phase, Phase::Unwinding { .. }) && self.run.open_fallouts().next().is_none(),
        };
        let held = self.run.open_fallouts().any(|fallout| fallout.opened.step == opened.step && fallout.opened.item == opened.item);
        if fits && !held { Ok(()) } else { Err("there is nothing of this kind to be held for a person".to_owned()) }
    }

    pub(super) fn fallout_opened(&mut self, opened: &FalloutOpened) -> Step {
        let expected = u32::try_from(self.run.fallouts.len()).unwrap_or(u32::MAX) + 1;
        if opened.id != expected {
            return Err(format!("fallout {} is opened instead of {expected}", opened.id));
        }
        self.may_open(opened)?;
        if let (FalloutSubject::UndoFailed, Some(item)) = (opened.subject, opened.item) {
            let position = self.position(&opened.step)?;
            let item = self.item_at(position, item as usize).ok_or("the fallout names no item of the step")?;
            if let Standing::Done { output, .. } = &item.standing {
                item.standing = Standing::UndoFailed { output: Some(output.clone()) };
            } else if let Standing::Failed { receipt, .. } = &item.standing {
                item.standing = Standing::UndoFailed { output: receipt.clone() };
            } else if item.standing == Standing::Forgiven {
                item.standing = Standing::UndoFailed { output: None };
            }
        }
        self.run.fallouts.push(Fallout { opened: opened.clone(), opened_at: self.at, resolved: None });
        Ok(())
    }

    pub(super) fn fallout_resolved(&mut self, id: u32, resolution: &Resolution, by: &str) -> Step {
        check_resolution(self.definition, self.run, id, resolution).map_err(|refused| refused.to_string())?;
        let at = self.at;
        let fallout = self.run.fallouts.iter_mut().find(|fallout| fallout.opened.id == id).ok_or("no such fallout")?;
        fallout.resolved = Some((at, by.to_owned()));
        let opened = fallout.opened.clone();
        if *resolution == Resolution::Fail {
            let outcome = Outcome::Failed { failure: opened.failure, step: Some(opened.step) };
            return self.event(&crate::event::Event::RunEnded { outcome });
        }
        match opened.subject {
            FalloutSubject::Failed => self.resolve_failed(&opened.step, opened.item, resolution),
            FalloutSubject::Unwound => self.resolve_unwound(resolution),
            FalloutSubject::UndoFailed => self.resolve_undo_failed(&opened.step, opened.item),
        }?;
        if let (FalloutSubject::UndoFailed, Resolution::SkipWith(_), Some(item)) = (opened.subject, resolution, opened.item) {
            let position = self.position(&opened.step)?;
            let item = self.item_at(position, item as usize).ok_or("the fallout names no item of the step")?;
            (item.standing, item.activity) = (Standing::Undone, Activity::Idle);
        }
        Ok(())
    }

    fn resolve_failed(&mut self, step: &StepName, item: Option<u32>, resolution: &Resolution) -> Step {
        let (at, position) = (self.at, self.position(step)?);
        if *resolution == Resolution::Cancel {
            if let Some(parked) = item.and_then(|item| self.item_at(position, item as usize)).and_then(|item| item.parked.as_mut()) {
                // Whatever it was asked to do before, it is asked to end now.
                parked.cancel = false;
            }
            // A run that unwinds already goes on doing so; what was held goes the way of the rest.
            if let Phase::Unwinding { then, .. } = &mut self.run.phase {
                *then = AfterUnwind::Cancel;
            } else {
                self.run.phase = Phase::Unwinding { cause: None, step: None, item: None, then: AfterUnwind::Cancel };
            }
            return Ok(());
        }
        let Some(item) = item else { return self.resolve_refused(position, resolution) };
        let child = matches!(self.definition.steps[position].work, crate::definition::Work::Child { .. });
        let item = self.item_at(position, item as usize).ok_or("the fallout names no item of the step")?;
        let doubt = matches!(item.standing, Standing::Failed { doubt: true, .. });
        match resolution {
            Resolution::SkipWith(output) => {
                item.standing = Standing::Done { output: Arc::new(output.clone()), by_hand: true };
                (item.activity, item.parked) = (Activity::Idle, None);
            }
            Resolution::RetryWith(request) => {
                item.anew(at);
                item.request = Arc::new(request.clone());
                item.activity = if child { Activity::Child { run: None } } else { item.next_ready(Direction::Do, at, false) };
            }
            Resolution::Retry if child => {
                // A child that ended cannot be continued: a new round starts a new one.
                item.anew(at);
                item.activity = Activity::Child { run: None };
            }
            Resolution::Retry | Resolution::Cancel | Resolution::Fail => {
                (item.standing, item.failures, item.since) = (Standing::Open, 0, at);
                item.activity = match item.parked.take() {
                    Some(parked) => item.unpark(parked, at),
                    None => item.next_ready(Direction::Do, at, doubt),
                };
            }
        }
        self.settle_step(position);
        Ok(())
    }

    /// A step that was refused as a whole is scheduled again or gets a person's output.
    fn resolve_refused(&mut self, position: usize, resolution: &Resolution) -> Step {
        let at = self.at;
        let step = self.step_mut(position);
        match resolution {
            Resolution::SkipWith(output) => {
                let mut item = super::new_item(
                    &crate::event::ScheduledItem { label: String::new(), request: Arc::new(Value::Null), pin: None },
                    step.round,
                    at,
                    None,
                );
                (item.standing, item.activity) = (Standing::Done { output: Arc::new(output.clone()), by_hand: true }, Activity::Idle);
                step.items = vec![Arc::new(item)];
                step.status = StepStatus::Done { scheduled: at, done: at };
            }
            Resolution::Retry | Resolution::RetryWith(_) | Resolution::Cancel | Resolution::Fail => step.status = StepStatus::Waiting,
        }
        Ok(())
    }

    fn resolve_unwound(&mut self, resolution: &Resolution) -> Step {
        match resolution {
            Resolution::Cancel => {
                self.run.phase = Phase::Ended(Outcome::Cancelled);
                return Ok(());
            }
            Resolution::RetryWith(input) => {
                Arc::make_mut(&mut self.run.started).input = input.clone();
                (0..self.run.steps.len()).for_each(|position| self.reset(position));
            }
            Resolution::Retry | Resolution::SkipWith(_) | Resolution::Fail => self.reset_undone(),
        }
        self.run.phase = Phase::Forward;
        Ok(())
    }

    /// Steps that lost an item, and all that come after them, run again.
    fn reset_undone(&mut self) {
        // One reset may cause another, of a later step and, through `undo: after`, of an earlier one.
        while let Some(position) = (0..self.run.steps.len()).find(|position| self.must_run_again(*position)) {
            self.reset(position);
        }
    }

    fn must_run_again(&self, position: usize) -> bool {
        let (definition, state) = (&self.definition.steps[position], &self.run.steps[position]);
        if state.status == StepStatus::Waiting {
            return false;
        }
        let done = |name: &StepName| self.position(name).is_ok_and(|position| matches!(self.run.steps[position].status, StepStatus::Done { .. }));
        // What was undone because it had served its purpose is not missed, as long as the purpose is still served.
        let released = matches!(&definition.undo, Undo::After(name) if done(name));
        let kept = |item: &Arc<ItemState>| {
            matches!(item.standing, Standing::Done { .. } | Standing::Forgiven) || (released && item.standing == Standing::Undone)
        };
        let intact = matches!(state.status, StepStatus::Done { .. }) && state.items.iter().all(kept);
        !intact || !definition.after.iter().all(done)
    }

    fn reset(&mut self, position: usize) {
        let state = self.step_mut(position);
        let last = state.items.iter().map(|item| item.round).max().unwrap_or(state.round);
        (state.status, state.round) = (StepStatus::Waiting, last);
        state.items.clear();
        self.run.order.retain(|(step, _)| *step != position);
    }

    fn resolve_undo_failed(&mut self, step: &StepName, item: Option<u32>) -> Step {
        let (at, position) = (self.at, self.position(step)?);
        let index = item.ok_or("the fallout names no item")? as usize;
        let item = self.item_at(position, index).ok_or("the fallout names no item of the step")?;
        let Standing::UndoFailed { output } = item.standing.clone() else {
            return Err("the undo of the item has not failed".to_owned());
        };
        (item.failures, item.since) = (0, at);
        let standing = output.map_or(Standing::Failed { doubt: true, receipt: None }, |output| Standing::Done { output, by_hand: false });
        (item.standing, item.activity) = match item.parked.take() {
            // It was not the undo that failed but the cancelling of the work.
            Some(parked) if parked.pending.direction == Direction::Do => (Standing::Open, item.unpark(parked, at)),
            Some(parked) => (standing, item.unpark(parked, at)),
            None => {
                // Whether there is a receipt decides how the undo begins.
                item.standing = standing.clone();
                (standing, item.next_ready(Direction::Undo, at, true))
            }
        };
        Ok(())
    }
}

impl ItemState {
    /// Begins a new round: other input or a new child means another effect, under another key.
    fn anew(&mut self, at: crate::id::Timestamp) {
        self.round += 1;
        self.standing = Standing::Open;
        (self.failures, self.attempts, self.since) = (0, [0, 0], at);
        (self.early_callback, self.callback_used, self.last_failure, self.parked) = (None, false, None, None);
    }
}

impl Run {
    /// The id of the item that a fallout is about.
    pub fn fallout_item(&self, definition: &Definition, opened: &FalloutOpened) -> Option<ItemId> {
        let (position, _) = definition.step(&opened.step)?;
        let item = opened.item? as usize;
        self.steps.get(position)?.items.get(item).map(|_| self.item_id(definition, position, item))
    }
}
