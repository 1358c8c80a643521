//! From one cause to one append: the cause and everything that follows from the state alone, so that a step's end and the next step's beginning are one write.

use std::sync::Arc;

use pipeline::{
    Command, ContractTrack, Epoch, Event, Failure, FailureClass, IllegalEvent, Pin, Record, Revision, Run, ScheduledItem, Selectors, Timestamp, View,
    apply_in_place, decide, needs_start_record,
};

use crate::{
    bindings::{BindingTable, Tables},
    definitions::Pack,
    holds,
    port::{Append, Document},
    row::row,
};

/// More records than any sound definition needs in one append; beyond it the reducer would not come to rest.
const MAX_RECORDS: usize = 10_000;

/// What a run is folded with.
#[derive(Debug, Clone)]
pub(crate) struct Context<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) tables: &'a Tables,
    /// The current table, where the run's steps are bound by it.
    pub(crate) current: Option<(Revision, Arc<BindingTable>)>,
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
    let before = first.is_none().then(|| run.clone());
    let expected_head = first.as_ref().map_or(run.head(), |_| pipeline::Seq(0));
    let states = first.iter().map(|_| run.clone()).collect();
    let mut folding = Folding { context, at, run, records: first.into_iter().collect(), states };
    for cause in causes {
        folding.push(cause)?;
    }
    let commands = folding.settle()?;
    let documents = folding.documents();
    let Folding { context, run, records, states, .. } = folding;
    let definition = &context.pack.definition;
    let holds = holds::changes(definition, before.as_deref(), &run, &records);
    let append = Append { row: row(definition, &run, &commands), expected_head, records, documents, writes: Vec::new(), holds };
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
                let (revision, table) = self.table(contract.as_ref());
                let revision = revision.cloned();
                let bind = |item| match &contract {
                    Some(contract) => self.bind(contract, table, selectors, needs_undo, item),
                    None => Ok(item),
                };
                Some(match items.into_iter().map(bind).collect() {
                    Ok(items) => Event::StepScheduled { step, round, items, revision },
                    Err(failure) => Event::StepRefused { step, failure },
                })
            }
            Command::Attempt { attempt, .. } => Some(Event::AttemptStarted { attempt }),
            Command::StartChild { .. } | Command::NotifyParent { .. } => None,
        }
    }

    /// The table that a step of the contract is bound by now; its revision, unless that is the run's own.
    fn table(&self, contract: Option<&ContractTrack>) -> (Option<&Revision>, &BindingTable) {
        let own = &self.run.started().revision;
        // Child runs are bound by what is current when they start.
        let Some(contract) = contract else { return (None, &self.context.tables.own) };
        if let Some((revision, table)) = &self.context.current {
            return (Some(revision).filter(|revision| *revision != own), table);
        }
        let moved = self.run.repinned(contract).and_then(|revision| Some((revision, self.context.tables.other(revision)?)));
        moved.map_or((None, &self.context.tables.own), |(revision, table)| (Some(revision), table))
    }

    fn bind(
        &self,
        contract: &ContractTrack,
        table: &BindingTable,
        selectors: Selectors,
        needs_undo: bool,
        item: ScheduledItem,
    ) -> Result<ScheduledItem, Failure> {
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
