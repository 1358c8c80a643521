//! Histories of runs as observers are shown them.

use std::sync::Arc;

use engine::port::{OwnedTransition, Position};
use pipeline::{
    AttemptId, Attributes, Command, Definition, Direction, Event, Failure, ItemId, Record, Run, RunStarted, StepName, Timestamp, Verdict, apply,
    begin, decide, testing,
};
use serde_json::{Value, json};

/// A run that events are added to.
pub struct History {
    definition: Arc<Definition>,
    run: Arc<Run>,
    pub transitions: Vec<OwnedTransition>,
}

impl History {
    /// A run that has just started, with its first event at 1 s.
    pub fn start(definition: &Arc<Definition>, number: u64, input: Value) -> Self {
        Self::start_with(definition, number, input, |_| {})
    }

    /// The same with another first event.
    pub fn start_with(definition: &Arc<Definition>, number: u64, input: Value, change: impl FnOnce(&mut RunStarted)) -> Self {
        let mut record = testing::started_with(definition, input);
        record.at = Timestamp(1_000_000);
        if let Event::RunStarted(started) = &mut record.event {
            let started = Arc::make_mut(started);
            started.trace.trace_id = format!("{number:032x}");
            started.trace.span_id = format!("{number:016x}");
            change(started);
        }
        let run = Arc::new(begin(definition, testing::run_id(number), &record).unwrap());
        let first =
            OwnedTransition { position: Position(1), definition: definition.clone(), before: None, record: Arc::new(record), after: run.clone() };
        Self { definition: definition.clone(), run, transitions: vec![first] }
    }

    /// Adds an event at that many milliseconds after the start.
    pub fn push(&mut self, ms: u64, event: Event) -> &mut Self {
        let record = testing::record(&self.run, 1_000_000 + ms * 1000, event);
        self.append(record)
    }

    /// Adds a record.
    pub fn append(&mut self, record: Record) -> &mut Self {
        let after = Arc::new(apply(&self.definition, (*self.run).clone(), &record).unwrap());
        let position = Position(self.transitions.len() as u64 + 1);
        self.transitions.push(OwnedTransition {
            position,
            definition: self.definition.clone(),
            before: Some(self.run.clone()),
            record: Arc::new(record),
            after: after.clone(),
        });
        self.run = after;
        self
    }

    /// Obeys commands, one event per 10 ms, until the run waits or is over. `answer` gives the end of an attempt.
    pub fn drive(&mut self, ms: u64, mut answer: impl FnMut(&AttemptId) -> Verdict) -> &mut Self {
        self.act(ms, |attempt, started_at| finished(attempt.clone(), started_at, answer(attempt)))
    }

    /// The same where `answer` gives what is written of an attempt that began at that many microseconds.
    pub fn act(&mut self, mut ms: u64, mut answer: impl FnMut(&AttemptId, u64) -> Event) -> &mut Self {
        while let Some(command) = decide(&self.definition, &self.run).into_iter().next() {
            ms += 10;
            let event = match command {
                Command::Record(event) => event,
                Command::Schedule { step, round, items, .. } => testing::scheduled(step, round, items),
                Command::Attempt { attempt, .. } => answer(&attempt, 1_000_000 + (ms - 5) * 1000),
                Command::StartChild { .. } | Command::NotifyParent { .. } => unreachable!("no children here"),
            };
            self.push(ms, event);
        }
        self
    }

    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    pub fn run(&self) -> &Run {
        &self.run
    }
}

/// The end of an attempt that began at `started_at` microseconds.
pub fn finished(attempt: AttemptId, started_at: u64, verdict: Verdict) -> Event {
    Event::AttemptFinished { attempt, started_at: Timestamp(started_at), verdict, retry_at: None, attributes: Attributes::new() }
}

/// A step's answer.
pub fn done(output: &str) -> Verdict {
    Verdict::Done(Arc::new(output.into()))
}

/// The first attempt of an item, in its first round.
pub fn attempt(step: &str, item: u32, attempt: u32) -> AttemptId {
    AttemptId { item: ItemId { step: StepName::new(step).unwrap(), item, round: 1 }, direction: Direction::Do, attempt }
}

/// Two items to allocate.
pub fn two_items() -> Value {
    json!({"id": "ORD-1", "items": [{"type": "port"}, {"type": "vlan"}]})
}

/// An order that completes.
pub fn completed(number: u64) -> History {
    let mut history = History::start(&super::definition::order(), number, two_items());
    history.drive(0, |attempt| match attempt.direction {
        Direction::Do => done("RES-7"),
        Direction::Undo => Verdict::Undone,
    });
    assert_eq!(history.run().outcome(), Some(&pipeline::Outcome::Completed));
    history
}

/// An order whose second resource is not there: the first is given back and the order fails.
pub fn unwound(number: u64) -> History {
    let mut history = History::start(&super::definition::order(), number, two_items());
    history.drive(0, |attempt| match (attempt.direction, attempt.item.step.as_str(), attempt.item.item) {
        (Direction::Do, "allocate_inventory", 1) => {
            Verdict::Failed(Failure::new(pipeline::FailureClass::Rejected, "no_inventory", "the pool is empty\nat pool.rs"))
        }
        (Direction::Do, _, _) => done("RES-7"),
        (Direction::Undo, _, _) => Verdict::Undone,
    });
    history
}
