//! Decisions on the way forward.

use super::{Command, is_held, live, open_fallout};
use crate::{
    definition::{AfterFailure, Criticality, Definition, StepDefinition, Undo, Work},
    event::{AfterUnwind, Event, FalloutSubject, Outcome, ScheduledItem},
    failure::{Failure, FailureClass},
    run::{Activity, Run, Standing, StepState, StepStatus},
    view::{MappingError, View},
};

pub(super) fn decide(definition: &Definition, run: &Run) -> Vec<Command> {
    if let Some(unwind) = begin_unwind(definition, run) {
        return vec![unwind];
    }
    let mut commands = live(definition, run);
    let quiet = commands.is_empty() && run.wakes(definition).is_empty();
    if let Some(record) = failures(definition, run, quiet) {
        // One at a time: a fallout's number depends on the ones before it.
        commands.push(record);
        return commands;
    }
    commands.extend(releases(definition, run));
    // A run that will end as failed once it is quiet finishes what is under way and begins nothing new.
    if failed(definition, run).all(|failed| !failed.ends(definition, run)) {
        commands.extend(schedules(definition, run));
    }
    if quiet && commands.is_empty() && run.steps.iter().all(|step| matches!(step.status, StepStatus::Done { .. })) {
        commands.push(Command::Record(Event::RunEnded { outcome: Outcome::Completed }));
    }
    commands
}

/// A failed step or item: the position of the item, and why.
struct Failed<'a> {
    step: &'a StepDefinition,
    item: Option<u32>,
    failure: Failure,
    undo: bool,
}

impl Failed<'_> {
    /// Whether the run ends because of it, without a person.
    fn ends(&self, definition: &Definition, run: &Run) -> bool {
        self.step.on_failure.then == AfterFailure::Fail
            && self.step.criticality != Criticality::BestEffort
            && !matches!(self.failure.class, FailureClass::Held | FailureClass::Unknown)
            && !run.past_no_return(definition)
            && !self.undo
    }
}

/// What has failed for good and is not held yet.
fn failed<'a>(definition: &'a Definition, run: &'a Run) -> impl Iterator<Item = Failed<'a>> {
    let steps = definition.steps.iter().zip(&run.steps);
    steps.flat_map(|(step, state)| failed_in(step, state)).filter(move |failed| !is_held(run, &failed.step.name, failed.item))
}

fn failed_in<'a>(step: &'a StepDefinition, state: &'a StepState) -> Vec<Failed<'a>> {
    if let StepStatus::Refused(failure) = &state.status {
        return vec![Failed { step, item: None, failure: failure.clone(), undo: false }];
    }
    let items = state.items.iter().zip(0_u32..).filter_map(|(item, position)| {
        let undo = match item.standing {
            Standing::Failed { .. } if item.activity == Activity::Idle => false,
            Standing::UndoFailed { .. } if item.activity == Activity::Idle => true,
            Standing::Open
            | Standing::Done { .. }
            | Standing::Failed { .. }
            | Standing::Forgiven
            | Standing::Undone
            | Standing::UndoFailed { .. } => {
                return None;
            }
        };
        let unexplained = || Failure::new(FailureClass::Held, "host.internal", "the item failed without a recorded reason");
        Some(Failed { step, item: Some(position), failure: item.last_failure.clone().unwrap_or_else(unexplained), undo })
    });
    items.collect()
}

fn begin_unwind(definition: &Definition, run: &Run) -> Option<Command> {
    if run.past_no_return(definition) {
        return None;
    }
    let unwinds = |failed: &Failed<'_>| failed.step.on_failure.unwind && failed.step.criticality != Criticality::BestEffort && !failed.undo;
    // A failure that only a person can judge is not followed by undoing things: they are needed for the judgement.
    let decided = |failed: &Failed<'_>| failed.failure.class != FailureClass::Held && failed.failure.class != FailureClass::Unknown;
    failed(definition, run).find(|failed| unwinds(failed) && decided(failed)).map(|failed| {
        Command::Record(Event::UnwindStarted {
            cause: Some(failed.failure),
            step: Some(failed.step.name.clone()),
            item: failed.item,
            then: AfterUnwind::from(failed.step.on_failure.then),
        })
    })
}

/// Forgives, holds or ends because of a failure, one event at a time.
fn failures(definition: &Definition, run: &Run, quiet: bool) -> Option<Command> {
    for failed in failed(definition, run) {
        let Failed { step, item, failure, undo } = &failed;
        let forgive = step.criticality == Criticality::BestEffort && !undo;
        if let (true, Some(position)) = (forgive, item) {
            let at = definition.step(&step.name)?.0;
            return Some(Command::Record(Event::ItemForgiven { item: run.item_id(definition, at, *position as usize) }));
        }
        let ends = failed.ends(definition, run);
        if ends && !quiet {
            continue;
        }
        if ends {
            return Some(Command::Record(Event::RunEnded { outcome: Outcome::Failed { failure: failure.clone(), step: Some(step.name.clone()) } }));
        }
        let (subject, reason) =
            if *undo { (FalloutSubject::UndoFailed, "undo_failed") } else { (FalloutSubject::Failed, (step.on_failure.reason)(failure)) };
        return Some(open_fallout(run, subject, &step.name, *item, reason, failure));
    }
    None
}

/// Compensations that are due because the step they wait for is done.
fn releases(definition: &Definition, run: &Run) -> Vec<Command> {
    let mut commands = Vec::new();
    for (s, step) in definition.steps.iter().enumerate() {
        let Undo::After(name) = &step.undo else { continue };
        let reached = definition.step(name).is_some_and(|(later, _)| matches!(run.steps[later].status, StepStatus::Done { .. }));
        // What is still being worked on is not taken back in part: its step would never be done.
        if !reached || !matches!(run.steps[s].status, StepStatus::Done { .. }) {
            continue;
        }
        for (i, item) in run.steps[s].items.iter().enumerate() {
            if matches!(item.standing, Standing::Done { by_hand: false, .. }) && item.activity == Activity::Idle {
                commands.push(Command::Record(Event::UndoScheduled { item: run.item_id(definition, s, i) }));
            }
        }
    }
    commands
}

/// Steps whose predecessors are done.
fn schedules(definition: &Definition, run: &Run) -> Vec<Command> {
    let done = |name| definition.step(name).is_some_and(|(position, _)| matches!(run.steps[position].status, StepStatus::Done { .. }));
    let ready = definition.steps.iter().zip(&run.steps).filter(|(step, state)| state.status == StepStatus::Waiting && step.after.iter().all(done));
    ready.map(|(step, state)| schedule(definition, run, step, state)).collect()
}

fn schedule(definition: &Definition, run: &Run, step: &StepDefinition, state: &StepState) -> Command {
    match map(definition, run, step) {
        Ok(items) => Command::Schedule {
            step: step.name.clone(),
            round: state.round + 1,
            contract: step.work.contract().cloned(),
            needs_undo: step.undo != Undo::Never && matches!(step.work, Work::Effect { .. }),
            items,
        },
        Err(MappingError(message)) => Command::Record(Event::StepRefused {
            step: step.name.clone(),
            failure: Failure::new(FailureClass::Held, "host.internal", format!("the request of step `{}` cannot be made: {message}", step.name)),
        }),
    }
}

fn map(definition: &Definition, run: &Run, step: &StepDefinition) -> Result<Vec<ScheduledItem>, MappingError> {
    let mapped = (step.map)(&View::new(definition, run))?;
    if step.fan_out.is_none() && mapped.len() != 1 {
        return Err(MappingError(format!("it has {} requests instead of one", mapped.len())));
    }
    Ok(mapped.into_iter().map(|mapped| ScheduledItem { label: mapped.label, request: mapped.request.into(), pin: None }).collect())
}
