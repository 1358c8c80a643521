//! From one cause to one append: the cause and everything that follows from the state alone, so that a step's end and the next step's beginning are one write.

use std::sync::Arc;

use pipeline::{
    Command, ContractTrack, Epoch, Event, Failure, FailureClass, IllegalEvent, Pin, Record, Run, ScheduledItem, Selectors, Timestamp, View,
    apply_in_place, decide, needs_start_record,
};

use crate::{
    bindings::BindingTable,
    definitions::Pack,
    port::{Append, Document},
    row::row,
};

/// More records than any sound definition needs in one append; beyond it the reducer would not come to rest.
const MAX_RECORDS: usize = 10_000;

/// What a run is folded with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) table: &'a BindingTable,
    pub(crate) epoch: Epoch,
}

/// A run after a cause, and what is to be written and then done.
#[derive(Debug)]
pub(crate) struct Folded {
    pub(crate) run: Arc<Run>,
    pub(crate) append: Append,
    /// The run after each record of the append.
    pub(crate) states: Vec<Arc<Run>>,
    /// What can only be done once the append is durable.
    pub(crate) commands: Vec<Command>,
}

/// Folds `causes` and what follows from them. The first record of a run must have been applied before; it comes as `first`.
pub(crate) fn fold(context: Context<'_>, run: Arc<Run>, now: Timestamp, first: Option<Record>, causes: Vec<Event>) -> Result<Folded, IllegalEvent> {
    let at = now.max(run.last_at());
    let expected_head = first.as_ref().map_or(run.head(), |_| pipeline::Seq(0));
    let states = first.iter().map(|_| run.clone()).collect();
    let mut folding = Folding { context, at, run, records: first.into_iter().collect(), states };
    for cause in causes {
        folding.push(cause)?;
    }
    let commands = folding.settle()?;
    let documents = folding.documents();
    let Folding { run, records, states, .. } = folding;
    let append = Append { row: row(&context.pack.definition, &run, &commands), expected_head, records, documents, writes: Vec::new() };
    Ok(Folded { run, append, states, commands })
}

struct Folding<'a> {
    context: Context<'a>,
    at: Timestamp,
    run: Arc<Run>,
    records: Vec<Record>,
    states: Vec<Arc<Run>>,
}

impl Folding<'_> {
    fn push(&mut self, event: Event) -> Result<(), IllegalEvent> {
        let record = Record { seq: self.run.head().next(), epoch: self.context.epoch, at: self.at, event };
        if self.records.len() >= MAX_RECORDS {
            return Err(IllegalEvent { seq: record.seq, reason: format!("one cause has {MAX_RECORDS} consequences and no end") });
        }
        // A refused event is a fault of this process and ends the fold, so the run is not needed afterwards.
        apply_in_place(&self.context.pack.definition, Arc::make_mut(&mut self.run), &record)?;
        self.records.push(record);
        self.states.push(self.run.clone());
        Ok(())
    }

    /// Records what follows until only calls and messages remain, which are returned.
    fn settle(&mut self) -> Result<Vec<Command>, IllegalEvent> {
        loop {
            let mut commands = decide(&self.context.pack.definition, &self.run);
            let Some(place) = commands.iter().position(|command| self.is_recordable(command)) else { return Ok(commands) };
            if let Some(event) = self.event(commands.swap_remove(place)) {
                self.push(event)?;
            }
        }
    }

    /// Whether obeying the command is no more than recording an event.
    fn is_recordable(&self, command: &Command) -> bool {
        match command {
            Command::Record(_) | Command::Schedule { .. } => true,
            Command::Attempt { attempt, ready } => {
                let definition = &self.context.pack.definition;
                let (Some((_, step)), Some(item)) = (definition.step(&attempt.item.step), self.run.item(definition, &attempt.item)) else {
                    return false;
                };
                !ready.started && needs_start_record(&step.work, item.pin.as_deref(), ready)
            }
            Command::StartChild { .. } | Command::NotifyParent { .. } => false,
        }
    }

    /// The event that a recordable command asks for.
    fn event(&self, command: Command) -> Option<Event> {
        match command {
            Command::Record(event) => Some(event),
            Command::Schedule { step, round, contract, needs_undo, items } => {
                let selectors = self.context.pack.definition.step(&step).map_or(Selectors::NONE, |(_, step)| step.selectors);
                let bound = items.into_iter().map(|item| self.bind(contract.as_ref(), selectors, needs_undo, item)).collect();
                Some(match bound {
                    Ok(items) => Event::StepScheduled { step, round, items },
                    Err(failure) => Event::StepRefused { step, failure },
                })
            }
            Command::Attempt { attempt, .. } => Some(Event::AttemptStarted { attempt }),
            Command::StartChild { .. } | Command::NotifyParent { .. } => None,
        }
    }

    fn bind(&self, contract: Option<&ContractTrack>, selectors: Selectors, needs_undo: bool, item: ScheduledItem) -> Result<ScheduledItem, Failure> {
        let Some(contract) = contract else { return Ok(item) };
        let table = self.context.table;
        let view = View::new(&self.context.pack.definition, &self.run);
        let selectors = if table.selects(contract) { (selectors.of)(&view, &item.request) } else { Vec::new() };
        let pin: &Arc<Pin> = table.resolve(contract, &selectors, self.run.id())?;
        if needs_undo && !pin.verbs.undo {
            let message = format!("`{}` answers contract {contract} without `undo`, which this step needs", pin.provider.name());
            return Err(Failure::new(FailureClass::Held, "plugin.contract", message));
        }
        Ok(ScheduledItem { pin: Some(pin.clone()), ..item })
    }

    /// The last document that the pack projects from the new records.
    fn documents(&self) -> Vec<Document> {
        let Some(project) = self.context.pack.document else { return Vec::new() };
        let definition = &self.context.pack.definition;
        let project = |record| project(&pipeline::Transition { definition, before: None, record, after: &self.run });
        self.records.iter().rev().find_map(project).into_iter().collect()
    }
}
