//! Transitions of attempts: started, pended, finished, lost.

use super::{Fold, Step};
use crate::{
    definition::Work,
    event::{Pended, Verdict},
    failure::{Failure, FailureClass},
    id::Timestamp,
    key::{AttemptId, Direction},
    run::{Activity, ItemState, Parked, PendingState, Phase, Ready, ResumeSignal, ResumeState, Standing},
};

impl ItemState {
    /// The activity of the next attempt in a direction, which it counts.
    pub(super) fn next_ready(&mut self, direction: Direction, since: Timestamp, probe: bool) -> Activity {
        let attempt = &mut self.attempts[direction.index()];
        *attempt += 1;
        let attempt = *attempt;
        // An undo without a receipt must find out first what there is to take back.
        let blind = direction == Direction::Undo && self.receipt().is_none();
        let probe = (probe || blind) && self.pin.as_ref().is_some_and(|pin| pin.verbs.observe);
        Activity::Ready(Ready { direction, attempt, since, probe, started: false, resume: None })
    }

    /// The activity that continues a pending operation.
    pub(super) fn resume(pending: Box<PendingState>, since: Timestamp, signal: ResumeSignal) -> Activity {
        let (direction, attempt) = (pending.direction, pending.attempt);
        Activity::Ready(Ready { direction, attempt, since, probe: false, started: false, resume: Some(ResumeState { pending, signal }) })
    }

    /// Continues an operation that was parked: with the callback that has come meanwhile, or as its time had come.
    pub(super) fn unpark(&mut self, parked: Parked, since: Timestamp) -> Activity {
        let callback = if parked.pending.direction == Direction::Do { self.early_callback.take() } else { None };
        let signal = match callback {
            _ if parked.cancel => ResumeSignal::Cancel,
            Some(body) => ResumeSignal::Callback(body),
            None => ResumeSignal::Timer,
        };
        Self::resume(parked.pending, since, signal)
    }

    /// The item's last attempt in this direction failed for good.
    pub(super) fn fail(&mut self, direction: Direction) {
        let doubt = self.doubt;
        self.activity = Activity::Idle;
        self.standing = match (direction, std::mem::replace(&mut self.standing, Standing::Open)) {
            (Direction::Do, _) => Standing::Failed { doubt, receipt: None },
            (Direction::Undo, Standing::Done { output, .. }) => Standing::UndoFailed { output: Some(output) },
            (Direction::Undo, Standing::UndoFailed { output: receipt } | Standing::Failed { receipt, .. }) => {
                Standing::UndoFailed { output: receipt }
            }
            (Direction::Undo, Standing::Open | Standing::Forgiven | Standing::Undone) => Standing::UndoFailed { output: None },
        };
    }
}

/// Whether something may be there after an attempt failed, given whether there was doubt before. What a call promises to have left nothing of is its own
/// doing only: of an earlier attempt, or of the operation that it asked about, just an observation that came first can tell.
fn doubt_after(before: bool, ready: &Ready, class: FailureClass) -> bool {
    let (observed, resumed) = (ready.probe && ready.direction == Direction::Do, ready.resume.is_some());
    match class {
        FailureClass::Unknown => true,
        FailureClass::Held => before || resumed,
        FailureClass::Unavailable => (before && !observed) || resumed,
        FailureClass::Rejected => before && !observed && !(resumed && ready.direction == Direction::Do),
    }
}

impl Fold<'_> {
    pub(super) fn attempt_started(&mut self, id: &AttemptId) -> Step {
        let (_, item, ready) = self.ready_mut(id)?;
        if ready.started {
            return Err(format!("{id} has started already"));
        }
        item.activity = Activity::Ready(Ready { started: true, ..ready });
        Ok(())
    }

    pub(super) fn attempt_pended(&mut self, id: &AttemptId, started_at: Timestamp, pended: &Pended) -> Step {
        let at = self.at;
        let (_, item, ready) = self.ready_mut(id)?;
        let started_at = ready.resume.map_or(started_at, |resume| resume.pending.started_at);
        let pending = PendingState { direction: id.direction, attempt: id.attempt, started_at, pended: pended.clone(), stumbles: 0 };
        item.activity = match item.early_callback.take() {
            Some(body) => ItemState::resume(Box::new(pending), at, ResumeSignal::Callback(body)),
            None => Activity::Pending(Box::new(pending)),
        };
        Ok(())
    }

    pub(super) fn resume_failed(&mut self, id: &AttemptId, failure: &Failure, due: Timestamp) -> Step {
        let (_, item, ready) = self.ready_mut(id)?;
        let Some(resume) = ready.resume else {
            return Err(format!("{id} was not resumed"));
        };
        let mut pending = resume.pending;
        pending.stumbles += 1;
        pending.pended.poll_at = Some(due);
        // A callback is given once: its body must survive until a resume with it succeeds.
        if let ResumeSignal::Callback(body) = resume.signal {
            item.early_callback = Some(body);
        }
        item.last_failure = Some(failure.clone());
        item.activity = Activity::Pending(pending);
        Ok(())
    }

    pub(super) fn resume_held(&mut self, id: &AttemptId, failure: &Failure) -> Step {
        let effect = self.has_effect(id);
        let (_, item, ready) = self.ready_mut(id)?;
        let Some(ResumeState { pending, signal }) = ready.resume else {
            return Err(format!("{id} was not resumed"));
        };
        // A callback is given once: its body must survive until a resume with it succeeds.
        let cancel = signal == ResumeSignal::Cancel;
        if let ResumeSignal::Callback(body) = signal {
            item.early_callback = Some(body);
        }
        (item.doubt, item.last_failure) = (effect, Some(failure.clone()));
        item.failures += 1;
        item.fail(id.direction);
        item.parked = Some(Parked { pending, cancel });
        Ok(())
    }

    pub(super) fn attempt_finished(&mut self, id: &AttemptId, verdict: &Verdict, retry_at: Option<Timestamp>) -> Step {
        let unwinding = matches!(self.run.phase, Phase::Unwinding { .. });
        let effect = self.has_effect(id);
        let (position, item, ready) = self.ready_mut(id)?;
        match (verdict, id.direction) {
            (Verdict::Done(output), Direction::Do) => {
                item.standing = Standing::Done { output: output.clone(), by_hand: false };
                (item.activity, item.doubt) = (Activity::Idle, false);
            }
            (Verdict::Undone, Direction::Do) if !unwinding => return Err(format!("{id} is undone although nothing unwinds")),
            (Verdict::Undone, _) => {
                item.standing = Standing::Undone;
                (item.activity, item.doubt) = (Activity::Idle, false);
            }
            (Verdict::Refused { output, failure }, Direction::Do) => {
                item.failures += 1;
                item.last_failure = Some(failure.clone());
                item.standing = Standing::Failed { doubt: effect, receipt: Some(output.clone()) };
                (item.activity, item.doubt) = (Activity::Idle, effect);
            }
            (Verdict::Done(_) | Verdict::Refused { .. }, Direction::Undo) => return Err(format!("{id} is an undo and returned a receipt")),
            (Verdict::Failed(failure), direction) => {
                item.doubt = effect && doubt_after(item.doubt, &ready, failure.class);
                item.failures += 1;
                item.last_failure = Some(failure.clone());
                if let Some(ResumeState { signal: ResumeSignal::Callback(body), .. }) = ready.resume {
                    // A callback is given once: the next attempt needs it as well.
                    item.early_callback = Some(body);
                }
                match retry_at {
                    Some(_) if unwinding && direction == Direction::Do => return Err(format!("{id} is retried while the run unwinds")),
                    Some(until) => item.activity = Activity::Backoff { direction, until, doubt: item.doubt },
                    None => item.fail(direction),
                }
            }
        }
        self.settle_step(position);
        Ok(())
    }

    fn has_effect(&self, id: &AttemptId) -> bool {
        self.definition.step(&id.item.step).is_some_and(|(_, step)| matches!(step.work, Work::Effect { .. }))
    }

    pub(super) fn attempt_lost(&mut self, id: &AttemptId) -> Step {
        let unwinding = matches!(self.run.phase, Phase::Unwinding { .. });
        let effect = self.has_effect(id);
        let at = self.at;
        let (position, item, ready) = self.ready_mut(id)?;
        if ready.resume.is_some() {
            return Err(format!("{id} was being resumed; a resume is repeated, not lost"));
        }
        let lost = Failure::new(FailureClass::Unknown, "host.restarted", "the host was restarted during the attempt");
        item.last_failure = Some(lost);
        item.doubt = effect;
        let settles = !effect || item.pin.as_ref().is_some_and(|pin| pin.can_settle_doubt());
        match id.direction {
            Direction::Undo => item.activity = item.next_ready(Direction::Undo, at, true),
            Direction::Do if settles && !unwinding => item.activity = item.next_ready(Direction::Do, at, true),
            Direction::Do => item.fail(Direction::Do),
        }
        self.settle_step(position);
        Ok(())
    }
}
