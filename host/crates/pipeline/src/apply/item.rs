//! Transitions of items that no attempt makes: timers, callbacks, children, unwinding.

use std::sync::Arc;

use serde_json::Value;

use super::{Fold, Step};
use crate::{
    definition::{Criticality, Undo, Work},
    event::Timer,
    failure::Failure,
    id::{RunId, StepName},
    key::{Direction, ItemId},
    run::{Activity, ItemState, Parked, Phase, ResumeSignal, Standing, StepStatus},
};

impl Fold<'_> {
    pub(super) fn timer_fired(&mut self, id: &ItemId, timer: Timer) -> Step {
        let at = self.at;
        let (_, item) = self.item_mut(id)?;
        item.activity = match (std::mem::replace(&mut item.activity, Activity::Idle), timer) {
            (Activity::Backoff { direction, doubt, .. }, Timer::Retry) => item.next_ready(direction, at, doubt),
            (Activity::Pending(pending), Timer::Poll) => {
                let signal = item.early_callback.take().map_or(ResumeSignal::Timer, ResumeSignal::Callback);
                ItemState::resume(pending, at, signal)
            }
            (Activity::Pending(pending), Timer::GiveUp) => ItemState::resume(pending, at, ResumeSignal::Cancel),
            (other, _) => return Err(format!("no such timer is set: the item is {}", name(&other))),
        };
        Ok(())
    }

    pub(super) fn callback_received(&mut self, id: &ItemId, body: &str) -> Step {
        let at = self.at;
        let addressed = self.definition.step(&id.step).is_some_and(|(_, step)| matches!(step.work, Work::Effect { callback: true, .. }));
        if !addressed {
            return Err(format!("step `{}` is given no callback address", id.step));
        }
        let (_, item) = self.item_mut(id)?;
        if item.callback_used {
            return Err("the callback was used already".to_owned());
        }
        match std::mem::replace(&mut item.activity, Activity::Idle) {
            // The address is that of the work: what comes late must not be taken for an answer about its undo.
            Activity::Pending(pending) if pending.direction == Direction::Undo => return Err("the item is being undone".to_owned()),
            Activity::Ready(ready) if ready.direction == Direction::Undo => return Err("the item is being undone".to_owned()),
            Activity::Backoff { direction: Direction::Undo, .. } => return Err("the item is being undone".to_owned()),
            Activity::Pending(pending) => item.activity = ItemState::resume(pending, at, ResumeSignal::Callback(body.to_owned())),
            Activity::Idle if item.parked.as_ref().is_some_and(|parked| parked.pending.direction == Direction::Do) => {
                item.early_callback = Some(body.to_owned());
            }
            early @ (Activity::Ready(_) | Activity::Backoff { .. }) => {
                item.activity = early;
                item.early_callback = Some(body.to_owned());
            }
            other @ (Activity::Queued | Activity::Child { .. } | Activity::Idle) => {
                return Err(format!("the item is {} and waits for no callback", name(&other)));
            }
        }
        item.callback_used = true;
        Ok(())
    }

    pub(super) fn child_started(&mut self, id: &ItemId, child: &RunId) -> Step {
        let (_, item) = self.item_mut(id)?;
        if item.activity != (Activity::Child { run: None }) {
            return Err(format!("the item is {} and starts no child", name(&item.activity)));
        }
        item.activity = Activity::Child { run: Some(child.clone()) };
        Ok(())
    }

    pub(super) fn child_ended(&mut self, id: &ItemId, child: &RunId, result: &Result<Value, Failure>) -> Step {
        let (position, item) = self.item_mut(id)?;
        // A child may end before its parent has recorded that it exists; the child's own link proves that it is this item's.
        let waits = matches!(&item.activity, Activity::Child { run } if run.as_ref().is_none_or(|known| known == child));
        if !waits {
            return Err(format!("the item is {} and waits for no such child", name(&item.activity)));
        }
        item.activity = Activity::Idle;
        item.standing = match result {
            Ok(output) => Standing::Done { output: Arc::new(output.clone()), by_hand: false },
            Err(failure) => {
                item.failures += 1;
                item.last_failure = Some(failure.clone());
                Standing::Failed { doubt: false, receipt: None }
            }
        };
        self.settle_step(position);
        Ok(())
    }

    pub(super) fn item_forgiven(&mut self, id: &ItemId) -> Step {
        let criticality = self.definition.step(&id.step).map(|(_, step)| step.criticality);
        let (position, item) = self.item_mut(id)?;
        if !matches!(item.standing, Standing::Failed { .. }) || item.activity != Activity::Idle {
            return Err("the item has not failed".to_owned());
        }
        if criticality != Some(Criticality::BestEffort) {
            return Err("the run cannot go on without the item".to_owned());
        }
        item.standing = Standing::Forgiven;
        self.settle_step(position);
        Ok(())
    }

    pub(super) fn retry_abandoned(&mut self, id: &ItemId) -> Step {
        self.unwinding()?;
        let (_, item) = self.item_mut(id)?;
        let Activity::Backoff { direction: Direction::Do, doubt, .. } = item.activity else {
            return Err(format!("the item is {} and waits for no retry", name(&item.activity)));
        };
        item.activity = Activity::Idle;
        item.standing = if doubt { Standing::Failed { doubt, receipt: None } } else { Standing::Undone };
        Ok(())
    }

    pub(super) fn cancel_requested(&mut self, id: &ItemId) -> Step {
        self.unwinding()?;
        let at = self.at;
        let (_, item) = self.item_mut(id)?;
        let pending = match (&item.activity, &item.parked) {
            (Activity::Pending(pending), _) => pending.clone(),
            (Activity::Idle, Some(Parked { pending, cancel: false })) if pending.direction == Direction::Do => {
                let pending = pending.clone();
                (item.standing, item.parked) = (Standing::Open, None);
                pending
            }
            (other, _) => return Err(format!("the item is {} and nothing can be cancelled", name(other))),
        };
        if pending.direction == Direction::Undo {
            return Err("an undo is not cancelled".to_owned());
        }
        item.activity = ItemState::resume(pending, at, ResumeSignal::Cancel);
        Ok(())
    }

    pub(super) fn undo_scheduled(&mut self, id: &ItemId) -> Step {
        let at = self.at;
        if !self.undo_is_due(&id.step)? {
            return Err("the item is not to be undone now".to_owned());
        }
        let (_, item) = self.item_mut(id)?;
        match item.standing {
            _ if item.parked.is_some() => return Err("the item has an operation that must be cancelled first".to_owned()),
            Standing::Done { by_hand: false, .. } | Standing::Failed { doubt: true, .. } => {}
            Standing::Forgiven if item.doubt => {}
            Standing::Open
            | Standing::Done { .. }
            | Standing::Failed { .. }
            | Standing::Forgiven
            | Standing::Undone
            | Standing::UndoFailed { .. } => {
                return Err("the item has nothing to undo".to_owned());
            }
        };
        if item.activity != Activity::Idle {
            return Err(format!("the item is {}", name(&item.activity)));
        }
        (item.failures, item.since, item.early_callback) = (0, at, None);
        // Only of a run that was reopened can the undo of something done have been tried before.
        let probe = item.doubt && matches!(item.standing, Standing::Done { .. });
        item.activity = item.next_ready(Direction::Undo, at, probe);
        Ok(())
    }

    /// On the way back everything is undone; on the way forward a step that is done, once the step it lasts until is done too.
    fn undo_is_due(&self, step: &StepName) -> Step<bool> {
        if matches!(self.run.phase, Phase::Unwinding { .. }) {
            return Ok(true);
        }
        let position = self.position(step)?;
        let done = |position: usize| matches!(self.run.steps[position].status, StepStatus::Done { .. });
        match &self.definition.steps[position].undo {
            Undo::After(name) => Ok(done(position) && done(self.position(name)?)),
            Undo::OnUnwind | Undo::Never => Ok(false),
        }
    }

    fn unwinding(&self) -> Step {
        match self.run.phase {
            Phase::Unwinding { .. } => Ok(()),
            Phase::Forward | Phase::Ended(_) => Err("the run does not unwind".to_owned()),
        }
    }
}

/// What an item is doing, for a person.
fn name(activity: &Activity) -> &'static str {
    match activity {
        Activity::Queued => "queued",
        Activity::Ready(_) => "being called",
        Activity::Backoff { .. } => "waiting for a retry",
        Activity::Pending(_) => "pending",
        Activity::Child { .. } => "waiting for a child run",
        Activity::Idle => "at rest",
    }
}
