//! What a run does besides writing: calls, child runs, telling its parent.

use std::sync::Arc;

use pipeline::{AttemptId, Command, Failure, ItemId, Parent, PipelineName, Ready, ResumeSignal, RunId, Work, settle};
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::warn;

use super::{Lost, RunTask, commit::Refused};
use crate::{
    attempt::{Attempted, attempt, conflicted},
    port::{Call, CallbackAddress, SpanContext, Verb},
    shared::{Message, Shared},
    start,
    token::Named,
};

/// How often a call is made again because another call changed a key it had read.
const MAX_RERUNS: u32 = 16;

/// What is under way, so that obeying a command twice does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Live {
    Attempt(AttemptId),
    Child(ItemId),
    Parent,
}

impl Live {
    /// The item that is being called.
    pub(super) fn called_item(&self) -> Option<&ItemId> {
        match self {
            Self::Attempt(id) => Some(&id.item),
            Self::Child(_) | Self::Parent => None,
        }
    }
}

/// What came of it.
pub(super) enum Done {
    Attempt { id: AttemptId, attempted: Box<Attempted>, reruns: u32 },
    Child { item: ItemId, started: Result<RunId, String> },
    Parent,
}

impl RunTask {
    /// Begins everything that is not under way. While the engine stops, nothing new begins.
    pub(super) fn obey(&mut self, commands: Vec<Command>) {
        if self.shared.is_stopping() {
            return;
        }
        for command in commands {
            match command {
                // The fold leaves none of these over.
                Command::Record(_) | Command::Schedule { .. } => {}
                Command::Attempt { attempt, ready } => self.attempt(attempt, ready, 0),
                Command::StartChild { item, pipeline, input } => self.start_child(item, pipeline, input),
                Command::NotifyParent { parent, result } => self.notify_parent(parent, result),
            }
        }
    }

    fn attempt(&mut self, id: AttemptId, ready: Ready, reruns: u32) {
        if !self.live.insert(Live::Attempt(id.clone())) {
            return;
        }
        let Some(call) = self.call(&id, &ready) else { return };
        let Some(item) = self.run.item(&self.pack.definition, &id.item).cloned() else { return };
        let shared = self.shared.clone();
        self.work.push(Box::pin(async move {
            let attempted = attempt(&*shared.runner, &*shared.clock, call, &item, &ready).await;
            Done::Attempt { id, attempted: Box::new(attempted), reruns }
        }));
    }

    /// The call of an attempt, complete but for its verb.
    fn call(&self, id: &AttemptId, ready: &Ready) -> Option<Call> {
        let (_, step) = self.pack.definition.step(&id.item.step)?;
        let item = self.run.item(&self.pack.definition, &id.item)?;
        let started = self.run.started();
        let trace = &started.trace;
        let callback = matches!(step.work, Work::Effect { callback: true, .. }) && id.direction == pipeline::Direction::Do;
        let called = ready.resume.as_ref().is_some_and(|resume| !matches!(resume.signal, ResumeSignal::Timer));
        // To be asked how far the work is belongs to the request; what has come from outside is its completion.
        let completes = called && ready.direction == pipeline::Direction::Do && step.telemetry.completion.is_some();
        let span_id = if completes { trace.completion_span(id) } else { trace.attempt_span(id) };
        Some(Call {
            tenant: started.tenant.clone(),
            run: self.run.id().clone(),
            pipeline: started.pipeline.clone(),
            revision: self.run.revision(item).clone(),
            attempt: id.clone(),
            label: item.label.clone(),
            key: self.run.key(&id.item, id.direction),
            pin: item.pin.clone()?,
            verb: Verb::Apply,
            request: item.request.clone(),
            must_understand: step.must_understand,
            timeout: step.timeout,
            callback: if callback { self.callback(id) } else { None },
            span: SpanContext { trace_id: trace.trace_id.clone(), span_id, sampled: trace.sampled, trace_state: trace.trace_state.clone() },
        })
    }

    fn callback(&self, id: &AttemptId) -> Option<CallbackAddress> {
        let operation = Named::operation(&self.pack.definition, self.run.id(), &id.item)?;
        let url = format!("{}{}", self.shared.callback_base, self.shared.tokens.make(&operation));
        Some(CallbackAddress { operation, url })
    }

    fn start_child(&mut self, item: ItemId, pipeline: PipelineName, input: Value) {
        if !self.live.insert(Live::Child(item.clone())) {
            return;
        }
        let start = start::Child {
            tenant: self.run.started().tenant.clone(),
            pipeline,
            input,
            key: format!("child-of:{}", self.run.key(&item, pipeline::Direction::Do)),
            parent: Parent { run: self.run.id().clone(), item: item.clone() },
            trace: self.run.started().trace.clone(),
        };
        let shared = self.shared.clone();
        self.work.push(Box::pin(async move { Done::Child { item, started: start::child(&shared, start).await } }));
    }

    fn notify_parent(&mut self, parent: Parent, result: Result<Value, Failure>) {
        if !self.live.insert(Live::Parent) {
            return;
        }
        // The parent may need a place of its own to hear it.
        self.place = None;
        let (shared, child) = (self.shared.clone(), self.run.id().clone());
        self.work.push(Box::pin(async move {
            tell_parent(&shared, parent, child, result).await;
            Done::Parent
        }));
    }

    /// Records what came of something that was under way.
    pub(super) async fn done(&mut self, done: Done) -> Result<(), Lost> {
        match done {
            Done::Attempt { id, attempted, reruns } => self.attempted(id, *attempted, reruns).await,
            Done::Child { item, started } => self.child_started(item, started).await,
            Done::Parent => {
                self.live.remove(&Live::Parent);
                self.commit(vec![pipeline::Event::ParentNotified], Vec::new()).await.map(|commands| self.obey(commands))
            }
        }
    }

    async fn attempted(&mut self, id: AttemptId, mut attempted: Attempted, reruns: u32) -> Result<(), Lost> {
        self.live.remove(&Live::Attempt(id.clone()));
        loop {
            let writes = std::mem::take(&mut attempted.writes);
            let Some(event) = settle(&self.pack.definition, &self.run, &id, self.now(), attempted.result.clone()) else {
                // Nobody waits for this attempt any more.
                self.nudged.remove(&id.item);
                return Ok(());
            };
            match self.try_commit(vec![event], writes).await {
                Ok(commands) => {
                    self.obey(commands);
                    return self.nudge_again(&id.item).await;
                }
                Err(Refused::Lost) => return Err(Lost),
                // The call saw keys that are no longer true. With nothing sent it is simply made again, in the same attempt.
                Err(Refused::Conflict(_)) if !attempted.sent && reruns < MAX_RERUNS => {
                    let ready = self.run.item(&self.pack.definition, &id.item).and_then(|item| item.ready().cloned());
                    if let Some(ready) = ready {
                        self.attempt(id, ready, reruns + 1);
                    }
                    return Ok(());
                }
                Err(Refused::Conflict(key)) => attempted = conflicted(attempted, &key),
            }
        }
    }

    async fn child_started(&mut self, item: ItemId, started: Result<RunId, String>) -> Result<(), Lost> {
        self.live.remove(&Live::Child(item.clone()));
        let event = match started {
            Ok(child) => pipeline::Event::ChildStarted { item: item.clone(), child },
            Err(reason) => {
                // The store had no room or the host is stopping: the command is still there and is obeyed again after a pause.
                warn!(run = %self.run.id(), "a child run cannot be started yet: {reason}");
                self.shared.clock.sleep_until(self.now().plus(std::time::Duration::from_millis(200))).await;
                let commands = pipeline::decide(&self.pack.definition, &self.run);
                self.obey(commands);
                return Ok(());
            }
        };
        // A child may have ended, and said so, before its beginning was recorded: then there is nothing to record any more.
        let waits = self.run.item(&self.pack.definition, &item).is_some_and(|item| item.activity == (pipeline::Activity::Child { run: None }));
        if !waits {
            return Ok(());
        }
        self.commit(vec![event], Vec::new()).await.map(|commands| self.obey(commands))
    }
}

/// Tells the parent until it has recorded it. The parent may be busy, waiting or over; in each case it answers.
async fn tell_parent(shared: &Arc<Shared>, parent: Parent, child: RunId, result: Result<Value, Failure>) {
    loop {
        let (reply, answer) = oneshot::channel();
        let message = Message::ChildEnded { item: parent.item.clone(), child: child.clone(), result: result.clone(), reply };
        shared.tell(&parent.run, message);
        if answer.await.is_ok() || shared.is_stopping() {
            return;
        }
        shared.clock.sleep_until(shared.clock.now().plus(std::time::Duration::from_millis(200))).await;
    }
}
