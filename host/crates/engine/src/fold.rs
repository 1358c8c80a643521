//! From one cause to one append: the cause and everything that follows from the state alone, so that a step's end and the next step's beginning are one write.

use pipeline::{
    Command, Epoch, Event, Failure, FailureClass, IllegalEvent, Pin, Record, Run, ScheduledItem, Timestamp, apply_in_place, decide,
    needs_start_record,
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
    pub(crate) run: Run,
    pub(crate) append: Append,
    /// What can only be done once the append is durable.
    pub(crate) commands: Vec<Command>,
}

/// Folds `causes` and what follows from them. The first record of a run must have been applied before; it comes as `first`.
pub(crate) fn fold(context: Context<'_>, run: Run, now: Timestamp, first: Option<Record>, causes: Vec<Event>) -> Result<Folded, IllegalEvent> {
    let at = now.max(run.last_at());
    let expected_head = first.as_ref().map_or(run.head(), |_| pipeline::Seq(0));
    let mut folding = Folding { context, at, run, records: first.into_iter().collect() };
    for cause in causes {
        folding.push(cause)?;
    }
    let commands = folding.settle()?;
    let documents = folding.documents();
    let Folding { run, records, .. } = folding;
    let append = Append { row: row(&context.pack.definition, &run), expected_head, records, documents, writes: Vec::new() };
    Ok(Folded { run, append, commands })
}

struct Folding<'a> {
    context: Context<'a>,
    at: Timestamp,
    run: Run,
    records: Vec<Record>,
}

impl Folding<'_> {
    fn push(&mut self, event: Event) -> Result<(), IllegalEvent> {
        let record = Record { seq: self.run.head().next(), epoch: self.context.epoch, at: self.at, event };
        if self.records.len() >= MAX_RECORDS {
            return Err(IllegalEvent { seq: record.seq, reason: format!("one cause has {MAX_RECORDS} consequences and no end") });
        }
        // A refused event is a fault of this process and ends the fold, so the run is not needed afterwards.
        apply_in_place(&self.context.pack.definition, &mut self.run, &record)?;
        self.records.push(record);
        Ok(())
    }

    /// Records what follows until only calls and messages remain, which are returned.
    fn settle(&mut self) -> Result<Vec<Command>, IllegalEvent> {
        loop {
            let commands = decide(&self.context.pack.definition, &self.run);
            let Some(event) = commands.iter().find_map(|command| self.recordable(command)) else { return Ok(commands) };
            self.push(event)?;
        }
    }

    fn recordable(&self, command: &Command) -> Option<Event> {
        match command {
            Command::Record(event) => Some(event.clone()),
            Command::Schedule { step, round, contract, needs_undo, items } => {
                let bound = items.iter().map(|item| self.bind(contract.as_ref(), *needs_undo, item)).collect();
                Some(match bound {
                    Ok(items) => Event::StepScheduled { step: step.clone(), round: *round, items },
                    Err(failure) => Event::StepRefused { step: step.clone(), failure },
                })
            }
            Command::Attempt { attempt, ready } => {
                let (_, step) = self.context.pack.definition.step(&attempt.item.step)?;
                let item = self.run.item(&self.context.pack.definition, &attempt.item)?;
                let needed = !ready.started && needs_start_record(&step.work, item.pin.as_ref(), ready);
                needed.then(|| Event::AttemptStarted { attempt: attempt.clone() })
            }
            Command::StartChild { .. } | Command::NotifyParent { .. } => None,
        }
    }

    fn bind(&self, contract: Option<&pipeline::ContractTrack>, needs_undo: bool, item: &ScheduledItem) -> Result<ScheduledItem, Failure> {
        let Some(contract) = contract else { return Ok(item.clone()) };
        let pin: &Pin = self.context.table.resolve(contract, &item.request, self.run.id())?;
        if needs_undo && !pin.verbs.undo {
            let message = format!("`{}` answers contract {contract} without `undo`, which this step needs", pin.provider.name());
            return Err(Failure::new(FailureClass::Held, "plugin.contract", message));
        }
        Ok(ScheduledItem { pin: Some(pin.clone()), ..item.clone() })
    }

    /// The last document that the pack projects from the new records.
    fn documents(&self) -> Vec<Document> {
        let Some(project) = self.context.pack.document else { return Vec::new() };
        let definition = &self.context.pack.definition;
        let project = |record| project(&pipeline::Transition { definition, before: None, record, after: &self.run });
        self.records.iter().rev().find_map(project).into_iter().collect()
    }
}
