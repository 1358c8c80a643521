//! What can wake a run: the answer to "why does nothing happen?" and the proof that something will.

use std::sync::Arc;

use crate::{
    definition::{Definition, Work},
    event::{Event, Timer},
    id::{RunId, Timestamp},
    key::{Direction, ItemId},
    run::{Activity, ItemState, Phase, Run},
};

/// One thing that will make a live run go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wake {
    /// A call is being made or can be made.
    Call(ItemId),
    /// A timer.
    Timer {
        /// Whose.
        item: ItemId,
        /// Which.
        timer: Timer,
        /// When.
        due: Timestamp,
    },
    /// A callback may come.
    Callback(ItemId),
    /// A child run will end.
    Child {
        /// Whose.
        item: ItemId,
        /// The child, once it exists.
        run: Option<RunId>,
    },
    /// A person must decide.
    Fallout(u32),
    /// The parent must be told.
    Parent,
}

impl Run {
    /// Everything that can wake the run now; empty only for a run that is over.
    pub fn wakes(&self, definition: &Definition) -> Vec<Wake> {
        let mut wakes = Vec::new();
        if matches!(self.phase, Phase::Ended(_)) {
            if self.owes_parent() {
                wakes.push(Wake::Parent);
            }
            return wakes;
        }
        for (s, step) in self.steps.iter().enumerate() {
            for (i, item) in step.items.iter().enumerate() {
                let id = || self.item_id(definition, s, i);
                match &item.activity {
                    Activity::Ready(_) => wakes.push(Wake::Call(id())),
                    Activity::Backoff { until, .. } => wakes.push(Wake::Timer { item: id(), timer: Timer::Retry, due: *until }),
                    Activity::Pending(pending) => {
                        let (timer, due) = pending.next_timer();
                        wakes.push(Wake::Timer { item: id(), timer, due });
                        if !item.callback_used {
                            wakes.push(Wake::Callback(id()));
                        }
                    }
                    Activity::Child { run } => wakes.push(Wake::Child { item: id(), run: run.clone() }),
                    Activity::Queued | Activity::Idle => {}
                }
            }
        }
        wakes.extend(self.open_fallouts().map(|fallout| Wake::Fallout(fallout.opened.id)));
        wakes
    }

    /// The earliest timer.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if matches!(self.phase, Phase::Ended(_)) {
            return None;
        }
        let due = |activity: &Activity| match activity {
            Activity::Backoff { until, .. } => Some(*until),
            Activity::Pending(pending) => Some(pending.next_timer().1),
            Activity::Queued | Activity::Ready(_) | Activity::Child { .. } | Activity::Idle => None,
        };
        self.steps.iter().flat_map(|step| &step.items).filter_map(|item| due(&item.activity)).min()
    }

    /// What an operation or an effect waits for, on the way forward: the time to ask or to try again.
    fn tries(&self, definition: &Definition) -> impl Iterator<Item = (ItemId, Timer, &Arc<ItemState>)> {
        let items = self.wakes(definition).into_iter().filter_map(|wake| match wake {
            Wake::Timer { item, .. } => self.item(definition, &item).zip(definition.step(&item.step)).map(|(state, (_, step))| (item, state, step)),
            Wake::Call(_) | Wake::Callback(_) | Wake::Child { .. } | Wake::Fallout(_) | Wake::Parent => None,
        });
        items.filter_map(|(item, state, step)| match &state.activity {
            Activity::Pending(pending) if pending.direction == Direction::Do && pending.pended.poll_at.is_some() => Some((item, Timer::Poll, state)),
            Activity::Backoff { direction: Direction::Do, .. } if matches!(step.work, Work::Effect { .. }) => Some((item, Timer::Retry, state)),
            Activity::Queued | Activity::Ready(_) | Activity::Backoff { .. } | Activity::Pending(_) | Activity::Child { .. } | Activity::Idle => None,
        })
    }

    /// Whether the run asks or tries something again by itself.
    pub fn tries_again(&self, definition: &Definition) -> bool {
        self.tries(definition).next().is_some()
    }

    /// The timers that may fire before they are due because somebody has news: of operations that are asked about from time to time, and of effects of
    /// the host itself that wait to be tried again. The pause of a plugin is what its back end asked for or can bear.
    pub fn early_timers(&self, definition: &Definition) -> Vec<Event> {
        let is_native = |state: &ItemState| state.pin.as_ref().is_some_and(|pin| pin.provider.digest().is_none());
        let early = self.tries(definition).filter(|(_, timer, state)| *timer == Timer::Poll || is_native(state));
        early.map(|(item, timer, _)| Event::TimerFired { item, timer }).collect()
    }

    /// The first timer that is due, as the event that says so. Called again after the event was applied, until there is none.
    pub fn due_timer(&self, definition: &Definition, now: Timestamp) -> Option<Event> {
        self.wakes(definition).into_iter().find_map(|wake| match wake {
            Wake::Timer { item, timer, due } if due <= now => Some(Event::TimerFired { item, timer }),
            Wake::Timer { .. } | Wake::Call(_) | Wake::Callback(_) | Wake::Child { .. } | Wake::Fallout(_) | Wake::Parent => None,
        })
    }
}

impl crate::run::PendingState {
    /// The timer that fires next.
    pub fn next_timer(&self) -> (Timer, Timestamp) {
        match self.pended.poll_at {
            Some(poll) if poll < self.pended.give_up_at => (Timer::Poll, poll),
            Some(_) | None => (Timer::GiveUp, self.pended.give_up_at),
        }
    }
}
