//! What a run is told from outside: callbacks, decisions, the end of a child.

use std::sync::Arc;

use pipeline::{Event, Failure, ItemId, RunId, check_reopen, check_resolution};
use serde_json::Value;

use super::{Lost, RunTask, work::Live};
use crate::{
    api::{Decision, EngineError, ResolveError, SignalAnswer},
    bindings::BindingTable,
    intervene::{Repin, RepinError, UndoError},
    shared::Message,
    token::Named,
};

impl RunTask {
    /// Records a message, if it still means something, and answers it. A reply nobody waits for is dropped.
    pub(super) async fn message(&mut self, message: Message) -> Result<(), Lost> {
        match message {
            Message::Wake => self.timers().await,
            Message::Nudge { reply } => {
                let answer = self.nudged().await.map(Ok);
                self.reply(answer, reply, EngineError::Unavailable("the run is being taken over".to_owned()))
            }
            Message::Callback { named, body, reply } => {
                let answer = self.callback_received(&named, body).await;
                self.reply(answer, reply, EngineError::Unavailable("the run is being taken over".to_owned()))
            }
            Message::Resolve { decision, reply } => {
                let answer = self.resolve(decision).await;
                self.reply(answer, reply, EngineError::Unavailable("the run is being taken over".to_owned()).into())
            }
            Message::Repin { repin, table, reply } => {
                let answer = self.repin(*repin, table).await;
                self.reply(answer, reply, EngineError::Unavailable("the run is being taken over".to_owned()).into())
            }
            Message::Reopen { by, note, reply } => {
                let answer = self.reopen(by, note).await;
                self.reply(answer, reply, EngineError::Unavailable("the run is being taken over".to_owned()).into())
            }
            Message::ChildEnded { item, child, result, reply } => {
                self.child_ended(item, child, result).await?;
                let _nobody_waits = reply.send(());
                Ok(())
            }
        }
    }

    fn reply<T, E>(&self, answer: Result<Result<T, E>, Lost>, reply: tokio::sync::oneshot::Sender<Result<T, E>>, lost: E) -> Result<(), Lost> {
        let (answer, outcome) = match answer {
            Ok(answer) => (answer, Ok(())),
            Err(Lost) => (Err(lost), Err(Lost)),
        };
        let _nobody_waits = reply.send(answer);
        outcome
    }

    async fn callback_received(&mut self, named: &Named, body: String) -> Result<Result<SignalAnswer, EngineError>, Lost> {
        let definition = &self.pack.definition;
        let Some(id) = named.item_id(definition) else { return Ok(Ok(SignalAnswer::Unknown)) };
        let Some(item) = self.run.item(definition, &id) else { return Ok(Ok(SignalAnswer::TooLate)) };
        if item.callback_used {
            return Ok(Ok(SignalAnswer::AlreadyUsed));
        }
        if !item.waits_for_callback() || self.run.outcome().is_some() {
            return Ok(Ok(SignalAnswer::TooLate));
        }
        let commands = self.commit(vec![Event::CallbackReceived { item: id, body }], Vec::new()).await?;
        self.obey(commands);
        Ok(Ok(SignalAnswer::Accepted))
    }

    /// Fires the timers that may be early. Calls that are under way may have looked before the news came: whatever they end in is looked at again.
    async fn nudged(&mut self) -> Result<bool, Lost> {
        let calls: Vec<ItemId> = self.live.iter().filter_map(Live::called_item).cloned().collect();
        let goes_on = !calls.is_empty() || self.run.tries_again(&self.pack.definition);
        self.nudged.extend(calls);
        self.fire(self.run.early_timers(&self.pack.definition)).await?;
        Ok(goes_on)
    }

    /// The call of an item has ended after somebody had news for it: if it waits now, it does not.
    pub(super) async fn nudge_again(&mut self, item: &ItemId) -> Result<(), Lost> {
        if !self.nudged.remove(item) {
            return Ok(());
        }
        let early = self.run.early_timers(&self.pack.definition).into_iter();
        self.fire(early.filter(|event| matches!(event, Event::TimerFired { item: of, .. } if of == item)).collect()).await
    }

    /// Fires timers in one append, as one cause: no timer of an item changes another item.
    async fn fire(&mut self, timers: Vec<Event>) -> Result<(), Lost> {
        if timers.is_empty() {
            return Ok(());
        }
        let commands = self.commit(timers, Vec::new()).await?;
        self.obey(commands);
        Ok(())
    }

    async fn resolve(&mut self, decision: Decision) -> Result<Result<(), ResolveError>, Lost> {
        let open: Vec<u32> = self.run.open_fallouts().map(|fallout| fallout.opened.id).collect();
        let id = match (decision.fallout, open.as_slice()) {
            (Some(id), _) => id,
            (None, [only]) => *only,
            (None, _) => return Ok(Err(ResolveError::Ambiguous { run: self.run.id().clone(), open: open.len() })),
        };
        if let Err(refused) = check_resolution(&self.pack.definition, &self.run, id, &decision.resolution) {
            return Ok(Err(refused.into()));
        }
        let Decision { resolution, by, note, .. } = decision;
        let commands = self.commit(vec![Event::FalloutResolved { id, resolution, by, note }], Vec::new()).await?;
        self.obey(commands);
        Ok(Ok(()))
    }

    async fn repin(&mut self, repin: Repin, table: Arc<BindingTable>) -> Result<Result<u32, RepinError>, Lost> {
        let changed = match repin.change(&self.pack.definition, &self.run, self.run.head()) {
            Ok(changed) => changed,
            Err(refused) => return Ok(Err(refused)),
        };
        let moved = u32::try_from(changed.items.len()).unwrap_or(u32::MAX);
        self.tables.add(repin.revision, table);
        let commands = self.commit(vec![Event::PinChanged(Box::new(changed))], Vec::new()).await?;
        self.obey(commands);
        Ok(Ok(moved))
    }

    async fn reopen(&mut self, by: String, note: String) -> Result<Result<(), UndoError>, Lost> {
        if let Err(refused) = check_reopen(&self.pack.definition, &self.run) {
            return Ok(Err(refused.into()));
        }
        let commands = self.commit(vec![Event::RunReopened { by, note }], Vec::new()).await?;
        self.obey(commands);
        Ok(Ok(()))
    }

    async fn child_ended(&mut self, item: ItemId, child: RunId, result: Result<Value, Failure>) -> Result<(), Lost> {
        let state = self.run.item(&self.pack.definition, &item);
        let waits = state.is_some_and(|state| match &state.activity {
            pipeline::Activity::Child { run } => run.as_ref().is_none_or(|known| *known == child),
            pipeline::Activity::Queued
            | pipeline::Activity::Ready(_)
            | pipeline::Activity::Backoff { .. }
            | pipeline::Activity::Pending(_)
            | pipeline::Activity::Idle => false,
        });
        // The parent may be over, or the item may have been retried with another child: then the news changes nothing.
        if !waits || self.run.outcome().is_some() {
            return Ok(());
        }
        let commands = self.commit(vec![Event::ChildEnded { item, child, result }], Vec::new()).await?;
        self.obey(commands);
        Ok(())
    }
}
