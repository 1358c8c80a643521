//! The driver's loop: what can happen next, and doing it.

use pipeline::{
    Activity, AfterObserve, AttemptId, CallAnswer, CallResult, Command, Direction, Event, Failure, FailureClass, ItemId, ItemState, Parent, Ready,
    Resolution, ResumeSignal, RunId, Standing, Timestamp, Work, after_cancel, after_observe, check_reopen, check_resolution, decide,
    needs_start_record, observe_failed, settle, testing,
};
use serde_json::Value;

use super::{
    Callback, Entry, Flight, Flow, When, World,
    backend::{Call, Verb},
    main_run,
};

/// Something that can happen next.
#[derive(Debug)]
enum Happening {
    Command(RunId, Box<Command>),
    /// The answer of a call arrives.
    Answer(usize),
    Callback(RunId, ItemId, usize),
    Timer(RunId, Timestamp),
    Repin(RunId),
    Resolution(RunId, u32),
    Reopen,
}

impl World {
    /// Lets one thing happen; `false` when nothing can.
    pub(super) fn turn(&mut self) -> Flow<bool> {
        let mut can = self.happenings();
        if can.is_empty() {
            return Ok(false);
        }
        let choice = self.choices.pop_front().map_or(0, |choice| usize::from(choice) % can.len());
        match can.swap_remove(choice) {
            Happening::Command(run, command) => self.obey(&run, *command),
            Happening::Answer(position) => self.answer(position),
            Happening::Callback(run, item, position) => {
                let body = self.callbacks[position].body.to_owned();
                self.offer(&run, Event::CallbackReceived { item, body })?;
                self.callbacks.remove(position);
                Ok(())
            }
            Happening::Timer(run, due) => {
                self.clock = self.clock.max(due.0);
                let entry = &self.runs[&run];
                let definition = &self.definitions[&entry.run.started().pipeline];
                let fired = entry.run.due_timer(definition, Timestamp(self.clock)).expect("the timer is due");
                self.record(&run, fired)
            }
            Happening::Repin(run) => self.repin(&run),
            Happening::Resolution(run, fallout) => self.resolve(&run, fallout),
            Happening::Reopen => {
                self.record(&main_run(), Event::RunReopened { by: "alex".to_owned(), note: String::new() })?;
                self.reopens -= 1;
                Ok(())
            }
        }?;
        Ok(true)
    }

    /// Everything that can happen, in the order in which it happens when nobody chooses: the machine is fast, the world slow, people slower.
    fn happenings(&self) -> Vec<Happening> {
        let mut can = Vec::new();
        for (id, entry) in &self.runs {
            let commands = decide(&self.definitions[&entry.run.started().pipeline], &entry.run);
            let new = commands.into_iter().filter(|command| !self.is_being_made(id, command));
            can.extend(new.map(|command| Happening::Command(id.clone(), Box::new(command))));
        }
        can.extend(self.callbacks_that_may_come(true));
        can.extend((0..self.in_flight.len()).map(Happening::Answer));
        can.extend(self.callbacks_that_may_come(false));
        if let Some(wanted) = self.repins.front() {
            let legal = |entry: &Entry| pipeline::repin(&self.definitions[&entry.run.started().pipeline], &entry.run, wanted.clone()).is_ok();
            can.extend(self.runs.iter().filter(|(_, entry)| legal(entry)).map(|(id, _)| Happening::Repin(id.clone())));
        }
        let mut timers: Vec<_> = self.runs.iter().filter_map(|(id, entry)| Some((entry.run.wake_at()?, id.clone()))).collect();
        timers.sort();
        can.extend(timers.into_iter().map(|(due, id)| Happening::Timer(id, due)));
        for (id, entry) in &self.runs {
            can.extend(entry.run.open_fallouts().map(|fallout| Happening::Resolution(id.clone(), fallout.opened.id)));
        }
        let main = &self.runs[&main_run()].run;
        if self.reopens > 0 && check_reopen(&self.definitions[&main.started().pipeline], main).is_ok() {
            can.push(Happening::Reopen);
        }
        can
    }

    fn is_being_made(&self, run: &RunId, command: &Command) -> bool {
        matches!(command, Command::Attempt { attempt, .. } if self.in_flight.iter().any(|flight| flight.run == *run && flight.attempt == *attempt))
    }

    fn callbacks_that_may_come(&self, early: bool) -> Vec<Happening> {
        let mut can = Vec::new();
        for (position, callback) in self.callbacks.iter().enumerate().filter(|(_, callback)| (callback.when != When::InTime) == early) {
            for (id, entry) in &self.runs {
                let definition = &self.definitions[&entry.run.started().pipeline];
                let Some((step, _)) = definition.step(&super::name(callback.step)) else { continue };
                let item = entry.run.steps()[step].items.first().filter(|item| self.may_come(callback, item));
                can.extend(item.map(|_| Happening::Callback(id.clone(), entry.run.item_id(definition, step, 0), position)));
            }
        }
        can
    }

    fn may_come(&self, callback: &Callback, item: &ItemState) -> bool {
        match callback.when {
            When::Early => item.ready().is_some_and(|ready| ready.resume.is_none()) && !self.in_flight.is_empty(),
            When::InTime => matches!(item.activity, Activity::Pending(_)),
            When::Again => item.callback_used,
            When::Late => matches!(item.standing, Standing::Done { .. }),
        }
    }

    fn obey(&mut self, run: &RunId, command: Command) -> Flow {
        match command {
            Command::Record(event) => self.record(run, event),
            Command::Schedule { step, round, mut items, contract, .. } => {
                if let Some(failure) = self.refusals.get(&step).cloned() {
                    self.record(run, Event::StepRefused { step: step.clone(), failure })?;
                    self.refusals.remove(&step);
                    return Ok(());
                }
                let pin = contract.map(|_| self.pin(&step));
                items.iter_mut().for_each(|item| item.pin = pin.clone().map(Into::into));
                let revision = self.revisions.get(&step).cloned();
                self.record(run, Event::StepScheduled { step, round, items, revision })
            }
            Command::Attempt { attempt, ready } => self.attempt(run, attempt, ready),
            Command::StartChild { item, pipeline, input } => {
                let mut first = testing::started_with(&self.definitions[&pipeline], input);
                if let Event::RunStarted(started) = &mut first.event {
                    std::sync::Arc::make_mut(started).parent = Some(Parent { run: run.clone(), item: item.clone() });
                }
                let parent = Parent { run: run.clone(), item: item.clone() };
                let known = self.runs.iter().find(|(_, entry)| entry.run.started().parent.as_ref() == Some(&parent));
                let child = known.map_or_else(|| testing::run_id(self.runs.len() as u64 + 1), |(id, _)| id.clone());
                if !self.runs.contains_key(&child) {
                    self.start(child.clone(), first);
                    self.moment()?;
                }
                // The child may already have ended and said so, when it was started before a crash.
                let waits = self.item(run, &item).is_some_and(|item| item.activity == Activity::Child { run: None });
                if waits { self.record(run, Event::ChildStarted { item, child }) } else { Ok(()) }
            }
            Command::NotifyParent { parent, result } => {
                self.offer(&parent.run, Event::ChildEnded { item: parent.item, child: run.clone(), result })?;
                self.record(run, Event::ParentNotified)
            }
        }
    }

    fn item(&self, run: &RunId, id: &ItemId) -> Option<&std::sync::Arc<ItemState>> {
        let entry = &self.runs[run];
        entry.run.item(&self.definitions[&entry.run.started().pipeline], id)
    }

    /// Makes the calls of an attempt; what came of them is recorded later, in any order.
    fn attempt(&mut self, run: &RunId, attempt: AttemptId, ready: Ready) -> Flow {
        let entry = &self.runs[run];
        let (_, step) = self.definitions[&entry.run.started().pipeline].step(&attempt.item.step).unwrap();
        let (work, item) = (step.work.clone(), self.item(run, &attempt.item).unwrap().clone());
        if needs_start_record(&work, item.pin.as_deref(), &ready) && !ready.started {
            return self.record(run, Event::AttemptStarted { attempt });
        }
        let call = Call {
            run: run.clone(),
            step: attempt.item.step.clone(),
            item: attempt.item.item,
            key: entry.run.key(&attempt.item, Direction::Do).to_string(),
            idempotent: item.pin.as_ref().is_some_and(|pin| pin.idempotent),
            pure: matches!(work, Work::Pure { .. }),
            cancel: ready.resume.as_ref().is_some_and(|resume| resume.signal == ResumeSignal::Cancel),
        };
        let mut verbs = Vec::new();
        let answer = self.make_calls(&call, &item, &ready, &mut verbs);
        let result = CallResult { started_at: Timestamp(self.clock), answer, attributes: Vec::new() };
        self.in_flight.push(Flight { run: run.clone(), attempt, result, verbs });
        self.moment()
    }

    fn make_calls(&mut self, call: &Call, item: &ItemState, ready: &Ready, verbs: &mut Vec<Verb>) -> Result<CallAnswer, Failure> {
        if ready.resume.is_some() && ready.direction == Direction::Do {
            verbs.push(Verb::Resume);
            return self.backend.resume(call);
        }
        let mut receipt = receipt(item);
        if ready.probe {
            verbs.push(Verb::Observe);
            let found = self.backend.observe(call).map_err(observe_failed)?;
            match after_observe(item, ready.direction, found) {
                AfterObserve::Finish(result) => return result,
                AfterObserve::Wait(pending) => return Ok(pending.into()),
                AfterObserve::Cancel { .. } => {
                    verbs.push(Verb::Resume);
                    let cancelled = self.backend.resume(&Call { cancel: true, ..call.clone() });
                    return after_cancel(cancelled).map(|()| CallAnswer::Undone);
                }
                AfterObserve::Undo(found) => receipt = Some(found),
                AfterObserve::Apply => {}
            }
        }
        match (ready.direction, receipt) {
            (Direction::Do, _) => {
                verbs.push(Verb::Apply);
                self.backend.apply(call)
            }
            (Direction::Undo, Some(_)) => {
                verbs.push(Verb::Undo);
                self.backend.undo(call)
            }
            (Direction::Undo, None) => Err(Failure::new(FailureClass::Held, "_OTHER", "there is no receipt")),
        }
    }

    fn answer(&mut self, position: usize) -> Flow {
        let Flight { run, attempt, result, verbs } = self.in_flight.remove(position);
        let entry = &self.runs[&run];
        let definition = &self.definitions[&entry.run.started().pipeline];
        let Some(event) = settle(definition, &entry.run, &attempt, Timestamp(self.clock), result) else {
            self.refused.push(format!("the answer of {attempt} came too late"));
            return Ok(());
        };
        self.record(&run, event)?;
        for verb in verbs {
            *self.backend.answered.entry((attempt.item.step.clone(), attempt.item.item, verb)).or_default() += 1;
        }
        Ok(())
    }

    fn repin(&mut self, run: &RunId) -> Flow {
        let Some(wanted) = self.repins.front().cloned() else { return Ok(()) };
        let entry = &self.runs[run];
        let definition = &self.definitions[&entry.run.started().pipeline];
        let changed = pipeline::repin(definition, &entry.run, wanted).expect("it was legal");
        self.record(run, Event::PinChanged(Box::new(changed.clone())))?;
        self.repins.pop_front();
        // Steps of the contract that are scheduled later are bound alike.
        let definition = &self.definitions[&self.runs[run].run.started().pipeline];
        let steps: Vec<_> = definition.steps.iter().map(|step| step.name.clone()).collect();
        for step in steps {
            if !self.pin(&step).can_settle_doubt() {
                self.unsettled.insert(step.clone());
            }
            self.revisions.insert(step.clone(), changed.revision.clone());
            self.pins.insert(step, (*changed.pin).clone());
        }
        Ok(())
    }

    fn resolve(&mut self, run: &RunId, id: u32) -> Flow {
        let entry = &self.runs[run];
        let definition = &self.definitions[&entry.run.started().pipeline];
        let wanted = self.operator.front().cloned().unwrap_or(Resolution::Fail);
        let refused = check_resolution(definition, &entry.run, id, &wanted).map_err(|refused| refused.to_string());
        let resolution = if refused.is_ok() { wanted } else { Resolution::Fail };
        if let Err(reason) = refused {
            self.refused.push(reason);
        }
        self.record(run, Event::FalloutResolved { id, resolution, by: "alex".to_owned(), note: String::new() })?;
        self.operator.pop_front();
        Ok(())
    }
}

/// What the undo of an item is given.
fn receipt(item: &ItemState) -> Option<std::sync::Arc<Value>> {
    match &item.standing {
        Standing::Done { output, .. } => Some(output.clone()),
        Standing::Failed { receipt, .. } => receipt.clone(),
        Standing::UndoFailed { output } => output.clone(),
        Standing::Open | Standing::Forgiven | Standing::Undone => None,
    }
}
