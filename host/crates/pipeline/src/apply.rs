//! The transition function: total, pure, and the only place where a run changes.

mod attempt;
mod fallout;
mod item;
mod pins;
mod reopen;

pub use self::{
    fallout::{ResolutionRefused, check_resolution},
    pins::{NotAtRest, Repin, RepinItem, RepinRefused, repin, repinnable},
    reopen::{ReopenRefused, check_reopen},
};
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    definition::{Criticality, Definition, StepDefinition, Work},
    event::{AfterUnwind, Event, Outcome, Record, RunStarted},
    id::{Revision, RunId, Seq, StepName, Timestamp},
    key::ItemId,
    run::{Activity, ItemState, Phase, Ready, Run, Standing, StepState, StepStatus},
};

/// A record that cannot follow the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq:?} is not legal here: {reason}")]
pub struct IllegalEvent {
    /// The record's number.
    pub seq: Seq,
    /// What is wrong with it.
    pub reason: String,
}

/// The result of one transition inside this module.
type Step<T = ()> = Result<T, String>;

/// The state after the first record of a run.
pub fn begin(definition: &Definition, id: RunId, record: &Record) -> Result<Run, IllegalEvent> {
    let illegal = |reason: &str| IllegalEvent { seq: record.seq, reason: reason.to_owned() };
    let Event::RunStarted(started) = &record.event else {
        return Err(illegal("a journal begins with run-started"));
    };
    if record.seq != Seq(1) {
        return Err(illegal("a journal begins with record 1"));
    }
    if started.pipeline != definition.name || started.version != definition.version {
        return Err(illegal("the run has another pipeline or version than the definition"));
    }
    Ok(new_run(definition, id, started, record))
}

fn new_run(definition: &Definition, id: RunId, started: &Arc<RunStarted>, record: &Record) -> Run {
    let waiting = Arc::new(StepState { round: 0, status: StepStatus::Waiting, items: Vec::new() });
    Run {
        id,
        started: started.clone(),
        started_at: record.at,
        head: record.seq,
        epoch: record.epoch,
        last_at: record.at,
        phase: Phase::Forward,
        steps: definition.steps.iter().map(|_| waiting.clone()).collect(),
        order: Vec::new(),
        fallouts: Vec::new(),
        parent_notified: false,
        repinned: BTreeMap::new(),
        reopened: None,
    }
}

/// The state after one more record. Refuses what cannot follow; the refused run is gone, so a caller that wants to go on keeps a clone.
pub fn apply(definition: &Definition, mut run: Run, record: &Record) -> Result<Run, IllegalEvent> {
    apply_in_place(definition, &mut run, record)?;
    Ok(run)
}

/// [`apply`] without a move. After a refusal the run is of no use: it may have changed in part.
pub fn apply_in_place(definition: &Definition, run: &mut Run, record: &Record) -> Result<(), IllegalEvent> {
    let illegal = |reason: String| IllegalEvent { seq: record.seq, reason };
    if record.seq != run.head.next() {
        return Err(illegal(format!("expected record {:?}", run.head.next())));
    }
    if record.epoch < run.epoch {
        return Err(illegal(format!("its epoch {:?} is older than {:?}", record.epoch, run.epoch)));
    }
    Fold { definition, run, at: record.at }.event(&record.event).map_err(illegal)?;
    run.head = record.seq;
    run.epoch = record.epoch;
    run.last_at = record.at;
    Ok(())
}

/// Folds a whole journal.
pub fn replay(definition: &Definition, id: RunId, records: &[Record]) -> Result<Run, IllegalEvent> {
    let (first, rest) = records.split_first().ok_or(IllegalEvent { seq: Seq(0), reason: "the journal is empty".to_owned() })?;
    rest.iter().try_fold(begin(definition, id, first)?, |run, record| apply(definition, run, record))
}

/// A run that is being changed by one record.
struct Fold<'a> {
    definition: &'a Definition,
    run: &'a mut Run,
    at: Timestamp,
}

impl Fold<'_> {
    fn event(&mut self, event: &Event) -> Step {
        if let Phase::Ended(_) = self.run.phase {
            if let Event::RunReopened { .. } = event {
                return self.run_reopened();
            }
            if *event != Event::ParentNotified || !self.run.owes_parent() {
                return Err("the run is over".to_owned());
            }
            self.run.parent_notified = true;
            return Ok(());
        }
        match event {
            Event::RunStarted(_) => Err("the run has started already".to_owned()),
            Event::ParentNotified | Event::RunReopened { .. } => Err("the run is not over".to_owned()),
            Event::StepScheduled { step, round, items, revision } => self.step_scheduled(step, *round, items, revision.as_ref()),
            Event::StepRefused { step, failure } => {
                let position = self.schedulable(step)?;
                // The run goes on without a best-effort step, whether it fails or cannot even begin.
                let forgiven = self.definition.steps[position].criticality == Criticality::BestEffort;
                let done = StepStatus::Done { scheduled: self.at, done: self.at };
                self.step_mut(position).status = if forgiven { done } else { StepStatus::Refused(failure.clone()) };
                Ok(())
            }
            Event::AttemptStarted { attempt } => self.attempt_started(attempt),
            Event::AttemptPended { attempt, started_at, pending } => self.attempt_pended(attempt, *started_at, pending),
            Event::ResumeFailed { attempt, failure, due } => self.resume_failed(attempt, failure, *due),
            Event::ResumeHeld { attempt, failure } => self.resume_held(attempt, failure),
            Event::AttemptFinished { attempt, verdict, retry_at, .. } => self.attempt_finished(attempt, verdict, *retry_at),
            Event::AttemptLost { attempt, .. } => self.attempt_lost(attempt),
            Event::RetryAbandoned { item } => self.retry_abandoned(item),
            Event::TimerFired { item, timer } => self.timer_fired(item, *timer),
            Event::CancelRequested { item } => self.cancel_requested(item),
            Event::CallbackReceived { item, body } => self.callback_received(item, body),
            Event::ChildStarted { item, child } => self.child_started(item, child),
            Event::ChildEnded { item, child, result } => self.child_ended(item, child, result),
            Event::ItemForgiven { item } => self.item_forgiven(item),
            Event::UnwindStarted { cause, step, item, then } => {
                if self.run.phase != Phase::Forward {
                    return Err("the run unwinds already".to_owned());
                }
                if self.run.past_no_return(self.definition) {
                    return Err("the run has passed its point of no return".to_owned());
                }
                self.run.phase = Phase::Unwinding { cause: cause.clone(), step: step.clone(), item: *item, then: *then };
                Ok(())
            }
            Event::UndoScheduled { item } => self.undo_scheduled(item),
            Event::PinChanged(changed) => self.pin_changed(changed),
            Event::FalloutOpened(opened) => self.fallout_opened(opened),
            Event::FalloutResolved { id, resolution, by, .. } => self.fallout_resolved(*id, resolution, by),
            Event::RunEnded { outcome } => {
                self.may_end(outcome)?;
                self.run.phase = Phase::Ended(outcome.clone());
                for fallout in &mut self.run.fallouts {
                    fallout.resolved.get_or_insert_with(|| (self.at, String::new()));
                }
                Ok(())
            }
        }
    }

    fn position(&self, step: &StepName) -> Step<usize> {
        self.definition.step(step).map(|(position, _)| position).ok_or_else(|| format!("there is no step `{step}`"))
    }

    /// A run completes when every step is done, and is cancelled when it was unwound for that. It may fail at any time.
    fn may_end(&self, outcome: &Outcome) -> Step {
        let fits = match outcome {
            Outcome::Completed => {
                self.run.phase == Phase::Forward && self.run.steps.iter().all(|step| matches!(step.status, StepStatus::Done { .. }))
            }
            Outcome::Cancelled => matches!(self.run.phase, Phase::Unwinding { then: AfterUnwind::Cancel, .. }),
            Outcome::Failed { .. } => true,
        };
        if fits { Ok(()) } else { Err("the run cannot end so from here".to_owned()) }
    }

    /// A step that is about to change: from here on it is this run's own.
    fn step_mut(&mut self, position: usize) -> &mut StepState {
        Arc::make_mut(&mut self.run.steps[position])
    }

    /// An item that is about to change, by its position.
    fn item_at(&mut self, position: usize, item: usize) -> Option<&mut ItemState> {
        self.step_mut(position).items.get_mut(item).map(Arc::make_mut)
    }

    /// The item, with its position, if it exists in that round.
    fn item_mut(&mut self, id: &ItemId) -> Step<(usize, &mut ItemState)> {
        let position = self.position(&id.step)?;
        let item = self.item_at(position, id.item as usize).filter(|item| item.round == id.round);
        item.map(|item| (position, item)).ok_or_else(|| format!("step `{}` has no item {} in round {}", id.step, id.item, id.round))
    }

    /// The item with a call that can be made.
    fn ready_mut(&mut self, id: &crate::key::AttemptId) -> Step<(usize, &mut ItemState, Ready)> {
        let (position, item) = self.item_mut(&id.item)?;
        match item.ready() {
            Some(ready) if ready.attempt == id.attempt && ready.direction == id.direction => {
                let ready = ready.clone();
                Ok((position, item, ready))
            }
            Some(_) | None => Err(format!("{id} is not ready")),
        }
    }

    fn schedulable(&self, step: &StepName) -> Step<usize> {
        let position = self.position(step)?;
        let definition = &self.definition.steps[position];
        if self.run.phase != Phase::Forward || self.run.steps[position].status != StepStatus::Waiting {
            return Err(format!("step `{step}` cannot be scheduled now"));
        }
        let open = definition
            .after
            .iter()
            .find(|name| self.position(name).map_or(true, |position| !matches!(self.run.steps[position].status, StepStatus::Done { .. })));
        open.map_or(Ok(position), |open| Err(format!("step `{step}` comes after `{open}`, which is not done")))
    }

    fn step_scheduled(&mut self, step: &StepName, round: u32, items: &[crate::event::ScheduledItem], revision: Option<&Revision>) -> Step {
        let position = self.schedulable(step)?;
        let definition = &self.definition.steps[position];
        let expected = self.run.steps[position].round + 1;
        if round != expected {
            return Err(format!("step `{step}` is scheduled in round {round} instead of {expected}"));
        }
        if definition.fan_out.is_none() && items.len() != 1 {
            return Err(format!("step `{step}` has {} items instead of one", items.len()));
        }
        let child = matches!(definition.work, Work::Child { .. });
        if items.iter().any(|item| item.pin.is_some() == child) {
            return Err(format!("an item of step `{step}` is bound wrongly"));
        }
        let at = self.at;
        let state = self.step_mut(position);
        state.round = round;
        state.status = StepStatus::Scheduled(at);
        state.items = items.iter().map(|item| Arc::new(new_item(item, round, at, revision))).collect();
        self.run.order.retain(|(s, _)| *s != position);
        self.settle_step(position);
        Ok(())
    }

    /// Lets queued items act, up to the fan-out's bound, and notices that the step is done.
    fn settle_step(&mut self, position: usize) {
        let (definition, at) = (&self.definition.steps[position], self.at);
        let state = &self.run.steps[position];
        let StepStatus::Scheduled(scheduled) = state.status else { return };
        if state.items.iter().all(|item| matches!(item.standing, Standing::Done { .. } | Standing::Forgiven)) {
            self.step_mut(position).status = StepStatus::Done { scheduled, done: at };
            return;
        }
        if self.run.phase == Phase::Forward {
            admit(definition, self.step_mut(position), at).into_iter().for_each(|item| self.run.order.push((position, item)));
        }
    }
}

/// Lets queued items act and returns their positions. After a failure in the step no more are let in.
fn admit(definition: &StepDefinition, state: &mut StepState, at: Timestamp) -> Vec<usize> {
    let failed = |item: &Arc<ItemState>| matches!(item.standing, Standing::Failed { .. });
    if definition.criticality != Criticality::BestEffort && state.items.iter().any(failed) {
        return Vec::new();
    }
    let bound = definition.fan_out.map_or(1, |bound| bound.get() as usize);
    let acting = state.items.iter().filter(|item| !item.is_idle()).count();
    let queued = state.items.iter_mut().enumerate().filter(|(_, item)| item.activity == Activity::Queued);
    let child = matches!(definition.work, Work::Child { .. });
    queued
        .take(bound.saturating_sub(acting))
        .map(|(position, item)| {
            let item = Arc::make_mut(item);
            item.activity = if child { Activity::Child { run: None } } else { item.next_ready(crate::key::Direction::Do, at, false) };
            position
        })
        .collect()
}

fn new_item(item: &crate::event::ScheduledItem, round: u32, at: Timestamp, revision: Option<&Revision>) -> ItemState {
    ItemState {
        label: item.label.clone(),
        request: item.request.clone(),
        pin: item.pin.clone(),
        revision: revision.cloned(),
        round,
        standing: Standing::Open,
        activity: Activity::Queued,
        doubt: false,
        failures: 0,
        last_failure: None,
        attempts: [0, 0],
        since: at,
        early_callback: None,
        callback_used: false,
        parked: None,
    }
}
