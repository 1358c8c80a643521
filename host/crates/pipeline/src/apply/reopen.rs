//! Reopening: a run that is over takes back what it did, because a person says so. It is not counted or ended a second time by telemetry.

use super::{Fold, Step};
use crate::{
    definition::{Definition, Work},
    event::AfterUnwind,
    key::Direction,
    recover::may_have_begun,
    run::{Activity, ItemState, Phase, ResumeSignal, Run, Standing},
};

/// Why a run is not reopened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReopenRefused {
    /// It still goes on.
    #[error("the run is not over: cancel it instead")]
    NotOver,
    /// Its parent does not know yet that it was over.
    #[error("the run's parent has not been told yet that it is over: try again")]
    OwesParent,
    /// Everything that can be undone is undone.
    #[error("the run has nothing to take back")]
    Nothing,
}

/// Whether what a run did can be taken back after its end; the same check is made when the event is applied.
pub fn check_reopen(definition: &Definition, run: &Run) -> Result<(), ReopenRefused> {
    if run.outcome().is_none() {
        return Err(ReopenRefused::NotOver);
    }
    if run.owes_parent() {
        return Err(ReopenRefused::OwesParent);
    }
    if run.owes_undo(definition) { Ok(()) } else { Err(ReopenRefused::Nothing) }
}

impl Fold<'_> {
    pub(super) fn run_reopened(&mut self) -> Step {
        check_reopen(self.definition, self.run).map_err(|refused| refused.to_string())?;
        for position in 0..self.run.steps.len() {
            let work = &self.definition.steps[position].work;
            for item in 0..self.run.steps[position].items.len() {
                if let Some(item) = self.item_at(position, item) {
                    item.take_up(work);
                }
            }
        }
        self.run.phase = Phase::Unwinding { cause: None, step: None, item: None, then: AfterUnwind::Cancel };
        self.run.reopened = Some(self.at);
        Ok(())
    }
}

impl ItemState {
    /// Where the item stood when its run ended becomes something that can be taken back. A run that a person failed may have ended in the middle.
    fn take_up(&mut self, work: &Work) {
        let effect = matches!(work, Work::Effect { .. });
        match std::mem::replace(&mut self.activity, Activity::Idle) {
            Activity::Ready(ready) => match ready.resume {
                Some(resume) => {
                    if let ResumeSignal::Callback(body) = resume.signal {
                        self.early_callback = Some(body);
                    }
                    self.activity = Activity::Pending(resume.pending);
                }
                None => {
                    self.doubt |= effect && may_have_begun(work, self.pin.as_deref(), &ready);
                    if ready.direction == Direction::Do {
                        self.fail(Direction::Do);
                    }
                }
            },
            Activity::Child { .. } => {
                // What a child did is its own: its parent only waited.
                self.standing = Standing::Failed { doubt: false, receipt: None };
            }
            resting @ (Activity::Queued | Activity::Backoff { .. } | Activity::Pending(_) | Activity::Idle) => self.activity = resting,
        }
        if let Standing::UndoFailed { output } = &self.standing
            && self.parked.is_none()
            && self.activity == Activity::Idle
        {
            let output = output.clone();
            self.standing = output.map_or(Standing::Failed { doubt: true, receipt: None }, |output| Standing::Done { output, by_hand: false });
            self.doubt = effect;
        }
    }
}

impl Run {
    /// Whether an effect of the run may be there whose undo is not confirmed and can still be wanted.
    pub fn owes_undo(&self, definition: &Definition) -> bool {
        let mut items = definition.steps.iter().zip(&self.steps).flat_map(|(step, state)| state.items.iter().map(move |item| (step, item)));
        items.any(|(step, item)| crate::holds::owes_undo(step, item))
    }
}
